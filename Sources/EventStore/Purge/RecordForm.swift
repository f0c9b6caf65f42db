import EventModel
import TransparencyLog

/// In which of its forms a record lies in the log, or came out of it.
///
/// ```
/// whole   as it was written
/// bare    without body and commitment: the event was shredded, its period lives (Docs/Format.md, 5.1)
/// trace   its position and hash: the period or the tenant is gone                (Docs/Format.md, 5.7)
/// ```
enum RecordForm: Hashable {
  case whole, bare, trace

  init(_ record: Span<UInt8>) {
    self =
      record.count == RecordTrace.bytes
      ? .trace : record.count > 1 && record[1] == RecordLayout.bareSuite ? .bare : .whole
  }
}

extension RecordHash {
  /// The hash of a record as it was written, whatever is left of it.
  init(stored record: Span<UInt8>) {
    self =
      switch RecordForm(record) {
      case .whole: .sha256(record)
      case .bare: RecordHash(Hash256(record, at: RecordLayout.commitment.lowerBound))
      case .trace: RecordHash(Hash256(record, at: RecordTrace.hashAt))
      }
  }
}
