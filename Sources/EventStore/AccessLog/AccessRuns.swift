import EventModel
import Keyring
import Sodium

/// The daemon's runs and how they ended: what may be missing in the access log is known by them.
///
/// Where the end of a run is unknown the daemon was killed or the machine failed; up to
/// ``Limits/unloggedEventsMax`` events may have left then that no line tells.
struct AccessRuns: Hashable, Sendable {
  struct Run: Hashable, Sendable {
    /// Milliseconds since 1970.
    let startMilliseconds: Int64
    /// Zero: it did not end in order, or goes on.
    var endMilliseconds: Int64
    /// A moment until which every reply has its line; zero: nobody asked.
    var loggedMilliseconds: Int64 = 0
  }

  /// Runs that are remembered.
  static let countMax = 170

  /// Oldest first; the last is this one.
  private(set) var runs: [Run] = []

  static let context = KeyDerivation.Context("LT1.log.runs")
  private static let label = Array("runs".utf8)
  private static let plainBytes = 4_096

  init() {}

  /// Notes that the daemon began.
  mutating func begin(at milliseconds: Int64) {
    runs.append(Run(startMilliseconds: milliseconds, endMilliseconds: 0))
    runs.removeFirst(max(0, runs.count - Self.countMax))
  }

  /// Notes that it ends, and that every reply has its line.
  mutating func end(at milliseconds: Int64) {
    guard let last = runs.indices.last else { return }
    runs[last].endMilliseconds = max(milliseconds, 1)
  }

  /// Notes that every reply until a moment of this run has its line.
  mutating func note(logged milliseconds: Int64) {
    guard let last = runs.indices.last else { return }
    runs[last].loggedMilliseconds = max(runs[last].loggedMilliseconds, milliseconds)
  }

  /// Runs before this one that did not end in order and may have replies in the window without a line.
  func brokenRuns(from: Int64, through: Int64) -> Int {
    zip(runs, runs.dropFirst()).count { run, next in
      run.endMilliseconds == 0 && run.startMilliseconds <= through
        && next.startMilliseconds >= from && run.loggedMilliseconds < through
    }
  }

  /// Since when the runs are known, or nil when none is.
  var sinceMilliseconds: Int64? { runs.first?.startMilliseconds }

  /// Sealed: `format u8 = 1 | zero 3 | count u32 | (start ms u64 | end ms u64 | logged until ms u64)..`, padded.
  func sealed(_ key: borrowing SecretBytes) -> [UInt8] {
    var plain: [UInt8] = [1, 0, 0, 0]
    plain.appendBigEndian(UInt64(runs.count), bytes: 4)
    for run in runs {
      plain.appendBigEndian(UInt64(bitPattern: run.startMilliseconds), bytes: 8)
      plain.appendBigEndian(UInt64(bitPattern: run.endMilliseconds), bytes: 8)
      plain.appendBigEndian(UInt64(bitPattern: run.loggedMilliseconds), bytes: 8)
    }
    plain.append(contentsOf: repeatElement(0, count: Self.plainBytes - plain.count))
    let nonce = Random.bytes(SealedMessage.nonceBytes)
    return SealedMessage.seal(
      plain.span, key: key.bytes, context: Self.context, label: Self.label.span, nonce: nonce.span)
  }

  /// Opens what ``sealed(_:)`` sealed; nil when it was changed.
  init?(_ sealed: Span<UInt8>, key: borrowing SecretBytes) {
    guard
      let plain = SealedMessage.open(
        sealed, key: key.bytes, context: Self.context, label: Self.label.span),
      plain.count == Self.plainBytes, plain.bytes[0] == 1
    else { return nil }
    let count = Int(plain.bytes.bigEndian(at: 4, bytes: 4))
    guard count <= Self.countMax else { return nil }
    func time(_ index: Int, _ field: Int) -> Int64 {
      Int64(bitPattern: plain.bytes.bigEndian(at: 8 + 24 * index + 8 * field, bytes: 8))
    }
    for index in 0..<count {
      runs.append(
        Run(
          startMilliseconds: time(index, 0), endMilliseconds: time(index, 1),
          loggedMilliseconds: time(index, 2)))
    }
  }
}
