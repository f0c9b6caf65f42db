import Sodium
package import Storage

/// What a run of `lethed backup` has done.
package struct BackupReport: Hashable, Sendable {
  package var log = LogCopyReport()
  /// True when the keyring was copied too.
  package var hasKeyring = false
  /// True when the daemon will know of this copy, and certificates name it.
  package var isRegistered = false

  package init() {}
}

/// Copies a store beside its daemon, without its root and without opening anything.
package enum Backup {
  /// Brings the backup in the directory `target` up to the store in `data`, or begins one.
  ///
  /// Order: a notice for the daemon, so that no copy is unknown -> the events -> the keyring, so that it
  /// has the key of every event.
  package static func run(
    data: String, target: String, withKeyring: Bool, now: Int64
  ) throws(StorageError) -> BackupReport {
    let store = try DataDirectory.open(path: data, isReadOnly: true)
    guard try FormatFile.read(in: data).kind == .store else { throw .otherKind }
    let backup = try DataDirectory.openBackup(path: target, of: store.id)
    var report = BackupReport()
    report.isRegistered = try register(store, backup, withKeyring, now)
    #if DEBUG
      if withKeyring, TestHooks.isVariant("keyring-first") {
        try KeyringTables.open(store).copy(toDirectory: backup.path + "/keyring")
      }
    #endif
    report.log = try LogTables.open(store).copy(to: try LogTables.open(backup))
    guard withKeyring else { return report }
    #if DEBUG
      if TestHooks.isVariant("keyring-first") { return report }
    #endif
    try KeyringTables.open(store).copy(toDirectory: backup.path + "/keyring")
    report.hasKeyring = true
    return report
  }

  /// Tells the daemon of the copy; false where nothing can be written, as on a dead machine's disk.
  private static func register(
    _ store: DataDirectory, _ backup: DataDirectory, _ withKeyring: Bool, _ now: Int64
  ) throws(StorageError) -> Bool {
    let id = try DataDirectory.identity(ofBackup: backup.path, new: Random.bytes(16))
    let last = try LogTables.open(store).read { (view) throws(StorageError) in
      try view.lastSequence()
    }
    let notice = BackupNotice(
      backup: id, timeMilliseconds: now, lastSequence: last, hasKeyring: withKeyring)
    return (try? notice.leave(in: store.path)) != nil
  }
}
