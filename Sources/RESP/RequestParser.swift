package import EventModel

/// Finds commands in what a client sends: multibulk (`*2\r\n$4\r\nPING\r\n..`) and inline.
///
/// Parsing goes on where it stopped when more bytes come, so a batch of megabytes in small pieces
/// is walked once. Nothing is copied and nothing is allocated for what a client merely announces:
/// every number is held against ``Limits`` when it is read.
package struct RequestParser {
  /// What was found at the start of the bytes.
  package enum Outcome: Hashable, Sendable {
    /// The command is not complete. The caller comes again with the same bytes and more.
    case needMore
    /// A command of `count` bytes; its arguments are in ``ranges``, possibly none.
    case command(count: Int)
    case failure(ProtocolFailure)
  }

  /// Where the arguments lie, counted from the command's first byte; for an inline command they
  /// lie in ``inlineBytes``.
  package private(set) var ranges: [ByteRange] = []
  /// The arguments of an inline command, without quotes and escapes.
  package private(set) var inlineBytes: [UInt8] = []
  package private(set) var isInline = false
  /// Tighter limits for a client that is not bound to a tenant.
  package var isUnauthenticated = false

  /// Bytes of the current command that need not be looked at again.
  private var scanned = 0
  /// Arguments that are still to come; nil before the header was read.
  private var missing: Int?
  /// The length of the argument whose header was read.
  private var bulkBytes: Int?

  /// Headers are at most `*` or `$`, 20 digits and CRLF.
  private static let headerBytesMax = 32

  package init() {}

  /// Forgets the current command; the next bytes begin another, or the same one again.
  package mutating func reset() {
    ranges.removeAll(keepingCapacity: true)
    if isInline { inlineBytes.removeAll(keepingCapacity: false) }
    if ranges.capacity > 1_024 { ranges = [] }
    (isInline, scanned, missing, bulkBytes) = (false, 0, nil, nil)
  }

  /// Parses the command at the start of `bytes`.
  ///
  /// After `.command` call ``reset()``.
  package mutating func parse(_ bytes: Span<UInt8>) -> Outcome {
    guard !bytes.isEmpty else { return .needMore }
    if missing == nil {
      guard bytes[0] == 0x2A else { return parseInline(bytes) }
      if let outcome = parseHeader(bytes) { return outcome }
    }
    while let missing, missing > 0 {
      if let outcome = parseArgument(bytes) { return outcome }
      self.missing = missing - 1
    }
    return .command(count: scanned)
  }
}

extension RequestParser {
  /// Reads `*<count>\r\n`; returns nil to go on.
  private mutating func parseHeader(_ bytes: Span<UInt8>) -> Outcome? {
    let number: Int64
    switch parseNumber(bytes, at: 1) {
    case .needMore: return .needMore
    case .tooLong: return .failure(.multibulkCountTooBig)
    case .invalid: return .failure(.multibulkLength)
    case .number(let value): number = value
    }
    guard number <= Int64(Limits.argumentsMax) else { return .failure(.multibulkLength) }
    if isUnauthenticated, number > Int64(Limits.unauthenticatedArgumentsMax) {
      return .failure(.unauthenticatedMultibulk)
    }
    // As in Redis, no and negative numbers of arguments are a command that does nothing.
    missing = max(0, Int(number))
    return nil
  }

  /// Reads `$<length>\r\n<bytes>\r\n`; returns nil to go on.
  private mutating func parseArgument(_ bytes: Span<UInt8>) -> Outcome? {
    if bulkBytes == nil {
      guard scanned < bytes.count else { return .needMore }
      guard bytes[scanned] == 0x24 else { return .failure(.dollarExpected(got: bytes[scanned])) }
      let number: Int64
      switch parseNumber(bytes, at: scanned + 1) {
      case .needMore: return .needMore
      case .tooLong: return .failure(.bulkCountTooBig)
      case .invalid: return .failure(.bulkLength)
      case .number(let value): number = value
      }
      guard number >= 0, number <= Int64(Limits.commandBytesMax) else {
        return .failure(.bulkLength)
      }
      if isUnauthenticated, number > Int64(Limits.unauthenticatedBulkBytesMax) {
        return .failure(.unauthenticatedBulk)
      }
      guard scanned + Int(number) + 2 <= Limits.commandBytesMax else {
        return .failure(.commandTooBig)
      }
      bulkBytes = Int(number)
    }
    guard let count = bulkBytes, scanned + count + 2 <= bytes.count else { return .needMore }
    guard bytes[scanned + count] == 0x0D, bytes[scanned + count + 1] == 0x0A else {
      return .failure(.bulkEnd)
    }
    ranges.append(ByteRange(offset: scanned, count: count))
    scanned += count + 2
    bulkBytes = nil
    return nil
  }

  private enum HeaderNumber {
    case needMore, tooLong, invalid
    case number(Int64)
  }

  /// Reads a number that ends in CRLF and steps over it.
  private mutating func parseNumber(_ bytes: Span<UInt8>, at start: Int) -> HeaderNumber {
    let end = min(bytes.count, start + Self.headerBytesMax)
    var index = start
    while index < end, bytes[index] != 0x0D { index += 1 }
    guard index < end else { return end - start == Self.headerBytesMax ? .tooLong : .needMore }
    guard index + 1 < bytes.count else { return .needMore }
    guard bytes[index + 1] == 0x0A,
      let number = DecimalNumber.parse(bytes.extracting(start..<index))
    else { return .invalid }
    scanned = index + 2
    return .number(number)
  }

  /// Reads a line; `scanned` remembers how far the end was looked for.
  private mutating func parseInline(_ bytes: Span<UInt8>) -> Outcome {
    var index = scanned
    let end = min(bytes.count, Limits.inlineBytesMax)
    while index < end, bytes[index] != 0x0A { index += 1 }
    scanned = index
    guard index < end else {
      return end < Limits.inlineBytesMax ? .needMore : .failure(.inlineTooBig)
    }
    let lineEnd = index > 0 && bytes[index - 1] == 0x0D ? index - 1 : index
    isInline = true
    guard InlineSplitter.split(bytes.extracting(0..<lineEnd), into: &inlineBytes, &ranges) else {
      return .failure(.unbalancedQuotes)
    }
    if let first = ranges.first {
      let word = Word(inlineBytes.span.extracting(first.range))
      if word == "POST" || word == "HOST:" { return .failure(.http) }
    }
    return .command(count: index + 1)
  }
}
