import Testing

@testable import RESP

private func encoded(_ version: ProtocolVersion, _ body: (ReplyEncoder, inout [UInt8]) -> Void)
  -> String
{
  var bytes: [UInt8] = []
  body(ReplyEncoder(version: version), &bytes)
  return String(decoding: bytes, as: UTF8.self)
}

/// Parses all replies in `text`, fed whole or byte by byte.
private func replies(_ text: String, inPieces: Bool = false) throws(ReplyFailure) -> [Reply] {
  var parser = ReplyParser()
  var replies: [Reply] = []
  var pending: [UInt8] = []
  let input = Array(text.utf8)
  for piece in inPieces ? input.map({ [$0] }) : [input] {
    pending += piece
    while !pending.isEmpty {
      let step = try parser.parse(pending.span)
      pending.removeFirst(step.count)
      guard let reply = step.reply else { break }
      replies.append(reply)
    }
  }
  return replies
}

@Suite struct ReplyEncoderTests {
  @Test func `RESP2 is as Redis writes it`() {
    let text = encoded(.resp2) { encoder, bytes in
      encoder.simple("OK", to: &bytes)
      encoder.error("ERR a\r\nb", to: &bytes)
      encoder.integer(Int64(-3), to: &bytes)
      encoder.bulk("ab", to: &bytes)
      encoder.null(to: &bytes)
      encoder.nullArray(to: &bytes)
      encoder.boolean(true, to: &bytes)
      encoder.map(1, to: &bytes)
      encoder.array(0, to: &bytes)
    }
    #expect(text == "+OK\r\n-ERR a  b\r\n:-3\r\n$2\r\nab\r\n$-1\r\n*-1\r\n:1\r\n*2\r\n*0\r\n")
  }

  @Test func `RESP3 is as Redis writes it`() {
    let text = encoded(.resp3) { encoder, bytes in
      encoder.null(to: &bytes)
      encoder.nullArray(to: &bytes)
      encoder.boolean(false, to: &bytes)
      encoder.map(7, to: &bytes)
    }
    #expect(text == "_\r\n_\r\n#f\r\n%7\r\n")
  }
}

@Suite struct ReplyParserTests {
  @Test(arguments: [false, true])
  func `every type is read`(inPieces: Bool) throws {
    let found = try replies(
      "+OK\r\n-ERR no\r\n:5\r\n$2\r\n\r\n\r\n$-1\r\n*-1\r\n_\r\n,1.5\r\n,inf\r\n#t\r\n(123\r\n"
        + "=6\r\ntxt:ab\r\n!5\r\nERR x\r\n*2\r\n:1\r\n*0\r\n%1\r\n+a\r\n~1\r\n:2\r\n>1\r\n+p\r\n"
        + "|1\r\n+k\r\n+v\r\n:9\r\n",
      inPieces: inPieces)
    #expect(
      found == [
        .simple("OK"), .error("ERR no"), .integer(5), .bulk([13, 10]), .null, .null, .null,
        .double(1.5), .double(.infinity), .boolean(true), .bigNumber("123"), .bulk([97, 98]),
        .error("ERR x"), .array([.integer(1), .array([])]),
        .map([(key: .simple("a"), value: .set([.integer(2)]))]), .push([.simple("p")]),
        .integer(9),
      ])
  }

  @Test(arguments: [
    ("?\r\n", ReplyFailure.malformed), (":x\r\n", .malformed), ("$-2\r\n", .malformed),
    ("$1\r\nab\r\n", .malformed), ("#x\r\n", .malformed), ("+a\rb", .malformed),
    ("*4194305\r\n", .tooBig), ("$67108865\r\n", .tooBig), ("*9223372036854775807\r\n", .tooBig),
    ("=1\r\na\r\n", .malformed),
  ])
  func `unreadable replies are refused`(text: String, failure: ReplyFailure) {
    #expect(throws: failure) { try replies(text) }
  }

  @Test func `depth and items are bounded`() {
    #expect(throws: ReplyFailure.tooDeep) {
      try replies(String(repeating: "*1\r\n", count: ReplyParser.depthMax + 1))
    }
    #expect(throws: ReplyFailure.tooBig) {
      try replies(String(repeating: "*4194304\r\n", count: 2))
    }
    #expect(throws: ReplyFailure.tooBig) {
      try replies("+" + String(repeating: "a", count: ReplyParser.lineBytesMax))
    }
  }

  @Test func `maps are found by key in both protocols`() throws {
    #expect(try replies("%1\r\n+a\r\n:1\r\n")[0]["a"] == .integer(1))
    #expect(try replies("*2\r\n$1\r\na\r\n:1\r\n")[0]["a"] == .integer(1))
    #expect(try replies("*0\r\n")[0]["a"] == nil)
  }
}
