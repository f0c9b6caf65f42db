import EventModel
import EventStore
import RESP

/// Reads `REASON code [TICKET ref] [RECEIVED date] {DRYRUN | CONFIRM token}`.
struct ShredOptions {
  let reason: ReasonCode
  private(set) var ticket: [UInt8] = []
  private(set) var receivedDay: UInt32?
  /// Nil for a dry run.
  let token: [UInt8]?

  init(_ arguments: Arguments, from start: Int) throws(CommandError) {
    var reason: ReasonCode?
    var token: [UInt8]?
    var isDryRun = false
    var index = start
    while index < arguments.count {
      let word = arguments.word(at: index)
      if word == "DRYRUN" {
        isDryRun = true
        index += 1
        continue
      }
      guard index + 1 < arguments.count else { throw .syntax }
      let value = arguments[index + 1]
      switch word {
      case "REASON":
        reason = ReasonCode(rawValue: String(decoding: value.array, as: UTF8.self).lowercased())
        guard reason != nil else {
          let codes = ReasonCode.allCases.map(\.rawValue).joined(separator: " ")
          throw CommandError(.badArgument, "REASON: one of \(codes)")
        }
      case "TICKET":
        try Self.checkTicket(value)
        ticket = value.array
      case "RECEIVED": receivedDay = try Self.day(value)
      case "CONFIRM": token = value.array
      default: throw .syntax
      }
      index += 2
    }
    guard let reason else { throw CommandError(.badArgument, "REASON is missing") }
    guard isDryRun || token != nil else { throw .confirmationMissing }
    guard !isDryRun || token == nil else { throw .syntax }
    (self.reason, self.token) = (reason, token)
  }

  /// No free text where nothing can be forgotten.
  private static func checkTicket(_ bytes: Span<UInt8>) throws(CommandError) {
    let isTicket = bytes.array.allSatisfy {
      (0x41...0x5A).contains($0 & 0xDF) || (0x30...0x39).contains($0) || $0 == 0x2D
    }
    guard isTicket, (1...32).contains(bytes.count) else {
      throw CommandError(.badArgument, "TICKET: 1 to 32 of A-Z, a-z, 0-9 and -")
    }
  }

  private static func day(_ bytes: Span<UInt8>) throws(CommandError) -> UInt32 {
    var text = bytes.array
    if text.count == 10 { text += Array("T00:00:00Z".utf8) }
    guard let milliseconds = Timestamp.milliseconds(text.span), milliseconds >= 0 else {
      throw CommandError(.badArgument, "RECEIVED: a date, 2026-11-24")
    }
    return UInt32(milliseconds / 86_400_000)
  }
}
