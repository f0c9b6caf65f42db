import EventModel

/// Tells a daemon that a backup was taken, so that its certificates can name the copy.
///
/// An empty file in the data directory whose name says all, since whoever takes backups has no keys and
/// may be another user. The daemon takes it into the key tree and removes it.
package struct BackupNotice: Hashable, Sendable {
  /// The random identity of the backup's directory: 16 bytes.
  package let backup: [UInt8]
  package let timeMilliseconds: Int64
  /// The newest record when the run began.
  package let lastSequence: UInt64
  package let hasKeyring: Bool

  package init(
    backup: [UInt8], timeMilliseconds: Int64, lastSequence: UInt64, hasKeyring: Bool
  ) {
    self.backup = backup
    self.timeMilliseconds = timeMilliseconds
    self.lastSequence = lastSequence
    self.hasKeyring = hasKeyring
  }

  private static let prefix = "backup-"

  /// `backup-<identity>-<time>-<sequence>-<0 or 1>`, in hexadecimal.
  private var fileName: String {
    Self.prefix
      + [
        backup.hexadecimal, UInt64(bitPattern: timeMilliseconds).bigEndianBytes.hexadecimal,
        lastSequence.bigEndianBytes.hexadecimal, hasKeyring ? "1" : "0",
      ].joined(separator: "-")
  }

  private init?(fileName: String) {
    guard fileName.hasPrefix(Self.prefix) else { return nil }
    let parts = fileName.dropFirst(Self.prefix.count).split(separator: "-")
    guard parts.count == 4, let backup = FormatFile.bytes(Array(parts[0].utf8)),
      backup.count == 16, let time = UInt64(parts[1], radix: 16),
      let sequence = UInt64(parts[2], radix: 16)
    else { return nil }
    self.init(
      backup: backup, timeMilliseconds: Int64(bitPattern: time), lastSequence: sequence,
      hasKeyring: parts[3] == "1")
    guard self.fileName == fileName else { return nil }
  }

  /// Leaves the notice in a data directory, durably.
  package func leave(in data: String) throws(StorageError) {
    do { _ = try FileDescriptor.create(path: "\(data)/\(fileName)", size: 0) } catch {
      guard error == .exists else { throw error }
    }
    try FileDescriptor.open(directory: data).sync()
  }

  /// The notices that lie in a data directory, oldest first.
  package static func all(in data: String) throws(StorageError) -> [BackupNotice] {
    try Linux.entries(ofDirectory: data).compactMap { BackupNotice(fileName: $0) }
      .sorted { $0.timeMilliseconds < $1.timeMilliseconds }
  }

  /// Removes the notice, which may be gone already.
  package func remove(from data: String) throws(StorageError) {
    try Linux.remove("\(data)/\(fileName)")
  }
}

extension DataDirectory {
  /// The random identity of a backup's directory, in its file `ID`; made when there is none.
  package static func identity(ofBackup path: String, new: [UInt8]) throws(StorageError) -> [UInt8]
  {
    let name = path + "/ID"
    if Linux.exists(name) {
      let file = try FileDescriptor.open(path: name, isReadOnly: true)
      if let known = FormatFile.bytes(try file.bytes(count: min(64, file.status().size))),
        known.count == 16
      {
        return known
      }
    }
    // One that is torn is made anew.
    let text = Array(new.hexadecimal.utf8)
    try Linux.remove(name)
    let file = try FileDescriptor.create(path: name, size: text.count)
    try file.write(text.span, at: 0)
    try file.sync()
    try FileDescriptor.open(directory: path).sync()
    return new
  }
}
