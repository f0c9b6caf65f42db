package import EventModel
import Storage

/// Some of a tenant's streams, by their slots.
package struct StreamSlots: Hashable, Sendable {
  /// Ascending.
  package fileprivate(set) var slots: [Slot] = []
  /// The slot to go on from, or nil at the end.
  package fileprivate(set) var next: Slot?
}

extension Keyring {
  /// The slots of streams that have a key, from `start` on.
  ///
  /// Looks at most at `count` keys, those of persons included, which bounds the time that it takes.
  package func streamSlots(
    _ tenant: TenantNumber, from start: Slot, examining count: Int
  ) throws(KeyringError) -> StreamSlots {
    let node = try load(tenant)
    var found = StreamSlots()
    var left = count
    try tables.read { (view) throws(KeyringError) in
      try KeyArray.keys(of: tenant.rawValue).forEach(
        from: start.rawValue, node.node.keys, reader, in: view
      ) { (number, entry) throws(KeyringError) in
        guard left > 0 else {
          found.next = Slot(rawValue: number)
          return false
        }
        left -= 1
        let kind = entry[KeyLeafEntry.flagsAt] & KeyLeafEntry.kindMask
        if kind == NameKind.stream.rawValue { found.slots.append(Slot(rawValue: number)) }
        return true
      }
    }
    return found
  }
}
