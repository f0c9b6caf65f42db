import Sodium

/// A dictionary by 128-bit tags, which are keyed hashes already and need no second one.
///
/// Open addressing, at most half full. Nothing is taken out but everything.
struct TagTable<Value> {
  private var slots: [UInt32]
  private var mask: Int
  private var tags: [Tag128] = []
  private var values: [Value] = []

  init() {
    slots = Array(repeating: 0, count: 16)
    mask = 15
  }

  var count: Int { tags.count }

  subscript(tag: Tag128) -> Value? {
    var place = Int(truncatingIfNeeded: tag.low) & mask
    while slots[place] != 0 {
      let index = Int(slots[place]) - 1
      if tags[index] == tag { return values[index] }
      place = (place + 1) & mask
    }
    return nil
  }

  /// Adds or replaces.
  mutating func set(_ tag: Tag128, _ value: Value) {
    if (tags.count + 1) * 2 > slots.count { grow() }
    var place = Int(truncatingIfNeeded: tag.low) & mask
    while slots[place] != 0 {
      let index = Int(slots[place]) - 1
      if tags[index] == tag {
        values[index] = value
        return
      }
      place = (place + 1) & mask
    }
    tags.append(tag)
    values.append(value)
    slots[place] = UInt32(tags.count)
  }

  mutating func removeAll() { self = TagTable() }

  private mutating func grow() {
    slots = Array(repeating: 0, count: slots.count * 4)
    mask = slots.count - 1
    for (index, tag) in tags.enumerated() {
      var place = Int(truncatingIfNeeded: tag.low) & mask
      while slots[place] != 0 { place = (place + 1) & mask }
      slots[place] = UInt32(index + 1)
    }
  }
}
