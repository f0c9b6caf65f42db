import Client
import RESP
import Testing

@Test func `a request goes out as an array of bulk strings and its answer comes back`() throws {
  let daemon = FakeDaemon(replies: [wire("%2\n+position\n:7\n$7\nversion\n:1\n")])
  let connection = Connection(connected: daemon.clientEnd, timeoutMilliseconds: 2_000)
  let reply = try connection.call(Request("EVENT.GET", "POSITION", "7"))
  #expect(reply["position"]?.integer == 7)
  let expected = wire("*3\n$9\nEVENT.GET\n$8\nPOSITION\n$1\n7\n")
  #expect(daemon.heard(count: expected.count) == expected)
}

@Test func `an answer in pieces is put together`() throws {
  let pieces = wire("$11\nhello world\n").map { [$0] }
  let daemon = FakeDaemon(replies: pieces, pauseMilliseconds: 1)
  let connection = Connection(connected: daemon.clientEnd, timeoutMilliseconds: 5_000)
  #expect(try connection.call(Request("ECHO")).text == "hello world")
}

@Test func `an error reply is thrown with its code`() {
  let daemon = FakeDaemon(replies: [wire("-WRONGVERSION expected 4 actual 6\n")])
  let connection = Connection(connected: daemon.clientEnd, timeoutMilliseconds: 2_000)
  #expect(throws: ClientError.refused(Refusal("WRONGVERSION expected 4 actual 6"))) {
    _ = try connection.call(Request("PING"))
  }
}

@Test func `answers of a pipeline come in order and push messages are passed over`() throws {
  let daemon = FakeDaemon(replies: [wire(":1\n>2\n+news\n:9\n:2\n-ERR no\n")])
  let connection = Connection(connected: daemon.clientEnd, timeoutMilliseconds: 2_000)
  for _ in 0..<3 { try connection.send(Request("PING")) }
  #expect(try connection.receive() == .integer(1))
  #expect(try connection.receive() == .integer(2))
  #expect(try connection.receive() == .error("ERR no"))
  #expect(connection.pending == 0)
}

@Test func `a silent daemon is a timeout`() {
  let daemon = FakeDaemon(replies: [], closes: false)
  let connection = Connection(connected: daemon.clientEnd, timeoutMilliseconds: 30)
  #expect(throws: ClientError.timedOut) { _ = try connection.call(Request("PING")) }
}

@Test func `a closed connection is an error and no signal`() {
  let daemon = FakeDaemon(replies: [])
  let connection = Connection(connected: daemon.clientEnd, timeoutMilliseconds: 2_000)
  #expect(throws: ClientError.closed) { _ = try connection.call(Request("PING")) }
}

@Test func `a refusal that came before the connection closed is not lost`() {
  let daemon = FakeDaemon(replies: [wire("-ERR max number of clients reached\n")])
  let connection = Connection(connected: daemon.clientEnd, timeoutMilliseconds: 2_000)
  #expect(throws: ClientError.refused(Refusal("ERR max number of clients reached"))) {
    _ = try connection.call(Request("PING"))
  }
}

@Test func `something that is not the protocol is named so`() {
  let daemon = FakeDaemon(replies: [wire("HTTP/1.1 400 Bad Request\n\n")])
  let connection = Connection(connected: daemon.clientEnd, timeoutMilliseconds: 2_000)
  #expect(throws: ClientError.malformed(.malformed)) { _ = try connection.call(Request("PING")) }
}

@Test func `large requests and answers do not wait for each other`() throws {
  let reply = wire("$1000000\n") + [UInt8](repeating: 0x78, count: 1_000_000) + wire("\n")
  let daemon = FakeDaemon(replies: [reply, reply])
  let connection = Connection(connected: daemon.clientEnd, timeoutMilliseconds: 10_000)
  var request = Request("ECHO")
  request.append([UInt8](repeating: 0x79, count: 3_000_000))
  try connection.send(request)
  try connection.send(request)
  for _ in 0..<2 {
    guard case .bulk(let bytes) = try connection.receive() else {
      Issue.record("not a bulk string")
      return
    }
    #expect(bytes.count == 1_000_000)
  }
}

@Test func `no daemon, a bad path and a long path are told apart`() {
  #expect(throws: ClientError.unreachable(errno: 2)) {
    _ = try Connection(path: "/nonexistent/query.sock", tenant: nil, timeoutMilliseconds: 100)
  }
  for path in ["", "a\0b", String(repeating: "x", count: 108)] {
    #expect(throws: ClientError.badPath) {
      _ = try Connection(path: path, tenant: nil, timeoutMilliseconds: 100)
    }
  }
}
