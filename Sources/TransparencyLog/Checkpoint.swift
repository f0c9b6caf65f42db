import EventModel

/// What a log was at a time: its name, its length and its root; the text of a signed note (C2SP
/// tlog-checkpoint).
///
/// ```
/// lethe/1f20aa04..09/ledger
/// 2187
/// XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=
/// time 1795996800000
/// ```
package struct Checkpoint: Hashable, Sendable {
  package let origin: LogOrigin
  package let size: UInt64
  package let root: Hash256
  /// When it was signed, by the daemon's clock.
  package let timeMilliseconds: Int64

  package init(origin: LogOrigin, size: UInt64, root: Hash256, timeMilliseconds: Int64) {
    precondition(timeMilliseconds >= 0, "no checkpoint is older than 1970")
    self.origin = origin
    self.size = size
    self.root = root
    self.timeMilliseconds = timeMilliseconds
  }

  /// Reads ``text``; nil for anything that it does not write.
  package init?(_ text: [UInt8]) {
    guard
      let lines = String(validating: text, as: UTF8.self)?
        .split(separator: "\n", omittingEmptySubsequences: false).map(String.init),
      lines.count == 5, lines[4].isEmpty, lines[3].hasPrefix(Self.time),
      let origin = LogOrigin(lines[0]), let size = UInt64(lines[1]), size <= Limits.positionMax,
      let root = Base64.decode(lines[2]), root.count == 32,
      let time = Int64(lines[3].dropFirst(Self.time.count)), time >= 0
    else { return nil }
    self.init(origin: origin, size: size, root: Hash256(root.span), timeMilliseconds: time)
    // Numbers have one spelling, so a checkpoint has too.
    guard self.text == text else { return nil }
  }

  /// The text that is signed.
  package var text: [UInt8] {
    let root = Base64.encode(root.bytes)
    return Array("\(origin.text)\n\(size)\n\(root)\n\(Self.time)\(timeMilliseconds)\n".utf8)
  }

  private static let time = "time "
}
