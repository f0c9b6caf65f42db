import Client
import EventModel
import RESP

private func parseReplies(_ bytes: [UInt8], step: Int) -> ([Reply], ReplyFailure?) {
  var parser = ReplyParser()
  var replies: [Reply] = []
  var start = 0
  var end = min(step, bytes.count)
  while true {
    do throws(ReplyFailure) {
      let found = try parser.parse(bytes.span.extracting(start..<end))
      precondition(found.count <= end - start, "more was read than there is")
      start += found.count
      if let reply = found.reply {
        replies.append(reply)
        continue
      }
      guard end < bytes.count else { return (replies, nil) }
      end = min(end + step, bytes.count)
    } catch {
      return (replies, error)
    }
  }
}

/// The client's reply parser, and what is shown of replies.
func fuzzReplies(_ bytes: [UInt8]) {
  var input = Input(bytes)
  let step = 1 + Int(input.byte() & 0x1F)
  let rest = input.remaining
  let (whole, failure) = parseReplies(rest, step: max(1, rest.count))
  let (pieces, pieceFailure) = parseReplies(rest, step: step)
  precondition(
    failure == pieceFailure && whole.map(describe) == pieces.map(describe),
    "pieces parse differently")
  for reply in whole {
    for value in [JSONValue(reply), JSONValue(event: reply)] {
      do throws(JSONFailure) {
        let again = try JSONParser.parse(value.bytes)
        precondition(again == value, "JSON that reads differently than it was written")
      } catch {
        // A server may repeat a key; a JSON text of ours then says so twice, too.
        precondition(error.reason == .repeatedName, "a reply became no JSON")
      }
    }
  }
}

/// Replies as text: numbers that are none are not equal to themselves.
private func describe(_ reply: Reply) -> String { "\(reply)" }

/// The client's JSON, Base64 and event lines.
func fuzzJSON(_ bytes: [UInt8]) {
  checkAgainstParser(bytes)
  if let value = try? JSONParser.parse(bytes) {
    let written = value.bytes
    guard let again = try? JSONParser.parse(written) else {
      preconditionFailure("what was written is no JSON")
    }
    precondition(again == value && again.bytes == written, "JSON reads differently")
  }
  if let draft = try? EventLine.parse(bytes, stream: "s", type: "t") {
    precondition(!draft.stream.isEmpty && !draft.type.isEmpty)
    precondition(draft.subjects.isEmpty == draft.isImpersonal)
  }
  let text = String(decoding: bytes, as: UTF8.self)
  if let decoded = Base64.decode(text) { precondition(Base64.encode(decoded) == text) }
  precondition(Base64.decode(Base64.encode(bytes)) == bytes)
}
