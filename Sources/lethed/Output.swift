import CLinux

/// Data on standard output, messages on standard error.
enum Output {
  /// A line of data.
  static func data(_ line: String) { print(line) }

  /// A line for a person.
  static func message(_ line: String) { unsafe linux_write_error_line(line) }

  /// Ends the program.
  static func exit(_ code: Int32) -> Never { linux_exit(code) }
}
