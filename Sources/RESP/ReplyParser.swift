/// What makes a reply unreadable; the connection is of no use afterwards.
package enum ReplyFailure: Error, Hashable, Sendable {
  /// Not a type of RESP2 or RESP3, or a line that is not what its type says.
  case malformed
  /// More than ``ReplyParser/depthMax`` replies within each other.
  case tooDeep
  /// A length beyond ``ReplyParser/bytesMax`` or ``ReplyParser/itemsMax``.
  case tooBig
}

/// Reads replies from what a server sends, in pieces; no piece is read twice.
package struct ReplyParser {
  /// Lists within lists.
  package static let depthMax = 16
  /// Bytes of one bulk; a reply of the largest size fits.
  package static let bytesMax = 64 << 20
  /// Items of one list, and of one reply altogether.
  package static let itemsMax = 4 << 20
  /// Bytes of a line: a simple string, an error or a number.
  package static let lineBytesMax = 1 << 16

  /// One step: how many bytes were used up, and the reply if one is complete.
  package struct Step {
    package let count: Int
    package let reply: Reply?
  }

  private enum Kind { case array, map, set, push, attribute }

  private struct Frame {
    let kind: Kind
    var missing: Int
    var items: [Reply] = []
  }

  private var frames: [Frame] = []
  private var itemCount = 0

  package init() {}

  /// Reads on in `bytes` until a reply is complete or they end.
  ///
  /// The caller drops the bytes that
  /// were used up and comes again with what is left and more.
  package mutating func parse(_ bytes: Span<UInt8>) throws(ReplyFailure) -> Step {
    var offset = 0
    while offset < bytes.count {
      let rest = bytes.extracting(offset..<bytes.count)
      guard let (element, count) = try element(rest) else { break }
      offset += count
      if let value = element, let reply = place(value) {
        itemCount = 0
        return Step(count: offset, reply: reply)
      }
    }
    return Step(count: offset, reply: nil)
  }
}

extension ReplyParser {
  /// Reads one value or one list header; nil when it is not complete.
  ///
  /// A header of items to come gives no value: it becomes a frame.
  private mutating func element(
    _ bytes: Span<UInt8>
  ) throws(ReplyFailure) -> (Reply?, count: Int)? {
    guard let lineEnd = try lineEnd(bytes) else { return nil }
    let line = bytes.extracting(1..<lineEnd)
    let next = lineEnd + 2
    switch bytes[0] {
    case 0x2B: return (.simple(text(line)), next)
    case 0x2D: return (.error(text(line)), next)
    case 0x3A: return (.integer(try number(line)), next)
    case 0x5F: return (.null, next)
    case 0x2C: return (.double(try double(line)), next)
    case 0x23:
      guard line.count == 1, line[0] == 0x74 || line[0] == 0x66 else { throw .malformed }
      return (.boolean(line[0] == 0x74), next)
    case 0x28: return (.bigNumber(text(line)), next)
    case 0x24, 0x3D, 0x21:
      return try bulk(bytes, type: bytes[0], length: try number(line), from: next)
    case 0x2A: return (try open(.array, try number(line)), next)
    case 0x25: return (try open(.map, try number(line)), next)
    case 0x7E: return (try open(.set, try number(line)), next)
    case 0x3E: return (try open(.push, try number(line)), next)
    case 0x7C: return (try open(.attribute, try number(line)), next)
    default: throw .malformed
    }
  }

  /// The place of the CR of the first line, or nil when it has not come.
  private func lineEnd(_ bytes: Span<UInt8>) throws(ReplyFailure) -> Int? {
    var index = 1
    let end = min(bytes.count, Self.lineBytesMax)
    while index < end, bytes[index] != 0x0D { index += 1 }
    guard index < end else {
      if end == Self.lineBytesMax { throw .tooBig }
      return nil
    }
    guard index + 1 < bytes.count else { return nil }
    guard bytes[index + 1] == 0x0A else { throw .malformed }
    return index
  }

  /// Reads a bulk string, a verbatim string (its three-letter format is dropped) or a bulk error.
  private func bulk(
    _ bytes: Span<UInt8>, type: UInt8, length: Int64, from start: Int
  ) throws(ReplyFailure) -> (Reply?, count: Int)? {
    if length == -1, type == 0x24 { return (.null, start) }
    guard length >= 0 else { throw .malformed }
    guard length <= Int64(Self.bytesMax) else { throw .tooBig }
    let end = start + Int(length)
    guard end + 2 <= bytes.count else { return nil }
    guard bytes[end] == 0x0D, bytes[end + 1] == 0x0A else { throw .malformed }
    let value = bytes.extracting(start..<end)
    switch type {
    case 0x21: return (.error(text(value)), end + 2)
    case 0x3D:
      guard value.count >= 4, value[3] == 0x3A else { throw .malformed }
      return (.bulk(array(value.extracting(4..<value.count))), end + 2)
    default: return (.bulk(array(value)), end + 2)
    }
  }

  /// Begins a list; an empty one is a value at once.
  private mutating func open(_ kind: Kind, _ length: Int64) throws(ReplyFailure) -> Reply? {
    if length == -1, kind == .array { return .null }
    guard length >= 0 else { throw .malformed }
    guard length <= Int64(Self.itemsMax) else { throw .tooBig }
    let isPairs = kind == .map || kind == .attribute
    let count = Int(length) * (isPairs ? 2 : 1)
    itemCount += count
    guard itemCount <= Self.itemsMax else { throw .tooBig }
    guard frames.count < Self.depthMax else { throw .tooDeep }
    // Attributes without content say nothing and are no value.
    if count == 0 { return kind == .attribute ? nil : finished(Frame(kind: kind, missing: 0)) }
    frames.append(Frame(kind: kind, missing: count))
    return nil
  }

  /// Puts a value where it belongs; returns the reply when it was the last that was missing.
  private mutating func place(_ value: Reply) -> Reply? {
    var value = value
    while var frame = frames.popLast() {
      frame.items.append(value)
      frame.missing -= 1
      guard frame.missing == 0 else {
        frames.append(frame)
        return nil
      }
      // Attributes say something about the next reply; nobody here asks for it.
      if frame.kind == .attribute { return nil }
      value = finished(frame)
    }
    return value
  }

  private func finished(_ frame: Frame) -> Reply {
    switch frame.kind {
    case .array: .array(frame.items)
    case .set: .set(frame.items)
    case .push: .push(frame.items)
    case .map, .attribute:
      .map(
        stride(from: 0, to: frame.items.count, by: 2).map {
          (key: frame.items[$0], value: frame.items[$0 + 1])
        })
    }
  }

  private func number(_ line: Span<UInt8>) throws(ReplyFailure) -> Int64 {
    guard let number = DecimalNumber.parse(line) else { throw .malformed }
    return number
  }

  private func double(_ line: Span<UInt8>) throws(ReplyFailure) -> Double {
    guard let number = Double(text(line)) else { throw .malformed }
    return number
  }

  private func text(_ bytes: Span<UInt8>) -> String {
    String(decoding: array(bytes), as: UTF8.self)
  }

  private func array(_ bytes: Span<UInt8>) -> [UInt8] {
    [UInt8](capacity: bytes.count) { output in
      for index in bytes.indices { output.append(bytes[index]) }
    }
  }
}
