import CLinux

/// What every run of the program does before it touches a key.
enum Hardening {
  /// No core dumps, no tracing by the same user; files are private from their creation on.
  static func apply() {
    if linux_forbid_dumps() != 0 {
      Output.message("lethed: this system does not let me forbid core dumps")
      Output.exit(71)
    }
    linux_private_files()
    linux_ignore_signals()
    linux_raise_limits()
  }
}
