import RESP

/// A command on its way to the daemon: a list of byte strings.
package struct Request: Hashable, Sendable {
  package private(set) var arguments: [[UInt8]]

  /// A command of words that are known not to be secret or personal.
  package init(_ words: String...) { arguments = words.map { Array($0.utf8) } }

  /// Appends a word.
  package mutating func append(_ word: String) { arguments.append(Array(word.utf8)) }

  /// Appends an argument of any bytes.
  package mutating func append(_ bytes: [UInt8]) { arguments.append(bytes) }

  /// Appends an option and its value.
  package mutating func append(_ name: String, _ value: [UInt8]) {
    append(name)
    append(value)
  }

  /// Appends an option and its value.
  package mutating func append(_ name: String, _ value: String) {
    append(name)
    append(value)
  }

  /// Appends another command's arguments, for commands within commands.
  package mutating func append(contentsOf other: Request) {
    arguments.append(contentsOf: other.arguments)
  }

  /// Appends the command as the wire has it: an array of bulk strings.
  package func encode(to bytes: inout [UInt8]) {
    bytes.append(0x2A)
    DecimalNumber.append(UInt64(arguments.count), to: &bytes)
    bytes.append(contentsOf: [0x0D, 0x0A])
    for argument in arguments {
      bytes.append(0x24)
      DecimalNumber.append(UInt64(argument.count), to: &bytes)
      bytes.append(contentsOf: [0x0D, 0x0A])
      bytes.append(contentsOf: argument)
      bytes.append(contentsOf: [0x0D, 0x0A])
    }
  }
}
