import Client
import Testing

@Test(arguments: [
  ("NOPERM", ProgramStatus.noPermission), ("WRONGPASS", .noPermission), ("APPROVAL", .noPermission),
  ("TRYAGAIN", .temporaryFailure), ("NOSPACE", .temporaryFailure), ("LOADING", .temporaryFailure),
  ("READONLY", .temporaryFailure),
  ("KEYUNAVAILABLE", .unavailable), ("CORRUPT", .ioError), ("MISCONF", .ioError),
  ("NOPROTO", .software), ("ERR", .usage), ("WRONGVERSION", .dataError),
  ("NODATASUBJECT", .dataError), ("SUBJECTSHREDDED", .dataError), ("NEWWORD", .dataError),
])
func `each code ends the program with its status`(code: String, status: ProgramStatus) {
  #expect(ProgramStatus(ClientError.refused(Refusal("\(code) some words"))) == status)
  #expect(Refusal(code).code == code)
}

@Test func `failures of the connection end with theirs`() {
  #expect(ProgramStatus(ClientError.unreachable(errno: 2)) == .unavailable)
  #expect(ProgramStatus(ClientError.closed) == .unavailable)
  #expect(ProgramStatus(ClientError.timedOut) == .temporaryFailure)
  #expect(ProgramStatus(ClientError.forbidden) == .noPermission)
  #expect(ProgramStatus(ClientError.badPath) == .configuration)
  #expect(ProgramStatus(ClientError.unexpectedReply) == .software)
}

@Test func `the statuses are those of sysexits`() {
  #expect(ProgramStatus.usage.rawValue == 64)
  #expect(ProgramStatus.dataError.rawValue == 65)
  #expect(ProgramStatus.unavailable.rawValue == 69)
  #expect(ProgramStatus.temporaryFailure.rawValue == 75)
  #expect(ProgramStatus.noPermission.rawValue == 77)
  #expect(ProgramStatus.configuration.rawValue == 78)
}
