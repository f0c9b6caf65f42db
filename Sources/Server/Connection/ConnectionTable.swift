/// The connections by slot; a slot's generation tells late answers that theirs is gone.
struct ConnectionTable {
  private struct Slot {
    var generation: UInt32 = 0
    var handler: ConnectionHandler?
  }

  private var slots: [Slot] = []
  private var free: [UInt32] = []
  /// Connections of each user, for the bound on them.
  private var perUser: [UInt32: Int] = [:]
  private(set) var count = 0

  mutating func add(_ handler: ConnectionHandler, uid: UInt32) -> ConnectionKey {
    count += 1
    perUser[uid, default: 0] += 1
    let slot: UInt32
    if let reused = free.popLast() {
      slot = reused
    } else {
      slot = UInt32(slots.count)
      slots.append(Slot())
    }
    slots[Int(slot)].generation &+= 1
    slots[Int(slot)].handler = handler
    return ConnectionKey(slot: slot, generation: slots[Int(slot)].generation)
  }

  mutating func remove(_ key: ConnectionKey, uid: UInt32) {
    guard self[key] != nil else { return }
    slots[Int(key.slot)].handler = nil
    free.append(key.slot)
    count -= 1
    let left = (perUser[uid] ?? 1) - 1
    perUser[uid] = left == 0 ? nil : left
  }

  /// The connection, or nil when it is gone.
  subscript(key: ConnectionKey) -> ConnectionHandler? {
    guard Int(key.slot) < slots.count, slots[Int(key.slot)].generation == key.generation else {
      return nil
    }
    return slots[Int(key.slot)].handler
  }

  func count(ofUser uid: UInt32) -> Int { perUser[uid] ?? 0 }

  var all: [ConnectionHandler] { slots.compactMap(\.handler) }
}
