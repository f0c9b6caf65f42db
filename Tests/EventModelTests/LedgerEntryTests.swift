import EventModel
import Testing

@Suite struct LedgerEntryTests {
  private func entry() -> LedgerEntry {
    var entry = LedgerEntry(
      timeMilliseconds: 1_700_000_000_000, act: .subjectShredded,
      actor: .socket(name: Array("web-7".utf8), uid: 1_201), tenant: TenantNumber(rawValue: 9),
      result: 3, planHash: [UInt8](repeating: 0xAB, count: 32), count: 77, subjectCount: 2,
      ticket: Array("DSR-14".utf8), receivedDay: 19_675,
      verb: Array("shred|datasubject".utf8))
    entry.epoch = 12
    return entry
  }

  @Test func `an entry is 256 bytes and reads as it was written`() {
    let plain = entry().plain
    #expect(plain.count == 256)
    #expect(LedgerEntry(plain: plain.span) == entry())
    #expect(LedgerEntry(plain: plain.span.extracting(0..<255)) == nil)
  }

  @Test func `every act and every kind of actor has a spelling`() {
    for act in LedgerEntry.Act.allCases {
      for actor in [LedgerEntry.Actor.daemon, .uid(0), .socket(name: [], uid: 7)] {
        let entry = LedgerEntry(timeMilliseconds: 1, act: act, actor: actor)
        #expect(LedgerEntry(plain: entry.plain.span) == entry)
      }
    }
  }

  @Test func `acts are told in words`() {
    #expect(LedgerEntry.Act.subjectShredded.text == "subject-shredded")
    #expect(LedgerEntry.Act.idsRequired.text == "ids-required")
    #expect(LedgerEntry.Refusal.noPermission.text == "no-permission")
    #expect(Set(LedgerEntry.Act.allCases.map(\.text)).count == LedgerEntry.Act.allCases.count)
  }

  @Test func `an entry with another spelling is no entry`() {
    // Format, kind of actor, padding of the socket's name and of the ticket, what follows all fields.
    for (offset, byte) in [
      (0, UInt8(2)), (9, 0), (11, 3), (16, 33), (23, 1), (105, 33), (137, 1), (142, 33), (174, 1),
      (255, 1),
    ] {
      var plain = entry().plain
      plain[offset] = byte
      #expect(LedgerEntry(plain: plain.span) == nil, "offset \(offset)")
    }
  }
}
