import EventModel
import TransparencyLog

/// A certificate of a bundle, as far as other rows need it.
struct CertificateFacts: Sendable {
  let name: String
  let ledgerIndex: UInt64
  let kind: String
  let title: String
  /// `E0` and up.
  let level: String
  let events: UInt64
  let destroyedMilliseconds: Int64
  let confirmedMilliseconds: Int64
  /// From when on nobody was shown the events; nil: only from their destruction on.
  let restrictedMilliseconds: Int64?
  /// When the ciphertext was dropped as well, as far as that was known.
  let reclaimedMilliseconds: Int64?
  let ticket: String?
  let sampled: UInt64
  let openedBefore: UInt64
  /// Nil: it was not tried.
  let openedAfter: UInt64?
}

/// One certificate file: JSON in canonical form and a signature of it.
struct CertificateFile {
  /// What was signed, as it stands in the file.
  let text: [UInt8]
  let json: JSONValue
  /// The key that the file names itself.
  let publicKey: [UInt8]
  let signature: [UInt8]

  static let bytesMax = 1 << 20

  /// Reads one; nil when it is none.
  init?(_ bytes: [UInt8]) {
    guard bytes.count <= Self.bytesMax, let members = (try? JSONParser.members(bytes)) ?? nil,
      let certificate = members.first(where: { $0.member.name == "certificate" }),
      let key = members.first(where: { $0.member.name == "key" })?.member.value.string,
      let signature = members.first(where: { $0.member.name == "signature" })?.member.value.string,
      let publicKey = [UInt8](hexadecimal: key), let signed = [UInt8](hexadecimal: signature)
    else { return nil }
    text = Array(bytes[certificate.range])
    json = certificate.member.value
    self.publicKey = publicKey
    self.signature = signed
  }

  /// True when it is signed with this key.
  func isSigned(by key: NoteKey) -> Bool { key.isSignature(signature, of: text) }

  /// What it says; nil when a member is not there.
  var facts: CertificateFacts? {
    guard json["schema"]?.string == "lethe.erasure/1", let name = json["certificate"]?.string,
      let index = json["ledger"]?.integer, let kind = json["kind"]?.string,
      let title = json["title"]?.string, let level = json["method"]?["class"]?.string,
      let events = json["scope"]?["events"]?.integer,
      let destroyed = json["timeline"]?["destroyed"]?.milliseconds,
      let confirmed = json["timeline"]?["confirmed"]?.milliseconds,
      let sampled = json["verification"]?["sampled"]?.integer,
      let before = json["verification"]?["opened_before"]?.integer
    else { return nil }
    return CertificateFacts(
      name: name, ledgerIndex: index, kind: kind, title: title, level: level, events: events,
      destroyedMilliseconds: destroyed, confirmedMilliseconds: confirmed,
      restrictedMilliseconds: json["timeline"]?["restricted"]?.milliseconds,
      reclaimedMilliseconds: json["timeline"]?["ciphertext_reclaimed"]?.milliseconds,
      ticket: json["request"]?["ticket"]?.string, sampled: sampled, openedBefore: before,
      openedAfter: json["verification"]?["opened_after"]?.integer)
  }
}

/// Reads the certificates and compares them with the ledger, both ways.
struct CertificateCheck {
  private(set) var certificates: [UInt64: CertificateFacts] = [:]
  private(set) var conditions = EraseSummary()
  private let manifest: Manifest
  private let ledger: LedgerFacts

  init(_ manifest: Manifest, _ ledger: LedgerFacts) {
    self.manifest = manifest
    self.ledger = ledger
  }

  /// Runs through the file.
  mutating func read(_ file: inout BundleFile, _ findings: inout Findings) {
    var number = 0
    while let line = file.nextLine(bytesMax: CertificateFile.bytesMax) {
      number += 1
      if let wrong = judge(line) {
        findings.add(
          "CER-1", .recomputed, .tampered, "\(file.name), line \(number): \(wrong)")
      }
      guard certificates.count <= LedgerFacts.actsMax else { break }
    }
    if file.available > 0 {
      findings.add("CER-1", .recomputed, .tampered, "\(file.name): a line that does not end")
    }
    if let fault = file.finish() { findings.add("BUN-2", .recomputed, .tampered, fault) }
    findings.add(
      "CER-1", .recomputed, .pass,
      "\(certificates.count) certificates are signed and of acts in the ledger")
  }

  /// What is wrong with a certificate, or nil.
  private mutating func judge(_ line: [UInt8]) -> String? {
    guard let file = CertificateFile(line) else { return "no certificate" }
    guard file.isSigned(by: manifest.key) else { return "the signature is not of it" }
    guard file.json["store"]?.string == manifest.store.bytes.hexadecimal else {
      return "a certificate of another store"
    }
    guard let facts = file.facts else { return "a certificate without some of its members" }
    guard certificates[facts.ledgerIndex] == nil else { return "the certificate is there twice" }
    certificates[facts.ledgerIndex] = facts
    conditions.add(file.json, facts)
    return Self.contradiction(file.json, facts, ledger, manifest)
  }

  /// What a certificate and the ledger tell differently, or nil.
  static func contradiction(
    _ json: JSONValue, _ facts: CertificateFacts, _ ledger: LedgerFacts, _ manifest: Manifest
  ) -> String? {
    guard let entry = ledger.act(facts.ledgerIndex), let kind = entry.act.certificateKind else {
      return "ledger entry \(facts.ledgerIndex) erased nothing"
    }
    guard kind == facts.kind else {
      return "kind \(facts.kind), ledger entry \(facts.ledgerIndex) is of kind \(kind)"
    }
    guard entry.timeMilliseconds == facts.destroyedMilliseconds else {
      return "destroyed at another time than ledger entry \(facts.ledgerIndex) says"
    }
    guard entry.count == facts.events else {
      return "\(facts.events) events, ledger entry \(facts.ledgerIndex) has \(entry.count)"
    }
    guard json["method"]?["root_generation"]?.items?.last?.integer == entry.epoch else {
      return "another root than ledger entry \(facts.ledgerIndex) has"
    }
    if let tenant = json["tenant"]?.string,
      let log = manifest.logs.first(where: { $0.tenant == entry.tenant }),
      case .tenant(_, let id, _) = log.origin, id.bytes.hexadecimal != tenant
    {
      return "another tenant than ledger entry \(facts.ledgerIndex) has"
    }
    return nil
  }

  /// Acts that erased events and have no certificate here.
  func judgeCompleteness(isErasurePending: Bool, _ findings: inout Findings) {
    var count = 0
    for (index, entry) in ledger.acts.sorted(by: { $0.key < $1.key })
    where entry.act.certificateKind != nil {
      count += 1
      guard certificates[index] == nil else { continue }
      findings.add(
        "CER-2", .recomputed, isErasurePending ? .finding : .tampered,
        isErasurePending
          ? "ledger entry \(index): the certificate is not finished"
          : "ledger entry \(index) erased events, and its certificate is missing")
    }
    findings.add(
      "CER-2", .recomputed, .pass, "\(count) acts in the ledger erased events; looked for each")
  }
}
