import EventModel

/// One page of an LMDB 0.9 file (64 bit, `mdb.c`: MDB_page, MDB_node), read with every bound checked.
///
/// ```
/// page number 8 | pad 2 | flags 2 | lower 2, upper 2 (or: overflow pages 4) | node offsets 2 each ..
/// node: size or page 4 | flags 2 | key length 2 | key | data
/// ```
struct PageLayout {
  enum Kind {
    case branch
    case leaf
    case overflow(pages: UInt64)
  }

  static let headBytes = 16
  private static let nodeHeadBytes = 8

  let bytes: [UInt8]
  let number: UInt64
  let kind: Kind
  /// Where each node begins.
  private let nodes: [Int]

  /// Throws `.number`, `.kind` or `.layout`.
  init(_ bytes: [UInt8], number: UInt64) throws(PageFault) {
    self.bytes = bytes
    self.number = number
    guard bytes.littleEndian(at: 0, bytes: 8) == number else {
      throw PageFault(page: number, problem: .number)
    }
    switch bytes.littleEndian(at: 10, bytes: 2) {
    case 1: kind = .branch
    case 2: kind = .leaf
    case 4:
      kind = .overflow(pages: bytes.littleEndian(at: 12, bytes: 4))
      nodes = []
      return
    default: throw PageFault(page: number, problem: .kind)
    }
    let lower = Int(bytes.littleEndian(at: 12, bytes: 2))
    let upper = Int(bytes.littleEndian(at: 14, bytes: 2))
    guard lower >= Self.headBytes, lower % 2 == 0, lower <= upper, upper <= bytes.count else {
      throw PageFault(page: number, problem: .layout)
    }
    var nodes: [Int] = []
    for place in stride(from: Self.headBytes, to: lower, by: 2) {
      let offset = Int(bytes.littleEndian(at: place, bytes: 2))
      guard offset >= upper, offset % 2 == 0, offset + Self.nodeHeadBytes <= bytes.count else {
        throw PageFault(page: number, problem: .layout)
      }
      nodes.append(offset)
    }
    self.nodes = nodes
    guard isSound else { throw PageFault(page: number, problem: .layout) }
  }

  var count: Int { nodes.count }

  private var isLeaf: Bool { if case .leaf = kind { true } else { false } }

  /// True when every node lies within the page and none overlaps another.
  private var isSound: Bool {
    var ranges: [Range<Int>] = []
    for index in nodes.indices {
      let data = isLeaf ? (isOverflowing(index) ? 8 : dataCount(index)) : 0
      let end = keyRange(index).upperBound + data
      guard end <= bytes.count else { return false }
      ranges.append(nodes[index]..<end)
    }
    ranges.sort { $0.lowerBound < $1.lowerBound }
    return zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound }
  }

  private func keyRange(_ index: Int) -> Range<Int> {
    let start = nodes[index] + Self.nodeHeadBytes
    return start..<(start + Int(bytes.littleEndian(at: nodes[index] + 6, bytes: 2)))
  }

  func key(_ index: Int) -> ArraySlice<UInt8> { bytes[keyRange(index)] }

  /// The child of a branch's node: 48 bits.
  func child(_ index: Int) -> UInt64 {
    bytes.littleEndian(at: nodes[index], bytes: 4)
      | bytes.littleEndian(at: nodes[index] + 4, bytes: 2) << 32
  }

  func flags(_ index: Int) -> UInt64 { bytes.littleEndian(at: nodes[index] + 4, bytes: 2) }

  /// True when the value lies in pages of its own.
  func isOverflowing(_ index: Int) -> Bool { flags(index) & 1 != 0 }

  /// True when the value is the root of a table.
  func isTable(_ index: Int) -> Bool { flags(index) & 2 != 0 }

  /// Bytes of a leaf's value.
  func dataCount(_ index: Int) -> Int { Int(bytes.littleEndian(at: nodes[index], bytes: 4)) }

  /// A value that lies in the page itself.
  func data(_ index: Int) -> ArraySlice<UInt8> {
    let start = keyRange(index).upperBound
    return bytes[start..<(start + (isOverflowing(index) ? 8 : dataCount(index)))]
  }

  /// The first page of a value that lies in pages of its own.
  func overflowPage(_ index: Int) -> UInt64 {
    bytes.littleEndian(at: keyRange(index).upperBound, bytes: 8)
  }
}

/// The root of a tree (`mdb.c`: MDB_db, 48 bytes).
struct TreeRoot {
  static let bytesCount = 48
  /// No page: the tree is empty.
  static let noPage = UInt64.max

  let pad: UInt64
  let flags: UInt64
  let depth: Int
  let branches: UInt64
  let leaves: UInt64
  let overflows: UInt64
  let entries: UInt64
  let page: UInt64

  /// `bytes` are 48.
  init(_ bytes: ArraySlice<UInt8>) {
    let bytes = Array(bytes)
    pad = bytes.littleEndian(at: 0, bytes: 4)
    flags = bytes.littleEndian(at: 4, bytes: 2)
    depth = Int(bytes.littleEndian(at: 6, bytes: 2))
    branches = bytes.littleEndian(at: 8, bytes: 8)
    leaves = bytes.littleEndian(at: 16, bytes: 8)
    overflows = bytes.littleEndian(at: 24, bytes: 8)
    entries = bytes.littleEndian(at: 32, bytes: 8)
    page = bytes.littleEndian(at: 40, bytes: 8)
  }
}

extension [UInt8] {
  /// The number in `count` bytes from `offset`, least significant first, as LMDB has it here.
  func littleEndian(at offset: Int, bytes count: Int) -> UInt64 {
    var value: UInt64 = 0
    for index in stride(from: offset + count - 1, through: offset, by: -1) {
      value = value << 8 | UInt64(self[index])
    }
    return value
  }
}
