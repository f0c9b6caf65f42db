package import EventModel
package import Sodium
import Storage

/// What must not be done with a key, though it is there; in its entry and in its person's mark.
package struct KeyMarks: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The person demanded that their events be used no more: neither shown nor added to.
  package static let restricted = KeyMarks(rawValue: 0x80)
  /// The person objected: nothing is added, what is there is shown.
  package static let objected = KeyMarks(rawValue: 0x40)
  /// It will be destroyed: at the end of a plan's grace, or of the minimum of its class.
  package static let condemned = KeyMarks(rawValue: 0x20)

  /// True when nothing that it sealed is shown.
  package var hides: Bool { !isDisjoint(with: [.restricted, .condemned]) }
}

/// What is not to be done with a tenant's keys from now on, beside what holds already.
package struct KeyRestriction: Sendable {
  /// Keys and their marks, which replace those that they had.
  package var slots: [Slot: KeyMarks] = [:]
  /// Marks of persons, by the tag of ``NameKind/suppression``.
  package var persons: [Tag128: KeyMarks] = [:]

  package init() {}
}

extension Keyring {
  /// Marks keys and persons, with documents of the store that say why and the line of the ledger, in
  /// one commit.
  ///
  /// An addition: the root stays. Marks are lifted by a rotation (``Removal/Part/slotMarks``).
  package func restrict(
    _ tenant: TenantNumber, _ restriction: KeyRestriction, documents: [DocumentID: Document] = [:],
    entry: LedgerEntry
  ) throws(KeyringError) {
    let edits = documents.map { DocumentEdit(tenant: nil, id: $0.key, document: $0.value) }
    try add(entry: entry) { (top, writer, transaction) throws(KeyringError) in
      try Self.edit(edits, &top, &writer, in: &transaction)
      try Self.editTenants([tenant], &top, &writer, in: &transaction) {
        (tenant, node, writer, transaction) throws(KeyringError) in
        try Self.mark(restriction, tenant.rawValue, &node, &writer, in: &transaction)
      }
    }
    loaded.remove(tenant)
  }

  private static func mark(
    _ restriction: KeyRestriction, _ tenant: UInt32, _ node: inout TenantNode,
    _ writer: inout NodeWriter, in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    let slots = restriction.slots.keys.map(\.rawValue).sorted()
    guard slots.last ?? 0 < node.nextSlot else { throw .slotBeyondEnd }
    var keys = node.keys
    try KeyArray.keys(of: tenant).edit(&keys, slots[...], &writer, in: &transaction) {
      leaf, child, slot, _, _ in
      guard leaf.contains(child) else { return }
      setMarks(restriction.slots[Slot(rawValue: slot)] ?? [], in: &leaf, child)
    }
    node.setKeys(keys)
    let map = NameMap(tenant: tenant)
    var root = node.map
    var edits: [NameMap.Edit] = []
    for (tag, marks) in restriction.persons {
      let known = try map.find(MapTag(tag), root, writer.reader, in: transaction)
      let entry = MapEntry(
        slot: Slot(rawValue: 0), kind: .suppression, untilDay: known?.untilDay ?? 0,
        position: UInt64(marks.rawValue))
      edits.append(NameMap.Edit(tag: MapTag(tag), entry: entry))
    }
    try map.edit(&root, edits.sorted { $0.tag < $1.tag }, &writer, in: &transaction)
    node.setMap(root)
  }

  /// Replaces the marks in a key's entry.
  static func setMarks(_ marks: KeyMarks, in leaf: inout BitmapNode, _ child: Int) {
    var entry = SecretBytes(copying: leaf.entry(child))
    let kind = entry.bytes[KeyLeafEntry.flagsAt] & KeyLeafEntry.kindMask
    var bytes = entry.mutableBytes
    bytes[KeyLeafEntry.flagsAt] = kind | marks.rawValue
    leaf.set(child, to: entry.bytes)
  }
}

extension MapEntry {
  /// Of a person's mark: what must not be done with their keys, nor made for them.
  package var marks: KeyMarks {
    kind == .suppression ? KeyMarks(rawValue: UInt8(truncatingIfNeeded: position)) : []
  }
}
