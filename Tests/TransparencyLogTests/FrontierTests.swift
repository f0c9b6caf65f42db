import Testing
import TransparencyLog

private func bytes(_ hex: String) -> [UInt8] {
  let digits = Array(hex)
  return stride(from: 0, to: digits.count, by: 2).compactMap {
    UInt8(String(digits[$0..<($0 + 2)]), radix: 16)
  }
}

/// The test vectors of Certificate Transparency (google/certificate-transparency,
/// merkle_tree_test.cc): eight entries and the root after each.
private let entries = [
  "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
]
private let roots = [
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

private func leaf(_ entry: [UInt8]) -> LeafHash { LeafHash(entry: entry.span) }

private func decode(_ bytes: [UInt8], at offset: Int = 0) -> Frontier? {
  Frontier(bytes.span, at: offset)
}

private func sha256(_ message: [UInt8]) -> [UInt8] { Hash256.sha256(message.span).bytes }

/// MTH of RFC 6962, section 2.1, as it is written there.
private func naiveRoot(_ leaves: ArraySlice<LeafHash>) -> [UInt8] {
  if leaves.isEmpty { return sha256([]) }
  if leaves.count == 1, let only = leaves.first { return only.hash.bytes }
  var split = 1
  while split * 2 < leaves.count { split *= 2 }
  let middle = leaves.startIndex + split
  return sha256([1] + naiveRoot(leaves[..<middle]) + naiveRoot(leaves[middle...]))
}

@Test func `the root of an empty tree is the hash of nothing`() {
  #expect(
    Frontier().root().bytes
      == bytes("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))
}

@Test func `a hash matches the vector of FIPS 180-4`() {
  #expect(
    sha256(Array("abc".utf8))
      == bytes("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
}

@Test func `roots match the vectors of Certificate Transparency`() {
  var frontier = Frontier()
  for (entry, root) in zip(entries, roots) {
    frontier.append(leaf(bytes(entry)))
    #expect(frontier.root().bytes == bytes(root))
  }
}

@Test func `the frontier's root is that of the recursive definition`() {
  var frontier = Frontier()
  var leaves: [LeafHash] = []
  for index in 0..<300 {
    let next = leaf([UInt8(truncatingIfNeeded: index), UInt8(index >> 8)])
    leaves.append(next)
    frontier.append(next)
    #expect(frontier.root().bytes == naiveRoot(leaves[...]))
    #expect(frontier.count == UInt64(leaves.count))
    #expect(frontier.hashes.count == leaves.count.nonzeroBitCount)
  }
}

@Test func `a frontier survives being written and read at every size`() throws {
  var frontier = Frontier()
  for index in 0..<130 {
    var encoded: [UInt8] = [7, 7]
    frontier.encode(to: &encoded)
    #expect(encoded.count <= 2 + Frontier.encodedBytesMax)
    #expect(decode(encoded, at: 2) == frontier)
    frontier.append(leaf([UInt8(index)]))
  }
}

@Test func `a frontier whose hashes do not fit its count is refused`() {
  var frontier = Frontier()
  for index in 0..<3 { frontier.append(leaf([UInt8(index)])) }
  var encoded: [UInt8] = []
  frontier.encode(to: &encoded)
  var wrong = encoded
  wrong[8] = 1
  #expect(decode(wrong) == nil)
  #expect(decode(encoded.dropLast()) == nil)
  #expect(decode([]) == nil)
}

@Test func `an event's leaf is the hash of its position and its record's hash`() {
  let record: [UInt8] = [1, 2, 3]
  let hash = RecordHash.sha256(record.span)
  var entry = [UInt8](repeating: 0, count: 6) + [1, 2]
  entry += sha256(record)
  #expect(LeafHash(position: 258, recordHash: hash) == leaf(entry))
  #expect(LeafHash(position: 259, recordHash: hash) != leaf(entry))
}
