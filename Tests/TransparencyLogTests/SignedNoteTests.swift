import EventModel
import Testing
import TransparencyLog

/// The key and the note of golang.org/x/mod/sumdb/note (note_test.go), which C2SP's page has too.
private let peter = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
private let text = """
  If you think cryptography is the answer to your problem,
  then you don't know what your problem is.

  """
private let signature =
  "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
private let file = text + "\n" + signature

private func read(_ file: String) -> SignedNote? { SignedNote(Array(file.utf8)) }

@Test func `the note of Go's tests is signed by its key`() throws {
  let key = try #require(NoteKey(peter))
  let note = try #require(read(file))
  #expect(key.text == peter)
  #expect(key.name == "PeterNeumann")
  #expect(key.id == 0xC74F_20A3)
  #expect(note.text == Array(text.utf8))
  #expect(note.bytes == Array(file.utf8))
  #expect(note.verdict(of: key) == .signed)
}

@Test func `no part and no neighbour of a key is a key`() {
  let bytes = Array(peter.utf8)
  for index in bytes.indices {
    var changed = bytes
    changed[index] += 1
    #expect(NoteKey(String(decoding: changed, as: UTF8.self)) == nil)
    #expect(NoteKey(String(decoding: bytes[..<index], as: UTF8.self)) == nil)
    if index > 0 { #expect(NoteKey(String(decoding: bytes[index...], as: UTF8.self)) == nil) }
  }
  #expect(NoteKey("") == nil)
  #expect(NoteKey(name: "two words", publicKey: [UInt8](repeating: 1, count: 32)) == nil)
  #expect(NoteKey(name: "name", publicKey: [UInt8](repeating: 1, count: 31)) == nil)
}

@Test func `a note of which any byte of the text was changed is forged`() throws {
  let key = try #require(NoteKey(peter))
  let bytes = Array(file.utf8)
  for index in 0..<text.utf8.count where bytes[index] != 0x0A {
    var changed = bytes
    changed[index] ^= 1
    guard let note = SignedNote(changed) else { continue }
    #expect(note.verdict(of: key) == .forged)
  }
}

@Test func `a signature of another key says nothing, and a bad one beside a good one is forged`()
  throws
{
  let key = try #require(NoteKey(peter))
  let other = try #require(
    NoteKey(name: "PeterNeumann", publicKey: [UInt8](repeating: 7, count: 32)))
  #expect(read(file)?.verdict(of: other) == .unsigned)
  #expect(read(file + signature)?.verdict(of: key) == .signed)
  let stranger = "— Somebody x08go/ZJkuBS9UG=\n"
  #expect(read(file + stranger) == nil)
  let known = "— Somebody x08go/ZJkuBS9UE=\n"
  #expect(read(file + known)?.verdict(of: key) == .signed)
  let spoiled = signature.replacing("ZJkuBS9U", with: "ZJkuBS9V")
  #expect(read(file + spoiled)?.verdict(of: key) == .forged)
  #expect(read(text + "\n" + spoiled)?.verdict(of: key) == .forged)
}

@Test func `what is no note is refused`() {
  let wrong = [
    "", "\n", "\n\n", text, text + "\n", "\n" + signature, signature, file + "\n",
    String(file.dropLast()), text + signature, file.replacing("— Peter", with: "- Peter"),
    file.replacing("— PeterNeumann ", with: "— "), file.replacing("nAM=", with: "nAM"),
    file.replacing("— PeterNeumann", with: "— Peter+Neumann"), file.replacing("If", with: "I\u{1}"),
    file.replacing("AM=\n", with: "AM=\r\n"), file + "— PeterNeumann x08goA==\n",
    text + "\n" + String(repeating: signature, count: 101),
    String(repeating: "a", count: 1_000_000) + "\n\n" + signature,
  ]
  for file in wrong { #expect(read(file) == nil, "\(file.prefix(200))") }
  #expect(SignedNote([0xFF] + Array(file.utf8)) == nil)
  #expect(read("a\n\n" + file)?.text.starts(with: Array("a\n\nIf".utf8)) == true)
  #expect(read(text + "\n" + String(repeating: signature, count: 100)) != nil)
}

private let store = StoreID(bytes: Array(0..<16))!

@Test func `checkpoints of ledgers and tenants survive being written and read`() throws {
  let root = Hash256.sha256(Span())
  let tenant = TenantID(bytes: Array(16..<32))
  for origin in [LogOrigin.ledger(store), .tenant(store, tenant, lineage: 3)] {
    let checkpoint = Checkpoint(origin: origin, size: 2_187, root: root, timeMilliseconds: 5)
    #expect(Checkpoint(checkpoint.text) == checkpoint)
    #expect(LogOrigin(origin.text) == origin)
  }
  let ledger = Checkpoint(origin: .ledger(store), size: 0, root: root, timeMilliseconds: 0)
  #expect(
    String(decoding: ledger.text, as: UTF8.self) == """
      lethe/000102030405060708090a0b0c0d0e0f/ledger
      0
      47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
      time 0

      """)
}

@Test func `a checkpoint has one spelling`() {
  let good = """
    lethe/000102030405060708090a0b0c0d0e0f/101112131415161718191a1b1c1d1e1f/1
    17
    47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
    time 1795996800000

    """
  #expect(Checkpoint(Array(good.utf8)) != nil)
  for (old, new) in [
    ("\n17\n", "\n017\n"), ("\n17\n", "\n+17\n"), ("\n17\n", "\n-17\n"), ("\n17\n", "\n\n"),
    ("\n17\n", "\n281474976710656\n"), ("time ", "time 0"), ("time 1", "time -1"),
    ("time ", "Time "),
    ("000\n", "000\nmore\n"), ("000\n", "000"), ("SuFU=", "SuFV="), ("47DE", ""),
    ("lethe/", "lethe//"),
    ("/1\n", "/01\n"), ("/1\n", "/1/\n"), ("/1\n", "\n"), ("0e0f/", "0E0F/"), ("0e0f/", "0e/"),
    ("1e1f/1", "1e1f/ledger"), ("lethe", "other"),
  ] { #expect(Checkpoint(Array(good.replacing(old, with: new).utf8)) == nil, "\(old) as \(new)") }
}

@Test func `a store signs as lethe and the first digits of its identity`() throws {
  let key = try #require(NoteKey(store: store, publicKey: [UInt8](repeating: 9, count: 32)))
  #expect(key.name == "lethe-00010203")
  let signed = SignedNote(Array("text\n".utf8), key: key) { _ in [UInt8](repeating: 0, count: 64) }
  #expect(SignedNote(signed.bytes) == signed)
  #expect(signed.verdict(of: key) == .forged)
}
