import EventModel
import Testing

@testable import RESP

/// Everything that a parser found in one input: commands as text, then how it ended.
private struct Found: Equatable {
  var commands: [[String]] = []
  var failure: ProtocolFailure?
  var leftOver = 0
}

/// Feeds `input` in pieces that end at `cuts`.
private func parse(_ input: [UInt8], cuts: [Int], isUnauthenticated: Bool = false) -> Found {
  var found = Found()
  var parser = RequestParser()
  parser.isUnauthenticated = isUnauthenticated
  var pending: [UInt8] = []
  var start = 0
  for end in cuts + [input.count] {
    pending += input[start..<end]
    start = end
    feeding: while !pending.isEmpty {
      switch parser.parse(pending.span) {
      case .needMore: break feeding
      case .failure(let failure):
        found.failure = failure
        return found
      case .command(let count):
        let source = parser.isInline ? parser.inlineBytes : Array(pending[..<count])
        found.commands.append(
          parser.ranges.map { String(decoding: source[$0.range], as: UTF8.self) })
        pending.removeFirst(count)
        parser.reset()
      }
    }
  }
  found.leftOver = pending.count
  return found
}

private func parse(_ text: String) -> Found { parse(Array(text.utf8), cuts: []) }

/// A generator that a seed determines (SplitMix64).
private struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}

@Suite struct RequestParserTests {
  @Test func `a multibulk command is its arguments`() {
    #expect(parse("*2\r\n$4\r\nECHO\r\n$2\r\n\r\n\r\n").commands == [["ECHO", "\r\n"]])
  }

  @Test func `an inline command is split at blanks and quotes`() {
    #expect(
      parse("SET  a 'b c' \"d\\x41\\n\"\r\nPING\n").commands
        == [["SET", "a", "b c", "dA\n"], ["PING"]])
  }

  @Test func `empty lines and empty multibulks do nothing`() {
    #expect(
      parse("\r\n\n*0\r\n*-1\r\n*-5\r\nPING\r\n").commands == [[], [], [], [], [], ["PING"]])
  }

  @Test func `an empty argument is an argument`() {
    #expect(parse("*2\r\n$4\r\nAUTH\r\n$0\r\n\r\n").commands == [["AUTH", ""]])
  }

  @Test(arguments: [
    ("*\r\n", ProtocolFailure.multibulkLength),
    ("*+1\r\n", .multibulkLength),
    ("*01\r\n", .multibulkLength),
    ("* 1\r\n", .multibulkLength),
    ("*1x\r\n", .multibulkLength),
    ("*1\rx", .multibulkLength),
    ("*65537\r\n", .multibulkLength),
    ("*2147483647\r\n", .multibulkLength),
    ("*99999999999999999999\r\n", .multibulkLength),
    ("*-99999999999999999999\r\n", .multibulkLength),
    ("*000000000000000000000000000000000000001", .multibulkCountTooBig),
    ("*1\r\n:1\r\n", .dollarExpected(got: 0x3A)),
    ("*1\r\n $1\r\n", .dollarExpected(got: 0x20)),
    ("*1\r\n*1\r\n", .dollarExpected(got: 0x2A)),
    ("*1\r\n\r\n", .dollarExpected(got: 0x0D)),
    ("*1\r\n$-1\r\n", .bulkLength),
    ("*1\r\n$\r\n", .bulkLength),
    ("*1\r\n$a\r\n", .bulkLength),
    ("*1\r\n$536870912\r\n", .bulkLength),
    ("*1\r\n$9223372036854775808\r\n", .bulkLength),
    ("*1\r\n$8388608\r\n", .commandTooBig),
    ("*1\r\n$00000000000000000000000000000000000", .bulkCountTooBig),
    ("*1\r\n$4\r\nPINGS\r\n", .bulkEnd),
    ("*1\r\n$5\r\nPING\r\n\r\n", .bulkEnd),
    ("GET 'a\r\n", .unbalancedQuotes),
    ("GET \"a\"b\r\n", .unbalancedQuotes),
    ("POST / HTTP/1.1\r\n", .http),
    ("GET / HTTP/1.1\r\nHost: localhost\r\n", .http),
  ])
  func `hostile input is refused`(input: String, failure: ProtocolFailure) {
    #expect(parse(input).failure == failure)
  }

  @Test func `an inline command has a largest size`() {
    let most = [UInt8](repeating: 0x61, count: Limits.inlineBytesMax - 1)
    #expect(parse(most + [0x0A], cuts: []).commands.count == 1)
    #expect(parse(most + [0x61], cuts: []).failure == .inlineTooBig)
  }

  @Test func `a client without a tenant has tighter limits`() {
    let many = Array("*11\r\n".utf8)
    #expect(parse(many, cuts: [], isUnauthenticated: true).failure == .unauthenticatedMultibulk)
    let long = Array("*1\r\n$16385\r\n".utf8)
    #expect(parse(long, cuts: [], isUnauthenticated: true).failure == .unauthenticatedBulk)
  }

  @Test func `the wordings are those of Redis`() {
    #expect(
      ProtocolFailure.dollarExpected(got: 0x20).text == "ERR Protocol error: expected '$', got ' '")
    #expect(ProtocolFailure.multibulkLength.text == "ERR Protocol error: invalid multibulk length")
    #expect(ProtocolFailure.bulkLength.text == "ERR Protocol error: invalid bulk length")
    #expect(ProtocolFailure.inlineTooBig.text == "ERR Protocol error: too big inline request")
    #expect(ProtocolFailure.http.text == nil)
  }

  @Test(arguments: UInt64(1)...200)
  func `pieces parse as the whole does`(seed: UInt64) {
    var random = Seeded(state: seed)
    let parts = [
      "*1\r\n$4\r\nPING\r\n", "PING\r\n", "*3\r\n$3\r\nabc\r\n$0\r\n\r\n$2\r\n\r\n\r\n", "\r\n",
      "*0\r\n", "a 'b \\' c' \"\\x00\"\n", "*2\r\n$4\r\nECHO\r\n$11\r\nhello\r\n*1\r\n\r\n",
    ]
    var input: [UInt8] = []
    for _ in 0..<Int.random(in: 1...12, using: &random) {
      input += Array(parts.randomElement(using: &random)!.utf8)
    }
    if Bool.random(using: &random) {
      let index = Int.random(in: 0..<input.count, using: &random)
      input[index] = UInt8.random(in: 0...255, using: &random)
    }
    let count = Int.random(in: 0...input.count, using: &random)
    let cuts = (0..<count).map { _ in Int.random(in: 0...input.count, using: &random) }.sorted()
    #expect(parse(input, cuts: cuts) == parse(input, cuts: []))
    #expect(parse(input, cuts: Array(0...input.count)) == parse(input, cuts: []))
  }

  @Test(arguments: UInt64(1)...200)
  func `noise never traps`(seed: UInt64) {
    var random = Seeded(state: seed)
    let alphabet = Array("*$-019\r\n\r\n PINGx\"'\\".utf8) + [0, 0xFF]
    let input = (0..<400).map { _ in alphabet.randomElement(using: &random)! }
    let found = parse(input, cuts: [])
    #expect(parse(input, cuts: Array(0...input.count)) == found)
  }

  @Test func `a large command in small pieces is walked once`() {
    let payload = [UInt8](repeating: 0x78, count: 7 << 20)
    var input = Array("*2\r\n$4\r\nECHO\r\n$\(payload.count)\r\n".utf8)
    input += payload + [0x0D, 0x0A]
    var parser = RequestParser()
    for end in stride(from: 1, to: input.count, by: 4_096) {
      #expect(parser.parse(input.span.extracting(0..<end)) == .needMore)
    }
    #expect(parser.parse(input.span) == .command(count: input.count))
    #expect(parser.ranges[1].range.count == payload.count)
  }
}

@Suite struct DecimalNumberTests {
  @Test(arguments: [
    ("0", 0), ("7", 7), ("-7", -7), ("9223372036854775807", Int64.max),
    ("-9223372036854775808", Int64.min),
  ])
  func `numbers are read and written`(text: String, number: Int64) {
    #expect(DecimalNumber.parse(Array(text.utf8).span) == number)
    var bytes: [UInt8] = []
    DecimalNumber.append(number, to: &bytes)
    #expect(String(decoding: bytes, as: UTF8.self) == text)
  }

  @Test(arguments: [
    "", "-", "-0", "00", "+1", " 1", "1 ", "9223372036854775808", "-9223372036854775809", "1e3",
  ])
  func `anything else is not a number`(text: String) {
    #expect(DecimalNumber.parse(Array(text.utf8).span) == nil)
  }
}
