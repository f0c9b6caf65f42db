import EventModel
import Keyring
import Sodium

/// Where a person's keys and mark lie in a tenant's map; without the identifier.
struct PersonKeys: Sendable {
  /// The tag of the person's mark.
  let mark: Tag128
  /// What the map has under ``mark``.
  let entry: MapEntry?
  /// The tags of the person's keys, one for each class.
  let tags: [Tag128]
  /// The keys that exist.
  let slots: [Slot: KeyMarks]

  init(
    _ subject: Span<UInt8>, _ tenant: TenantState, _ state: EngineState
  ) throws(StoreError) {
    let keys = try tenant.open(state.keyring).keys
    var resolver = NameResolver()
    let mark = resolver.tag(.suppression, .default, subject, keys)
    let tags = keys.classes.map { resolver.tag(.subject, $0.number, subject, keys) }
    try self.init(mark: mark, tags: tags, tenant, state)
  }

  /// The same for a person who is known by tags.
  init(
    mark: Tag128, tags: [Tag128], _ tenant: TenantState, _ state: EngineState
  ) throws(StoreError) {
    (self.mark, self.tags) = (mark, tags)
    let keyring = state.keyring
    func find(_ tag: Tag128) throws(StoreError) -> MapEntry? {
      do { return try keyring.entry(tenant.number, tag: tag) } catch { throw StoreError(error) }
    }
    entry = try find(mark)
    var slots: [Slot: KeyMarks] = [:]
    for tag in tags {
      guard let slot = try find(tag)?.slot, let key = try state.entry(tenant, slot) else {
        continue
      }
      slots[slot] = key.marks
    }
    self.slots = slots
  }

  /// What must not be done with the person's keys, whichever exist.
  var marks: KeyMarks {
    slots.values.reduce(entry?.marks ?? []) { $0.union($1) }
  }
}
