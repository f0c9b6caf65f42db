import EventModel
import Testing

private func text(_ value: CanonicalJSON) -> String { String(decoding: value.bytes, as: UTF8.self) }

@Test(
  arguments: [
    (0x0000_0000_0000_0000, "0"), (0x8000_0000_0000_0000, "0"),
    (0x0000_0000_0000_0001, "5e-324"), (0x8000_0000_0000_0001, "-5e-324"),
    (0x7FEF_FFFF_FFFF_FFFF, "1.7976931348623157e+308"),
    (0xFFEF_FFFF_FFFF_FFFF, "-1.7976931348623157e+308"),
    (0x4340_0000_0000_0000, "9007199254740992"), (0xC340_0000_0000_0000, "-9007199254740992"),
    (0x4430_0000_0000_0000, "295147905179352830000"),
    (0x44B5_2D02_C7E1_4AF5, "9.999999999999997e+22"), (0x44B5_2D02_C7E1_4AF6, "1e+23"),
    (0x44B5_2D02_C7E1_4AF7, "1.0000000000000001e+23"),
    (0x444B_1AE4_D6E2_EF4E, "999999999999999700000"),
    (0x444B_1AE4_D6E2_EF4F, "999999999999999900000"), (0x444B_1AE4_D6E2_EF50, "1e+21"),
    (0x3EB0_C6F7_A0B5_ED8C, "9.999999999999997e-7"), (0x3EB0_C6F7_A0B5_ED8D, "0.000001"),
    (0x41B3_DE43_5555_5553, "333333333.3333332"), (0x41B3_DE43_5555_5554, "333333333.33333325"),
    (0x41B3_DE43_5555_5555, "333333333.3333333"), (0x41B3_DE43_5555_5556, "333333333.3333334"),
    (0x41B3_DE43_5555_5557, "333333333.33333343"),
    (0xBECB_F647_612F_3696, "-0.0000033333333333333333"),
    (0x4314_3FF3_C1CB_0959, "1424953923781206.2"),
  ] as [(UInt64, String)])
func `numbers are written as in appendix B of RFC 8785`(bits: UInt64, expected: String) {
  #expect(text(.number(Double(bitPattern: bits))) == expected)
}

@Test func `the example of section 3 of RFC 8785 is written byte for byte`() {
  let value: CanonicalJSON = [
    "numbers": .array([333_333_333.33333329, 1E30, 4.50, 2e-3, 1e-27].map { .number($0) }),
    "string": "\u{20ac}$\u{F}\u{a}A'\u{42}\u{22}\u{5c}\\\"/",
    "literals": [.null, true, false],
  ]
  let expected =
    "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
    + "\"string\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
  #expect(text(value) == expected)
}

@Test func `members are sorted as in section 3 of RFC 8785`() {
  let value: CanonicalJSON = [
    "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
    "1": "One", "\u{1F600}": "Emoji: Grinning Face", "\u{80}": "Control",
    "\u{f6}": "Latin Small Letter O With Diaeresis",
  ]
  let expected =
    #"{"\r":"Carriage Return","1":"One","\#u{80}":"Control","#
    + "\"\u{f6}\":\"Latin Small Letter O With Diaeresis\",\"\u{20ac}\":\"Euro Sign\","
    + "\"\u{1F600}\":\"Emoji: Grinning Face\","
    + "\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}"
  #expect(text(value) == expected)
}

@Test func `every control character is escaped in the shortest way`() {
  let all = String(decoding: (0..<0x20).map { UInt8($0) } + [0x7F], as: UTF8.self)
  let expected =
    #""\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f"#
    + #"\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e"#
    + "\\u001f\u{7F}\""
  #expect(text(.string(all)) == expected)
}

@Test func `parts that were encoded before keep their place`() {
  let part: CanonicalJSON = ["z": .integer(1), "a": []]
  #expect(text(["b": .encoded(part.bytes), "a": [:]]) == #"{"a":{},"b":{"a":[],"z":1}}"#)
}

@Test func `a name cannot stand twice in an object`() async {
  await #expect(processExitsWith: .failure) {
    let twice: CanonicalJSON = .object([.init("a", .null), .init("a", true)])
    _ = twice.bytes
  }
}
