import EventStore
import RESP

extension ControlReply {
  /// What was answered about logs: texts as one would keep them in files.
  static func append(_ answer: EvidenceAnswer, _ encoder: ReplyEncoder, to bytes: inout [UInt8]) {
    switch answer {
    case .text(let text): encoder.bulk(text.span, to: &bytes)
    case .notes(let notes):
      encoder.array(notes.count, to: &bytes)
      for note in notes { encoder.bulk(note.span, to: &bytes) }
    }
  }
}
