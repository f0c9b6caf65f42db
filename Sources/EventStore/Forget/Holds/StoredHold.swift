import EventModel
import Keyring
import Sodium

/// A hold, as a document of its tenant keeps it (Docs/Format.md, section 4.7).
struct StoredHold: Sendable, Hashable {
  /// What is held, without a name.
  enum Scope: Hashable, Sendable {
    /// The tags of the person's keys, one for each class that there can be.
    case subject([Tag128])
    case stream(Tag128)
    case retentionClass(ClassNumber)
    case tenant
  }

  let number: UInt32
  let scope: Scope
  let reason: HoldReason
  let reviewDay: UInt32
  let setMilliseconds: Int64
  /// 0 until it is released.
  var endsMilliseconds: Int64 = 0

  var id: DocumentID { DocumentID(.hold, number) }

  /// True when it holds at `now`.
  func holds(_ now: Int64) -> Bool { endsMilliseconds == 0 || now < endsMilliseconds }

  /// `version u8 = 1 | scope u8 | reason u8 | review day u32 | set ms u64 | ends ms u64 | class u8 |
  /// tags u8 | tags of 16`.
  var document: Document {
    var writer = PlanWriter()
    var (kind, number, tags): (UInt8, UInt8, [Tag128]) = (4, 0, [])
    switch scope {
    case .subject(let found): (kind, tags) = (1, found)
    case .stream(let tag): (kind, tags) = (2, [tag])
    case .retentionClass(let found): (kind, number) = (3, found.rawValue)
    case .tenant: break
    }
    for byte in [1, kind, reason.rawValue] { writer.append(byte, bytes: 1) }
    writer.append(reviewDay, bytes: 4)
    writer.append(setMilliseconds, bytes: 8)
    writer.append(endsMilliseconds, bytes: 8)
    writer.append(number, bytes: 1)
    writer.append(tags.count, bytes: 1)
    for tag in tags {
      writer.append(tag.low.byteSwapped, bytes: 8)
      writer.append(tag.high.byteSwapped, bytes: 8)
    }
    return Document(copying: writer.bytes.span)
  }

  init(
    number: UInt32, scope: Scope, reason: HoldReason, reviewDay: UInt32, setMilliseconds: Int64
  ) {
    self.number = number
    self.scope = scope
    self.reason = reason
    self.reviewDay = reviewDay
    self.setMilliseconds = setMilliseconds
  }

  /// Nil when the document is not a hold.
  init?(number: UInt32, _ document: Document) {
    var reader = PlanReader(document.withBytes { $0.array })
    guard reader.number(1) == 1, let kind = reader.number(1),
      let reason = reader.number(1).flatMap({ HoldReason(rawValue: UInt8($0)) }),
      let review = reader.number(4), let set = reader.number(8), let ends = reader.number(8),
      let retentionClass = reader.number(1), let count = reader.number(1)
    else { return nil }
    var tags: [Tag128] = []
    for _ in 0..<count {
      guard let low = reader.number(8), let high = reader.number(8) else { return nil }
      tags.append(Tag128(low: low.byteSwapped, high: high.byteSwapped))
    }
    switch (kind, tags.first) {
    case (1, _): scope = .subject(tags)
    case (2, let tag?): scope = .stream(tag)
    case (3, _): scope = .retentionClass(ClassNumber(rawValue: UInt8(retentionClass)))
    case (4, _): scope = .tenant
    default: return nil
    }
    self.number = number
    self.reason = reason
    reviewDay = UInt32(review)
    setMilliseconds = Int64(bitPattern: set)
    endsMilliseconds = Int64(bitPattern: ends)
  }
}
