/// What the program ends with (sysexits.h), so that scripts can tell whose move it is.
package enum ProgramStatus: Int32, Sendable {
  case ok = 0
  /// It works, but not as it should (`lethe health`).
  case degraded = 1
  /// The command line is wrong.
  case usage = 64
  /// What was to be stored or looked up is refused; the same input will be refused again.
  case dataError = 65
  /// A file that was named cannot be read.
  case noInput = 66
  /// The daemon is not there, or something it needs is not.
  case unavailable = 69
  /// Client and daemon do not understand each other.
  case software = 70
  /// A file cannot be made, or is there already.
  case cannotCreate = 73
  /// A device failed, or what is stored there is damaged.
  case ioError = 74
  /// Not now: the same command may work later.
  case temporaryFailure = 75
  /// This user may not.
  case noPermission = 77
  /// A path or a setting is wrong.
  case configuration = 78
}

extension ProgramStatus {
  /// The status for an error reply's code; a code that is not known is bad data.
  package init(code: String) {
    self =
      switch code {
      case "NOPERM", "NOAUTH", "WRONGPASS", "APPROVAL", "NEEDAPPROVAL": .noPermission
      case "TRYAGAIN", "LOADING", "READONLY", "SUSPENDED", "PENDING", "NOSPACE":
        .temporaryFailure
      case "KEYUNAVAILABLE": .unavailable
      case "MISCONF", "CORRUPT": .ioError
      case "NOPROTO": .software
      case "ERR": .usage
      default: .dataError
      }
  }

  package init(_ error: ClientError) {
    self =
      switch error {
      case .unreachable, .closed: .unavailable
      case .forbidden: .noPermission
      case .badPath: .configuration
      case .timedOut: .temporaryFailure
      case .malformed, .unexpectedReply: .software
      case .refused(let refusal): ProgramStatus(code: refusal.code)
      }
  }
}
