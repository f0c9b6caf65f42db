/// The connections by slot; a slot's generation tells late answers that theirs is gone.
struct ConnectionTable {
  private struct Slot {
    var generation: UInt32 = 0
    var handler: ConnectionHandler?
  }

  private var slots: [Slot] = []
  private var free: [UInt32] = []
  /// What each user has, for the bounds on it.
  private var perUser: [UInt32: UserUsage] = [:]
  private(set) var count = 0

  mutating func add(_ handler: ConnectionHandler, uid: UInt32) -> ConnectionKey {
    count += 1
    usage(ofUser: uid).connections += 1
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
    let usage = usage(ofUser: uid)
    usage.connections -= 1
    if usage.connections == 0 { perUser[uid] = nil }
  }

  /// The connection, or nil when it is gone.
  subscript(key: ConnectionKey) -> ConnectionHandler? {
    guard Int(key.slot) < slots.count, slots[Int(key.slot)].generation == key.generation else {
      return nil
    }
    return slots[Int(key.slot)].handler
  }

  func count(ofUser uid: UInt32) -> Int { perUser[uid]?.connections ?? 0 }

  /// The record of a user, made if need be.
  mutating func usage(ofUser uid: UInt32) -> UserUsage {
    if let known = perUser[uid] { return known }
    let made = UserUsage()
    perUser[uid] = made
    return made
  }

  var all: [ConnectionHandler] { slots.compactMap(\.handler) }
}
