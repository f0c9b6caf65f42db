import Client
import Testing

@Test(arguments: [
  ("NOPERM", ExitStatus.noPermission), ("WRONGPASS", .noPermission), ("APPROVAL", .noPermission),
  ("TRYAGAIN", .temporaryFailure), ("LOADING", .temporaryFailure), ("READONLY", .temporaryFailure),
  ("KEYUNAVAILABLE", .unavailable), ("CORRUPT", .ioError), ("MISCONF", .ioError),
  ("NOPROTO", .software), ("ERR", .usage), ("WRONGVERSION", .dataError),
  ("NODATASUBJECT", .dataError), ("SUBJECTSHREDDED", .dataError), ("NEWWORD", .dataError),
])
func `each code ends the program with its status`(code: String, status: ExitStatus) {
  #expect(ExitStatus(ClientError.refused(Refusal("\(code) some words"))) == status)
  #expect(Refusal(code).code == code)
}

@Test func `failures of the connection end with theirs`() {
  #expect(ExitStatus(ClientError.unreachable(errno: 2)) == .unavailable)
  #expect(ExitStatus(ClientError.closed) == .unavailable)
  #expect(ExitStatus(ClientError.timedOut) == .temporaryFailure)
  #expect(ExitStatus(ClientError.forbidden) == .noPermission)
  #expect(ExitStatus(ClientError.badPath) == .configuration)
  #expect(ExitStatus(ClientError.unexpectedReply) == .software)
}

@Test func `the statuses are those of sysexits`() {
  #expect(ExitStatus.usage.rawValue == 64)
  #expect(ExitStatus.dataError.rawValue == 65)
  #expect(ExitStatus.unavailable.rawValue == 69)
  #expect(ExitStatus.temporaryFailure.rawValue == 75)
  #expect(ExitStatus.noPermission.rawValue == 77)
  #expect(ExitStatus.configuration.rawValue == 78)
}
