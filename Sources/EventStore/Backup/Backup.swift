package import Storage

/// What a run of `lethed backup` has done.
package struct BackupReport: Hashable, Sendable {
  package var log = LogCopyReport()
  /// True when the keyring was copied too.
  package var hasKeyring = false

  package init() {}
}

/// Copies a store beside its daemon, without its root and without opening anything.
package enum Backup {
  /// Brings the backup in the directory `target` up to the store in `data`, or begins one.
  ///
  /// Order: the events first, then the keyring, so that the keyring has the key of every event.
  package static func run(
    data: String, target: String, withKeyring: Bool
  ) throws(StorageError) -> BackupReport {
    let store = try DataDirectory.open(path: data, isReadOnly: true)
    guard try FormatFile.read(in: data).kind == .store else { throw .otherKind }
    let backup = try DataDirectory.openBackup(path: target, of: store.id)
    var report = BackupReport()
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
}
