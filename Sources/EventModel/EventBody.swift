/// The fields of an event's body, in the order in which they are written.
package enum BodyField: UInt8, Sendable {
  case stream = 1
  case type = 2
  case dataSubject = 3
  /// The client's own id, text.
  case id = 4
  /// An id made here: 16 bytes.
  case uuid = 5
  case source = 6
  case cloudEventsSubject = 7
  /// RFC 3339 text as it came.
  case time = 8
  case contentType = 9
  case schema = 10
  /// `name length u8 | name | value`; repeats.
  case attribute = 11
}

/// Writes the plaintext of an event (Docs/Format.md, section 5.2) at the end of a buffer.
///
/// Fields come in ascending order; then ``finish(data:in:)``. All checks were done before.
package struct EventBodyWriter {
  private let start: Int

  /// Begins a body at the end of `bytes`.
  package init(in bytes: inout [UInt8]) {
    start = bytes.count
    bytes.append(1)
    bytes.append(contentsOf: [0, 0, 0, 0])
  }

  /// Appends one field; returns where its bytes lie in the buffer.
  @discardableResult
  package func append(
    _ field: BodyField, _ value: Span<UInt8>, in bytes: inout [UInt8]
  ) -> ByteRange {
    bytes.append(field.rawValue)
    bytes.append(UInt8(truncatingIfNeeded: value.count >> 8))
    bytes.append(UInt8(truncatingIfNeeded: value.count))
    let offset = bytes.count
    bytes.appendSpan(value)
    return ByteRange(offset: offset, count: value.count)
  }

  /// Appends an attribute.
  package func appendAttribute(
    name: Span<UInt8>, value: Span<UInt8>, in bytes: inout [UInt8]
  ) {
    let count = 1 + name.count + value.count
    bytes.append(BodyField.attribute.rawValue)
    bytes.append(UInt8(truncatingIfNeeded: count >> 8))
    bytes.append(UInt8(truncatingIfNeeded: count))
    bytes.append(UInt8(truncatingIfNeeded: name.count))
    bytes.appendSpan(name)
    bytes.appendSpan(value)
  }

  /// Ends the fields and appends the payload; returns the whole body's place.
  package func finish(data: Span<UInt8>, in bytes: inout [UInt8]) -> ByteRange {
    bytes.append(0)
    bytes.appendSpan(data)
    let count = UInt32(data.count)
    for index in 0..<4 {
      bytes[start + 1 + index] = UInt8(truncatingIfNeeded: count >> UInt32(24 - 8 * index))
    }
    return ByteRange(offset: start, count: bytes.count - start)
  }
}

/// Where something lies in a buffer of less than 4 GiB; an empty one means "not given".
package struct ByteRange: Hashable, Sendable {
  package var offset: UInt32
  package var count: UInt32

  package init(offset: Int, count: Int) {
    self.offset = UInt32(offset)
    self.count = UInt32(count)
  }

  package static let none = ByteRange(offset: 0, count: 0)

  package var range: Range<Int> { Int(offset)..<(Int(offset) + Int(count)) }
  package var isEmpty: Bool { count == 0 }
}

/// Reads an opened body in place; every length is checked before it is used.
package struct EventBodyReader {
  /// Where the payload lies.
  package let data: Range<Int>
  private let fieldsEnd: Int

  /// Returns nil when `bytes` are not a body of version 1.
  package init?(_ bytes: Span<UInt8>) {
    guard bytes.count >= 6, bytes[0] == 1 else { return nil }
    let count = Int(bytes.bigEndian(at: 1, bytes: 4))
    var index = 5
    while index < bytes.count, bytes[index] != 0 {
      guard index + 3 <= bytes.count else { return nil }
      index += 3 + Int(bytes[index + 1]) << 8 + Int(bytes[index + 2])
    }
    guard index < bytes.count, count <= bytes.count - index - 1 else { return nil }
    fieldsEnd = index
    data = (index + 1)..<(index + 1 + count)
  }

  /// Calls `body` with each field's tag and place, in order; unknown tags are passed too.
  package func forEachField(
    in bytes: Span<UInt8>, _ body: (_ tag: UInt8, _ place: Range<Int>) -> Void
  ) {
    var index = 5
    while index < fieldsEnd {
      let count = Int(bytes[index + 1]) << 8 + Int(bytes[index + 2])
      body(bytes[index], (index + 3)..<(index + 3 + count))
      index += 3 + count
    }
  }

  /// The place of the first field of this kind, or nil.
  package func place(of field: BodyField, in bytes: Span<UInt8>) -> Range<Int>? {
    var found: Range<Int>?
    forEachField(in: bytes) { tag, place in
      if tag == field.rawValue, found == nil { found = place }
    }
    return found
  }
}
