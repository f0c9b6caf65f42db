import Sodium
import Testing

private func bytes(_ hex: String) -> [UInt8] {
  var digits = hex[...]
  var bytes: [UInt8] = []
  while !digits.isEmpty {
    bytes.append(UInt8(digits.prefix(2), radix: 16)!)
    digits = digits.dropFirst(2)
  }
  return bytes
}

private func sign(_ message: [UInt8], _ seed: [UInt8]) -> [UInt8] {
  Ed25519.signature(of: message.span, seed: seed.span)
}

private func isValid(_ signature: [UInt8], _ message: [UInt8], _ key: [UInt8]) -> Bool {
  Ed25519.isValid(signature.span, of: message.span, publicKey: key.span)
}

/// Section 7.1 of RFC 8032: seed, public key, message, signature.
private let vectors = [
  (
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
      + "d25bf5f0595bbe24655141438e7a100b"
  ),
  (
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
      + "387b2eaeb4302aeeb00d291612bb0c00"
  ),
  (
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
      + "4a7c15e9716ed28dc027beceea1ec40a"
  ),
]

@Test(arguments: vectors)
func `signatures are those of RFC 8032`(
  seed: String, key: String, message: String, signature: String
) {
  let found = Ed25519.publicKey(seed: bytes(seed).span)
  #expect(found == bytes(key))
  #expect(sign(bytes(message), bytes(seed)) == bytes(signature))
}

@Test func `a signature holds for its message and key only`() {
  let seed = [UInt8](repeating: 7, count: 32)
  let key = Ed25519.publicKey(seed: seed.span)
  let message = Array("a certificate".utf8)
  let signature = sign(message, seed)
  #expect(isValid(signature, message, key))
  for index in signature.indices {
    var changed = signature
    changed[index] ^= 1
    #expect(!isValid(changed, message, key))
  }
  #expect(!isValid(signature, Array("a certificatf".utf8), key))
  let otherSeed = [UInt8](repeating: 8, count: 32)
  #expect(!isValid(signature, message, Ed25519.publicKey(seed: otherSeed.span)))
  #expect(!isValid([], message, key))
}
