import Sodium

/// The ids of one commit's events, until the index has them: the second of two retries that come at
/// once must find the first.
///
/// Open addressing by the term's key, which is a keyed hash already, at most half full.
struct InFlightIDs {
  private struct Entry {
    let term: IDTerm
    let place: UInt32
  }

  private var slots: [UInt32] = []
  private var entries: [Entry] = []

  /// The place in the commit of the event with this id, or nil.
  subscript(term: IDTerm) -> Int? {
    guard !entries.isEmpty else { return nil }
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: term.key.low) & mask
    while slots[slot] != 0 {
      let entry = entries[Int(slots[slot]) - 1]
      if entry.term == term { return Int(entry.place) }
      slot = (slot + 1) & mask
    }
    return nil
  }

  /// Adds an id that is not there yet.
  mutating func insert(_ term: IDTerm, place: Int) {
    if (entries.count + 1) * 2 > slots.count { grow() }
    entries.append(Entry(term: term, place: UInt32(place)))
    link(entries.count)
  }

  mutating func removeAll() {
    guard !entries.isEmpty else { return }
    entries.removeAll(keepingCapacity: true)
    for slot in slots.indices { slots[slot] = 0 }
  }

  private mutating func grow() {
    slots = Array(repeating: 0, count: max(64, slots.count * 4))
    for number in 1..<(entries.count + 1) { link(number) }
  }

  /// Puts the entry with this number (from 1) into the first slot that is free for it.
  private mutating func link(_ number: Int) {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: entries[number - 1].term.key.low) & mask
    while slots[slot] != 0 { slot = (slot + 1) & mask }
    slots[slot] = UInt32(number)
  }
}
