@preconcurrency import Glibc

/// Data on standard output, messages on standard error.
enum Output {
  /// A line of data.
  static func data(_ line: String) { print(line) }

  /// A line for a person.
  static func message(_ line: String) {
    var bytes = Array(line.utf8)
    bytes.append(0x0A)
    var start = 0
    while start < bytes.count {
      let count = unsafe bytes[start...].withUnsafeBytes { unsafe write(2, $0.baseAddress, $0.count) }
      guard count > 0 else { return }
      start += count
    }
  }

  /// Ends the program.
  static func exit(_ code: Int32) -> Never { Glibc.exit(code) }
}
