import Client

/// Why the program ends: a sentence for people and a status for scripts.
struct Failure: Error {
  let status: ProgramStatus
  let text: String
  /// What happened at the socket, if it was that.
  let error: ClientError?

  init(_ status: ProgramStatus, _ text: String, _ error: ClientError? = nil) {
    self.status = status
    self.text = text
    self.error = error
  }

  /// `path` is the socket that was spoken to.
  init(_ error: ClientError, path: String) {
    status = ProgramStatus(error)
    self.error = error
    switch error {
    case .refused(let refusal):
      text = [refusal.text, Self.hint(refusal.code)].compactMap { $0 }.joined(separator: "\n  ")
    default: text = "\(error.text) (\(path))"
    }
  }

  /// True when the connection ended, so that nobody knows whether the command was done.
  var isLostConnection: Bool { error == .closed }

  /// True when the daemon may be starting: another try may find it.
  var isPassing: Bool {
    switch error {
    case .closed, .unreachable: true
    case .refused(let refusal): refusal.code == "LOADING" || refusal.code == "TRYAGAIN"
    default: false
    }
  }

  /// The code of the daemon's refusal.
  var code: String? {
    if case .refused(let refusal) = error { refusal.code } else { nil }
  }

  /// The same failure with a hint behind it.
  func adding(_ hint: String) -> Failure { Failure(status, "\(text)\n  \(hint)", error) }

  /// What to do next, where the daemon's sentence does not say it already.
  static func hint(_ code: String) -> String? {
    switch code {
    case "WRONGPASS", "NOAUTH":
      "name a tenant that this user may use: --tenant NAME or LETHE_TENANT"
    case "NOPERM": "the operator's access file gives this user no such role"
    case "NODATASUBJECT": "say --subject-fd or --impersonal, or \"datasubject\" in each line"
    case "SUBJECTSHREDDED": "to take events of this person again: lethe subject enrol"
    case "BADCURSOR": "begin again without --cursor"
    case "WRONGVERSION": "read the stream again and decide anew"
    default: nil
    }
  }
}
