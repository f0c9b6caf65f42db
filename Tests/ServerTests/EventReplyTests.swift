import EventModel
import NIOCore
import RESP
import Testing

@testable import EventStore
@testable import Server

@Suite struct EventReplyTests {
  private func body(_ build: (EventBodyWriter, inout [UInt8]) -> Void) -> [UInt8] {
    var bytes: [UInt8] = []
    let writer = EventBodyWriter(in: &bytes)
    build(writer, &bytes)
    return bytes
  }

  private func reply(
    _ state: EventState, _ body: [UInt8], stream: [UInt8]? = nil,
    version: ProtocolVersion = .resp3
  ) -> Reply? {
    let event = ReadEvent(
      position: 9, version: 4, storedMilliseconds: 1_764_000_000_123, state: state)
    var bytes: [UInt8] = []
    let encoder = ReplyEncoder(version: version)
    if let stream {
      EventReply.append(event, body: body.span, stream: stream.span, encoder, to: &bytes)
    } else {
      EventReply.append(event, body: body.span, encoder, to: &bytes)
    }
    var parser = ReplyParser()
    guard let step = try? parser.parse(bytes.span), step.count == bytes.count else { return nil }
    return step.reply
  }

  private func bytes(
    _ state: EventState, _ body: [UInt8], _ version: ProtocolVersion
  ) -> [UInt8] {
    let event = ReadEvent(
      position: 9, version: 4, storedMilliseconds: 1_764_000_000_123, state: state)
    var bytes: [UInt8] = []
    EventReply.append(event, body: body.span, ReplyEncoder(version: version), to: &bytes)
    return bytes
  }

  private func text(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test(arguments: [ProtocolVersion.resp2, .resp3])
  func `a live event shows all that was said`(version: ProtocolVersion) throws {
    let body = body { writer, bytes in
      writer.append(.stream, text("orders").span, in: &bytes)
      writer.append(.type, text("placed").span, in: &bytes)
      writer.append(.dataSubject, text("u-1").span, in: &bytes)
      writer.append(.uuid, [UInt8](repeating: 0xAB, count: 16).span, in: &bytes)
      writer.append(.source, text("urn:x").span, in: &bytes)
      writer.append(.schema, text("urn:s").span, in: &bytes)
      writer.appendAttribute(name: text("a").span, value: text("1").span, in: &bytes)
      _ = writer.finish(data: text("hello").span, in: &bytes)
    }
    let found = reply(.live, body + [0, 0, 0], version: version)
    let reply = try #require(found)
    #expect(reply["position"] == .integer(9))
    #expect(reply["version"] == .integer(4))
    #expect(reply["stream"]?.text == "orders")
    #expect(reply["type"]?.text == "placed")
    #expect(reply["id"]?.text == "abababab-abab-abab-abab-abababababab")
    #expect(reply["source"]?.text == "urn:x")
    #expect(reply["time"]?.text == "2025-11-24T16:00:00.123Z")
    #expect(reply["stored"]?.text == "2025-11-24T16:00:00.123Z")
    #expect(reply["state"]?.text == "live")
    #expect(reply["datasubject"]?.text == "u-1")
    #expect(reply["cesubject"] == .null)
    #expect(reply["content"] == .null)
    #expect(reply["schema"]?.text == "urn:s")
    #expect(reply["data"]?.text == "hello")
    #expect(reply["attrs"]?["a"]?.text == "1")
  }

  @Test func `nobody is null, and several persons are a list`() throws {
    let nobody = body { writer, bytes in _ = writer.finish(data: [UInt8]().span, in: &bytes) }
    #expect(reply(.live, nobody)?["datasubject"] == .null)
    let several = body { writer, bytes in
      writer.append(.dataSubject, text("a").span, in: &bytes)
      writer.append(.dataSubject, text("b").span, in: &bytes)
      _ = writer.finish(data: [UInt8]().span, in: &bytes)
    }
    #expect(
      reply(.live, several)?["datasubject"] == .array([.bulk(text("a")), .bulk(text("b"))]))
  }

  @Test func `an erased event keeps its place and nothing else`() throws {
    let found = reply(.erased, [], stream: text("orders"))
    let reply = try #require(found)
    #expect(reply["position"] == .integer(9))
    #expect(reply["stream"]?.text == "orders")
    #expect(reply["type"]?.text == "$erased")
    #expect(reply["state"]?.text == "erased")
    for key in ["id", "source", "time", "datasubject", "cesubject", "content", "data", "attrs"] {
      #expect(reply[key] == .null)
    }
    #expect(self.reply(.restricted, [])?["type"]?.text == "$restricted")
    #expect(self.reply(.restricted, [])?["stream"] == .null)
  }

  @Test(arguments: [ProtocolVersion.resp2, .resp3])
  func `the bytes of a reply are these`(version: ProtocolVersion) {
    let full = body { writer, bytes in
      writer.append(.stream, text("orders").span, in: &bytes)
      writer.append(.type, text("placed").span, in: &bytes)
      writer.append(.dataSubject, text("u-1").span, in: &bytes)
      writer.append(.dataSubject, text("u-2").span, in: &bytes)
      writer.append(.id, text("e 1").span, in: &bytes)
      writer.append(.time, text("2025-01-01T00:00:00Z").span, in: &bytes)
      writer.append(.contentType, text("text/plain").span, in: &bytes)
      writer.appendAttribute(name: text("a").span, value: text("").span, in: &bytes)
      _ = writer.finish(data: text("hello\r\nworld").span, in: &bytes)
    }
    let isThree = version == .resp3
    let (null, map) = isThree ? ("_\r\n", "%15") : ("$-1\r\n", "*30")
    let head = "\(map)\r\n$8\r\nposition\r\n:9\r\n$7\r\nversion\r\n:4\r\n"
    let stored = "$6\r\nstored\r\n$24\r\n2025-11-24T16:00:00.123Z\r\n"
    let live =
      head
      + "$6\r\nstream\r\n$6\r\norders\r\n$4\r\ntype\r\n$6\r\nplaced\r\n$2\r\nid\r\n$3\r\ne 1\r\n"
      + "$6\r\nsource\r\n" + null + "$4\r\ntime\r\n$20\r\n2025-01-01T00:00:00Z\r\n" + stored
      + "$5\r\nstate\r\n$4\r\nlive\r\n$11\r\ndatasubject\r\n*2\r\n$3\r\nu-1\r\n$3\r\nu-2\r\n"
      + "$9\r\ncesubject\r\n" + null + "$7\r\ncontent\r\n$10\r\ntext/plain\r\n$6\r\nschema\r\n"
      + null
      + "$4\r\ndata\r\n$12\r\nhello\r\nworld\r\n$5\r\nattrs\r\n\(isThree ? "%1" : "*2")\r\n"
      + "$1\r\na\r\n$0\r\n\r\n"
    #expect(bytes(.live, full, version) == text(live))
    func gone(_ state: String) -> String {
      head + "$6\r\nstream\r\n" + null + "$4\r\ntype\r\n$\(state.utf8.count + 1)\r\n$\(state)\r\n"
        + "$2\r\nid\r\n" + null + "$6\r\nsource\r\n" + null + "$4\r\ntime\r\n" + null + stored
        + "$5\r\nstate\r\n$\(state.utf8.count)\r\n\(state)\r\n$11\r\ndatasubject\r\n" + null
        + "$9\r\ncesubject\r\n" + null + "$7\r\ncontent\r\n" + null + "$6\r\nschema\r\n" + null
        + "$4\r\ndata\r\n" + null + "$5\r\nattrs\r\n" + null
    }
    #expect(bytes(.erased, [], version) == text(gone("erased")))
    #expect(bytes(.restricted, [], version) == text(gone("restricted")))
  }

  @Test func `as many attributes as a body can have fit into the room for them`() {
    let many = body { writer, bytes in
      for _ in 0..<5_000 {
        writer.appendAttribute(name: text("a").span, value: text("").span, in: &bytes)
      }
      _ = writer.finish(data: [UInt8]().span, in: &bytes)
    }
    #expect(bytes(.live, many, .resp2).count > 5_000 * 13)
  }

  @Test func `a list in its buffers is the list in one piece`() {
    let encoder = ReplyEncoder(version: .resp3)
    let body = body { writer, bytes in
      _ = writer.finish(data: [UInt8](repeating: 7, count: 1_000).span, in: &bytes)
    }
    func list(_ positions: ClosedRange<UInt64>) -> EventList {
      var list = EventList(encoder: encoder, count: 1_000)
      for position in positions {
        let event = ReadEvent(
          position: position, version: position, storedMilliseconds: Int64(position), state: .live)
        _ = list.add(event, body: body.span)
      }
      return list
    }
    let whole = list(1...500)
    var parts = list(1...200)
    parts.append(list(201...500))
    #expect(parts.count == 500)
    #expect(parts.byteCount == whole.byteCount)
    #expect(parts.encoded() == whole.encoded())
    let chunks = parts.encodedInPlace()
    #expect(chunks.count > 2)
    #expect(chunks.flatMap { Array($0.readableBytesView) } == whole.encoded())
    #expect(
      EventList(encoder: encoder, count: 1).encodedInPlace().map { Array($0.readableBytesView) }
        == [text("*0\r\n")])
  }

  @Test func `a list ends at its number of events and at its bytes`() {
    let large = body { writer, bytes in
      _ = writer.finish(data: [UInt8](repeating: 1, count: 1_000).span, in: &bytes)
    }
    let event = ReadEvent(position: 1, version: 1, storedMilliseconds: 0, state: .live)
    let encoder = ReplyEncoder(version: .resp2)
    var byCount = EventList(encoder: encoder, count: 2)
    let added = [byCount.add(event, body: large.span), byCount.add(event, body: large.span)]
    #expect(added == [true, false])
    #expect(byCount.count == 2)
    var byBytes = EventList(encoder: encoder, count: 10, bytesMax: 2_000)
    let fits = [byBytes.add(event, body: large.span), byBytes.add(event, body: large.span)]
    #expect(fits == [true, false])
    #expect(byBytes.count == 1)
    #expect(byBytes.byteCount <= 2_000)
    var tooLarge = EventList(encoder: encoder, count: 10, bytesMax: 100)
    _ = tooLarge.add(event, body: large.span)
    #expect(tooLarge.count == 1)
  }

  @Test func `LIVEONLY leaves out what is not live`() {
    let gone = ReadEvent(position: 1, version: 1, storedMilliseconds: 0, state: .erased)
    var list = EventList(encoder: ReplyEncoder(version: .resp2), count: 1, isLiveOnly: true)
    let goesOn = list.add(gone, body: [UInt8]().span)
    #expect(goesOn)
    #expect(list.isEmpty)
  }
}
