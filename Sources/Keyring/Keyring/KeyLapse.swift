package import EventModel
import Sodium
import Storage

/// Keys of a tenant that have ended by themselves.
package struct LapsedKeys: Hashable, Sendable {
  /// Ascending; what a rotation is to take out.
  package var slots: [Slot] = []
  /// The day on which the next one ends, as days since 1970; 0: none does.
  package var nextDay: UInt16 = 0
}

extension Keyring {
  /// The tenant's keys whose last day is before `day`, which a ``Removal/Part`` takes out with
  /// ``Removal/Part/nextLapseDay`` set to ``LapsedKeys/nextDay``.
  ///
  /// The node tells when there is none; only on a day when keys end are all of them looked at.
  package func lapsedKeys(
    _ tenant: TenantNumber, on day: UInt16
  ) throws(KeyringError) -> LapsedKeys {
    let node = try load(tenant)
    var found = LapsedKeys(nextDay: node.node.lapseDay)
    guard (1...day).contains(found.nextDay) else { return found }
    found.nextDay = 0
    try tables.read { (view) throws(KeyringError) in
      try KeyArray.keys(of: tenant.rawValue).forEach(node.node.keys, reader, in: view) {
        (number, entry) throws(KeyringError) in
        let until = UInt16(entry.bigEndian(at: KeyLeafEntry.untilDayAt, bytes: 2))
        guard until > 0 else { return }
        if until <= day {
          found.slots.append(Slot(rawValue: number))
        } else {
          found.nextDay = found.nextDay == 0 ? until : min(found.nextDay, until)
        }
      }
    }
    return found
  }

  /// Condemns a key: nothing that it sealed is shown, and it ends on a day.
  ///
  /// A day that was set before is not brought forward.
  static func setLapse(_ untilDay: UInt16, in leaf: inout BitmapNode, _ child: Int) {
    var entry = SecretBytes(copying: leaf.entry(child))
    let known = entry.bytes.bigEndian(at: KeyLeafEntry.untilDayAt, bytes: 2)
    let flags = entry.bytes[KeyLeafEntry.flagsAt]
    var bytes = entry.mutableBytes
    bytes[KeyLeafEntry.flagsAt] = flags | KeyMarks.condemned.rawValue
    bytes.setBigEndian(max(known, UInt64(untilDay)), at: KeyLeafEntry.untilDayAt, bytes: 2)
    leaf.set(child, to: entry.bytes)
  }

  /// Keeps the tenant's first day on which a key ends.
  static func noteLapses(_ part: Removal.Part, in node: inout TenantNode) {
    var day = part.nextLapseDay ?? node.lapseDay
    for lapse in part.lapses.values { day = day == 0 ? lapse.untilDay : min(day, lapse.untilDay) }
    if day != node.lapseDay { node.lapseDay = day }
  }
}
