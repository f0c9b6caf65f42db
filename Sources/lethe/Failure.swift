import Client

/// Why the program ends: a sentence for people and a status for scripts.
struct Failure: Error {
  let status: ProgramStatus
  let text: String

  init(_ status: ProgramStatus, _ text: String) {
    self.status = status
    self.text = text
  }

  /// `path` is the socket that was spoken to.
  init(_ error: ClientError, path: String) {
    status = ProgramStatus(error)
    switch error {
    case .refused(let refusal):
      text = [refusal.text, Self.hint(refusal.code)].compactMap { $0 }.joined(separator: "\n  ")
    default: text = "\(error.text) (\(path))"
    }
  }

  /// What to do next, where the daemon's sentence does not say it already.
  static func hint(_ code: String) -> String? {
    switch code {
    case "WRONGPASS", "NOAUTH":
      "name a tenant that this user may use: --tenant NAME or LETHE_TENANT"
    case "NOPERM": "the operator's access file gives this user no such role"
    case "NODATASUBJECT": "say --subject-fd or --impersonal, or \"datasubject\" in each line"
    case "SUBJECTSHREDDED": "to take events of this person again: lethe subject enrol"
    case "WRONGVERSION": "read the stream again and decide anew"
    default: nil
    }
  }
}
