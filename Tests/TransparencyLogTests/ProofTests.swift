import Testing
import TransparencyLog

/// The reference proofs of Certificate Transparency (google/certificate-transparency,
/// merkle_tree_test.cc; also in transparency-dev/merkle), over the tree of eight entries.
private let hashes: [Substring: String] = [
  "l0": "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "l1": "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
  "l4": "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
  "n01": "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "n23": "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
  "n45": "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
  "n67": "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
  "n03": "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "n47": "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]
private let inclusions: [(index: UInt64, size: UInt64, path: String)] = [
  (0, 1, ""), (0, 2, "l1"), (1, 2, "l0"), (2, 3, "n01"), (1, 5, "l0 n23 l4"), (0, 8, "l1 n23 n47"),
  (5, 8, "l4 n67 n03"),
]
private let consistencies: [(old: UInt64, new: UInt64, path: String)] = [
  (1, 1, ""), (1, 8, "l1 n23 n47"), (6, 8, "n45 n67 n03"), (2, 5, "n23 l4"), (2, 8, "n23 n47"),
]
private let entries = [
  "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
]
private let roots = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

private func bytes(_ hex: String) -> [UInt8] {
  let digits = Array(hex)
  return stride(from: 0, to: digits.count, by: 2).compactMap {
    UInt8(String(digits[$0..<($0 + 2)]), radix: 16)
  }
}

private func hash(_ hex: String) -> Hash256 { Hash256(bytes(hex).span) }

private func leaf(_ entry: [UInt8]) -> LeafHash { LeafHash(entry: entry.span) }

private func path(_ names: String) -> [Hash256] {
  names.split(separator: " ").compactMap { hashes[$0].map(hash) }
}

/// The changes that transparency-dev/merkle makes to good proofs, none of which may pass.
private func spoiled(_ path: [Hash256], _ roots: [Hash256]) -> [[Hash256]] {
  var wrong: [[Hash256]] = []
  for place in path.indices {
    var changed = path
    var bytes = path[place].bytes
    bytes[3] ^= 4
    changed[place] = Hash256(bytes.span)
    wrong.append(changed)
  }
  if !path.isEmpty { wrong += [[], Array(path.dropLast()), Array(path.dropFirst())] }
  if path.count > 1 { wrong.append(path.reversed()) }
  for extra in [hash(String(repeating: "00", count: 32))] + roots + path {
    wrong += [path + [extra], [extra] + path]
  }
  return wrong
}

private func proves(
  _ index: UInt64, _ size: UInt64, _ path: [Hash256], _ leaf: LeafHash, _ root: Hash256
) -> Bool {
  InclusionProof(index: index, size: size, hashes: path).proves(leaf, under: root)
}

private func proves(
  _ old: UInt64, _ new: UInt64, _ path: [Hash256], _ oldRoot: Hash256, _ newRoot: Hash256
) -> Bool {
  ConsistencyProof(oldSize: old, newSize: new, hashes: path).proves(oldRoot, newRoot)
}

/// MTH, PATH and PROOF of RFC 6962, section 2.1, as they are written there.
private struct NaiveTree {
  var leaves: ArraySlice<LeafHash>

  private var middle: Int {
    var split = 1
    while split * 2 < leaves.count { split *= 2 }
    return leaves.startIndex + split
  }
  private var left: NaiveTree { NaiveTree(leaves: leaves[..<middle]) }
  private var right: NaiveTree { NaiveTree(leaves: leaves[middle...]) }

  var root: Hash256 {
    if leaves.isEmpty { return Hash256.sha256(Span()) }
    if leaves.count == 1, let only = leaves.first { return only.hash }
    return Hash256.sha256(([1] + left.root.bytes + right.root.bytes).span)
  }

  func path(_ index: Int) -> [Hash256] {
    guard leaves.count > 1 else { return [] }
    let split = middle - leaves.startIndex
    return index < split
      ? left.path(index) + [right.root] : right.path(index - split) + [left.root]
  }

  func proof(_ old: Int, isWhole: Bool = true) -> [Hash256] {
    if old == leaves.count { return isWhole ? [] : [root] }
    let split = middle - leaves.startIndex
    return old <= split
      ? left.proof(old, isWhole: isWhole) + [right.root]
      : right.proof(old - split, isWhole: false) + [left.root]
  }
}

@Test func `the inclusion proofs of Certificate Transparency pass, and no changed one does`() {
  for (index, size, names) in inclusions {
    let (proof, leaf, root) = (
      path(names), leaf(bytes(entries[Int(index)])), hash(roots[Int(size)])
    )
    #expect(proves(index, size, proof, leaf, root))
    for wrong in spoiled(proof, [root]) { #expect(!proves(index, size, wrong, leaf, root)) }
    for (place, length) in [
      (index &- 1, size), (index + 1, size), (index ^ 2, size), (index, size * 2),
      (index, size / 2), (index, 0), (size, size),
    ]
    where InclusionProof(index: place, size: length, hashes: proof)
      != InclusionProof(
        index: index, size: size, hashes: proof)
    {
      #expect(
        !proves(place, length, proof, leaf, root), "\(index) of \(size) as \(place) of \(length)")
    }
    #expect(!proves(index, size, proof, leaf, hash(roots[0])))
    #expect(!proves(index, size, proof, LeafHash(entry: [9].span), root))
  }
}

@Test func `the consistency proofs of Certificate Transparency pass, and no changed one does`() {
  for (old, new, names) in consistencies {
    let (proof, oldRoot, newRoot) = (path(names), hash(roots[Int(old)]), hash(roots[Int(new)]))
    #expect(proves(old, new, proof, oldRoot, newRoot))
    for wrong in spoiled(proof, [oldRoot, newRoot]) {
      #expect(!proves(old, new, wrong, oldRoot, newRoot))
    }
    guard old < new else { continue }
    #expect(!proves(old, new, proof, newRoot, oldRoot))
    #expect(!proves(old, new, proof, hash(roots[0]), newRoot))
    #expect(!proves(old, new, proof, oldRoot, hash(roots[0])))
    #expect(!proves(new, old, proof, newRoot, oldRoot))
    for (from, to) in [
      (old &- 1, new), (old + 1, new), (old ^ 2, new), (old, new * 2), (old, new / 2),
    ] {
      #expect(!proves(from, to, proof, oldRoot, newRoot), "\(old) to \(new) as \(from) to \(to)")
    }
  }
}

@Test func `the proofs of the RFC's definitions pass for every leaf and size up to 70`() {
  let leaves = (0..<70).map { leaf([UInt8($0)]) }
  for size in 1...leaves.count {
    let tree = NaiveTree(leaves: leaves[..<size])
    for index in 0..<size {
      #expect(proves(UInt64(index), UInt64(size), tree.path(index), leaves[index], tree.root))
    }
    for old in 1...size {
      let before = NaiveTree(leaves: leaves[..<old])
      #expect(proves(UInt64(old), UInt64(size), tree.proof(old), before.root, tree.root))
    }
  }
}

@Test func `the empty log is the beginning of every log, with nothing to prove`() {
  let (empty, full) = (hash(roots[0]), hash(roots[8]))
  #expect(proves(0, 8, [], empty, full))
  #expect(proves(0, 0, [], empty, empty))
  #expect(!proves(0, 8, path("l1"), empty, full))
  #expect(!proves(0, 8, [], full, full))
}

@Test func `a proof over more leaves than fit in 63 bits ends`() {
  let many = UInt64.max
  #expect(!proves(many - 1, many, path("l0 l1"), leaf([]), hash(roots[8])))
  #expect(!proves(1 << 63, many, path("l0 l1"), hash(roots[1]), hash(roots[8])))
}
