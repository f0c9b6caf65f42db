import EventModel
import Sodium

/// How far purging has come, as `log/` keeps it (Docs/Format.md, section 5.7).
struct PurgeState: Hashable, Sendable {
  /// What was destroyed up to this line of the ledger is purged.
  var acts: UInt64 = 0
  /// The next sequence that a sweep through the whole log looks at; 0 when none is under way.
  var sweepNext: UInt64 = 0
  /// The first that it leaves out: written after it began.
  var sweepEnd: UInt64 = 0
  /// What it stands for: ``acts`` when it is done.
  var sweepActs: UInt64 = 0
  /// Records that were purged, of all time.
  var records: UInt64 = 0
  /// When it was last done: milliseconds since 1970; 0: never.
  var doneMilliseconds: Int64 = 0
  /// Postings of what was destroyed up to this line of the ledger are purged.
  var postingsActs: UInt64 = 0

  private static let bytes = 64
  private static let label = Array("purge".utf8)

  init() {}

  /// Opens what ``sealed(_:)`` sealed; nil when it was changed.
  init?(_ sealed: Span<UInt8>, key: borrowing SecretBytes) {
    guard
      let plain = SealedMessage.open(
        sealed, key: key.bytes, context: LogState.context, label: Self.label.span),
      plain.count == Self.bytes, plain.bytes[0] == 1
    else { return nil }
    func number(_ index: Int) -> UInt64 { plain.bytes.bigEndian(at: 8 + 8 * index, bytes: 8) }
    acts = number(0)
    sweepNext = number(1)
    sweepEnd = number(2)
    sweepActs = number(3)
    records = number(4)
    doneMilliseconds = Int64(clamping: number(5))
    postingsActs = number(6)
  }

  func sealed(_ key: borrowing SecretBytes) -> [UInt8] {
    var plain: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0]
    let numbers = [
      acts, sweepNext, sweepEnd, sweepActs, records, UInt64(clamping: doneMilliseconds),
      postingsActs,
    ]
    for number in numbers { plain.appendBigEndian(number, bytes: 8) }
    return SealedMessage.seal(
      plain.span, key: key.bytes, context: LogState.context, label: Self.label.span,
      nonce: Random.bytes(SealedMessage.nonceBytes).span)
  }
}
