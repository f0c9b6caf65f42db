import EventModel
import EventStore
import Testing

@testable import Server

private func plan(_ line: String) -> ReadPlan? {
  var harness = Harness()
  let outcome = harness.run(line.split(separator: " ").map { Array($0.utf8) })
  guard case .read(let plan) = outcome else { return nil }
  return plan
}

private func range(_ line: String) -> RangeRead? {
  guard case .range(let read) = plan(line) else { return nil }
  return read
}

@Suite struct ReadCommandTests {
  @Test(arguments: [
    ("EVENT.RANGE s - +", 1...Limits.positionMax), ("EVENT.RANGE s 3 5", 3...5),
    ("EVENT.RANGE s (3 (5", 4...4), ("EVENT.RANGE s 0 2", 1...2),
    ("EVENT.RANGE s 5 3 REV", 3...5), ("EVENT.RANGE s + - REV", 1...Limits.positionMax),
    ("EVENT.RANGE s 1 18446744073709551615", 1...Limits.positionMax),
  ])
  func `ends are as in XRANGE`(line: String, expected: ClosedRange<UInt64>) {
    #expect(range(line)?.range == expected)
  }

  @Test(arguments: [
    "EVENT.RANGE s 5 3", "EVENT.RANGE s 3 5 REV", "EVENT.RANGE s (3 (4", "EVENT.RANGE s - (0",
    "EVENT.RANGE s (281474976710655 +", "EVENT.RANGE s - + COUNT 0", "EVENT.RANGE s - 0",
  ])
  func `an empty range is an empty list`(line: String) {
    var harness = Harness()
    #expect(harness.reply(line) == "*0\r\n")
  }

  @Test func `options are taken`() {
    let read = range("EVENT.RANGE * + - rev count 7 format map liveonly")
    #expect(read?.stream == nil)
    #expect(read?.isDescending == true)
    #expect(read?.isLiveOnly == true)
    #expect(read?.count == 7)
    #expect(range("EVENT.RANGE s - +")?.count == Limits.countDefault)
    #expect(range("EVENT.RANGE s - +")?.stream == Array("s".utf8))
  }

  @Test(arguments: [
    ("EVENT.RANGE s a b", "-BADARG from and to: '-', '+', a number or '(' and a number"),
    ("EVENT.RANGE s -1 +", "-BADARG from and to: '-', '+', a number or '(' and a number"),
    ("EVENT.RANGE s - + COUNT 10001", "-BADARG COUNT maximum 10000"),
    ("EVENT.RANGE s - + COUNT -1", "-BADARG COUNT maximum 10000"),
    ("EVENT.RANGE s - + COUNT x", "-ERR value is not an integer or out of range"),
    ("EVENT.RANGE s - + COUNT", "-ERR syntax error"),
    ("EVENT.READ FORMAT xml STREAMS s 0", "-ERR syntax error"),
    ("EVENT.RANGE s - + FORMAT xml", "-ERR syntax error"),
    ("EVENT.RANGE s - + BACKWARDS", "-ERR syntax error"),
    ("EVENT.READ STREAMS s", "-ERR wrong number of arguments for 'event.read' command"),
    (
      "EVENT.READ STREAMS s t 0",
      "-ERR for each stream of STREAMS a version, a position or '$'"
    ),
    ("EVENT.READ BLOCK -1 STREAMS s 0", "-ERR timeout is negative"),
    ("EVENT.READ BLOCK x STREAMS s 0", "-ERR timeout is not an integer or out of range"),
    ("EVENT.READ COUNT 5 BLOCK 1", "-ERR syntax error"),
    ("EVENT.READ STREAMS s x", "-BADARG after: a version, a position or '$'"),
    ("EVENT.GET POSITION x", "-ERR value is not an integer or out of range"),
    ("EVENT.GET POSITION 0", "-NOEVENT there is no such event"),
    ("EVENT.GET ID e SOURCE a SOURCE b", "-ERR syntax error"),
    ("EVENT.COUNT TYPE t TYPE u", "-BADARG an option was given twice"),
  ])
  func `a mistake is named`(line: String, error: String) {
    var harness = Harness()
    #expect(harness.reply(line) == error + "\r\n")
  }

  @Test func `READ takes several streams and a bounded wait`() throws {
    guard case .tail(let read, let block) = plan("EVENT.READ COUNT 5 BLOCK 0 STREAMS s * t 7 $ 0")
    else {
      Issue.record("no tail read")
      return
    }
    #expect(read.count == 5)
    #expect(block == Limits.blockMillisecondsMax)
    #expect(read.cursors.map(\.stream) == [Array("s".utf8), nil, Array("t".utf8)])
    #expect(read.cursors.map(\.after) == [7, nil, 0])
  }

  @Test func `a wait beyond the largest is the largest`() {
    guard case .tail(_, let block) = plan("EVENT.READ BLOCK 9000000 STREAMS s 0") else {
      Issue.record("no tail read")
      return
    }
    #expect(block == Limits.blockMillisecondsMax)
  }
}
