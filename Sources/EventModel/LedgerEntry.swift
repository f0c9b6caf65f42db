/// One line of the ledger: what was done, when and by whom; it holds no personal data.
///
/// Written in the transaction of the change that it records (Docs/Format.md, section 4.5).
package struct LedgerEntry: Hashable, Sendable {
  /// What was done; the numbers are part of the format.
  package enum Act: UInt8, Sendable, CaseIterable {
    case storeCreated = 1
    case tenantCreated = 2
    case tenantSuspended = 3
    case tenantResumed = 4
    case tenantShredded = 5
    case subjectShredded = 6
    case subjectEnrolled = 7
    case rootRotated = 8
    case periodsExpired = 9
    case bucketsExpired = 10
    case eventsShredded = 11
    case streamShredded = 12
    /// The operator took a medium on which an overwritten root may survive.
    case weakErasureAccepted = 13
    case keysCollected = 14
    /// Every event of the tenant must have an id of the client's from now on.
    case idsRequired = 15
    case idsOptional = 16
    /// A period was destroyed before its time.
    case periodShredded = 17
    /// No ciphertext is left of what was destroyed up to line `count` of the ledger.
    case purged = 18
    /// An erasure that a missing holder had left unconfirmed is confirmed by all.
    case erasureConfirmed = 52
    /// `count` is the holder's number.
    case rootHolderAdded = 53
    /// `count` is the holder's number; result 1: it was not there, and nobody overwrote what it has.
    case rootHolderRemoved = 54
    /// A holder's root is sealed under another factor; `count` is its number.
    case rootRewrapped = 55
    /// An older copy of the events was restored: the tenant's positions behind `count` were lost, if
    /// there were any, and are given out again in a new generation.
    case lineageBegun = 24
    /// An operator has said that the clock is right (`count`: what it showed, in milliseconds).
    case clockConfirmed = 36
    /// A person's events are neither shown nor added to.
    case subjectRestricted = 44
    /// What a person demanded by restriction or objection ended.
    case subjectUnrestricted = 45
    /// Nothing is added about a person who objected.
    case subjectObjected = 46
    /// A shred was confirmed and waits: `result` 1 for an approval, else for its day.
    case planConfirmed = 47
    case planApproved = 48
    /// It was taken back; by the daemon: it lapsed, or nothing was left to destroy.
    case planCancelled = 49
    /// A tenant takes no events any more and will be shredded.
    case tenantOffboarded = 50
    /// How long confirmed shreds of the tenant wait was changed: `result` the kind, `count` minutes.
    case graceSet = 51
    /// The store heard of a backup; `count` is the newest record when it began.
    case backupTaken = 66
    /// An operator says that a backup is destroyed.
    case backupRetired = 67
    /// Every node of the tenant got a fresh key.
    case tenantRewrapped = 60
    /// A tenant's new events are sealed under new keys; `count` is the generation's number, result 1: since
    /// somebody may have the old ones.
    case generationBegun = 61
    /// A retention class was made (`result` 0) or its policy changed (1); `count` is its number.
    case classSet = 30
    /// A shorter maximum was planned (`result` 0), or was in force at once with a second user's
    /// approval (1); `count` is the class's number.
    case maximumShortened = 31
    /// A class's minimum was shortened with a second user's approval; `count` is its number.
    case minimumShortened = 32
    /// An event type was mapped to a class; `count` is the class's number.
    case typeMapped = 33
    /// A hold was set; `count` is its number, as for the next two.
    case holdSet = 70
    /// A hold was released and ends in a week.
    case holdReleasePlanned = 71
    /// A hold ended with a second user's approval.
    case holdReleased = 72
    /// An officer was given events that a hold keeps; `count` of them.
    case holdExported = 73
    /// The tenant's evidence settings changed: `result` 0 replies need not wait for the access log, 1 they
    /// must, 2 the access log is kept for `count` days.
    case evidenceSet = 84
    /// The public key that reports about the tenant are sealed to was set.
    case keyEnrolled = 85
    /// A report of an incident has a new version (`result`); the plan hash names the incident, `count` is how
    /// many events left.
    case incidentReported = 86
    /// The daemon began to serve; `count` is the newest record.
    case daemonStarted = 90
    /// It ended in order; without this line, it was killed or the machine failed.
    case daemonStopped = 91
    /// Nothing expires, since the clock leapt ahead; `count` is what it showed, in milliseconds.
    case clockPaused = 92
    /// The clock is believed again: the leap was undone, waited for, or vouched for.
    case clockResumed = 93
    /// Something was refused: `result` says why (``LedgerEntry/Refusal``), ``LedgerEntry/verb`` what;
    /// `count` is how many of the actor's since the line before.
    case refused = 94
    /// Somebody may take events out in bulk; `count` is the grant's number, as for the next two; result 1:
    /// as soon as a second user approves.
    case grantSet = 96
    case grantApproved = 97
    case grantRevoked = 98
    /// Grants of the tenant need a second user from now on (`result` 1), or no longer (0).
    case exportApprovalSet = 99
    /// A page of what there is about a person was given out, for that person; `count` events.
    case subjectExported = 100
  }

  /// Why something was refused: the result of ``Act/refused``.
  package enum Refusal: UInt8, Sendable, CaseIterable {
    /// The peer has not the role.
    case noPermission = 1
    /// There is no such tenant, or the peer may not know of it.
    case noTenant = 2
    /// There is no such person, event, plan, hold or certificate.
    case notFound = 3
    /// It was not planned first, or with another token.
    case unconfirmed = 4
    /// The events changed since the dry run.
    case planChanged = 5
    /// A second user must approve.
    case needsApproval = 6
    /// A hold keeps it.
    case held = 7
    /// What was promised is not taken back.
    case immutable = 8
    /// A bound is reached.
    case quota = 9
    /// The clock is not believed.
    case clock = 10
    /// No root holder can be reached.
    case keyUnavailable = 11
    /// Its time or state forbids it.
    case unsuitable = 12
    /// Several that were not written one by one.
    case several = 13
    /// It needs a grant.
    case noGrant = 14
  }

  /// Who did it.
  package enum Actor: Hashable, Sendable {
    case daemon
    case uid(UInt32)
    /// A named socket (at most 32 bytes, else cut) and the uid behind it.
    case socket(name: [UInt8], uid: UInt32)
  }

  package var timeMilliseconds: Int64
  package var act: Act
  /// 0: done.
  ///
  /// Other values are the act's own (``Act/storeCreated``: 1 when erasure is weak).
  package var result: UInt8
  package var actor: Actor
  /// 0 when the act concerns no tenant.
  package var tenant: TenantNumber
  /// The root's generation after the act; the keyring fills it in.
  package var epoch: UInt64
  /// A salted hash of the plan that was confirmed (32 bytes), or zeroes.
  package var planHash: [UInt8]
  /// How many keys, events or periods, as the act has it.
  package var count: UInt64
  /// How many persons were erased, or are to be.
  package var subjectCount: UInt64
  /// The ticket of the request: `[A-Za-z0-9-]`, at most 32.
  package var ticket: [UInt8]
  /// The day on which the request came, in days since 1970, or 0.
  package var receivedDay: UInt32
  /// The command that was refused, as `COMMAND` names it (at most 32 bytes); empty when it was done.
  package var verb: [UInt8]

  package init(
    timeMilliseconds: Int64, act: Act, actor: Actor, tenant: TenantNumber = .none,
    result: UInt8 = 0, planHash: [UInt8] = [], count: UInt64 = 0, subjectCount: UInt64 = 0,
    ticket: [UInt8] = [], receivedDay: UInt32 = 0, verb: [UInt8] = []
  ) {
    precondition(ticket.count <= Self.ticketBytesMax, "a ticket is bounded")
    precondition(verb.count <= Self.verbBytesMax, "a verb is bounded")
    precondition(planHash.isEmpty || planHash.count == 32, "a plan's hash has 32 bytes")
    self.timeMilliseconds = timeMilliseconds
    self.act = act
    self.result = result
    self.actor = actor
    self.tenant = tenant
    epoch = 0
    self.planHash = planHash.isEmpty ? [UInt8](repeating: 0, count: 32) : planHash
    self.count = count
    self.subjectCount = subjectCount
    self.ticket = ticket
    self.receivedDay = receivedDay
    self.verb = verb
  }
}

extension LedgerEntry {
  /// What an entry takes; its hash is a leaf of the ledger's log.
  package static let plainBytes = 256
  private static let socketNameBytesMax = 32
  private static let ticketBytesMax = 32
  private static let verbBytesMax = 32

  /// The entry in its one spelling, before sealing.
  package var plain: [UInt8] {
    var (kind, uid, name): (UInt8, UInt32, [UInt8]) = (0, 0, [])
    switch actor {
    case .daemon: break
    case .uid(let found): (kind, uid) = (1, found)
    case .socket(let found, let owner):
      (kind, uid, name) = (2, owner, Array(found.prefix(Self.socketNameBytesMax)))
    }
    var bytes: [UInt8] = [1]
    bytes.appendBigEndian(UInt64(bitPattern: timeMilliseconds), bytes: 8)
    bytes.append(contentsOf: [act.rawValue, result, kind])
    bytes.appendBigEndian(UInt64(uid), bytes: 4)
    bytes.append(UInt8(name.count))
    bytes += name
    bytes.append(contentsOf: repeatElement(0, count: Self.socketNameBytesMax - name.count))
    bytes.appendBigEndian(UInt64(tenant.rawValue), bytes: 4)
    bytes.appendBigEndian(epoch, bytes: 8)
    bytes += planHash
    bytes.appendBigEndian(count, bytes: 8)
    bytes.appendBigEndian(subjectCount, bytes: 4)
    bytes.append(UInt8(ticket.count))
    bytes += ticket
    bytes.append(contentsOf: repeatElement(0, count: Self.ticketBytesMax - ticket.count))
    bytes.appendBigEndian(UInt64(receivedDay), bytes: 4)
    bytes.append(UInt8(verb.count))
    bytes += verb
    bytes.append(contentsOf: repeatElement(0, count: Self.plainBytes - bytes.count))
    return bytes
  }

  /// Nil unless `plain` is what ``plain`` gives for some entry.
  package init?(plain: Span<UInt8>) {
    guard plain.count == Self.plainBytes, plain[0] == 1, let act = Act(rawValue: plain[9]),
      Int(plain[16]) <= Self.socketNameBytesMax, Int(plain[105]) <= Self.ticketBytesMax,
      Int(plain[142]) <= Self.verbBytesMax
    else { return nil }
    let uid = UInt32(plain.bigEndian(at: 12, bytes: 4))
    let name = plain.extracting(17..<(17 + Int(plain[16]))).array
    let actor: Actor
    switch plain[11] {
    case 0: actor = .daemon
    case 1: actor = .uid(uid)
    case 2: actor = .socket(name: name, uid: uid)
    default: return nil
    }
    self.init(
      timeMilliseconds: Int64(bitPattern: plain.bigEndian(at: 1, bytes: 8)), act: act,
      actor: actor, tenant: TenantNumber(rawValue: UInt32(plain.bigEndian(at: 49, bytes: 4))),
      result: plain[10], planHash: plain.extracting(61..<93).array,
      count: plain.bigEndian(at: 93, bytes: 8), subjectCount: plain.bigEndian(at: 101, bytes: 4),
      ticket: plain.extracting(106..<(106 + Int(plain[105]))).array,
      receivedDay: UInt32(plain.bigEndian(at: 138, bytes: 4)),
      verb: plain.extracting(143..<(143 + Int(plain[142]))).array)
    epoch = plain.bigEndian(at: 53, bytes: 8)
    guard self.plain == plain.array else { return nil }
  }
}

extension LedgerEntry.Act {
  /// The act in words for people and programs: `subject-shredded`.
  package var text: String { kebab(String(describing: self)) }
}

extension LedgerEntry.Refusal {
  /// The reason in words: `no-permission`.
  package var text: String { kebab(String(describing: self)) }
}

/// `demandsIDs` as `demands-ids`.
private func kebab(_ name: String) -> String {
  var text = ""
  var wasLower = false
  for letter in name {
    if letter.isUppercase, wasLower { text += "-" }
    wasLower = letter.isLowercase
    text += letter.lowercased()
  }
  return text
}
