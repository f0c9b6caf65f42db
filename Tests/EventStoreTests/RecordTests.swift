import EventModel
import Testing

@testable import EventStore

@Suite struct RecordTests {
  @Test func `slots of persons are sorted and counted once`() {
    var slots = SubjectSlots()
    for slot in [9, 3, 9, 7, 1, 5] { slots.append(Slot(rawValue: UInt64(slot))) }
    #expect(slots.count == 4)
    #expect((0..<4).map { slots[$0].rawValue } == [1, 3, 7, 9])
    #expect(slots.contains(Slot(rawValue: 7)) && !slots.contains(Slot(rawValue: 5)))
  }

  @Test func `record sizes depend on the padded length only`() {
    // Persons live in the padded region, so their number does not show.
    #expect(
      RecordLayout.recordBytes(bodyBytes: 90, subjectCount: 4)
        == RecordLayout.recordBytes(bodyBytes: 10, subjectCount: 0))
    for bytes in stride(from: 0, to: 5_000, by: 13) {
      for count in 0...4 {
        let size = RecordLayout.recordBytes(bodyBytes: bytes, subjectCount: count)
        let region = size - RecordLayout.overheadBytes
        #expect(region == Padme.paddedBytes(region))
        #expect(size >= RecordLayout.bodyAt(subjectCount: count) + bytes + RecordLayout.tagBytes)
      }
    }
  }

  @Test func `routing fields and headers survive writing and reading`() throws {
    var bytes = [UInt8](repeating: 0, count: 64)
    var span = bytes.mutableSpan
    let routing = Routing(
      tenant: TenantNumber(rawValue: 7), position: 1 << 40, generation: 2,
      classNumber: ClassNumber(rawValue: 3), period: Period(unit: .hour, index: 498_000))
    routing.write(to: &span, at: 5)
    #expect(Routing(span.span, at: 5) == routing)
    var slots = SubjectSlots()
    for slot in [4, 2, 8, 6] { slots.append(Slot(rawValue: UInt64(slot) << 30)) }
    let header = RecordHeader(
      stream: Slot(rawValue: 1 << 39), version: 1 << 47, storedMilliseconds: 1_795_500_000_123,
      subjects: slots)
    header.write(to: &span, at: 0)
    header.writeSecond(to: &span, at: 32)
    let read = RecordHeader(
      first: span.span.extracting(0..<32), second: span.span.extracting(32..<64))
    #expect(read == header)
  }

  @Test func `a long read asks for page after page and stops at its limit`() {
    var read = PagedRead(range: 1...5_000, isDescending: false, limit: 2_000)
    #expect(read.nextPage == PagedRead.Page(range: 1...5_000, limit: 1_024))
    read.advance(found: Array(1...1_024))
    #expect(read.nextPage == PagedRead.Page(range: 1_025...5_000, limit: 976))
    read.advance(found: Array(1_025...2_000))
    #expect(read.nextPage == nil)
    var back = PagedRead(range: 1...10, isDescending: true, limit: 20)
    back.advance(found: [10, 9, 8])
    #expect(back.nextPage == nil)
  }
}
