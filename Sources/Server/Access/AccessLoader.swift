/// Reads the access file and decides whether it may be believed.
struct AccessLoader: Sendable {
  static let bytesMax = 1 << 20

  /// Nil when the daemon was started without an access file.
  let path: String?
  /// The daemon's own user.
  let ownUID: UInt32

  init(path: String?, ownUID: UInt32) {
    self.path = path
    self.ownUID = ownUID
  }

  /// The policy of the file, or the one that holds without a file.
  func load() throws(AccessFileError) -> AccessPolicy {
    guard let path else { return AccessPolicy(onlyUID: ownUID) }
    let file = try SystemCalls.read(path, bytesMax: Self.bytesMax).get()
    guard file.owner == 0 || file.owner == ownUID else {
      throw .file("it belongs to neither root nor the daemon's user")
    }
    guard file.mode & 0o022 == 0 else { throw .file("others may write it: chmod go-w") }
    return try AccessPolicy(parsing: file.bytes)
  }
}
