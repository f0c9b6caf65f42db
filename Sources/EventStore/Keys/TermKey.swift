import EventModel
import Sodium
import Storage

/// The key of a term (a feed, a stream, a person, a type, an id): who has it can find the term's postings.
///
/// A property of a class is borrowed for one call only, so the bytes are lent in functions that take
/// the secret itself.
final class TermKey: Sendable {
  private let key: SecretBytes

  init(_ key: consuming SecretBytes) { self.key = key }

  /// Derives a term's key from the key of its stream or person, or a feed's from the map key
  /// (Docs/Format.md, section 4.4).
  convenience init(_ context: KeyDerivation.Context, from key: borrowing SecretBytes) {
    self.init(
      KeyDerivation.secret(
        count: 16, key: key.bytes, context: context, message: key.bytes.extracting(0..<0)))
  }

  /// Derives the key of a type's term from the tenant's map key.
  convenience init(type name: Span<UInt8>, mapKey: borrowing SecretBytes) {
    self.init(
      KeyDerivation.secret(
        count: 16, key: mapKey.bytes, context: Self.type, message: name))
  }

  /// The key of an id's term, for those who read.
  convenience init(_ term: IDTerm) {
    let bytes = term.keyBytes
    self.init(SecretBytes(copying: bytes.span))
  }

  static let type = KeyDerivation.Context("LT1.idx.type")
  static let id = KeyDerivation.Context("LT1.idx.id")
  static let feed = KeyDerivation.Context("LT1.idx.feed")
  static let stream = KeyDerivation.Context("LT1.idx.stream")
  static let subject = KeyDerivation.Context("LT1.idx.subject")

  /// The term's tag in `bucket` (Docs/Format.md, section 6).
  func tag(in bucket: Bucket) -> UInt64 { Self.tag(key, bucket) }

  /// The term's postings, see ``EventIndex/postings(termKey:ordinals:isDescending:limit:)``.
  func postings(
    in index: EventIndex, ordinals: ClosedRange<UInt64>, isDescending: Bool, limit: Int
  ) throws(StoreError) -> [Posting] {
    try postings(
      in: index, PostingRange(ordinals: ordinals), isDescending: isDescending, limit: limit)
  }

  /// The same, bounded by sequence too.
  func postings(
    in index: EventIndex, _ range: PostingRange, isDescending: Bool, limit: Int
  ) throws(StoreError) -> [Posting] {
    do throws(StorageError) {
      return try Self.postings(key, index, range, isDescending, limit)
    } catch {
      throw StoreError(error)
    }
  }

  /// At most how many postings the term has; reads nothing.
  func countMax(in index: EventIndex) -> Int { Self.countMax(key, index) }

  private static func tag(_ key: borrowing SecretBytes, _ bucket: Bucket) -> UInt64 {
    TaggedPosting.tag(termKey: key.bytes, bucket: bucket)
  }

  private static func postings(
    _ key: borrowing SecretBytes, _ index: EventIndex, _ range: PostingRange,
    _ isDescending: Bool, _ limit: Int
  ) throws(StorageError) -> [Posting] {
    try index.postings(termKey: key.bytes, range, isDescending: isDescending, limit: limit)
  }

  private static func countMax(_ key: borrowing SecretBytes, _ index: EventIndex) -> Int {
    index.countMax(termKey: key.bytes)
  }
}

/// A term with the tag that it has in the bucket used last: a writer asks for the same one all month.
struct CachedTerm {
  let term: TermKey
  private var bucket = Bucket(number: .max)
  private var tag: UInt64 = 0

  init(_ term: TermKey) { self.term = term }

  mutating func tag(in bucket: Bucket) -> UInt64 {
    if bucket != self.bucket {
      tag = term.tag(in: bucket)
      self.bucket = bucket
    }
    return tag
  }
}
