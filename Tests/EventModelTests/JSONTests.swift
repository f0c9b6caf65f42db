import EventModel
import Testing

private func parse(_ text: String) -> JSONValue? { try? JSONParser.parse(Array(text.utf8)) }

private func reason(_ bytes: [UInt8]) -> JSONFailure.Reason? {
  do {
    _ = try JSONParser.parse(bytes)
    return nil
  } catch {
    return error.reason
  }
}

@Test(arguments: [
  ("null", "null"), (" true ", "true"), ("[ ]", "[]"), ("{ }", "{}"),
  ("[1, -0, 0.5e-7, 12345678901234567890123]", "[1,-0,0.5e-7,12345678901234567890123]"),
  (#"{"b":1,"a":[{},[]]}"#, #"{"b":1,"a":[{},[]]}"#),
  (#""\u0041\n\"\\\/\ud83d\ude00""#, #""A\n\"\\/😀""#),
  (#""\u0000\u001f\u007f\u009b""#, #""\u0000\u001f\u007f\u009b""#),
])
func `JSON is written back without blanks and with what must be escaped`(
  text: String, expected: String
) throws {
  let value = try JSONParser.parse(Array(text.utf8))
  #expect(String(decoding: value.bytes, as: UTF8.self) == expected)
  #expect(try JSONParser.parse(value.bytes) == value)
}

@Test(arguments: [
  "", " ", "nul", "tru e", "[1,]", "[1 2]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
  "'a'", "01", "1.", ".5", "1e", "+1", "--1", "0x1", "NaN", "Infinity", "\"", "\"\\x\"",
  "\"\\u12\"",
  "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"a\nb\"", "1 2", "[] []", "/**/1", "[1]]",
  "\u{FEFF}1",
])
func `what is not JSON is refused`(text: String) {
  #expect(parse(text) == nil)
}

@Test func `a name may be in an object only once`() {
  #expect(reason(Array(#"{"datasubject":"a","datasubject":"b"}"#.utf8)) == .repeatedName)
  #expect(reason(Array(#"{"a":1,"\u0061":2}"#.utf8)) == .repeatedName)
}

@Test func `bytes that are not UTF-8 are refused`() {
  for bytes: [UInt8] in [
    [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
  ] {
    #expect(reason(bytes) == .badUTF8)
  }
}

@Test func `depth and size are bounded`() {
  let deep = JSONParser.depthMax
  let fine = String(repeating: "[", count: deep) + String(repeating: "]", count: deep)
  #expect(parse(fine) != nil)
  #expect(reason([UInt8](repeating: 0x5B, count: deep + 1)) == .tooDeep)
  #expect(reason([UInt8](repeating: 0x5B, count: 1_000_000)) == .tooDeep)
  #expect(reason([UInt8](repeating: 0x20, count: JSONParser.bytesMax + 1)) == .tooBig)
}

@Test func `random bytes never end the program`() {
  let seed = UInt64.random(in: .min ... .max)
  var state = seed
  func next() -> UInt8 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(truncatingIfNeeded: state >> 33)
  }
  let alphabet = Array(#"{}[]",:\u0123e.-+ truefalsn"#.utf8)
  for _ in 0..<20_000 {
    let bytes = (0..<Int(next() % 24)).map { _ in alphabet[Int(next()) % alphabet.count] }
    if let value = try? JSONParser.parse(bytes) {
      #expect((try? JSONParser.parse(value.bytes)) == value, "seed \(seed)")
    }
  }
}

@Test(arguments: [
  ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
  ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
])
func `Base64 is as RFC 4648 has it`(plain: String, encoded: String) {
  #expect(Base64.encode(Array(plain.utf8)) == encoded)
  #expect(Base64.decode(encoded) == Array(plain.utf8))
}

@Test(arguments: [
  "Z", "Zg", "Zg=", "Zh==", "Zm9=", "=Zg=", "Zg==Zg==", "Z===", "Zg=a", "Zg==\n", "Z-8=",
])
func `other spellings of Base64 are refused`(text: String) {
  #expect(Base64.decode(text) == nil)
}
