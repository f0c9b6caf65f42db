import EventModel
import Keyring
import Sodium
import Storage

/// An event whose own key was saved for a hold, before another key that it needs was destroyed.
///
/// Where its key lies is known, not the key.
struct HeldPlace: Hashable, Sendable {
  let sequence: UInt64
  let position: UInt64
  let version: UInt64
  let storedMilliseconds: Int64
  let stream: Slot
  let subjectCount: Int
  /// The first bytes of the record's commitment: a restore may give its sequence to another record.
  let commitment: UInt64
  /// The document that has it, and its place there.
  let document: DocumentID
  let index: Int

  /// The hold's number.
  var hold: UInt32 { document.number >> HeldDocument.partBits }

  /// What is left of the record's header: the persons' number, not their slots.
  var header: RecordHeader {
    var subjects = SubjectSlots()
    for _ in 0..<subjectCount { subjects.appendNobody() }
    return RecordHeader(
      stream: stream, version: version, storedMilliseconds: storedMilliseconds, subjects: subjects)
  }

  /// True when the record is the one that was saved.
  func matches(_ routing: Routing, _ record: Span<UInt8>) -> Bool {
    routing.position == position
      && record.bigEndian(at: RecordLayout.commitment.lowerBound, bytes: 8) == commitment
  }
}

/// The format of the documents that keep saved events (Docs/Format.md, section 4.9).
///
/// ```
/// version u8 = 1 | count u8 | entries of 94:
/// sequence u48 | position u48 | version u48 | stored ms u48 | stream slot u40 | persons u8 |
/// commitment 32 | event key 32
/// ```
enum HeldDocument {
  /// Documents of one hold: its number << 15 | part.
  static let partBits: UInt32 = 15
  static let partsMax = 1 << Int(partBits)
  /// Holds have the other bits of a document's number.
  static let holdMax: UInt32 = 1 << (28 - partBits) - 1
  static let entryBytes = 94
  private static let headBytes = 2
  /// As many as make one node of the tree, so that its length does not tell what it is.
  static let entriesMax = 16
  private static let commitmentAt = 30
  private static let keyAt = 62

  static func id(hold: UInt32, part: Int) -> DocumentID {
    DocumentID(.heldEvents, hold << partBits | UInt32(part))
  }

  static func part(_ id: DocumentID) -> Int { Int(id.number & (1 << partBits - 1)) }

  /// Room for the entries of one document.
  static func buffer() -> SecretBytes { SecretBytes(zeroes: headBytes + entriesMax * entryBytes) }

  /// Writes entry `index`; `key` are the event's key and commitment, 64 bytes.
  static func write(
    _ index: Int, _ place: HeldPlace, key: borrowing SecretBytes, to buffer: inout SecretBytes
  ) {
    let at = headBytes + index * entryBytes
    var bytes = buffer.mutableBytes
    bytes[0] = 1
    bytes[1] = UInt8(index + 1)
    bytes.setBigEndian(place.sequence, at: at, bytes: 6)
    bytes.setBigEndian(place.position, at: at + 6, bytes: 6)
    bytes.setBigEndian(place.version, at: at + 12, bytes: 6)
    bytes.setBigEndian(UInt64(place.storedMilliseconds), at: at + 18, bytes: 6)
    bytes.setBigEndian(place.stream.rawValue, at: at + 24, bytes: 5)
    bytes[at + 29] = UInt8(place.subjectCount)
    bytes.set(key.bytes.extracting(32..<64), at: at + commitmentAt)
    bytes.set(key.bytes.extracting(0..<32), at: at + keyAt)
  }

  /// The document of what was written.
  static func document(_ buffer: borrowing SecretBytes) -> Document {
    let count = Int(buffer.bytes[1])
    return Document(copying: buffer.bytes.extracting(0..<(headBytes + count * entryBytes)))
  }

  /// What a document tells of its events; nil when it is none of these.
  static func places(_ document: Document, _ id: DocumentID) -> [HeldPlace]? {
    document.withBytes { bytes -> [HeldPlace]? in
      guard bytes.count >= headBytes, bytes[0] == 1,
        bytes.count == headBytes + Int(bytes[1]) * entryBytes
      else { return nil }
      return (0..<Int(bytes[1])).map { index in
        let at = headBytes + index * entryBytes
        return HeldPlace(
          sequence: bytes.bigEndian(at: at, bytes: 6),
          position: bytes.bigEndian(at: at + 6, bytes: 6),
          version: bytes.bigEndian(at: at + 12, bytes: 6),
          storedMilliseconds: Int64(bytes.bigEndian(at: at + 18, bytes: 6)),
          stream: Slot(rawValue: bytes.bigEndian(at: at + 24, bytes: 5)),
          subjectCount: min(Int(bytes[at + 29]), Limits.subjectsMax),
          commitment: bytes.bigEndian(at: at + commitmentAt, bytes: 8), document: id, index: index)
      }
    }
  }

  /// Copies an entry's event key and commitment, 64 bytes.
  static func copyEntry(of index: Int, in document: Document, to target: inout SecretBytes) {
    func copy(_ source: borrowing SecretBytes) {
      let at = headBytes + index * entryBytes + commitmentAt
      var bytes = target.mutableBytes
      bytes.set(source.bytes.extracting(at..<(at + 32)), at: 32)
    }
    copyKey(of: index, in: document, to: &target, at: 0)
    copy(document.bytes)
  }

  /// Copies an entry's event key to `offset`.
  static func copyKey(
    of index: Int, in document: Document, to target: inout SecretBytes, at offset: Int
  ) {
    func copy(_ source: borrowing SecretBytes) {
      let at = headBytes + index * entryBytes + keyAt
      var bytes = target.mutableBytes
      bytes.set(source.bytes.extracting(at..<(at + 32)), at: offset)
    }
    copy(document.bytes)
  }
}

/// The saved events of a tenant, without their keys: whoever reads by position finds them there.
struct HeldEvents: Sendable {
  /// Ascending by position; an event under two holds is there twice.
  let places: [HeldPlace]
  private let byPosition: [UInt64: Int]

  var isEmpty: Bool { places.isEmpty }

  init(_ places: [HeldPlace]) {
    let sorted = places.sorted { $0.position < $1.position }
    self.places = sorted
    byPosition = Dictionary(
      sorted.enumerated().map { ($0.element.position, $0.offset) },
      uniquingKeysWith: { first, _ in first })
  }

  /// The saved event at a position, if the record is its.
  func place(_ routing: Routing, _ record: Span<UInt8>) -> HeldPlace? {
    guard let index = byPosition[routing.position] else { return nil }
    return places[index].matches(routing, record) ? places[index] : nil
  }

  /// Events that a hold has saved.
  func count(of hold: UInt32) -> Int { places.count { $0.hold == hold } }

  /// Where `ordinal` has them within `range`: `postings` may lack them, since their month is over.
  func merged(
    into postings: [Posting], of page: PagedRead.Page, isDescending: Bool,
    ordinal: (HeldPlace) -> UInt64?
  ) -> [Posting] {
    guard !isEmpty else { return postings }
    var known = Set(postings.map(\.sequence))
    var merged = postings
    for place in places {
      guard let ordinal = ordinal(place), page.range.contains(ordinal),
        known.insert(place.sequence).inserted
      else { continue }
      merged.append(Posting(sequence: place.sequence, ordinal: ordinal))
    }
    merged.sort { isDescending ? $0.ordinal > $1.ordinal : $0.ordinal < $1.ordinal }
    return Array(merged.prefix(page.limit))
  }
}

extension EngineState {
  /// The documents of a tenant's saved events, of one hold or of all.
  func heldDocuments(
    _ tenant: TenantNumber, hold: UInt32? = nil
  ) throws(StoreError) -> [DocumentID] {
    let keyring = keyring
    let found = try StoreError.translating { () throws(KeyringError) in
      try keyring.documents(tenant: tenant, kind: .heldEvents)
    }
    return found.filter { hold == nil || $0.number >> HeldDocument.partBits == hold }
  }
}

extension TenantSecrets {
  /// The tenant's saved events, read when they are first asked for.
  func held(_ keyring: Keyring) throws(StoreError) -> HeldEvents {
    if let knownHeld { return knownHeld }
    let number = keys.number
    let found = try StoreError.translating { () throws(KeyringError) in
      var places: [HeldPlace] = []
      for id in try keyring.documents(tenant: number, kind: .heldEvents) {
        guard let document = try keyring.document(tenant: number, id),
          let found = HeldDocument.places(document, id)
        else { throw .corrupt }
        places += found
      }
      return HeldEvents(places)
    }
    knownHeld = found
    return found
  }
}
