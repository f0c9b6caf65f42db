import EventModel
import Keyring
import Sodium
import Storage

/// Where a query goes on (Docs/Format.md, section 7): stateless, and made only here.
///
/// ```
/// version u8 | kind u8 | reached u56 | lineage u16 | MAC 16      as 36 characters of base64url
/// ```
/// The MAC covers these, the tenant and the filter, so a cursor of another tenant, query or direction
/// is as bad as a forged one. Every text of 36 such characters is one cursor: none has two spellings.
package struct QueryCursor: Hashable, Sendable {
  /// What is being walked, and which way.
  package enum Kind: UInt8, Sendable {
    case ascending = 0
    case descending = 1
    case streams = 2
  }

  package let kind: Kind
  /// The position that was reached; of a listing of streams, the slot.
  package let reached: UInt64
  /// The tenant's lineage: a restore begins a new one.
  package let lineage: UInt16
  private let mac: [UInt8]

  package static let textBytes = 36
  private static let plainBytes = 11
  private static let version: UInt8 = 1
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  /// Decodes a client's text; nil when it is no cursor.
  ///
  /// Pure: whether it was made here is another question.
  package init?(text: Span<UInt8>) {
    guard text.count == Self.textBytes else { return nil }
    var bytes: [UInt8] = []
    for start in stride(from: 0, to: text.count, by: 4) {
      var word: UInt32 = 0
      for index in start..<(start + 4) {
        guard let digit = Self.digit(text[index]) else { return nil }
        word = word << 6 | digit
      }
      for shift in [16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
    guard bytes[0] == Self.version, let kind = Kind(rawValue: bytes[1]) else { return nil }
    self.kind = kind
    reached = bytes.span.bigEndian(at: 2, bytes: 7)
    lineage = UInt16(bytes.span.bigEndian(at: 9, bytes: 2))
    mac = Array(bytes[Self.plainBytes...])
  }

  /// The text that clients are given.
  package var text: [UInt8] {
    let bytes = plain + mac
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let word =
        UInt32(bytes[start]) << 16 | UInt32(bytes[start + 1]) << 8 | UInt32(bytes[start + 2])
      for shift in [18, 12, 6, 0] as [UInt32] {
        text.append(Self.alphabet[Int(word >> shift & 63)])
      }
    }
    return text
  }

  private var plain: [UInt8] {
    var plain = [Self.version, kind.rawValue]
    plain.appendBigEndian(reached, bytes: 7)
    plain.appendBigEndian(UInt64(lineage), bytes: 2)
    return plain
  }

  private static func digit(_ character: UInt8) -> UInt32? {
    switch character {
    case 0x41...0x5A: UInt32(character - 0x41)
    case 0x61...0x7A: UInt32(character - 0x61 + 26)
    case 0x30...0x39: UInt32(character - 0x30 + 52)
    case 0x2D: 62
    case 0x5F: 63
    default: nil
    }
  }
}

extension QueryCursor {
  private static let context = KeyDerivation.Context("LT1.cursor")

  /// Makes the cursor of a tenant's query.
  init(_ kind: Kind, reached: UInt64, _ keys: TenantKeys, _ filter: EventFilter) {
    self.kind = kind
    self.reached = reached
    lineage = keys.lineage
    var plain = [Self.version, kind.rawValue]
    plain.appendBigEndian(reached, bytes: 7)
    plain.appendBigEndian(UInt64(keys.lineage), bytes: 2)
    mac = Self.mac(plain, keys, filter)
  }

  /// What the cursor `text` has reached; nil when it is the start (`0`, or none).
  ///
  /// Throws `.badCursor` unless it was made for this tenant, query and direction, and since the
  /// tenant's last restore.
  static func reached(
    _ text: [UInt8]?, _ kind: Kind, _ keys: TenantKeys, _ filter: EventFilter
  ) throws(StoreError) -> UInt64? {
    guard let text, !text.isEmpty, text != [0x30] else { return nil }
    guard let cursor = QueryCursor(text: text.span) else { throw .badCursor }
    #if DEBUG
      if TestHooks.isVariant("cursor-unchecked") { return cursor.reached }
    #endif
    guard cursor.kind == kind, cursor.lineage == keys.lineage,
      ConstantTime.areEqual(cursor.mac.span, mac(cursor.plain, keys, filter).span)
    else { throw .badCursor }
    return cursor.reached
  }

  private static func mac(_ plain: [UInt8], _ keys: TenantKeys, _ filter: EventFilter) -> [UInt8] {
    var message = plain + keys.id.bytes
    for part in [filter.stream, filter.type, filter.subject, filter.source] {
      message.append(part == nil ? 0 : 1)
      message.appendBigEndian(UInt64(part?.count ?? 0), bytes: 4)
      message += part ?? []
    }
    for time in [filter.sinceMilliseconds, filter.untilMilliseconds] {
      message.append(time == nil ? 0 : 1)
      message.appendBigEndian(UInt64(bitPattern: time ?? 0), bytes: 8)
    }
    let tag = mac(message, keys.mapKey)
    var bytes: [UInt8] = []
    bytes.appendBigEndian(tag.low.byteSwapped, bytes: 8)
    bytes.appendBigEndian(tag.high.byteSwapped, bytes: 8)
    return bytes
  }

  private static func mac(_ message: [UInt8], _ mapKey: borrowing SecretBytes) -> Tag128 {
    let key = KeyDerivation.secret(
      count: 16, key: mapKey.bytes, context: context, message: message.span.extracting(0..<0))
    return SipHash.tag128(message.span, key: key.bytes)
  }
}
