import EventModel
import LMDB
import Synchronization

/// What one commit of the keyring's tables changed, in chunks of whole operations.
///
/// ```
/// operation: table u8 | 1 put, 2 remove u8 | key bytes u16 | value bytes u32 | key | value
/// ```
/// All of it is as sealed as the tables are.
struct KeyringChanges: Sendable {
  static let chunkBytes = 1 << 16
  private static let headBytes = 8
  private static let top = [UInt8](repeating: 0, count: 8)

  fileprivate(set) var chunks: [[UInt8]] = []
  private var open: [UInt8] = []
  /// The mark of the top node that was written, if it was.
  fileprivate(set) var mark: [UInt8]?

  mutating func put(_ value: Span<UInt8>, for key: Span<UInt8>, table: Int) {
    note(table, 1, key, value)
    if table == 0, key.array == Self.top { mark = KeyringMark.of(value) }
  }

  mutating func remove(_ key: Span<UInt8>, table: Int) {
    note(table, 2, key, key.extracting(0..<0))
  }

  private mutating func note(
    _ table: Int, _ kind: UInt8, _ key: Span<UInt8>, _ value: Span<UInt8>
  ) {
    open.append(contentsOf: [UInt8(table), kind])
    open.appendBigEndian(UInt64(key.count), bytes: 2)
    open.appendBigEndian(UInt64(value.count), bytes: 4)
    open.appendSpan(key)
    open.appendSpan(value)
    if open.count >= Self.chunkBytes { finish() }
  }

  mutating func finish() {
    guard !open.isEmpty else { return }
    chunks.append(open)
    open = []
  }

  /// Takes the chunk that is full, if one is.
  mutating func takeChunk() -> [UInt8]? { chunks.popLast() }

  var bytes: Int { chunks.reduce(0) { $0 + $1.count } }

  /// Calls `body` with every operation of a chunk; `.corrupt` when it is none.
  static func forEach(
    in chunk: [UInt8],
    _ body: (
      _ table: Int, _ isPut: Bool, _ key: Span<UInt8>, _ value: Span<UInt8>
    ) throws(StorageError) -> Void
  ) throws(StorageError) {
    let bytes = chunk.span
    var at = 0
    while at < bytes.count {
      guard bytes.count - at >= headBytes else { throw .corrupt }
      let keyEnd = at + headBytes + Int(bytes.bigEndian(at: at + 2, bytes: 2))
      let end = keyEnd + Int(bytes.bigEndian(at: at + 4, bytes: 4))
      guard end <= bytes.count, bytes[at + 1] == 1 || bytes[at + 1] == 2 else { throw .corrupt }
      try body(
        Int(bytes[at]), bytes[at + 1] == 1, bytes.extracting((at + headBytes)..<keyEnd),
        bytes.extracting(keyEnd..<end))
      at = end
    }
  }
}

/// What tells one commit's top node from another's: its epoch, nonce and commitment.
package enum KeyringMark {
  package static let bytesCount = 64

  static func of(_ top: Span<UInt8>) -> [UInt8] {
    top.extracting(0..<min(bytesCount, top.count)).array
  }
}

/// What a follower is behind, and where it is afterwards.
package struct KeyringGap: Sendable {
  package let chunks: [[UInt8]]
  /// How many commits were noted, to go on from.
  package let end: UInt64
  /// The mark that the tables have then.
  package let mark: [UInt8]
}

/// The latest commits' changes, for replicas that follow; bounded, so that one that is far behind is
/// given everything anew.
struct KeyringJournal: Sendable {
  static let bytesMax = 64 << 20

  private struct Entry {
    let before: [UInt8]
    let after: [UInt8]
    let changes: KeyringChanges
  }

  private var entries: [Entry] = []
  /// The number of the first entry.
  private var first: UInt64 = 0
  private var bytes = 0
  private var mark: [UInt8]

  init(mark: [UInt8]) { self.mark = mark }

  mutating func add(_ changes: KeyringChanges) {
    let entry = Entry(before: mark, after: changes.mark ?? mark, changes: changes)
    mark = entry.after
    entries.append(entry)
    bytes += changes.bytes
    while bytes > Self.bytesMax, !entries.isEmpty {
      bytes -= entries.removeFirst().changes.bytes
      first += 1
    }
  }

  /// All commits from a number on, or nil when they are not known any more.
  func gap(from number: UInt64) -> KeyringGap? {
    guard number >= first, number <= first + UInt64(entries.count) else { return nil }
    let behind = entries[Int(number - first)...]
    return KeyringGap(
      chunks: behind.flatMap(\.changes.chunks), end: first + UInt64(entries.count), mark: mark)
  }

  /// All commits behind the one that wrote the top with this mark; those that wrote none may come again.
  func gap(after mark: [UInt8]) -> KeyringGap? {
    if let index = entries.lastIndex(where: { $0.after == mark && $0.before != mark }) {
      return gap(from: first + UInt64(index) + 1)
    }
    let start = entries.first?.before ?? self.mark
    return start == mark ? gap(from: first) : nil
  }
}

/// LMDB's transaction, which also notes what is written when somebody follows.
struct RecordedTransaction: ~Copyable {
  private var base: WriteTransaction
  private let tables: [Table]
  /// Nil when nobody follows.
  var changes: KeyringChanges?

  init(_ base: consuming WriteTransaction, _ tables: [Table]) {
    self.base = base
    self.tables = tables
  }

  consuming func ended() -> WriteTransaction { base }

  @_lifetime(borrow self)
  borrowing func value(of key: Span<UInt8>, in table: Table) throws(LMDBError) -> Span<UInt8>? {
    try base.value(of: key, in: table)
  }

  mutating func put(
    _ value: Span<UInt8>, for key: Span<UInt8>, in table: Table
  ) throws(LMDBError) {
    let number = index(of: table)
    try base.put(value, for: key, in: table)
    changes?.put(value, for: key, table: number)
  }

  mutating func append(
    _ value: Span<UInt8>, for key: Span<UInt8>, in table: Table
  ) throws(LMDBError) {
    let number = index(of: table)
    try base.append(value, for: key, in: table)
    changes?.put(value, for: key, table: number)
  }

  mutating func remove(_ key: Span<UInt8>, from table: Table) throws(LMDBError) -> Bool {
    let number = index(of: table)
    changes?.remove(key, table: number)
    return try base.remove(key, from: table)
  }

  mutating func removeAll(_ table: Table) throws(LMDBError) { try base.removeAll(table) }

  private func index(of table: Table) -> Int { tables.firstIndex(of: table) ?? 0 }
}
