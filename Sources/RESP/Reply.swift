/// A reply as a client reads it, of RESP2 or RESP3.
package indirect enum Reply: Hashable, Sendable {
  case simple(String)
  /// The whole text; its first word is the code.
  case error(String)
  case integer(Int64)
  case bulk([UInt8])
  /// `$-1`, `*-1` or `_`.
  case null
  case double(Double)
  case boolean(Bool)
  /// A number beyond 64 bits, as its digits.
  case bigNumber(String)
  case array([Reply])
  /// In the order of the wire; keys may repeat.
  case map([(key: Reply, value: Reply)])
  case set([Reply])
  /// Out of band; never the answer to a command.
  case push([Reply])

  package static func == (left: Reply, right: Reply) -> Bool {
    switch (left, right) {
    case (.simple(let a), .simple(let b)), (.error(let a), .error(let b)),
      (.bigNumber(let a), .bigNumber(let b)):
      a == b
    case (.integer(let a), .integer(let b)): a == b
    case (.bulk(let a), .bulk(let b)): a == b
    case (.null, .null): true
    case (.double(let a), .double(let b)): a == b
    case (.boolean(let a), .boolean(let b)): a == b
    case (.array(let a), .array(let b)), (.set(let a), .set(let b)), (.push(let a), .push(let b)):
      a == b
    case (.map(let a), .map(let b)):
      a.count == b.count && zip(a, b).allSatisfy { $0.key == $1.key && $0.value == $1.value }
    default: false
    }
  }

  package func hash(into hasher: inout Hasher) {
    switch self {
    case .simple(let text), .error(let text), .bigNumber(let text): hasher.combine(text)
    case .integer(let number): hasher.combine(number)
    case .bulk(let bytes): hasher.combine(bytes)
    case .null: hasher.combine(0)
    case .double(let number): hasher.combine(number)
    case .boolean(let value): hasher.combine(value)
    case .array(let items), .set(let items), .push(let items): hasher.combine(items)
    case .map(let pairs):
      for pair in pairs {
        hasher.combine(pair.key)
        hasher.combine(pair.value)
      }
    }
  }
}

extension Reply {
  /// The text of a simple string or a bulk, when it is UTF-8.
  package var text: String? {
    switch self {
    case .simple(let text): text
    case .bulk(let bytes): String(validating: bytes, as: UTF8.self)
    default: nil
    }
  }

  package var integer: Int64? {
    if case .integer(let number) = self { number } else { nil }
  }

  /// The items of a list.
  package var items: [Reply]? {
    switch self {
    case .array(let items), .set(let items), .push(let items): items
    default: nil
    }
  }

  /// The value of `key` in a map, or in the flat list that RESP2 makes of one.
  package subscript(key: String) -> Reply? {
    switch self {
    case .map(let pairs): pairs.first { $0.key.text == key }?.value
    case .array(let items):
      stride(from: 0, to: items.count - 1, by: 2).first { items[$0].text == key }
        .map { items[$0 + 1] }
    default: nil
    }
  }
}
