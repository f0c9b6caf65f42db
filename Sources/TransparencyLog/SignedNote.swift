import EventModel

/// A text and the signatures below it (C2SP signed-note).
///
/// ```
/// the text, whose last line has an end too
///
/// — name Base64(key id u32 | signature 64)
/// ```
package struct SignedNote: Hashable, Sendable {
  /// One line below the text.
  package struct Signature: Hashable, Sendable {
    package let name: String
    package let keyID: UInt32
    package let bytes: [UInt8]
  }

  /// What a key says of a note.
  package enum Verdict: Hashable, Sendable {
    case signed
    /// No signature of this key is below the text.
    case unsigned
    /// One that names the key is not of this text.
    case forged
  }

  /// What is signed, with the end of its last line.
  package let text: [UInt8]
  package let signatures: [Signature]

  /// A note is bounded, as in other programs that read notes.
  package static let bytesMax = 1_000_000
  package static let signaturesMax = 100
  private static let dash = Array("— ".utf8)

  /// Reads a note; nil when it is none.
  package init?(_ bytes: [UInt8]) {
    guard bytes.count <= Self.bytesMax, String(validating: bytes, as: UTF8.self) != nil,
      bytes.allSatisfy({ $0 >= 0x20 || $0 == 0x0A }), bytes.last == 0x0A
    else { return nil }
    // The text itself may have empty lines: the last one parts it from the signatures.
    var end = bytes.count - 1
    while end > 0, !(bytes[end] == 0x0A && bytes[end - 1] == 0x0A) { end -= 1 }
    guard end > 0 else { return nil }
    text = Array(bytes[..<end])
    let lines = bytes[(end + 1)...].split(separator: 0x0A, omittingEmptySubsequences: false)
    guard lines.count > 1, lines.count - 1 <= Self.signaturesMax else { return nil }
    var signatures: [Signature] = []
    for line in lines.dropLast() {
      guard let signature = Self.signature(line) else { return nil }
      signatures.append(signature)
    }
    self.signatures = signatures
  }

  /// Signs `text`, whose last line must have an end, with whoever has the secret of `key`.
  package init(_ text: [UInt8], key: NoteKey, sign: (Span<UInt8>) -> [UInt8]) {
    precondition(text.last == 0x0A, "a note's text ends with the end of a line")
    self.text = text
    signatures = [Signature(name: key.name, keyID: key.id, bytes: sign(text.span))]
  }

  /// The note as a file.
  package var bytes: [UInt8] {
    var bytes = text + [0x0A]
    for signature in signatures {
      var signed: [UInt8] = []
      signed.appendBigEndian(UInt64(signature.keyID), bytes: 4)
      signed += signature.bytes
      bytes += Self.dash + "\(signature.name) \(Base64.encode(signed))\n".utf8
    }
    return bytes
  }

  /// What `key` says: signatures of other keys count for nothing.
  package func verdict(of key: NoteKey) -> Verdict {
    let own = signatures.filter { $0.name == key.name && $0.keyID == key.id }
    guard !own.isEmpty else { return .unsigned }
    return own.allSatisfy { key.isSignature($0.bytes, of: text) } ? .signed : .forged
  }

  private static func signature(_ line: ArraySlice<UInt8>) -> Signature? {
    guard line.starts(with: dash),
      let words = String(validating: line.dropFirst(dash.count), as: UTF8.self)?
        .split(separator: " ", omittingEmptySubsequences: false),
      words.count == 2, NoteKey.isName(String(words[0])),
      let bytes = Base64.decode(String(words[1])), bytes.count > 4
    else { return nil }
    return Signature(
      name: String(words[0]), keyID: UInt32(bytes.span.bigEndian(at: 0, bytes: 4)),
      bytes: Array(bytes[4...]))
  }
}
