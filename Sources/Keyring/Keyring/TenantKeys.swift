package import EventModel
package import Sodium

/// A retention class of a tenant with the cover of its period keys, as it was when it was loaded.
package final class RetentionClass: Sendable {
  package let number: ClassNumber
  /// At most 31 bytes.
  package let name: [UInt8]
  package let policy: RetentionPolicy
  package let cover: PeriodCover

  init(
    number: ClassNumber, name: [UInt8], policy: RetentionPolicy, cover: consuming PeriodCover
  ) {
    precondition(name.count <= Limits.classNameBytesMax, "a class's name has at most 31 bytes")
    self.number = number
    self.name = name
    self.policy = policy
    self.cover = cover
  }

  /// The maximum of the newest periods, and the unit of the class's periods.
  package var retention: Retention { policy.retention }
}

/// A tenant's opened secrets, as they were when they were loaded; after a rotation ask again.
package final class TenantKeys: Sendable {
  package let number: TenantNumber
  package let id: TenantID
  package let generation: UInt16
  /// Raised by restores only; positions are given out once in each.
  package let lineage: UInt16
  package let dataSecret: SecretBytes
  package let impersonalKey: SecretBytes
  package let mapKey: SecretBytes
  /// Zeroes once events of the generation were shredded: then ``Keyring/positionSeed(_:_:generation:)`` has the seeds.
  package let positionSeed: SecretBytes
  /// True when the position seed was replaced by nodes, since events of the generation were shredded.
  package let hasPositionNodes: Bool
  /// True when single events were shredded, of whichever generation.
  package let hasErasedEvents: Bool
  /// The first is `default`.
  package let classes: [RetentionClass]
  package let nextSlot: Slot

  init(_ number: TenantNumber, _ node: borrowing TenantNode) {
    self.number = number
    id = node.id
    generation = node.generation
    lineage = node.lineage
    dataSecret = SecretBytes(copying: node.dataSecret)
    impersonalKey = SecretBytes(copying: node.impersonalKey)
    mapKey = SecretBytes(copying: node.mapKey)
    positionSeed = SecretBytes(copying: node.positionSeed)
    hasPositionNodes = node.positions.height > 0
    hasErasedEvents = node.hasErasedEvents
    classes = node.classes ?? []
    nextSlot = Slot(rawValue: node.nextSlot)
  }
}

/// What is known of a tenant without its secrets.
package struct TenantSummary: Hashable, Sendable {
  package let number: TenantNumber
  package let name: TenantName
  package let id: TenantID
  /// Which of its logs its events are in: 1, and one more after each restore.
  package let lineage: UInt16
  package let isSuspended: Bool
  /// True when every event must have an id of the client's.
  package let demandsIDs: Bool
  package let createdMilliseconds: Int64
  package let defaultRetention: Retention

  init?(_ number: TenantNumber, _ node: borrowing TenantNode) {
    guard let name = node.name, let first = node.classes?.first else { return nil }
    self.number = number
    self.name = name
    id = node.id
    lineage = node.lineage
    isSuspended = node.isSuspended
    demandsIDs = node.demandsIDs
    createdMilliseconds = node.createdMilliseconds
    defaultRetention = first.retention
  }
}
