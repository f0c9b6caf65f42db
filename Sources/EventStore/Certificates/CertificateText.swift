import EventModel
import Keyring

/// The text of a finished certificate: canonical JSON without any identifier of a person.
struct CertificateText {
  static let schema = "lethe.erasure/1"

  let id: CertificateID
  let record: CertificateRecord
  let sections: CertificateSections
  let holders: [HolderStatus]
  /// Of the samples, those that still opened; nil when they are not known any more.
  let openedAfter: Int?
  /// Where the ledger says that a root holder was lost, whose root nobody overwrote.
  let lostHolders: [UInt64]
  let confirmedMilliseconds: Int64

  /// E0 also when a sample still opened, or a holder was lost that had not confirmed.
  var level: ErasureLevel {
    guard openedAfter ?? 0 == 0, !isHolderLost else { return .none }
    return ErasureLevel(holders.compactMap(\.medium.weakness))
  }

  private var isHolderLost: Bool { lostHolders.contains { $0 > id.index } }

  private var title: String {
    guard openedAfter ?? 0 == 0 else { return "record of a failed verification" }
    return level == .none ? "deletion record" : "erasure certificate"
  }

  var bytes: [UInt8] {
    let text: CanonicalJSON = [
      "schema": .string(Self.schema), "title": .string(title),
      "certificate": .string(id.text), "kind": .string(record.act.certificateKind ?? ""),
      "store": .string(id.store.bytes.hexadecimal), "tenant": sections["tenant"],
      "ledger": .integer(id.index), "request": sections["request"],
      "approval": sections["approval"], "timeline": timeline, "scope": sections["scope"],
      "method": method, "verification": verification, "copies": copies,
      "tool": .string("lethe \(Release.version)"), "limits": .array(limits.map { .string($0) }),
    ]
    return text.bytes
  }

  private var timeline: CanonicalJSON {
    [
      "restricted": sections["restricted"], "destroyed": .time(record.timeMilliseconds),
      "confirmed": .time(confirmedMilliseconds), "ciphertext_reclaimed": .null,
    ]
  }

  private var method: CanonicalJSON {
    [
      "name": "cryptographic erase",
      "reference": "NIST SP 800-88 Rev. 2; ISO/IEC 27040",
      "suite": ["ChaCha20-Poly1305-IETF", "AES-256-GCM", "BLAKE2b"], "key_bits": .integer(256),
      "destroyed": sections["destroyed"],
      "root_generation": [.integer(record.epoch - 1), .integer(record.epoch)],
      "class": .string(level.text), "media": .array(holders.map(Self.medium)),
    ]
  }

  private static func medium(_ holder: HolderStatus) -> CanonicalJSON {
    [
      "kind": holder.isRemote ? "remote" : "file",
      "old_root": holder.isRemote
        ? "overwritten, as the holder says" : "overwritten in place and read back",
      "weakness": holder.medium.weakness.map { .string($0.rawValue) } ?? .null,
      "beside_data": .bool(holder.isOnDataFileSystem),
    ]
  }

  private var verification: CanonicalJSON {
    [
      "sampled": .integer(UInt64(record.sampled)),
      "opened_before": .integer(UInt64(record.openedBefore)),
      "opened_after": openedAfter.map { .integer(UInt64($0)) } ?? .null,
    ]
  }

  private var copies: CanonicalJSON {
    [
      "older_copies":
        "unreadable for whoever has today's root; readable for whoever kept an older root of their age",
      "backups": sections["backups"], "backups_unlisted": sections["backups_unlisted"],
      "root_holders_lost": .integer(UInt64(lostHolders.count)),
    ]
  }

  /// What the certificate does not say, in words.
  private var limits: [String] {
    var limits = [
      "does not cover what was read or exported before",
      "proves that the keys left the store, not that nobody copied a root, a key or the plaintext before",
      "the headers of the events, without names, open with today's root and old copies until their period ends",
      "copies that were not made by lethed backup are not known",
      "FIPS 140: not validated",
    ]
    switch level {
    case .none:
      limits.append(
        "class E0: the medium of the root may keep what is overwritten; nothing is claimed")
    case .overwritten:
      limits.append(
        "class E1: what lies below the file system (flash, volume snapshots, machine images) is not known"
      )
    }
    if isHolderLost {
      limits.append(
        "a root holder was lost before it confirmed; nobody overwrote the root that it has")
    }
    if openedAfter == nil {
      limits.append(
        "the daemon ended before the samples were tried again; they are not known any more")
    }
    return limits
  }
}
