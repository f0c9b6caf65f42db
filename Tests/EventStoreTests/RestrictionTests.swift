import EventModel
import Storage
import Testing

@testable import EventStore

@Suite struct RestrictionTests {
  private let acme = TenantName("acme")!
  private let ann = Array("ann".utf8)

  private func filled(_ store: TestStore) throws -> TenantNumber {
    let tenant = try store.createTenant("acme")
    for (index, subjects) in [["ann"], ["bob"], ["ann", "bob"], []].enumerated() {
      _ = store.append(tenant, TestEvent(subjects: subjects, data: "d\(index + 1)", id: "\(index)"))
    }
    return tenant
  }

  @Test func `a restricted person's events are shown to nobody until it is lifted`() throws {
    let store = try TestStore()
    let tenant = try filled(store)
    try store.control(.restrictSubject(acme, subject: ann, .restriction))
    for _ in 0..<2 {
      #expect(try store.feed(tenant).map(\.data) == [nil, "d2", nil, "d4"])
      #expect(
        try store.feed(tenant).map(\.event.state) == [.restricted, .live, .restricted, .live])
      #expect(try store.stream(tenant, "orders", isDescending: true).map(\.data)[1] == nil)
      #expect(store.append(tenant, TestEvent(subjects: ["ann"])).error == .subjectRestricted)
      #expect(
        store.append(tenant, TestEvent(subjects: ["bob", "ann"])).error == .subjectRestricted)
      try store.reopen()
    }
    #expect(store.append(tenant, TestEvent(subjects: ["bob"], data: "d5")).error == nil)
    try store.control(.unrestrictSubject(acme, subject: ann))
    #expect(try store.feed(tenant).map(\.data) == ["d1", "d2", "d3", "d4", "d5"])
    #expect(store.append(tenant, TestEvent(subjects: ["ann"])).error == nil)
    #expect(throws: StoreError.noSubject) {
      try store.control(.unrestrictSubject(acme, subject: ann))
    }
    #expect(throws: StoreError.noSubject) {
      try store.control(.restrictSubject(acme, subject: Array("zoe".utf8), .restriction))
    }
  }

  @Test func `who objects gets no more events, known or not, and keeps what is there`() throws {
    let store = try TestStore()
    let tenant = try filled(store)
    for name in ["ann", "zoe"] {
      let subject = Array(name.utf8)
      try store.control(.restrictSubject(acme, subject: subject, .objection))
      try store.reopen()
      #expect(store.append(tenant, TestEvent(subjects: [name])).error == .subjectRestricted)
      #expect(try store.feed(tenant).map(\.data) == ["d1", "d2", "d3", "d4"])
      #expect(throws: StoreError.noSubject) {
        try store.control(.enrolSubject(acme, subject: subject))
      }
    }
    var skipping = TestEvent(subjects: ["zoe"], group: 1)
    skipping.skipsErased = true
    let results = store.append(tenant, [skipping, TestEvent(subjects: ["bob"], group: 1)])
    #expect(results.map(\.error) == [.subjectShredded, nil])
    // An objection outlives the erasure and its mark.
    _ = try store.shred("acme", "ann")
    #expect(store.append(tenant, TestEvent(subjects: ["ann"])).error == .subjectShredded)
    store.clock.advance(86_400_000 * 31)
    #expect(store.append(tenant, TestEvent(subjects: ["ann"])).error == .subjectRestricted)
    try store.control(.unrestrictSubject(acme, subject: ann))
    try store.control(.unrestrictSubject(acme, subject: Array("zoe".utf8)))
    for name in ["ann", "zoe"] {
      #expect(store.append(tenant, TestEvent(subjects: [name])).error == nil)
    }
  }

  @Test func `a restricted person can be shredded, and their stream's name is found`() throws {
    let store = try TestStore()
    let tenant = try filled(store)
    _ = store.append(tenant, TestEvent(stream: "ann's", subjects: ["ann"]))
    try store.control(.restrictSubject(acme, subject: ann, .restriction))
    let receipt = try store.shred("acme", "ann")
    #expect(receipt.plan.eventCount == 3 && receipt.plan.ownStreamCount == 1)
    #expect(try store.stream(tenant, "ann's").isEmpty)
    #expect(
      try store.feed(tenant).map(\.event.state) == [.erased, .live, .erased, .live, .erased])
    try store.control(.enrolSubject(acme, subject: ann))
    #expect(store.append(tenant, TestEvent(stream: "ann's", subjects: ["ann"])).version == 1)
  }

  @Test(arguments: ["restriction-unread", "restriction-cached"])
  func `what would show a restricted person is caught`(variant: String) throws {
    let store = try TestStore()
    let tenant = try filled(store)
    #expect(try store.feed(tenant).count == 4)
    try TestHooks.$taskVariant.withValue(variant) {
      let control = ControlPlane(shared: store.store.shared)
      _ = try control.perform(
        .restrictSubject(acme, subject: ann, .restriction),
        actor: Actor(uid: 1, socketName: nil, isApprover: false), survey: nil)
      let isShown = try store.feed(tenant).contains { $0.data == "d1" }
      #expect(isShown, "the variant does not break anything")
    }
  }
}
