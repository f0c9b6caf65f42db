/// Bytes that are not the protocol: the connection gets one error, if any, and is closed.
///
/// Where Redis has a wording, it is used, since clients and people know it.
package enum ProtocolFailure: Error, Hashable, Sendable {
  case multibulkLength
  case multibulkCountTooBig
  case bulkCountTooBig
  case bulkLength
  case dollarExpected(got: UInt8)
  case bulkEnd
  case inlineTooBig
  case unbalancedQuotes
  case commandTooBig
  case unauthenticatedMultibulk
  case unauthenticatedBulk
  /// `POST` or `Host:`: a browser was lured here. Closed without a word, as Redis does.
  case http

  /// The error's text without the leading `-`, or nil when nothing is answered.
  package var text: String? {
    switch self {
    case .multibulkLength: "ERR Protocol error: invalid multibulk length"
    case .multibulkCountTooBig: "ERR Protocol error: too big mbulk count string"
    case .bulkCountTooBig: "ERR Protocol error: too big bulk count string"
    case .bulkLength: "ERR Protocol error: invalid bulk length"
    case .dollarExpected(let byte):
      "ERR Protocol error: expected '$', got '\(Self.printable(byte))'"
    case .bulkEnd: "ERR Protocol error: expected CRLF after bulk"
    case .inlineTooBig: "ERR Protocol error: too big inline request"
    case .unbalancedQuotes: "ERR Protocol error: unbalanced quotes in request"
    case .commandTooBig: "ERR Protocol error: too big command"
    case .unauthenticatedMultibulk: "ERR Protocol error: unauthenticated multibulk length"
    case .unauthenticatedBulk: "ERR Protocol error: unauthenticated bulk length"
    case .http: nil
    }
  }

  /// One byte for people to read; `?` when it has no glyph of its own.
  private static func printable(_ byte: UInt8) -> Character {
    (0x20..<0x7F).contains(byte) ? Character(Unicode.Scalar(byte)) : "?"
  }
}
