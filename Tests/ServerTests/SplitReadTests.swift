import EventModel
import NIOCore
import Testing

@testable import Server

/// What a reader sees who reads the parts one after the other: the ordinals, in its direction.
private func ordinals(_ parts: [RangeRead], newest: UInt64) -> [UInt64] {
  parts.flatMap { part -> [UInt64] in
    let range = part.range.clamped(to: 1...newest)
    return part.isDescending ? range.reversed() : Array(range)
  }
}

@Suite struct SplitReadTests {
  private func read(
    _ range: ClosedRange<UInt64>, count: Int, isDescending: Bool = false, isLiveOnly: Bool = false
  ) -> RangeRead {
    RangeRead(
      tenant: TenantNumber(rawValue: 1), stream: nil, range: range, isDescending: isDescending,
      count: count, isLiveOnly: isLiveOnly)
  }

  @Test(arguments: [false, true], [256, 257, 1_000, 3_000, 10_000])
  func `the halves and what is behind them are the whole range in order`(
    isDescending: Bool, count: Int
  ) throws {
    let whole = read(3...2_500, count: count, isDescending: isDescending)
    let split = try #require(SplitRead(whole, newest: 2_000))
    let expected = ordinals([whole], newest: 2_000)
    let halves = [split.first, split.second]
    #expect(ordinals(halves, newest: 2_000) == Array(expected.prefix(count)))
    #expect(ordinals(halves + [split.behind].compactMap(\.self), newest: 2_000) == expected)
    #expect(abs(split.first.count - split.second.count) <= 1)
  }

  @Test func `short reads and those of unknown length are not split`() {
    #expect(SplitRead(read(1...1_000, count: 255), newest: 1_000) == nil)
    #expect(SplitRead(read(1...1_000, count: 1_000), newest: 255) == nil)
    #expect(SplitRead(read(900...1_000, count: 1_000), newest: 1_000) == nil)
    #expect(SplitRead(read(1_001...2_000, count: 1_000), newest: 1_000) == nil)
    #expect(SplitRead(read(1...1_000, count: 1_000, isLiveOnly: true), newest: 1_000) == nil)
  }
}

@Suite struct ReplyBuffersTests {
  /// Events that were erased meanwhile must not stay readable in memory that is only kept.
  @Test(arguments: [false, true])
  func `what was sent is overwritten before its memory is kept`(isBroken: Bool) {
    let buffers = ReplyBuffers(isBroken: isBroken)
    var buffer = buffers.take(for: 100)
    buffer.writeString("about ann")
    let expected = isBroken ? Array("about ann".utf8) : Array(repeating: 0, count: 9)
    buffers.give(consume buffer)
    var again = buffers.take(for: 100)
    again.moveWriterIndex(to: 9)
    #expect(again.getBytes(at: 0, length: 9) == expected)
  }

  @Test func `memory comes back when it was sent, and a large buffer is not kept`() {
    let buffers = ReplyBuffers()
    let small = buffers.take(for: 1)
    let large = buffers.take(for: 1 << 20)
    #expect(small.storageCapacity == ReplyBuffers.bufferBytes)
    #expect(large.storageCapacity == 1 << 20)
    buffers.give(large)
    #expect(buffers.take(for: 1).storageCapacity == ReplyBuffers.bufferBytes)
  }
}
