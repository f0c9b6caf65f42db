import EventModel
import Keyring
import Sodium
import Storage

/// A backup that was taken and, as far as the store knows, still exists.
package struct KnownBackup: Hashable, Sendable {
  /// The random identity of its directory: 16 bytes.
  package let id: [UInt8]
  package let firstMilliseconds: Int64
  /// When it was last brought up to the store.
  package fileprivate(set) var lastMilliseconds: Int64
  package fileprivate(set) var lastSequence: UInt64
  /// True when it has, or had, a copy of the keyring.
  package fileprivate(set) var hasKeyring: Bool
}

/// The backups that the store knows: the key tree's document `copies` 0 (Docs/Format.md, section 4.7).
///
/// ```
/// lethed backup -> notice in the data directory -> document, ledger -> notice removed
/// ```
/// A crash before the last step takes a notice in twice, which changes nothing.
struct CopyRegister: Equatable {
  /// As many as a document has room for; then the ones that were brought up longest ago are only counted.
  static let backupsMax = 128
  static let documentID = DocumentID(.copies, 0)
  private static let rowBytes = 48

  /// Newest last.
  private(set) var backups: [KnownBackup] = []
  /// Backups beyond ``backupsMax``.
  private(set) var droppedCount: UInt64 = 0

  init() {}

  /// Notes that a backup was taken.
  mutating func note(_ notice: BackupNotice) {
    var known =
      backups.first { $0.id == notice.backup }
      ?? KnownBackup(
        id: notice.backup, firstMilliseconds: notice.timeMilliseconds,
        lastMilliseconds: notice.timeMilliseconds, lastSequence: 0, hasKeyring: false)
    backups.removeAll { $0.id == notice.backup }
    known.lastMilliseconds = max(known.lastMilliseconds, notice.timeMilliseconds)
    known.lastSequence = max(known.lastSequence, notice.lastSequence)
    known.hasKeyring = known.hasKeyring || notice.hasKeyring
    backups.append(known)
    guard backups.count > Self.backupsMax else { return }
    backups.removeFirst()
    droppedCount += 1
  }

  /// Strikes a backup off; false when it is not known.
  mutating func retire(_ id: [UInt8]) -> Bool {
    let count = backups.count
    backups.removeAll { $0.id == id }
    return backups.count < count
  }

  var bytes: [UInt8] {
    var bytes: [UInt8] = [1, 0, 0, 0]
    bytes.appendBigEndian(UInt64(backups.count), bytes: 4)
    bytes.appendBigEndian(droppedCount, bytes: 8)
    for backup in backups {
      bytes += backup.id
      bytes.appendBigEndian(UInt64(bitPattern: backup.firstMilliseconds), bytes: 8)
      bytes.appendBigEndian(UInt64(bitPattern: backup.lastMilliseconds), bytes: 8)
      bytes.appendBigEndian(backup.lastSequence, bytes: 8)
      bytes += [backup.hasKeyring ? 1 : 0, 0, 0, 0, 0, 0, 0, 0]
    }
    return bytes
  }

  /// Nil when these are not the bytes of a register.
  init?(_ bytes: Span<UInt8>) {
    guard bytes.count >= 16, bytes[0] == 1 else { return nil }
    let count = Int(bytes.bigEndian(at: 4, bytes: 4))
    guard count <= Self.backupsMax, bytes.count >= 16 + count * Self.rowBytes else { return nil }
    droppedCount = bytes.bigEndian(at: 8, bytes: 8)
    for index in 0..<count {
      let at = 16 + index * Self.rowBytes
      backups.append(
        KnownBackup(
          id: bytes.extracting(at..<(at + 16)).array,
          firstMilliseconds: Int64(bitPattern: bytes.bigEndian(at: at + 16, bytes: 8)),
          lastMilliseconds: Int64(bitPattern: bytes.bigEndian(at: at + 24, bytes: 8)),
          lastSequence: bytes.bigEndian(at: at + 32, bytes: 8), hasKeyring: bytes[at + 40] == 1))
    }
  }

  /// What a certificate says of the copies that are older than its act.
  var text: CanonicalJSON {
    let listed = backups.reversed().prefix(64)
    return .array(
      listed.map {
        [
          "backup": .string($0.id.hexadecimal), "first": .time($0.firstMilliseconds),
          "last": .time($0.lastMilliseconds), "keyring": .bool($0.hasKeyring),
        ]
      })
  }

  /// How many there are besides those of ``text``.
  var unlistedCount: UInt64 { UInt64(max(0, backups.count - 64)) + droppedCount }
}

extension ControlPlane {
  /// The backups that the store knows, with those that were taken since it was last asked.
  func copies() throws(StoreError) -> CopyRegister {
    let path = shared.dataPath
    let notices = try StoreError.translatingStorage { () throws(StorageError) in
      try BackupNotice.all(in: path)
    }
    var register = try knownCopies()
    guard let last = notices.last else { return register }
    for notice in notices { register.note(notice) }
    try keep(
      register,
      LedgerEntry(
        timeMilliseconds: shared.clock(), act: .backupTaken, actor: .daemon,
        count: last.lastSequence))
    try StoreError.translatingStorage { () throws(StorageError) in
      for notice in notices { try notice.remove(from: path) }
    }
    return register
  }

  /// Strikes off a backup that, as the operator says, is destroyed.
  func retireCopy(_ id: [UInt8], _ actor: Actor) throws(StoreError) {
    var register = try copies()
    guard register.retire(id) else { throw .noCertificate }
    try keep(
      register,
      LedgerEntry(timeMilliseconds: shared.clock(), act: .backupRetired, actor: actor.ledgerActor))
  }

  private func knownCopies() throws(StoreError) -> CopyRegister {
    let document = try shared.withState { (state) throws(StoreError) in
      try StoreError.translating { () throws(KeyringError) in
        try state.keyring.document(tenant: nil, CopyRegister.documentID)
      }
    }
    guard let document else { return CopyRegister() }
    guard let register = document.withBytes({ CopyRegister($0) }) else { throw .corrupt }
    return register
  }

  private func keep(_ register: CopyRegister, _ entry: LedgerEntry) throws(StoreError) {
    try shared.withState { (state) throws(StoreError) in
      if let failure = state.failure { throw failure }
      try StoreError.translating { () throws(KeyringError) in
        try state.keyring.setDocuments(
          tenant: nil, [CopyRegister.documentID: Document(copying: register.bytes.span)],
          entry: entry)
      }
    }
  }
}
