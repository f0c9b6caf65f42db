import EventModel
import TransparencyLog

/// One file of a bundle, read once from its beginning to its end and hashed on the way.
///
/// Memory is bounded by what ``fill(_:)`` is asked for, whatever the file's size.
struct BundleFile: ~Copyable {
  let name: String
  private let listed: Manifest.File
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var start = 0
  private var hash = RunningHash()
  private var bytesRead: UInt64 = 0
  private var isEnded: Bool
  /// What is wrong with the file as a whole, as soon as it is known.
  private(set) var fault: String?

  private static let chunkBytes = 1 << 20

  /// Opens a file that the manifest has; one that it does not have is empty.
  init(_ name: String, of manifest: Manifest, in folder: String) {
    self.name = name
    listed = manifest.files[name] ?? Manifest.File(bytes: 0, sha256: nil)
    guard listed.bytes > 0 else {
      (descriptor, isEnded) = (-1, true)
      return
    }
    guard let opened = SystemCalls.openFile("\(folder)/\(name)") else {
      (descriptor, isEnded) = (-1, true)
      fault = "\(name): the manifest has it, and it cannot be read"
      return
    }
    (descriptor, isEnded) = (opened.descriptor, false)
    if opened.bytes != listed.bytes {
      fault = "\(name): \(opened.bytes) bytes, \(listed.bytes) in the manifest"
    }
  }

  deinit { if descriptor >= 0 { SystemCalls.closeFile(descriptor) } }

  /// What was read and not taken.
  var available: Int { buffer.count - start }

  /// Calls `body` with the first `count` bytes that were not taken; they must be ``available``.
  func withBytes<Result>(_ count: Int, _ body: (Span<UInt8>) -> Result) -> Result {
    body(buffer.span.extracting(start..<(start + count)))
  }

  /// Where the next end of a line stands, from what was not taken; nil when none is ``available``.
  var lineEnd: Int? { buffer[start...].firstIndex(of: 0x0A).map { $0 - start } }

  /// Reads on until `count` bytes are there; false when the file has no more.
  mutating func fill(_ count: Int) -> Bool {
    while available < count, !isEnded { readMore() }
    return available >= count
  }

  /// Takes bytes that are there.
  mutating func take(_ count: Int) { start += count }

  /// Reads what is left; why the file is not what the manifest has, or nil.
  mutating func finish() -> String? {
    let hasRest = isEnded && available > 0
    while !isEnded {
      start = buffer.count
      readMore()
    }
    guard fault == nil else { return fault }
    guard bytesRead == listed.bytes,
      listed.sha256.map({ $0 == hash.hash.bytes.hexadecimal }) ?? (bytesRead == 0)
    else { return "\(name): not the bytes that the manifest has" }
    return hasRest ? "\(name): what stands at its end is no row" : nil
  }

  private mutating func readMore() {
    if start > 0 {
      buffer.removeFirst(start)
      start = 0
    }
    let before = buffer.count
    // Not a byte more than the manifest has: a file that grows for ever is no file of a bundle.
    let wanted = min(UInt64(Self.chunkBytes), listed.bytes - bytesRead)
    guard wanted > 0,
      let count = SystemCalls.read(descriptor, into: &buffer, countMax: Int(wanted)), count > 0
    else {
      isEnded = true
      if wanted > 0, fault == nil { fault = "\(name): it ends early" }
      return
    }
    let read = buffer
    hash.add(read.span.extracting(before..<read.count))
    bytesRead += UInt64(count)
    if bytesRead == listed.bytes { isEnded = true }
  }
}

extension BundleFile {
  /// The whole of a small file that no manifest speaks of, or nil.
  static func small(_ name: String, in folder: String, bytesMax: Int) -> [UInt8]? {
    guard let opened = SystemCalls.openFile("\(folder)/\(name)") else { return nil }
    defer { SystemCalls.closeFile(opened.descriptor) }
    return whole(opened.descriptor, bytesMax: bytesMax)
  }

  /// The whole of a small file, wherever it is.
  static func small(path: String, bytesMax: Int) -> [UInt8]? {
    guard let opened = SystemCalls.openFile(path) else { return nil }
    defer { SystemCalls.closeFile(opened.descriptor) }
    return whole(opened.descriptor, bytesMax: bytesMax)
  }

  private static func whole(_ descriptor: Int32, bytesMax: Int) -> [UInt8]? {
    var bytes: [UInt8] = []
    while bytes.count <= bytesMax {
      guard let count = SystemCalls.read(descriptor, into: &bytes, countMax: 1 << 16) else {
        return nil
      }
      if count == 0 { return bytes }
    }
    return nil
  }
}
