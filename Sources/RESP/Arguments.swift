package import EventModel

/// The arguments of one command, in place in the bytes that it came in.
///
/// Argument 0 is the command's name. A view: it lives no longer than the buffer.
package struct Arguments: ~Escapable {
  private let bytes: Span<UInt8>
  private let ranges: Span<ByteRange>
  private let first: Int

  @_lifetime(copy bytes, copy ranges)
  package init(bytes: Span<UInt8>, ranges: Span<ByteRange>) {
    self.bytes = bytes
    self.ranges = ranges
    first = 0
  }

  @_lifetime(copy bytes, copy ranges)
  private init(bytes: Span<UInt8>, ranges: Span<ByteRange>, first: Int) {
    self.bytes = bytes
    self.ranges = ranges
    self.first = first
  }

  package var count: Int { ranges.count - first }

  /// The bytes of one argument.
  package subscript(index: Int) -> Span<UInt8> {
    @_lifetime(copy self)
    get { bytes.extracting(ranges[first + index].range) }
  }

  /// The arguments from `count` on, as if they were a command of their own.
  @_lifetime(copy self)
  package func dropping(_ count: Int) -> Arguments {
    precondition(count <= self.count, "more arguments dropped than there are")
    return Arguments(bytes: bytes, ranges: ranges, first: first + count)
  }

  /// Argument `index` as a word, or nil when it is longer than a word can be.
  package func word(at index: Int) -> Word? { Word(self[index]) }
}

extension Span<UInt8> {
  /// True when both show the same bytes.
  package func isEqual(to other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    for index in indices where self[index] != other[index] { return false }
    return true
  }
}
