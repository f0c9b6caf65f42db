import EventModel
import Keyring
import Sodium
import Storage
import Testing

@testable import EventStore

@Suite struct CertificateTests {
  /// A store with events of two persons in two streams.
  private func filled() throws -> (TestStore, TenantNumber) {
    let store = try TestStore()
    let tenant = try store.createTenant("acme")
    for index in 1...100 {
      let person = index % 2 == 0 ? "ann-the-person" : "bob-the-person"
      _ = store.append(
        tenant, TestEvent(stream: "stream-\(index % 2)", subjects: [person], data: "secret"))
    }
    return (store, tenant)
  }

  private func certificates(_ store: TestStore) throws -> [CertificateSummary] {
    guard case .certificates(let found) = try store.control(.certificates(after: 0, limit: 100))
    else { throw StoreError.corrupt }
    return found
  }

  private func text(_ store: TestStore, _ name: String) throws -> String {
    guard case .certificate(let found) = try store.control(.certificate(Array(name.utf8))) else {
      throw StoreError.corrupt
    }
    return String(decoding: found.document, as: UTF8.self)
  }

  @Test func `every kind of shred is certified with what it destroyed`() throws {
    let (store, _) = try filled()
    let person = try store.shred("acme", "ann-the-person")
    _ = try store.shred("acme", .events([1, 3]))
    _ = try store.shred("acme", .stream(Array("stream-1".utf8)))
    let name = TenantName("acme")!
    try store.control(.setTenant(name, .grace(.tenant, milliseconds: 0)))
    guard case .plan(let plan) = try store.control(.planShredTenant(name)) else {
      throw StoreError.corrupt
    }
    try store.control(
      .shredTenant(name, reason: .offboarding, token: Array(plan.token.utf8)), uid: 2,
      isApprover: true)
    let found = try certificates(store)
    #expect(found.map(\.kind) == ["subject", "events", "stream", "tenant"])
    #expect(found.map(\.eventCount) == [50, 2, 48, 100])
    #expect(found.allSatisfy { $0.isFinished })
    #expect(found[0].id == person.rotation.certificate)
    // The tenant is gone, and its name with it.
    #expect(found.allSatisfy { $0.tenant == nil })
    let first = try text(store, found[0].id.text)
    #expect(first.contains(#""events":50,"events_erased_before":0"#))
    #expect(first.contains(#""opened_after":0,"opened_before":32,"sampled":32"#))
    #expect(first.contains(#""reason":"art17""#))
    #expect(try text(store, "\(found[1].id.index)").contains(#""keys_of_events":2"#))
    #expect(
      try text(store, found[3].id.text).contains(#""confirmed_by":"uid:2""#))
  }

  @Test func `a certificate names no person, stream or tenant`() throws {
    let (store, _) = try filled()
    let receipt = try store.shred("acme", "ann-the-person")
    let found = try text(store, receipt.rotation.certificate!.text)
    for name in ["ann", "stream-0", "acme", receipt.plan.token] { #expect(!found.contains(name)) }
  }

  @Test func `a certificate is signed with the store's key`() throws {
    let (store, _) = try filled()
    let receipt = try store.shred("acme", "ann-the-person")
    guard case .keyStatus(let status) = try store.control(.keyStatus) else { return }
    let found = try text(store, receipt.rotation.certificate!.text)
    let middle = #","key":"\#(status.publicKey.hexadecimal)","signature":""#
    let parts = found.split(separator: middle)
    #expect(parts.count == 2)
    let message = Array(parts[0].dropFirst(#"{"certificate":"#.count).utf8)
    let digits = Array(parts[1].dropLast(2))
    let signature = stride(from: 0, to: digits.count, by: 2).map {
      UInt8(String(digits[$0..<($0 + 2)]), radix: 16)!
    }
    let isValid = Ed25519.isValid(
      signature.span, of: message.span, publicKey: status.publicKey.span)
    #expect(isValid)
  }

  @Test func `names of other stores and of nothing are unknown`() throws {
    let (store, _) = try filled()
    let id = try store.shred("acme", "ann-the-person").rotation.certificate!
    let other = CertificateID(
      store: StoreID(bytes: Array(repeating: 0, count: 16))!, index: id.index)
    for name in [other.text, "\(id.index + 1)", "", "-", "+\(id.index)", id.text + "-1", "x"] {
      #expect(throws: StoreError.noCertificate) {
        try store.control(.certificate(Array(name.utf8)))
      }
    }
  }

  @Test func `a certificate that a crash left unfinished is finished at start`() throws {
    let (store, _) = try filled()
    // Not on the writer's thread, which would finish it.
    let receipt = try store.shredHere("acme", .stream(Array("stream-1".utf8)), variant: nil)
    try store.reopen()
    let found = try certificates(store)
    #expect(found.map(\.isFinished) == [true])
    let name = receipt.rotation.certificate!.text
    #expect(
      try text(store, name).contains(#""opened_after":0,"opened_before":32,"sampled":32"#))
    let before = try text(store, name)
    try store.reopen()
    #expect(try text(store, name) == before)
  }

  /// The broken variant keeps opened keys over the shred, so that the samples open again.
  @Test(arguments: [nil, "leaf-kept"])
  func `a sample that opens after the act is no certificate`(variant: String?) throws {
    let (store, _) = try filled()
    let receipt = try store.shredHere("acme", .events([1, 2, 3]), variant: variant)
    // The samples lie with the control plane that began it.
    let control = ControlPlane(shared: store.store.shared)
    try control.finishCertificates()
    let found = try text(store, receipt.rotation.certificate!.text)
    let isFailed = found.contains(#""title":"record of a failed verification""#)
    #expect(isFailed == (variant != nil))
    #expect(found.contains(#""class":"E0""#) == isFailed)
  }

  @Test func `a record is read as it was written`() throws {
    var sections = CertificateSections()
    sections["a"] = ["b": .integer(7)]
    sections["long name"] = .string(String(repeating: "x", count: 70_000))
    #expect(CertificateSections(sections.bytes) == sections)
    #expect(CertificateSections(Array(sections.bytes.dropLast())) == nil)
    var record = CertificateRecord(
      act: .subjectShredded, tenant: TenantNumber(rawValue: 7), timeMilliseconds: 8, eventCount: 9,
      text: sections.bytes)
    (record.epoch, record.keyCount, record.sampled, record.openedBefore) = (10, 11, 12, 13)
    (record.isFinished, record.level) = (true, .overwritten)
    record.signature = Array(1...64)
    #expect(CertificateRecord(record.bytes) == record)
    #expect(CertificateRecord(Array(record.bytes.prefix(100))) == nil)
  }
}

@Suite struct CopyRegisterTests {
  private func notice(_ number: Int, _ time: Int64, hasKeyring: Bool = false) -> BackupNotice {
    BackupNotice(
      backup: Array(repeating: 0, count: 14) + [UInt8(number >> 8), UInt8(number & 255)],
      timeMilliseconds: time, lastSequence: UInt64(number), hasKeyring: hasKeyring)
  }

  @Test func `a register forgets the backups that were brought up longest ago and counts them`() {
    var register = CopyRegister()
    for number in 1...140 { register.note(notice(number, Int64(number))) }
    register.note(notice(30, 200, hasKeyring: true))
    #expect(register.backups.count == CopyRegister.backupsMax)
    #expect(register.droppedCount == 12)
    #expect(register.backups.first?.lastSequence == 13)
    #expect(register.backups.last?.firstMilliseconds == 30)
    #expect(register.backups.last?.lastMilliseconds == 200)
    #expect(register.backups.last?.hasKeyring == true)
    #expect(register.unlistedCount == 64 + 12)
    #expect(register.bytes.count <= Document.bytesMax)
    #expect(CopyRegister(register.bytes.span) == register)
  }

  @Test func `a notice taken in twice changes nothing`() {
    var register = CopyRegister()
    register.note(notice(1, 1))
    let before = register
    register.note(notice(1, 1))
    #expect(register == before)
    let isRetired = [register.retire(notice(1, 1).backup), register.retire(notice(1, 1).backup)]
    #expect(isRetired == [true, false])
    #expect(register.backups.isEmpty)
  }
}
