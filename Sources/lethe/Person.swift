import Client
import EventModel

/// Reads identifiers of persons: from a file descriptor or from a prompt without echo.
enum Person {
  /// Bytes of all identifiers together; four of 255 bytes and their line ends fit.
  private static let inputBytesMax = 4_096
  /// The same for many at once.
  private static let manyBytesMax = Limits.shredSubjectsMax * (Limits.nameBytesMax + 2)

  /// One identifier a line; empty lines are passed over.
  static func read(from fd: Int32, bytesMax: Int = inputBytesMax) throws -> [[UInt8]] {
    switch LineReader.readAll(fd, bytesMax: bytesMax) {
    case .success(let bytes):
      let lines = bytes.split(separator: 0x0A).map { line in
        Array(line.last == 0x0D ? line.dropLast() : line)
      }
      return lines.filter { !$0.isEmpty }
    case .failure(let error):
      throw Failure(
        .usage, "file descriptor \(fd): \(SystemCalls.describe(errno: error.errno))")
    case nil: throw Failure(.dataError, "more than \(bytesMax) bytes of identifiers")
    }
  }

  /// All identifiers of stdin, each once, in their order.
  static func many() throws -> [[UInt8]] {
    var known: Set<[UInt8]> = []
    let persons = try read(from: 0, bytesMax: manyBytesMax).filter { known.insert($0).inserted }
    guard !persons.isEmpty else { throw Failure(.usage, "stdin has no identifier") }
    guard persons.count <= Limits.shredSubjectsMax else {
      throw Failure(.dataError, "more than \(Limits.shredSubjectsMax) persons")
    }
    return persons
  }

  /// Asks for one identifier on the terminal, which does not show it; nil without a terminal.
  static func ask(_ question: String) throws -> [UInt8]? {
    guard let answer = try Terminal.ask(question, isHidden: true) else { return nil }
    guard !answer.isEmpty else { throw Failure(.usage, "no identifier was given") }
    return answer
  }

  /// Exactly one identifier: from stdin when it is no terminal, else by asking.
  static func one(_ question: String) throws -> [UInt8] {
    if SystemCalls.isTerminal(0), let person = try ask(question) { return person }
    let persons = try read(from: 0)
    guard persons.count == 1 else {
      throw Failure(.usage, "stdin must hold exactly one identifier, in one line")
    }
    return persons[0]
  }
}

/// Questions to whoever sits at the terminal, also when stdin and stdout are redirected.
enum Terminal {
  /// The answer's line, or nil without a terminal.
  static func ask(_ question: String, isHidden: Bool) throws -> [UInt8]? {
    guard let fd = SystemCalls.openTerminal() else { return nil }
    defer { SystemCalls.closeFile(fd) }
    guard SystemCalls.writeAll(fd, Array("\(question): ".utf8)) == 0 else { return nil }
    if isHidden, !SystemCalls.setEcho(fd, false) { return nil }
    defer {
      if isHidden {
        _ = SystemCalls.setEcho(fd, true)
        _ = SystemCalls.writeAll(fd, [0x0A])
      }
    }
    var reader = LineReader(fd, lineBytesMax: 4_096)
    guard case .line(let line) = reader.next() else {
      throw Failure(.usage, "no answer was given")
    }
    return line
  }
}
