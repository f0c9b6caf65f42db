import EventModel
import Keyring
import Storage

/// Puts lines of one tenant into blocks behind those that the log has, and seals them.
struct AccessBlocks {
  private let tenant: TenantNumber
  private let outer: SealingKey
  private let keys: AccessKeys
  private let runMilliseconds: Int64
  private var inner: [UInt32: SealingKey] = [:]
  private var nextNumber: UInt64
  private(set) var last: AccessBlock?
  private var full: [AccessBlock] = []

  /// On the writer's thread, under the engine's lock; makes the tenant's keys when it has none.
  init(
    _ tenant: TenantNumber, _ state: EngineState, _ tables: LogTables, _ open: AccessBlock?,
    _ runMilliseconds: Int64, _ now: Int64
  ) throws(StoreError) {
    guard let found = state.tenants[tenant] else { throw .noTenant }
    self.tenant = tenant
    self.runMilliseconds = runMilliseconds
    outer = AccessBlock.outerKey(mapKey: try found.open(state.keyring).keys.mapKey)
    if let known = try state.accessKeys(tenant) {
      keys = known
    } else {
      if let failure = state.failure { throw failure }
      let made = AccessKeys(today: Period(unit: .day, containing: now).index)
      try StoreError.translating { () throws(KeyringError) in
        try state.keyring.setDocuments(tenant: tenant, [AccessKeys.id: made.document])
      }
      keys = made
    }
    last = open
    if let open {
      nextNumber = open.number + 1
    } else {
      nextNumber =
        try AccessWalk(tables, outer, firstNumber: keys.firstNumber).newestNumber() + 1
    }
  }

  /// Adds a line to the newest block, or begins one.
  mutating func add(_ line: AccessRow) throws(StoreError) {
    let day = max(line.day, last?.day ?? 0)
    if inner[day] == nil {
      guard let key = keys.inner(day: day) else { throw .clockBehind }
      inner[day] = key
    }
    if last?.add(line) == true { return }
    if let last { full.append(last) }
    var block = AccessBlock(number: nextNumber, day: day, runMilliseconds: runMilliseconds)
    nextNumber += 1
    guard block.add(line) else { preconditionFailure("an empty block takes a line") }
    last = block
  }

  /// The blocks that have new lines, sealed.
  var entries: [LogTables.LabelledRow] {
    (full + (last.map { [$0] } ?? [])).compactMap { block in
      // A block that was only open, of a day before, has nothing new.
      guard let inner = inner[block.day] else { return nil }
      return LogTables.LabelledRow(
        label: AccessBlock.label(block.number, outer), sealed: block.sealed(outer, inner))
    }
  }
}

/// Walks the blocks of one tenant by their numbers.
struct AccessWalk {
  private let tables: LogTables
  private let outer: SealingKey
  private let firstNumber: UInt64

  init(_ tables: LogTables, _ outer: SealingKey, firstNumber: UInt64) {
    self.tables = tables
    self.outer = outer
    self.firstNumber = firstNumber
  }

  /// The block of this number, its lines still sealed, or nil when there is none.
  func block(_ number: UInt64) throws(StoreError) -> SealedAccessBlock? {
    let label = AccessBlock.label(number, outer)
    let sealed = try StoreError.translatingStorage { () throws(StorageError) in
      try tables.read { (view) throws(StorageError) in try view.access(label.span)?.array }
    }
    guard let sealed else { return nil }
    guard let block = SealedAccessBlock(sealed.span, number: number, outer) else {
      throw .corrupt
    }
    return block
  }

  /// The greatest number; one less than the first when there is no block.
  ///
  /// Numbers are dense, so the last is found by doubling and halving.
  func newestNumber() throws(StoreError) -> UInt64 {
    let base = firstNumber - 1
    var high: UInt64 = 1
    while try block(base + high) != nil { high *= 2 }
    var low = high / 2
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if try block(base + middle) != nil { low = middle } else { high = middle }
    }
    return base + low
  }

  /// The first block of `day` or a later one; one more than the newest when there is none.
  func firstNumber(from day: UInt32) throws(StoreError) -> UInt64 {
    var (low, high) = (firstNumber, try newestNumber() + 1)
    while low < high {
      let middle = low + (high - low) / 2
      guard let block = try block(middle) else { throw .corrupt }
      if block.day < day { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
