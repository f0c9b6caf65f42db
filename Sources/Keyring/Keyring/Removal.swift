package import EventModel
package import Sodium

/// What a rotation destroys; empty means that only the root is replaced.
package struct Removal: Sendable {
  /// A mark that a person, or an event of an id, was erased.
  package struct Mark: Hashable, Sendable {
    package let tag: Tag128
    package let kind: NameKind
    /// The first UTC day, as days since 1970, on which it no longer holds.
    package let untilDay: UInt16
    /// Of an event's id: where it stood; of a person: ``KeyMarks``.
    package let position: UInt64

    /// A person's mark; `untilDay` is 0 when the person was not erased.
    package init(tag: Tag128, untilDay: UInt16, marks: KeyMarks = []) {
      (self.tag, self.untilDay) = (tag, untilDay)
      (kind, position) = (.suppression, UInt64(marks.rawValue))
    }

    /// The mark of the id of the event at `position`.
    package init(ofIDTagged tag: Tag128, position: UInt64, untilDay: UInt16) {
      (self.tag, self.untilDay) = (tag, untilDay)
      (kind, self.position) = (.erasedID, position)
    }
  }

  /// How a key that must be kept for a minimum ends.
  package struct Lapse: Hashable, Sendable {
    /// The first UTC day, as days since 1970, on which it may go.
    package let untilDay: UInt16
    /// ``NameKind/formerSubject`` or ``NameKind/formerStream``.
    package let kind: NameKind
    /// The tag under which it is found from now on; nil: under none.
    package let formerTag: Tag128?

    package init(untilDay: UInt16, kind: NameKind, formerTag: Tag128?) {
      precondition(untilDay > 0, "a key lapses on a day")
      self.untilDay = untilDay
      self.kind = kind
      self.formerTag = formerTag
    }
  }

  /// Periods of a class whose keys end.
  package struct Periods: Hashable, Sendable {
    package let classNumber: ClassNumber
    /// Period numbers in the class's unit.
    package let range: Range<UInt32>

    package init(classNumber: ClassNumber, range: Range<UInt32>) {
      self.classNumber = classNumber
      self.range = range
    }
  }

  /// What goes of one tenant.
  package struct Part: Sendable {
    package var slots: [Slot] = []
    /// Names and marks that leave the map.
    ///
    /// The names of ``slots`` leave it also when they are not
    /// given, but then the whole map is searched for them.
    package var tags: [Tag128] = []
    /// Marks that come into it; a tag that is also in `tags` gets its mark.
    package var marks: [Mark] = []
    package var periods: [Periods] = []
    /// Versions that streams have reached, for those whose newest records die with a period.
    package var versions: [Slot: UInt64] = [:]
    /// Keys that stay and the marks that they have from now on.
    package var slotMarks: [Slot: KeyMarks] = [:]
    /// Keys that stay until a day and then end by themselves; their names leave the map by ``tags``.
    package var lapses: [Slot: Lapse] = [:]
    /// The tenant's first day of that kind from now on, when keys that lapsed are taken out; see
    /// ``Keyring/lapsedKeys(_:on:)``.
    package var nextLapseDay: UInt16?
    /// Single events, by generation and position.
    package var positions: [UInt16: [UInt64]] = [:]

    package init() {}
  }

  package var parts: [TenantNumber: Part] = [:]
  /// Tenants that go whole.
  package var tenants: Set<TenantNumber> = []
  /// Tenants whose nodes all get fresh keys, though nothing of theirs goes.
  package var rewraps: Set<TenantNumber> = []
  /// Tenants that get a new generation of keys; nothing of the old one goes.
  package var generations: [TenantNumber: GenerationStart] = [:]
  /// Months whose postings end.
  package var buckets: Set<Bucket> = []
  /// Documents that are forgotten, or whose old content is.
  package var documents: [DocumentEdit] = []

  /// When this is an expiry run: its time and how many events it takes.
  package var expiry: ExpiryMark?

  package init() {}
}

/// What the keyring remembers of an expiry run.
package struct ExpiryMark: Hashable, Sendable {
  /// Milliseconds since 1970.
  package let milliseconds: Int64
  package let eventCount: UInt64

  package init(milliseconds: Int64, eventCount: UInt64) {
    self.milliseconds = milliseconds
    self.eventCount = eventCount
  }
}

/// What a rotation did, when it has returned: the old root is in no holder any more.
package struct RotationReceipt: Hashable, Sendable {
  /// The new generation of the root.
  package let epoch: UInt64
  package let keysDestroyed: Int
  /// Nodes written, the top included.
  package let nodesWritten: Int
  package let bytesSealed: Int
  /// Why an old root may survive below a holder; empty when nothing is known.
  package let weaknesses: [WeakErasure]
  /// Holders that confirmed the erasure: all of them.
  package let holderCount: Int
  /// The certificate that was begun with it, if one was.
  package let certificate: CertificateID?
}
