/// Walks every page of an LMDB file with bounds checked, before LMDB itself maps and trusts it.
///
/// LMDB 0.9 has no checksums: a flipped bit in a page's header ends the process one time in seven
/// (research on reliability: 2,000 flips, 14.35 % SIGSEGV), or makes rows disappear without an error.
/// Files that come from elsewhere (a backup, an old copy) are walked first, by `pread`, never mapped.
/// What the pages say is then as LMDB expects it; what the values say, their seals tell.
package struct PageWalk: ~Copyable {
  private static let magic: UInt64 = 0xBEEF_C0DE
  private static let version: UInt64 = 1
  /// The deepest tree that LMDB's cursors can follow.
  private static let depthMax = 32
  /// Where MDB_meta begins in its page, and the trees and counters in it.
  private static let (treesAt, lastPageAt, transactionAt) = (40, 136, 144)
  private static let integerKeys: UInt64 = 0x08

  private let file: FileDescriptor
  private var pageBytes = 0
  private var lastPage: UInt64 = 0
  /// One bit a page: somebody led to it.
  private var visited: [UInt64] = []
  private var report = PageWalkReport()

  /// Walks `path`, a `data.mdb` that nobody writes to meanwhile.
  ///
  /// - Throws: the first fault; `.unreadable` also when the file is not there.
  package static func run(path: String) throws(PageFault) -> PageWalkReport {
    let file: FileDescriptor
    do { file = try FileDescriptor.open(path: path, isReadOnly: true) } catch {
      throw PageFault(page: 0, problem: .unreadable)
    }
    var walk = PageWalk(file)
    return try walk.run()
  }

  private init(_ file: consuming FileDescriptor) { self.file = file }

  private mutating func run() throws(PageFault) -> PageWalkReport {
    let meta = try newestMeta()
    let free = TreeRoot(meta[Self.treesAt..<(Self.treesAt + TreeRoot.bytesCount)])
    let main = TreeRoot(
      meta[(Self.treesAt + TreeRoot.bytesCount)..<(Self.treesAt + 2 * TreeRoot.bytesCount)])
    lastPage = meta.littleEndian(at: Self.lastPageAt, bytes: 8)
    guard lastPage >= 1, lastPage < 1 << 40 else { throw PageFault(page: 0, problem: .meta) }
    visited = Array(repeating: 0, count: Int(lastPage / 64 + 1))
    for page in 0...1 as ClosedRange<UInt64> { try visit(page) }
    // LMDB keeps the page size in the field that is a table's pad elsewhere.
    guard free.flags & ~Self.integerKeys == 0, main.flags == 0 else {
      throw PageFault(page: 0, problem: .feature)
    }
    var tables: [TreeRoot] = []
    try walk(main) { (page, index) throws(PageFault) in
      guard page.isTable(index) else { return }
      guard page.dataCount(index) == TreeRoot.bytesCount else {
        throw PageFault(page: page.number, problem: .layout)
      }
      tables.append(TreeRoot(page.data(index)))
    }
    for table in tables {
      guard table.flags == 0, table.pad == 0 else { throw PageFault(page: 0, problem: .feature) }
      report.entries += table.entries
      try walk(table) { (page, index) throws(PageFault) in
        if page.isTable(index) { throw PageFault(page: page.number, problem: .feature) }
      }
    }
    try walkFree(free)
    report.pages = lastPage + 1
    report.lost = report.pages - report.used - report.free
    return report
  }

  /// The meta page of the newest transaction, which LMDB would take.
  private mutating func newestMeta() throws(PageFault) -> [UInt8] {
    let first = try read(page: 0, bytes: 4_096)
    pageBytes = Int(first.littleEndian(at: Self.treesAt, bytes: 4))
    guard [4_096, 8_192, 16_384, 32_768, 65_536].contains(pageBytes) else {
      throw PageFault(page: 0, problem: .meta)
    }
    var newest: [UInt8]?
    for number in 0...1 as ClosedRange<UInt64> {
      let page = try read(page: number, bytes: 4_096)
      guard page.littleEndian(at: 0, bytes: 8) == number,
        page.littleEndian(at: 10, bytes: 2) == 8,
        page.littleEndian(at: 16, bytes: 4) == Self.magic,
        page.littleEndian(at: 20, bytes: 4) == Self.version,
        Int(page.littleEndian(at: Self.treesAt, bytes: 4)) == pageBytes
      else { throw PageFault(page: number, problem: .meta) }
      let isNewer =
        newest.map {
          page.littleEndian(at: Self.transactionAt, bytes: 8)
            > $0.littleEndian(at: Self.transactionAt, bytes: 8)
        } ?? true
      if isNewer { newest = page }
    }
    guard let newest else { throw PageFault(page: 0, problem: .meta) }
    return newest
  }

  private func read(page number: UInt64, bytes count: Int) throws(PageFault) -> [UInt8] {
    do { return try file.bytes(count: count, at: Int(number) * max(pageBytes, 4_096)) } catch {
      throw PageFault(page: number, problem: .unreadable)
    }
  }

  private mutating func visit(_ page: UInt64) throws(PageFault) {
    guard page <= lastPage else { throw PageFault(page: page, problem: .beyondEnd) }
    let (word, bit) = (Int(page / 64), UInt64(1) << (page % 64))
    guard visited[word] & bit == 0 else { throw PageFault(page: page, problem: .visitedTwice) }
    visited[word] |= bit
    report.used += 1
  }

  private mutating func open(_ number: UInt64) throws(PageFault) -> PageLayout {
    try visit(number)
    return try PageLayout(try read(page: number, bytes: pageBytes), number: number)
  }
}

// Trees

extension PageWalk {
  private typealias Entry = (PageLayout, Int) throws(PageFault) -> Void

  /// What a tree has been found to have.
  private struct Found {
    let root: TreeRoot
    var branches: UInt64 = 0
    var leaves: UInt64 = 0
    var overflows: UInt64 = 0
    var entries: UInt64 = 0
    /// The last key seen; every later one is greater.
    var lastKey: ArraySlice<UInt8>?
    /// The last key was a branch's bound, which the next key may equal.
    var pendingBound = false

    func isBefore(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
      guard root.flags & PageWalk.integerKeys != 0 else {
        return left.lexicographicallyPrecedes(right)
      }
      return left.reversed().lexicographicallyPrecedes(right.reversed())
    }
  }

  /// Visits every page of the tree and calls `body` with every entry of its leaves, in order.
  private mutating func walk(_ root: TreeRoot, _ body: Entry) throws(PageFault) {
    var found = Found(root: root)
    if root.page == TreeRoot.noPage {
      guard root.depth == 0 else { throw PageFault(page: 0, problem: .depth) }
    } else {
      guard (1...Self.depthMax).contains(root.depth) else {
        throw PageFault(page: root.page, problem: .depth)
      }
      try walk(root.page, root.depth, &found, body)
    }
    guard found.branches == root.branches, found.leaves == root.leaves,
      found.overflows == root.overflows, found.entries == root.entries
    else { throw PageFault(page: root.page, problem: .count) }
  }

  private mutating func walk(
    _ number: UInt64, _ depth: Int, _ found: inout Found, _ body: Entry
  ) throws(PageFault) {
    let page = try open(number)
    switch page.kind {
    case .overflow: throw PageFault(page: number, problem: .kind)
    case .branch:
      guard depth > 1 else { throw PageFault(page: number, problem: .depth) }
      guard page.count > 0 else { throw PageFault(page: number, problem: .layout) }
      found.branches += 1
      for index in 0..<page.count {
        // The first key of a branch is never looked at; the others bound what is below them.
        if index > 0 { try follows(page, index, &found, isBound: true) }
        try walk(page.child(index), depth - 1, &found, body)
      }
    case .leaf:
      guard depth == 1 else { throw PageFault(page: number, problem: .depth) }
      found.leaves += 1
      for index in 0..<page.count {
        try follows(page, index, &found, isBound: false)
        guard page.flags(index) & ~3 == 0 else { throw PageFault(page: number, problem: .feature) }
        found.entries += 1
        if page.isOverflowing(index) {
          try walkOverflow(page.overflowPage(index), page.dataCount(index), &found)
        }
        try body(page, index)
      }
    }
  }

  /// Throws unless the key comes after all before it; a bound may equal the first key below it.
  private func follows(
    _ page: PageLayout, _ index: Int, _ found: inout Found, isBound: Bool
  ) throws(PageFault) {
    let key = page.key(index)
    if found.root.flags & Self.integerKeys != 0, key.count != 8 {
      throw PageFault(page: page.number, problem: .layout)
    }
    if let last = found.lastKey {
      let isAfter = found.isBefore(last, key)
      guard isAfter || found.pendingBound && last.elementsEqual(key) else {
        throw PageFault(page: page.number, problem: .order)
      }
    }
    found.lastKey = key
    found.pendingBound = isBound
  }

  private mutating func walkOverflow(
    _ first: UInt64, _ bytes: Int, _ found: inout Found
  ) throws(PageFault) {
    let page = try open(first)
    guard case .overflow(let count) = page.kind else {
      throw PageFault(page: first, problem: .kind)
    }
    let needed = UInt64((PageLayout.headBytes + bytes + pageBytes - 1) / pageBytes)
    // A value that was replaced by a shorter one keeps the longer one's pages.
    guard count >= needed, count <= lastPage else {
      throw PageFault(page: first, problem: .layout)
    }
    for next in 1..<max(1, count) { try visit(first + next) }
    // The last page is there: LMDB would fault on a file that ends before it.
    if count > 1 { _ = try read(page: first + count - 1, bytes: pageBytes) }
    found.overflows += count
  }
}

// The list of free pages

extension PageWalk {
  /// The free list: transaction -> count | pages, descending; all of them are unused.
  private mutating func walkFree(_ root: TreeRoot) throws(PageFault) {
    var lists: [[UInt8]] = []
    var overflowing: [(UInt64, Int)] = []
    try walk(root) { (page, index) throws(PageFault) in
      guard !page.isTable(index) else { throw PageFault(page: page.number, problem: .feature) }
      if page.isOverflowing(index) {
        overflowing.append((page.overflowPage(index), page.dataCount(index)))
      } else {
        lists.append(Array(page.data(index)))
      }
    }
    for (page, count) in overflowing {
      do {
        lists.append(
          try file.bytes(count: count, at: Int(page) * pageBytes + PageLayout.headBytes))
      } catch { throw PageFault(page: page, problem: .unreadable) }
    }
    for list in lists { try takeFree(list) }
  }

  private mutating func takeFree(_ list: [UInt8]) throws(PageFault) {
    let fault = PageFault(page: 0, problem: .freeList)
    guard list.count >= 8, list.count % 8 == 0 else { throw fault }
    let count = list.littleEndian(at: 0, bytes: 8)
    guard count <= UInt64(list.count / 8 - 1) else { throw fault }
    for index in 0..<Int(count) {
      let page = list.littleEndian(at: 8 + 8 * index, bytes: 8)
      guard page > 1, page <= lastPage else {
        throw PageFault(page: page, problem: .freeList)
      }
      let (word, bit) = (Int(page / 64), UInt64(1) << (page % 64))
      guard visited[word] & bit == 0 else { throw PageFault(page: page, problem: .freeList) }
      visited[word] |= bit
      report.free += 1
    }
  }
}
