import EventModel
import EventStore
import RESP

/// Names of streams, types, ids and the like: UTF-8 without control characters.
enum EventName {
  /// True for 1 to `bytesMax` bytes of UTF-8 without control characters (C0, DEL, C1).
  static func isName(_ bytes: Span<UInt8>, bytesMax: Int = Limits.nameBytesMax) -> Bool {
    guard !bytes.isEmpty, bytes.count <= bytesMax else { return false }
    var isASCII = true
    for index in bytes.indices {
      let byte = bytes[index]
      if byte < 0x20 || byte == 0x7F { return false }
      isASCII = isASCII && byte < 0x80
    }
    return isASCII || isPrintableUTF8(bytes)
  }

  private static func isPrintableUTF8(_ bytes: Span<UInt8>) -> Bool {
    guard let text = String(validating: bytes.array, as: UTF8.self) else { return false }
    return !text.unicodeScalars.contains { (0x80...0x9F).contains($0.value) }
  }

  /// Throws what is wrong with a name; `label` is the option's, never its value.
  static func check(
    _ bytes: Span<UInt8>, _ label: StaticString, bytesMax: Int = Limits.nameBytesMax
  ) throws(CommandError) {
    guard isName(bytes, bytesMax: bytesMax) else {
      throw CommandError(
        .badArgument, "\(label): 1 to \(bytesMax) bytes of UTF-8 without control characters")
    }
  }

  /// A stream's name, which is not `*`.
  static func checkStream(_ bytes: Span<UInt8>) throws(CommandError) {
    try check(bytes, "stream")
    guard !isAll(bytes) else {
      throw CommandError(.badArgument, "stream: '*' is the whole tenant, not a stream")
    }
  }

  /// True for `*`, which stands for the whole tenant where that can be read.
  static func isAll(_ bytes: Span<UInt8>) -> Bool { bytes.count == 1 && bytes[0] == 0x2A }
}

/// What programs write when they have no person at hand; keys for such a "person" would be shared
/// by everybody who was forgotten so.
enum Placeholder {
  private static let words: [Word] = ["NULL", "UNDEFINED", "ANONYMOUS", "0"]

  /// True for the empty string, `null`, `undefined`, `anonymous`, `0` and UUIDs of zeroes, whatever
  /// their case.
  static func isOne(_ person: Span<UInt8>) -> Bool {
    if person.isEmpty { return true }
    if let word = Word(person) { return words.contains(word) }
    guard person.count == 32 || person.count == 36 else { return false }
    for index in person.indices {
      let isHyphen = person.count == 36 && [8, 13, 18, 23].contains(index)
      guard person[index] == (isHyphen ? 0x2D : 0x30) else { return false }
    }
    return true
  }
}

extension Expectation {
  /// Reads `any`, `none`, `exists` or a version.
  init(parsing bytes: Span<UInt8>) throws(CommandError) {
    if let version = DecimalNumber.parseUnsigned(bytes), version <= Limits.positionMax {
      self = .version(version)
      return
    }
    switch Word(bytes) {
    case "ANY": self = .any
    case "NONE": self = .none
    case "EXISTS": self = .exists
    default: throw CommandError(.badArgument, "EXPECT: any, none, exists or a version")
    }
  }
}
