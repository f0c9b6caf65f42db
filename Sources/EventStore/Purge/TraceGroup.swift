import EventModel
import Sodium
import Storage

/// The traces of 256 neighbouring sequences, which lie together: three pages of LMDB when it is full.
struct TraceGroup {
  static let keyContext = KeyDerivation.Context("LT1.traces")
  private static let sealContext = KeyDerivation.Context("LT1.traces.seal")
  private static let count = 1 << Int(LogTables.traceGroupBits)
  private static let bitmapBytes = count / 8

  let number: UInt64
  /// By their place in the group.
  private var traces: [UInt8: [UInt8]] = [:]

  /// Which group the sequence lies in.
  static func number(of sequence: UInt64) -> UInt64 { sequence >> LogTables.traceGroupBits }

  init(number: UInt64) { self.number = number }

  /// Opens a group; nil when it is not what was written there.
  init?(_ sealed: Span<UInt8>, number: UInt64, key: SealingKey) {
    guard
      let plain = key.open(
        sealed, context: Self.sealContext, label: number.bigEndianBytes.span),
      plain.count >= Self.bitmapBytes
    else { return nil }
    self.number = number
    var at = Self.bitmapBytes
    for place in 0..<Self.count where plain[place / 8] & 1 << (place % 8) != 0 {
      guard at + RecordTrace.bytes <= plain.count else { return nil }
      traces[UInt8(place)] = Array(plain[at..<(at + RecordTrace.bytes)])
      at += RecordTrace.bytes
    }
    guard at == plain.count else { return nil }
  }

  func sealed(_ key: SealingKey) -> [UInt8] {
    var plain = [UInt8](repeating: 0, count: Self.bitmapBytes)
    for (place, trace) in traces.sorted(by: { $0.key < $1.key }) {
      plain[Int(place) / 8] |= 1 << (place % 8)
      plain += trace
    }
    return key.seal(plain.span, context: Self.sealContext, label: number.bigEndianBytes.span)
  }

  /// The trace of a sequence of this group, as it is stored, or nil.
  subscript(sequence: UInt64) -> [UInt8]? { traces[UInt8(truncatingIfNeeded: sequence)] }

  mutating func insert(_ trace: RecordTrace, _ sequence: UInt64) {
    precondition(Self.number(of: sequence) == number, "a trace lies in its own group")
    traces[UInt8(truncatingIfNeeded: sequence)] = trace.encoded
  }
}

extension LogView {
  /// The group of this number; nil when there is none, or it is not what was written.
  borrowing func traceGroup(
    _ number: UInt64, _ key: SealingKey
  ) throws(StorageError) -> TraceGroup? {
    guard let sealed = try traces(number) else { return nil }
    return TraceGroup(sealed, number: number, key: key)
  }
}
