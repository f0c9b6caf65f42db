import Glibc

/// poll(2) over many descriptors, one call wide.
enum Polling {
  /// Places of those that can be read, or written if that was asked for, or have hung up.
  static func wait(_ wanted: [(fd: Int32, forWriting: Bool)], milliseconds: Int32) -> [Int] {
    var entries = wanted.map {
      pollfd(fd: $0.fd, events: Int16(POLLIN) | ($0.forWriting ? Int16(POLLOUT) : 0), revents: 0)
    }
    let count = unsafe poll(&entries, nfds_t(entries.count), milliseconds)
    guard count > 0 else { return [] }
    return entries.indices.filter { entries[$0].revents != 0 }
  }
}

/// The memory of a process, from /proc.
enum Memory {
  /// Kilobytes of anonymous memory and of all resident memory (with mapped files), or nil.
  static func kilobytes(ofProcess process: Int) -> (anonymous: Int, resident: Int)? {
    guard let text = read("/proc/\(process)/status") else { return nil }
    var found = (anonymous: 0, resident: 0)
    for line in text.split(separator: "\n") {
      let words = line.split { $0 == " " || $0 == "\t" }
      guard words.count >= 2, let value = Int(words[1]) else { continue }
      if words[0] == "RssAnon:" { found.anonymous = value }
      if words[0] == "VmRSS:" { found.resident = value }
    }
    return found
  }

  private static func read(_ path: String) -> String? {
    guard let bytes = Files.read(path) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// Whole files.
enum Files {
  static func read(_ path: String) -> [UInt8]? {
    guard let file = unsafe fopen(path, "r") else { return nil }
    defer { _ = unsafe fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe fread(&chunk, 1, chunk.count, file)
      guard count > 0 else { return bytes }
      bytes += chunk[..<count]
    }
  }

  /// Replaces the file; whoever reads it sees the old or the new one.
  static func write(_ path: String, _ bytes: [UInt8]) -> Bool {
    let fresh = path + ".new"
    guard let file = unsafe fopen(fresh, "w") else { return false }
    let written = unsafe fwrite(bytes, 1, bytes.count, file)
    let isClosed = unsafe fclose(file) == 0
    guard isClosed, written == bytes.count else { return false }
    return unsafe rename(fresh, path) == 0
  }
}
