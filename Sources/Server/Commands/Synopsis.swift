/// The arguments of a command, read from the line in which people write them.
///
/// `WORDS` in capitals are said as they are, others stand for values; `[..]` may be left out,
/// `{a | b}` is one of several, `...` behind a part lets it repeat, and `..` lets it repeat together
/// with its word.
struct Synopsis: Sendable {
  /// One argument as `COMMAND DOCS` describes it.
  struct Argument: Hashable, Sendable {
    enum Kind: String, Hashable, Sendable {
      case string
      case token = "pure-token"
      case block
      case oneof
    }

    var kind: Kind
    var name: String
    /// The word in front of the value, or the word itself.
    var token: String?
    var isOptional = false
    var isMultiple = false
    /// Said with its word each time.
    var isTokenRepeated = false
    var parts: [Argument] = []
  }

  let arguments: [Argument]

  /// `line` is a constant; a mistake in it is found by the tests.
  init(_ line: String) {
    var words: [String] = []
    for word in line.split(separator: " ") {
      var word = String(word)
      while let first = word.first, "[{".contains(first) {
        words.append(String(word.removeFirst()))
      }
      var tail: [String] = []
      while let last = word.last, "]}".contains(last) { tail.append(String(word.removeLast())) }
      if !word.isEmpty { words.append(word) }
      words += tail.reversed()
    }
    var rest = words[...]
    arguments = Self.sequence(&rest)
  }

  /// Reads parts until a bracket closes or another choice begins.
  private static func sequence(_ words: inout ArraySlice<String>) -> [Argument] {
    var found: [Argument] = []
    while let word = words.first, word != "]", word != "}", word != "|" {
      words = words.dropFirst()
      switch word {
      case "[":
        var optional = whole(sequence(&words), "options")
        words = words.dropFirst()
        optional.isOptional = true
        found.append(optional)
      case "{": found.append(choice(&words))
      case "...", "..":
        guard !found.isEmpty else { continue }
        found[found.count - 1].isMultiple = true
        found[found.count - 1].isTokenRepeated = word == ".."
      default: found.append(single(word, &words))
      }
    }
    return found
  }

  /// Reads `a | b }`.
  private static func choice(_ words: inout ArraySlice<String>) -> Argument {
    var choices: [Argument] = []
    repeat {
      choices.append(whole(sequence(&words), "choice"))
      let separator = words.first
      words = words.dropFirst()
      if separator != "|" { break }
    } while true
    if choices.count == 1 { return choices[0] }
    return Argument(kind: .oneof, name: "choice", parts: choices)
  }

  private static func single(_ word: String, _ words: inout ArraySlice<String>) -> Argument {
    guard isToken(word) else { return Argument(kind: .string, name: word) }
    guard let next = words.first, isValue(next) else {
      return Argument(kind: .token, name: word.lowercased(), token: word)
    }
    words = words.dropFirst()
    return Argument(kind: .string, name: next, token: word)
  }

  /// Several parts as one.
  private static func whole(_ parts: [Argument], _ name: String) -> Argument {
    if parts.count == 1, let only = parts.first, !only.isOptional { return only }
    return Argument(kind: .block, name: name, parts: parts)
  }

  private static func isToken(_ word: String) -> Bool {
    word.utf8.allSatisfy { (0x41...0x5A).contains($0) || $0 == 0x2D }
  }

  private static func isValue(_ word: String) -> Bool {
    !isToken(word) && !["[", "]", "{", "}", "|", "...", ".."].contains(word)
  }
}
