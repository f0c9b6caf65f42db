import Server

/// The access file and the sockets.
struct AccessChecks {
  let access: String?
  let sockets: String
  /// The user that the store belongs to.
  let owner: UInt32

  private static let pathBytesMax = 107

  func run(_ diagnosis: inout Diagnosis) {
    let review: AccessReview
    do { review = try AccessReview.read(path: access, ownUID: owner) } catch {
      diagnosis.add(
        .problem, "access-refused", error.sentence,
        why: "the daemon does not start with it, and at SIGHUP keeps the old rules",
        todo: "correct it and send SIGHUP")
      return checkSockets(["query.sock", "admin.sock"], &diagnosis)
    }
    check(review, &diagnosis)
    checkSockets(review.socketFiles, &diagnosis)
  }

  private func check(_ review: AccessReview, _ diagnosis: inout Diagnosis) {
    if review.isDefault {
      diagnosis.add(
        .warning, "access-default", "there is no access file",
        why: "only the daemon's own user gets in, with every role: who erases also reads",
        todo: "write one (Docs/Protocol.md) and name it with --access")
    } else if review.isUnseparated {
      diagnosis.add(
        .warning, "access-unseparated", "the access file lets one user administrate and read",
        why: "INFO says so, and receipts count for less",
        todo: "give operators and readers different users; take \"unseparated\" out")
    }
    if !review.isDefault, !review.hasApprover {
      diagnosis.add(
        .note, "access-no-approver", "nobody has the role approver",
        why: "a tenant can be shredded only with the consent of a second user",
        todo: "give the role to somebody who is no operator")
    }
    if review.namesRoot {
      diagnosis.add(
        .note, "access-root", "the access file names uid 0",
        why: "every process of root is let in", todo: "name the users that are meant")
    }
  }

  private func checkSockets(_ names: [String], _ diagnosis: inout Diagnosis) {
    guard let directory = SystemCalls.entry(sockets), directory.kind == .directory else {
      let severity: Finding.Severity = diagnosis.isRunning ? .problem : .warning
      return diagnosis.add(
        severity, "sockets-missing", "there is no directory \(sockets)",
        why: "the daemon makes its sockets there",
        todo: "make it (RuntimeDirectory= under systemd), or name the right one with --sockets")
    }
    if directory.mode & 0o002 != 0 {
      diagnosis.add(
        .problem, "sockets-open", "everybody may write in \(sockets)",
        why: "anybody can put a socket of his own in the place of the daemon's",
        todo: "chmod o-w \(sockets)")
    }
    for name in names {
      let path = "\(sockets)/\(name)"
      if path.utf8.count > Self.pathBytesMax {
        diagnosis.add(
          .problem, "socket-path", "\(path) is longer than a socket's path may be",
          why: "the daemon does not start", todo: "name a shorter directory")
        continue
      }
      checkSocket(path, &diagnosis)
    }
  }

  private func checkSocket(_ path: String, _ diagnosis: inout Diagnosis) {
    let entry = SystemCalls.entry(path)
    if let entry, entry.kind != .socket {
      return diagnosis.add(
        .problem, "socket-occupied", "something that is no socket lies at \(path)",
        why: "the daemon does not start", todo: "look at it and take it away")
    }
    let answers = entry == nil ? false : SystemCalls.answers(path)
    switch (diagnosis.isRunning, answers) {
    case (_, nil): diagnosis.skip("whether \(path) answers: this user may not connect")
    case (true, false?):
      diagnosis.add(
        .problem, "socket-dead", "a daemon has the store open, but \(path) does not answer",
        why: "clients cannot reach it",
        todo: "name the directory that it was started with; send SIGHUP after a change of the rules"
      )
    case (false, true?):
      diagnosis.add(
        .warning, "socket-foreign", "another daemon answers at \(path)",
        why: "this store's daemon cannot listen there", todo: "give each store its own directory")
    case (false, false?) where entry != nil:
      diagnosis.add(
        .note, "socket-stale", "\(path) is left from a daemon that has ended",
        why: "clients get no connection instead of no such file; the next start replaces it",
        todo: "start the daemon")
    default: break
    }
  }
}
