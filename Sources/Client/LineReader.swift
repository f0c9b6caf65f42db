import EventModel

/// Reads lines from a file descriptor, in bounded memory.
package struct LineReader {
  /// What was read.
  package enum Outcome: Hashable, Sendable {
    /// A line without its end.
    case line([UInt8])
    case end
    /// A line longer than allowed; the rest of the input is of no use.
    case tooLong
    case failed(errno: Int32)
  }

  private let fd: Int32
  private let lineBytesMax: Int
  private var buffer: [UInt8] = []
  private var start = 0
  private var isEnded = false

  package init(_ fd: Int32, lineBytesMax: Int = JSONParser.bytesMax) {
    self.fd = fd
    self.lineBytesMax = lineBytesMax
  }

  /// The next line; after anything but a line there is nothing more to read.
  package mutating func next() -> Outcome {
    var searched = start
    while true {
      if let end = buffer[searched...].firstIndex(of: 0x0A) {
        let line = Array(buffer[start..<(buffer[start..<end].last == 0x0D ? end - 1 : end)])
        start = end + 1
        return .line(line)
      }
      guard !isEnded else {
        guard start < buffer.count else { return .end }
        let line = Array(buffer[start...])
        start = buffer.count
        return .line(line)
      }
      guard buffer.count - start <= lineBytesMax else { return .tooLong }
      buffer.removeFirst(start)
      start = 0
      searched = buffer.count
      switch SystemCalls.read(fd, into: &buffer, countMax: 1 << 16) {
      case .moved: continue
      case .ended: isEnded = true
      case .wouldBlock: _ = SystemCalls.wait(fd, forWriting: false, milliseconds: 1_000)
      case .failed(let code): return .failed(errno: code)
      }
    }
  }

  /// Everything up to the end, at most `bytesMax` bytes.
  package static func readAll(_ fd: Int32, bytesMax: Int) -> Result<[UInt8], SystemError>? {
    var bytes: [UInt8] = []
    while true {
      switch SystemCalls.read(fd, into: &bytes, countMax: 1 << 16) {
      case .moved:
        guard bytes.count <= bytesMax else { return nil }
      case .ended: return .success(bytes)
      case .wouldBlock: _ = SystemCalls.wait(fd, forWriting: false, milliseconds: 1_000)
      case .failed(let code): return .failure(SystemError(errno: code))
      }
    }
  }
}
