import Sodium

/// A dictionary by 128-bit tags, which are keyed hashes already and need no second one.
///
/// Open addressing, at most half full. Nothing is taken out but everything. An object, so that a
/// look-up copies no struct of arrays.
final class TagTable<Value: AnyObject> {
  private struct Entry {
    let low: UInt64
    let high: UInt64
    var value: Value
  }

  private var slots: [UInt32] = Array(repeating: 0, count: 16)
  private var entries: [Entry] = []

  var count: Int { entries.count }

  subscript(tag: Tag128) -> Value? {
    let mask = slots.count - 1
    var place = Int(truncatingIfNeeded: tag.low) & mask
    while slots[place] != 0 {
      let index = Int(slots[place]) - 1
      if entries[index].low == tag.low, entries[index].high == tag.high {
        return entries[index].value
      }
      place = (place + 1) & mask
    }
    return nil
  }

  /// Adds or replaces.
  func set(_ tag: Tag128, _ value: Value) {
    if (entries.count + 1) * 2 > slots.count { grow() }
    let mask = slots.count - 1
    var place = Int(truncatingIfNeeded: tag.low) & mask
    while slots[place] != 0 {
      let index = Int(slots[place]) - 1
      if entries[index].low == tag.low, entries[index].high == tag.high {
        entries[index].value = value
        return
      }
      place = (place + 1) & mask
    }
    entries.append(Entry(low: tag.low, high: tag.high, value: value))
    slots[place] = UInt32(entries.count)
  }

  func removeAll() {
    slots = Array(repeating: 0, count: 16)
    entries = []
  }

  private func grow() {
    slots = Array(repeating: 0, count: slots.count * 4)
    let mask = slots.count - 1
    for (index, entry) in entries.enumerated() {
      var place = Int(truncatingIfNeeded: entry.low) & mask
      while slots[place] != 0 { place = (place + 1) & mask }
      slots[place] = UInt32(index + 1)
    }
  }
}
