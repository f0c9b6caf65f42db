/// The first word of an error reply: the stable part, which clients decide by.
///
/// Docs/Protocol.md has this table for users; a test holds the two together. Words that cluster
/// clients act on (MOVED, ASK, CLUSTERDOWN, CROSSSLOT, MASTERDOWN) are never used.
enum ErrorWord: String, CaseIterable, Sendable {
  /// Syntax, number of arguments, unknown command.
  case err = "ERR"
  case noAuth = "NOAUTH"
  case wrongPass = "WRONGPASS"
  case noPerm = "NOPERM"
  case noProto = "NOPROTO"
  case tryAgain = "TRYAGAIN"
  case readOnly = "READONLY"
  case noSpace = "NOSPACE"
  case misconf = "MISCONF"
  case execAbort = "EXECABORT"
  case wrongVersion = "WRONGVERSION"
  case idConflict = "IDCONFLICT"
  case erased = "ERASED"
  case expired = "EXPIRED"
  case badCursor = "BADCURSOR"
  case noDataSubject = "NODATASUBJECT"
  case badSubject = "BADSUBJECT"
  case subjectShredded = "SUBJECTSHREDDED"
  case restricted = "RESTRICTED"
  case noSubject = "NOSUBJECT"
  case noTenant = "NOTENANT"
  case tenantExists = "TENANTEXISTS"
  case noEvent = "NOEVENT"
  case noCertificate = "NOCERTIFICATE"
  case suspended = "SUSPENDED"
  case confirm = "CONFIRM"
  case planChanged = "PLANCHANGED"
  case noPlan = "NOPLAN"
  case approval = "NEEDAPPROVAL"
  case pending = "PENDING"
  case purpose = "PURPOSE"
  case noGrant = "NOGRANT"
  case immutable = "IMMUTABLE"
  case held = "HELD"
  case tooBig = "TOOBIG"
  case quota = "QUOTA"
  case clock = "CLOCK"
  case badArgument = "BADARG"
  case corrupt = "CORRUPT"
  case keyUnavailable = "KEYUNAVAILABLE"

  /// What a client does about it.
  enum Retry: String, Sendable {
    /// The same request will fail again.
    case no
    /// Nothing was done; the same request may be sent again after a pause.
    case later
    /// After something else was done first: read again, make a plan, ask a person.
    case afterwards
    /// It is unknown whether it was stored: look, or send it again with the same id.
    case unknown
  }

  var retry: Retry {
    switch self {
    case .tryAgain, .noSpace, .readOnly, .pending, .suspended, .keyUnavailable: .later
    case .held, .noAuth, .wrongVersion, .subjectShredded, .restricted, .confirm, .planChanged,
      .approval, .quota, .clock, .purpose, .noGrant:
      .afterwards
    case .misconf: .unknown
    default: .no
    }
  }
}
