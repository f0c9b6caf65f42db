import EventModel
import Testing

@Suite struct PaddingTests {
  @Test func `a padded length never falls and hides at most 12 percent`() {
    var last = 0
    var faults = 0
    for count in 0...200_000 {
      let padded = Padme.paddedBytes(count)
      if padded < count || padded < last { faults += 1 }
      if count > 128, (padded - count) * 100 > 12 * count { faults += 1 }
      last = padded
    }
    #expect(faults == 0)
  }

  @Test(arguments: [(0, 128), (128, 128), (129, 144), (9_000, 9_216), (1 << 20, 1 << 20)])
  func `only the upper bits of a padded length vary`(count: Int, padded: Int) {
    #expect(Padme.paddedBytes(count) == padded)
  }
}

@Suite struct BodyTests {
  private func body() -> [UInt8] {
    var bytes: [UInt8] = Array("before".utf8)
    let writer = EventBodyWriter(in: &bytes)
    writer.append(.stream, Array("orders".utf8).span, in: &bytes)
    writer.append(.type, Array("placed".utf8).span, in: &bytes)
    writer.append(.dataSubject, Array("u-1".utf8).span, in: &bytes)
    writer.append(.dataSubject, Array("u-2".utf8).span, in: &bytes)
    writer.appendAttribute(
      name: Array("a".utf8).span, value: Array("one".utf8).span, in: &bytes)
    let place = writer.finish(data: Array("payload".utf8).span, in: &bytes)
    return Array(bytes[place.range])
  }

  @Test func `a body reads back as it was written, with padding behind it`() throws {
    let bytes = body() + [0, 0, 0]
    let found = EventBodyReader(bytes.span)
    let reader = try #require(found)
    #expect(Array(bytes[reader.data]) == Array("payload".utf8))
    var fields: [(UInt8, [UInt8])] = []
    reader.forEachField(in: bytes.span) { tag, place in fields.append((tag, Array(bytes[place]))) }
    #expect(fields.map(\.0) == [1, 2, 3, 3, 11])
    #expect(fields[4].1 == [1] + Array("aone".utf8))
    let first = reader.place(of: .dataSubject, in: bytes.span)
    #expect(first.map { Array(bytes[$0]) } == Array("u-1".utf8))
    let source = reader.place(of: .source, in: bytes.span)
    #expect(source == nil)
  }

  @Test func `a body that ends early is none`() {
    let bytes = body()
    for count in bytes.indices {
      let cut = Array(bytes.prefix(count))
      let isBody = EventBodyReader(cut.span) != nil
      #expect(!isBody, "\(count) of \(bytes.count) bytes")
    }
  }

  @Test func `no change of one byte reads beyond the end`() {
    let bytes = body()
    var faults = 0
    for index in bytes.indices {
      for value in [0, 1, 0x7F, 0x80, 0xFF] as [UInt8] {
        var changed = bytes
        changed[index] = value
        guard let reader = EventBodyReader(changed.span) else { continue }
        if reader.data.upperBound > changed.count { faults += 1 }
        reader.forEachField(in: changed.span) { _, place in
          if place.upperBound > changed.count { faults += 1 }
        }
      }
    }
    #expect(faults == 0)
  }
}

@Suite struct NameTests {
  @Test(arguments: ["a", "0", "acme", "a.b_c-d", String(repeating: "x", count: 63)])
  func `names of tenants`(text: String) { #expect(TenantName(text)?.text == text) }

  @Test(arguments: [
    "", "A", "-a", ".a", "a b", "a/b", "\u{E4}", "a\n", String(repeating: "x", count: 64),
  ])
  func `what is no tenant's name`(text: String) { #expect(TenantName(text) == nil) }

  @Test func `a made id is a UUID of version 7 that carries its time`() {
    var bytes: [UInt8] = []
    EventUUID.append(milliseconds: 0x0123_4567_89AB, random: (.max, .max), to: &bytes)
    var text: [UInt8] = []
    EventUUID.appendText(bytes.span, to: &text)
    #expect(String(decoding: text, as: UTF8.self) == "01234567-89ab-7fff-bfff-ffffffffffff")
  }
}
