import EventModel
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
