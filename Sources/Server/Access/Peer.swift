/// Who connected, as the kernel says.
struct Peer: Hashable, Sendable {
  /// The uid that stands for "not known in this user namespace".
  static let overflowUID: UInt32 = 65_534

  let uid: UInt32
  let gid: UInt32
  /// Supplementary groups.
  let groups: [UInt32]

  init(uid: UInt32, gid: UInt32, groups: [UInt32]) {
    self.uid = uid
    self.gid = gid
    self.groups = groups
  }

  func isIn(group: UInt32) -> Bool { gid == group || groups.contains(group) }
}

/// The socket that a connection came through; it decides which verbs exist.
enum Endpoint: Hashable, Sendable {
  case query
  case admin
  /// A socket of the access file; its name stands for the peer.
  case named(SocketName)

  /// The file's name in the sockets directory.
  var fileName: String {
    switch self {
    case .query: "query.sock"
    case .admin: "admin.sock"
    case .named(let name): "\(name.text).sock"
    }
  }
}

/// The name of a declared socket: `[a-z0-9][a-z0-9-]{0,31}`, neither `query` nor `admin`.
struct SocketName: Hashable, Sendable, Comparable {
  static let bytesMax = 32

  let text: String

  init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard let first = bytes.first, bytes.count <= Self.bytesMax, first != 0x2D,
      bytes.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }),
      text != "query", text != "admin"
    else { return nil }
    self.text = text
  }

  static func < (left: SocketName, right: SocketName) -> Bool { left.text < right.text }
}
