import EventModel
import Sodium

/// The terms of the event types that a tenant wrote lately.
///
/// A type's key costs a BLAKE2b: too much for each event, so that the last one is kept at hand and the
/// others in a bounded table.
final class TypeTerms {
  private final class TypeState {
    var term: CachedTerm

    init(_ term: TermKey) { self.term = CachedTerm(term) }
  }

  /// Types are few; a client that makes them up pays for it.
  private static let typesMax = 4_096

  private let states = TagTable<TypeState>()
  private var last: TypeState?
  private var lastName: [UInt8] = []

  /// The type's tag in `bucket`; `tableKey` (16 bytes) is what hashes names for the table.
  func tag(
    of name: Span<UInt8>, in bucket: Bucket, mapKey: borrowing SecretBytes,
    tableKey: borrowing SecretBytes
  ) -> UInt64 {
    if let last, isLast(name) { return last.term.tag(in: bucket) }
    let place = SipHash.tag128(name, key: tableKey.bytes)
    let state: TypeState
    if let known = states[place] {
      state = known
    } else {
      if states.count >= Self.typesMax { states.removeAll() }
      state = TypeState(TermKey(type: name, mapKey: mapKey))
      states.set(place, state)
    }
    last = state
    lastName.removeAll(keepingCapacity: true)
    lastName.appendSpan(name)
    return state.term.tag(in: bucket)
  }

  private func isLast(_ name: Span<UInt8>) -> Bool {
    guard name.count == lastName.count else { return false }
    for index in name.indices where name[index] != lastName[index] { return false }
    return true
  }
}
