#if DEBUG
  import EventModel
  import Foundation
  import Keyring
  import Storage
  import Synchronization
  import Testing

  @testable import EventStore

  /// Which file of a store cannot be written any more, and through which of its descriptors.
  private enum Broken: String, CaseIterable, Codable, Sendable {
    case keyringData, keyringMeta, logData, logMeta, root

    var file: String {
      switch self {
      case .keyringData, .keyringMeta: "data/keyring/data.mdb"
      case .logData, .logMeta: "data/log/data.mdb"
      case .root: "root"
      }
    }

    /// LMDB opens its file a second time, with O_DSYNC, for the pages that say where the tables begin.
    var isMeta: Bool { self == .keyringMeta || self == .logMeta }
  }

  /// Puts a file that cannot be written in the place of a descriptor.
  private func breakDescriptor(_ broken: Broken, below path: String) {
    let null = unsafe open("/dev/null", O_RDONLY)
    for descriptor in Int32(3)..<256 {
      let link = try? FileManager.default.destinationOfSymbolicLink(
        atPath: "/proc/self/fd/\(descriptor)")
      guard link == path + "/" + broken.file else { continue }
      let isMeta = fcntl(descriptor, F_GETFL) & O_DSYNC != 0
      if broken == .root || isMeta == broken.isMeta { dup2(null, descriptor) }
    }
  }

  /// Shreds a person while a file cannot be written, then opens the store again.
  ///
  /// Returns whether the shred was reported done, and whether it was.
  private func shredOnBrokenDevice(
    _ broken: Broken
  ) throws -> (isReported: Bool, isDone: Bool) {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for index in 1...10 {
      _ = store.append(tenant, TestEvent(subjects: [index % 2 == 0 ? "ann" : "bob"], data: "d"))
    }
    let person = Array("ann".utf8)
    guard
      case .plan(let plan) = try store.control(
        .planShredSubject(TenantName("acme")!, subject: person))
    else { throw StoreError.corrupt }
    breakDescriptor(broken, below: store.directory.path)
    let answer = try? store.control(
      .shredSubject(
        TenantName("acme")!, subject: person, reason: .art17, token: Array(plan.token.utf8)))
    // Whoever asks again is not told that it is done either; but a root holder is looked for anew.
    let isReported = answer != nil || (try? store.shred("acme", "ann")) != nil
    try store.reopen()
    let states = try store.feed(tenant).map(\.event.state)
    let erased = states.filter { $0 == .erased }.count
    guard case .certificates(let found) = try store.control(.certificates(after: 0, limit: 10))
    else { throw StoreError.corrupt }
    // All or nothing, with a certificate or without.
    #expect(states.count == 10)
    #expect(erased == 0 && found.isEmpty || erased == 5 && found.count == 1)
    #expect(found.allSatisfy { $0.isFinished })
    // And now it can be done.
    if erased == 0 { _ = try store.shred("acme", "ann") }
    #expect(try store.feed(tenant).filter { $0.event.state == .erased }.count == 5)
    return (isReported, erased == 5)
  }

  @Test(arguments: Broken.allCases)
  private func `a shred on a broken device is not reported done unless it is`(broken: Broken) async
  {
    await #expect(processExitsWith: .success) { [broken = broken as Broken] in
      let (isReported, isDone) = try shredOnBrokenDevice(broken)
      #expect(isDone || !isReported)
      #expect(!isReported || broken == .root)
    }
  }

  @Test func `a shred that ignores what the device says is caught`() async {
    await #expect(processExitsWith: .success) {
      TestHooks.settings.withLock { $0.variant = "io-error-ignored" }
      let (isReported, isDone) = try shredOnBrokenDevice(.keyringData)
      #expect(isReported && !isDone)
    }
  }
#endif
