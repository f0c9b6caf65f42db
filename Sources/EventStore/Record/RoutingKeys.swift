import EventModel
import Keyring
import Sodium

/// What masks and tags the routing fields of every record of a store.
///
/// Derived from the instance secret: it outlives every shred, so routing fields of old copies can
/// be unmasked for ever by whoever has today's root (Docs/Threats.md).
struct RoutingKeys: ~Copyable {
  private let mask: SecretBytes
  private let tag: SecretBytes

  static let maskContext = KeyDerivation.Context("LT1.route")
  static let tagContext = KeyDerivation.Context("LT1.route.tag")

  init(_ keyring: Keyring) {
    self.init(
      mask: keyring.derive(Self.maskContext, count: 32),
      tag: keyring.derive(Self.tagContext, count: 16))
  }

  /// `mask` has 32 bytes, `tag` 16.
  init(mask: consuming SecretBytes, tag: consuming SecretBytes) {
    self.mask = mask
    self.tag = tag
  }

  /// Tags and masks the plain routing fields of the record at `base`, whose first 18 bytes stand.
  func close(_ record: inout MutableSpan<UInt8>, at base: Int) {
    let covered = (base + RecordLayout.tagged.lowerBound)..<(base + RecordLayout.tagged.upperBound)
    let value = SipHash.tag64(record.span.extracting(covered), key: tag.bytes)
    record.setBigEndian(value, at: base + RecordLayout.routingTagAt, bytes: 8)
    ChaCha20.mask(
      &record,
      at: (base + RecordLayout.routing.lowerBound)..<(base + RecordLayout.routing.upperBound),
      nonceAt: base + RecordLayout.nonceAt, key: mask.bytes)
  }

  /// Tags a bare record, whose routing fields are masked: the tag covers all of it.
  func closeBare(_ record: inout [UInt8]) {
    let value = bareTag(record.span)
    var span = record.mutableSpan
    span.setBigEndian(value, at: RecordLayout.routingTagAt, bytes: 8)
  }

  private func bareTag(_ record: Span<UInt8>) -> UInt64 {
    var message = record.extracting(RecordLayout.tagged).array
    var span = message.mutableSpan
    ChaCha20.mask(
      &span, at: RecordLayout.routing, nonceAt: RecordLayout.nonceAt, key: mask.bytes)
    message.appendSpan(record.extracting(RecordLayout.header.lowerBound..<record.count))
    return SipHash.tag64(message.span, key: tag.bytes)
  }

  /// Unmasks and checks the routing fields of a record, bare or not; nil when they are not what was
  /// written.
  func open(_ record: Span<UInt8>) -> Routing? {
    let isBare = RecordForm(record) == .bare
    guard
      isBare
        ? BareRecord.mayHave(record.count)
        : record.count >= RecordLayout.overheadBytes + Padme.bytesMin,
      record[0] == RecordLayout.version
    else { return nil }
    var head = InlineArray<48, UInt8>(repeating: 0)
    var plain = head.mutableSpan
    plain.set(record.extracting(0..<48), at: 0)
    ChaCha20.mask(
      &plain, at: RecordLayout.routing, nonceAt: RecordLayout.nonceAt, key: mask.bytes)
    let value =
      isBare
      ? bareTag(record) : SipHash.tag64(plain.span.extracting(RecordLayout.tagged), key: tag.bytes)
    guard value == plain.span.bigEndian(at: RecordLayout.routingTagAt, bytes: 8) else { return nil }
    return Routing(plain.span, at: RecordLayout.routing.lowerBound)
  }
}

/// The header of a record, unmasked with the 64 bytes of its period's header key.
enum HeaderMask {
  /// Masks the plain header block(s) of the record at `base`.
  static func close(
    _ record: inout MutableSpan<UInt8>, at base: Int, hasSecondBlock: Bool,
    key secret: borrowing SecretBytes
  ) {
    let key = secret.bytes
    ChaCha20.mask(
      &record,
      at: (base + RecordLayout.header.lowerBound)..<(base + RecordLayout.header.upperBound),
      nonceAt: base + RecordLayout.nonceAt, key: key.extracting(0..<32))
    guard hasSecondBlock else { return }
    let second = base + RecordLayout.regionAt
    ChaCha20.mask(
      &record, at: second..<(second + RecordLayout.secondBlockBytes),
      nonceAt: base + RecordLayout.nonceAt, key: key.extracting(32..<64))
  }

  /// Unmasks a record's header; nil when it cannot be one.
  static func open(_ record: Span<UInt8>, key secret: borrowing SecretBytes) -> RecordHeader? {
    let key = secret.bytes
    guard record.count >= RecordLayout.regionAt else { return nil }
    // nonce | first block | second block: masking wants nonce and target in one buffer.
    var bytes = InlineArray<80, UInt8>(repeating: 0)
    var plain = bytes.mutableSpan
    plain.set(record.extracting(RecordLayout.nonceAt..<(RecordLayout.nonceAt + 16)), at: 0)
    plain.set(record.extracting(RecordLayout.header), at: 16)
    ChaCha20.mask(&plain, at: 16..<48, nonceAt: 0, key: key.extracting(0..<32))
    guard plain[16 + 17] > 2 else {
      return RecordHeader(first: plain.span.extracting(16..<48), second: record.extracting(0..<0))
    }
    let second = RecordLayout.regionAt..<(RecordLayout.regionAt + RecordLayout.secondBlockBytes)
    guard record.count >= second.upperBound else { return nil }
    plain.set(record.extracting(second), at: 48)
    ChaCha20.mask(&plain, at: 48..<80, nonceAt: 0, key: key.extracting(32..<64))
    return RecordHeader(
      first: plain.span.extracting(16..<48), second: plain.span.extracting(48..<80))
  }
}
