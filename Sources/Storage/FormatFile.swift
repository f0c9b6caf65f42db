package import EventModel

/// The file `FORMAT`: what a directory is, in which version, and of which store.
///
/// ```
/// lethe-store 1       or lethe-backup 1
/// id 32 hexadecimal digits
/// ```
package struct FormatFile: Hashable, Sendable {
  /// What a directory is; a backup is never opened as a store.
  package enum Kind: String, Sendable, CaseIterable {
    case store = "lethe-store 1"
    case backup = "lethe-backup 1"
  }

  package let kind: Kind
  package let id: StoreID

  init(_ kind: Kind, _ id: StoreID) {
    self.kind = kind
    self.id = id
  }

  /// Reads the file of `directory`: `.missing`, `.notPrivate` or `.unknownFormat`.
  package static func read(in directory: String) throws(StorageError) -> FormatFile {
    let file = try FileDescriptor.open(path: directory + "/FORMAT", isReadOnly: true)
    let status = try file.status()
    guard status.isPrivate, status.isRegular else { throw .notPrivate }
    guard status.size <= bytesMax else { throw .unknownFormat }
    let text = try file.bytes(count: status.size)
    for kind in Kind.allCases {
      let start = Array((kind.rawValue + "\nid ").utf8)
      guard text.starts(with: start), let id = id(text.dropFirst(start.count).dropLast()) else {
        continue
      }
      let found = FormatFile(kind, id)
      if found.text == text { return found }
    }
    throw .unknownFormat
  }

  /// Writes the file, durably, as the last step of making a directory; a crash leaves none.
  func create(in directory: String) throws(StorageError) {
    let text = text
    try Linux.remove(directory + "/FORMAT.new")
    let file = try FileDescriptor.create(path: directory + "/FORMAT.new", size: text.count)
    try file.write(text.span, at: 0)
    try file.sync()
    try Linux.rename(directory + "/FORMAT.new", to: directory + "/FORMAT")
    try FileDescriptor.open(directory: directory).sync()
  }

  private static let bytesMax = 64

  private var text: [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    var text = Array((kind.rawValue + "\nid ").utf8)
    for byte in id.bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    text.append(0x0A)
    return text
  }

  private static func id(_ digits: ArraySlice<UInt8>) -> StoreID? {
    guard digits.count == 32 else { return nil }
    return bytes(Array(digits)).flatMap(StoreID.init(bytes:))
  }

  /// What pairs of small hexadecimal digits stand for; nil when they are none.
  static func bytes(_ digits: [UInt8]) -> [UInt8]? {
    guard digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x61...0x66: digit - 0x61 + 10
    default: nil
    }
  }
}
