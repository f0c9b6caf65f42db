import EventModel
import Testing

@Suite struct BytesTests {
  @Test func `what JSON escapes is found at every place`() {
    for byte in UInt8.min...UInt8.max {
      for count in 1..<20 {
        for place in 0..<count {
          var text = [UInt8](repeating: 0x80, count: count)
          text[place] = byte
          let isEscaped = byte < 0x20 || byte == 0x22 || byte == 0x5C
          #expect(text.span.jsonEscape(from: 0) == (isEscaped ? place : count))
          #expect(text.span.jsonEscape(from: place + 1) == count)
        }
      }
    }
  }

  @Test func `numbers are read at every place`() {
    let bytes: [UInt8] = (1...20).map { $0 * 11 }
    for count in 0...8 {
      for offset in 0...(bytes.count - count) {
        let expected = bytes[offset..<(offset + count)].reduce(0) { $0 << 8 | UInt64($1) }
        #expect(bytes.span.bigEndian(at: offset, bytes: count) == expected)
      }
    }
  }

  @Test func `a UUID has thirty-two digits and four dashes`() {
    let uuid: [UInt8] = [
      0x01, 0x9A, 0xBC, 0xDE, 0xF0, 0x12, 0x73, 0x45, 0x89, 0xAB, 0xFF, 0x00, 0x0F, 0x90, 0xA9,
      0x5C,
    ]
    var text: [UInt8] = []
    EventUUID.appendText(uuid.span, to: &text)
    #expect(String(decoding: text, as: UTF8.self) == "019abcde-f012-7345-89ab-ff000f90a95c")
  }
}
