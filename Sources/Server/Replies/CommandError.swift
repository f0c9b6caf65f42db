import EventModel
import EventStore

/// An error reply: a word and a text that never repeats an argument's value.
struct CommandError: Error, Hashable, Sendable {
  let word: ErrorWord
  let text: String

  init(_ word: ErrorWord, _ text: String) {
    self.word = word
    self.text = text
  }

  /// The line without its `-`.
  var line: String { "\(word.rawValue) \(text)" }

  static let syntax = CommandError(.err, "syntax error")
  static let notInteger = CommandError(.err, "value is not an integer or out of range")
  static let authenticationRequired = CommandError(.noAuth, "Authentication required.")
  /// Absent and forbidden tenants, and wrong passwords, look alike.
  static let wrongPass = CommandError(
    .wrongPass, "invalid username-password pair or user is disabled.")
  /// The peer may read for several purposes and has not said for which.
  static let purposeMissing = CommandError(
    .purpose, "this peer may read for several purposes: say EVENT.PURPOSE first")
  static let noTenant = CommandError(.noTenant, "there is no such tenant")

  /// `name` is a command's own, in lower case.
  static func arity(_ name: String) -> CommandError {
    CommandError(.err, "wrong number of arguments for '\(name)' command")
  }

  static func forbidden(_ name: String) -> CommandError {
    CommandError(.noPerm, "this peer has no permissions to run the '\(name)' command")
  }
}

extension CommandError {
  /// What the engine refused, in the protocol's words.
  init(_ error: StoreError) {
    switch error {
    case .noSpace:
      self.init(.noSpace, "no space is left on the device: nothing was stored; reads go on")
    case .ioFailure:
      self.init(.misconf, "the device failed: whether this was stored is unknown")
    case .readOnly:
      self.init(.readOnly, "writing stopped after a device failure until the daemon is restarted")
    case .corrupt: self.init(.corrupt, "stored data failed its authentication")
    case .rolledBack: self.init(.corrupt, "keys and records are not of the same age")
    case .suspended: self.init(.suspended, "the tenant takes no events at present")
    case .noTenant: self = .noTenant
    case .tenantExists: self.init(.tenantExists, "there is a tenant of this name")
    case .tooManyTenants: self.init(.quota, "tenants maximum \(Limits.tenantsMax)")
    case .subjectShredded:
      self.init(.subjectShredded, "this person was erased; see SUBJECT ENROL")
    case .subjectRestricted:
      self.init(.restricted, "this person is restricted or objected, or is to be erased")
    case .streamRestricted: self.init(.restricted, "this stream is to be erased")
    case .wrongVersion(let expected, let actual):
      self.init(.wrongVersion, "expected \(Self.text(expected)) actual \(actual)")
    case .unknownClass: self.init(.badArgument, "CLASS: the tenant has no such retention class")
    case .retention(.minimumReachesMaximum):
      self.init(.badArgument, "MIN: must be shorter than MAX by a day or an hour at least")
    case .retention(.isCompliance):
      self.init(.immutable, "the class is in compliance mode: what it promises is not taken back")
    case .retention(.tooManySteps):
      self.init(.quota, "MAX was lengthened \(Limits.retentionStepsMax) times: wait for expiry")
    case .retention(.noMaximum):
      self.init(.badArgument, "MAX: a class needs one of an hour at least")
    case .held(let id): self.init(.held, "hold \(id.text)")
    case .noGrant: self.init(.noGrant, "there is no such grant, or none in force; see GRANT SET")
    case .untilUnsuitable:
      self.init(.badArgument, "UNTIL: a day to come within \(Limits.grantDaysMax) days, 2027-01-01")
    case .tooManyGrants: self.init(.quota, "grants maximum \(Limits.grantsMax)")
    case .noHold: self.init(.badArgument, "id: there is no such hold")
    case .reviewPast: self.init(.badArgument, "REVIEW: a day to come, 2027-01-01")
    case .tooManyHolds: self.init(.quota, "holds maximum \(Limits.holdsMax)")
    case .minimumPending:
      self.init(.immutable, "the class is in compliance mode: its minimum has not passed")
    case .tooManyTypes: self.init(.quota, "no more types can be mapped: say CLASS with the events")
    case .tooManyClasses: self.init(.quota, "classes maximum \(Limits.classesMax)")
    case .tooBig: self.init(.tooBig, "event maximum \(Limits.dataBytesMax) bytes")
    case .noEvent: self.init(.noEvent, "there is no such event")
    case .expired(let position): self.init(.expired, "position \(position)")
    case .periodNotOver: self.init(.badArgument, "day: it is not over yet")
    case .noPeriod: self.init(.noEvent, "there is no event of this class and day")
    case .clockUncertain:
      self.init(.clock, "the clock leapt ahead: nothing expires; see CLOCK STATUS")
    case .clockBehind:
      self.init(.tryAgain, "the clock shows a time that was shredded; nothing was stored")
    case .tooManyHoles:
      self.init(.quota, "days shredded out of order, or generations: wait until some expire")
    case .noStream: self.init(.noEvent, "there is nothing under this stream's name")
    case .noSubject: self.init(.noSubject, "there is nothing under this person's identifier")
    case .noSubjects(let count, let first):
      self.init(.noSubject, "persons that are unknown: \(count), the first of them number \(first)")
    case .noPlan: self.init(.noPlan, "there is no such plan, or it is finished")
    case .approvalAwaited(let plan):
      self.init(
        .approval, "a second user with the role approver must say PLAN APPROVE: plan \(plan)")
    case .destructionAwaited(let plan):
      self.init(
        .pending, "restricted now, destroyed when a root holder can be reached: plan \(plan)")
    case .confirmationMissing: self = .confirmationMissing
    case .confirmationUnknown:
      self.init(.confirm, "this token is unknown, used or lapsed: say DRYRUN for a new one")
    case .planChanged:
      self.init(.planChanged, "events changed since the dry run: say DRYRUN and look again")
    case .needsApproval:
      self.init(.approval, "a second user with the role approver must confirm")
    case .tooManyPlans: self.init(.quota, "plans maximum \(Limits.plansMax)")
    case .keyUnavailable:
      self.init(.keyUnavailable, "no root holder can be reached; nothing was destroyed")
    case .erasurePending:
      self.init(.pending, "the keys are gone, but a root holder has not confirmed the erasure yet")
    case .noPackage:
      self.init(.badArgument, "there is no such package: say INCIDENT REPORT first")
    case .tooManyIncidents: self.init(.quota, "incidents maximum \(Limits.incidentsMax)")
    case .noCertificate: self = .noCertificate
    case .noBundle:
      self.init(.badArgument, "bundle: unknown, ended, or left alone for ten minutes: say BEGIN")
    case .bundleOutdated:
      self.init(.tryAgain, "a tenant is gone since the bundle was begun: say BEGIN again")
    case .shuttingDown: self.init(.tryAgain, "the daemon is ending; nothing was stored")
    case .batchRefused: self.init(.execAbort, "another event of the batch was refused")
    case .idConflict(let position):
      self.init(.idConflict, "another event has this id and source: position \(position)")
    case .eventErased(let position):
      self.init(.erased, "the event of this id was erased: position \(position)")
    case .idMissing: self.init(.badArgument, "ID: the tenant demands one")
    case .notInLog(let size):
      self.init(.badArgument, "sizes ascend, from the position on, to \(size) at most")
    case .badCursor: self.init(.badCursor, "not a cursor for this query: begin anew without one")
    }
  }

  static let noCertificate = CommandError(.noCertificate, "there is no such certificate or copy")

  static let confirmationMissing = CommandError(
    .confirm, "destroying needs a token: say DRYRUN, look, then CONFIRM with its token")

  private static func text(_ expectation: Expectation) -> String {
    switch expectation {
    case .any: "any"
    case .none: "none"
    case .exists: "exists"
    case .version(let version): "\(version)"
    }
  }
}
