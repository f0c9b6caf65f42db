package import EventModel
import Keyring
import Sodium
import Storage
import TransparencyLog

/// What is asked about the store's logs.
package enum EvidenceAct: Sendable {
  /// A signed checkpoint of a tenant's log, or of the ledger, which is kept.
  case checkpoint(TenantName?)
  /// Those that were kept.
  case checkpoints(TenantName?)
  /// The key by which checkpoints are checked, as signed notes name it.
  case noteKey
}

/// What is answered to that.
package enum EvidenceAnswer: Sendable {
  /// A signed note, or a key, as a file.
  case text([UInt8])
  case notes([[UInt8]])
}

extension EventStore {
  /// A signed checkpoint of the tenant's log as it is now (a C2SP signed note); it is not kept.
  ///
  /// Blocks; never call it on an event loop.
  package func checkpoint(_ tenant: TenantNumber) throws(StoreError) -> [UInt8] {
    let now = shared.clock()
    return try shared.withState { (state) throws(StoreError) in
      let tenant = try state.activeTenant(tenant)
      return state.note(state.head(of: tenant, now), of: state.origin(of: tenant)).bytes
    }
  }
}

extension ControlPlane {
  func perform(_ act: EvidenceAct) throws(StoreError) -> EvidenceAnswer {
    switch act {
    case .checkpoint(let name):
      let log = try log(name)
      let head = try head(of: log, shared.clock())
      try keep([(log, head)])
      return .text(try note(head, of: log).bytes)
    case .checkpoints(let name):
      let log = try log(name)
      let history = try shared.checkpointHistory(log)
      return .notes(
        try history.entries.map { (entry) throws(StoreError) in try note(entry, of: log).bytes })
    case .noteKey: return .text(Array((shared.withState(\.noteKey.text) + "\n").utf8))
    }
  }

  /// Keeps a checkpoint of every log that has grown since its last; once an hour.
  func keepCheckpoints(_ now: Int64) throws(StoreError) {
    let tenants = shared.withState { $0.tenants.values.map(\.number).sorted() }
    // Some at a time: appends go on between two of these transactions.
    for start in stride(from: 0, to: tenants.count, by: Self.logsPerCommit) {
      let part = tenants[start..<min(start + Self.logsPerCommit, tenants.count)]
      try keep(
        try part.map { (number) throws(StoreError) in
          (.tenant(number), try head(of: .tenant(number), now))
        })
    }
    try keep([(.ledger, try head(of: .ledger, now))])
  }

  private static let logsPerCommit = 256

  private func keep(
    _ heads: [(log: LogName, head: CheckpointHistory.Entry)]
  ) throws(StoreError) {
    var rows: [LogTables.LabelledRow] = []
    for (log, head) in heads where head.size > 0 {
      var history = try shared.checkpointHistory(log)
      guard history.add(head) else { continue }
      rows.append(shared.withState { $0.sealed(history, of: log) })
    }
    guard !rows.isEmpty else { return }
    try StoreError.translatingStorage { () throws(StorageError) in
      try shared.logTables.putCheckpoints(rows)
    }
  }

  private func log(_ name: TenantName?) throws(StoreError) -> LogName {
    guard let name else { return .ledger }
    return .tenant(try number(name))
  }

  private func head(
    of log: LogName, _ now: Int64
  ) throws(StoreError) -> CheckpointHistory.Entry {
    guard case .tenant(let number) = log else {
      let ledger = try shared.ledger.log(shared)
      let tiles = shared.ledger.tiles(shared)
      guard let root = try ledger.root(size: ledger.size, tile: tiles) else { throw .corrupt }
      return CheckpointHistory.Entry(size: ledger.size, timeMilliseconds: now, root: root)
    }
    return try shared.withState { (state) throws(StoreError) in
      guard let tenant = state.tenants[number] else { throw .noTenant }
      return state.head(of: tenant, now)
    }
  }

  private func note(
    _ head: CheckpointHistory.Entry, of log: LogName
  ) throws(StoreError) -> SignedNote {
    try shared.withState { (state) throws(StoreError) in
      state.note(head, of: try state.origin(of: log))
    }
  }
}

/// A log of this store.
enum LogName: Hashable, Sendable {
  case ledger
  case tenant(TenantNumber)
}

extension SharedEngine {
  /// The checkpoints that were kept of a log.
  func checkpointHistory(_ log: LogName) throws(StoreError) -> CheckpointHistory {
    let (label, key) = withState { ($0.checkpointLabel(log), $0.checkpointKey) }
    let sealed = try StoreError.translatingStorage { () throws(StorageError) in
      try logTables.read { (view) throws(StorageError) in try view.checkpoints(label.span) }
    }
    guard let sealed else { return CheckpointHistory() }
    guard
      let plain = key.open(sealed.span, context: EngineState.checkpointContext, label: label.span),
      let history = CheckpointHistory(plain)
    else { throw .corrupt }
    return history
  }
}

extension EngineState {
  static let checkpointContext = KeyDerivation.Context("LT1.checkpoint")

  /// The key of the store's signed notes.
  var noteKey: NoteKey {
    guard let key = NoteKey(store: keyring.id, publicKey: keyring.publicKey) else {
      preconditionFailure("a store has a key of 32 bytes")
    }
    return key
  }

  func origin(of tenant: TenantState) -> LogOrigin {
    .tenant(keyring.id, tenant.id, lineage: UInt64(tenant.lineage))
  }

  fileprivate func origin(of log: LogName) throws(StoreError) -> LogOrigin {
    guard case .tenant(let number) = log else { return .ledger(keyring.id) }
    guard let tenant = tenants[number] else { throw .noTenant }
    return origin(of: tenant)
  }

  func head(of tenant: TenantState, _ now: Int64) -> CheckpointHistory.Entry {
    let frontier = tenant.committed.frontier
    return CheckpointHistory.Entry(
      size: frontier.count, timeMilliseconds: now, root: frontier.root())
  }

  /// The signed checkpoint; the same again whenever it is asked for.
  func note(_ head: CheckpointHistory.Entry, of origin: LogOrigin) -> SignedNote {
    let checkpoint = Checkpoint(
      origin: origin, size: head.size, root: head.root,
      timeMilliseconds: max(0, head.timeMilliseconds))
    return SignedNote(checkpoint.text, key: noteKey) { keyring.signature(of: $0) }
  }

  fileprivate func sealed(
    _ history: CheckpointHistory, of log: LogName
  ) -> LogTables.LabelledRow {
    let label = checkpointLabel(log)
    return LogTables.LabelledRow(
      label: label,
      sealed: checkpointKey.seal(
        history.bytes.span, context: Self.checkpointContext, label: label.span))
  }

  fileprivate func checkpointLabel(_ log: LogName) -> [UInt8] {
    guard case .tenant(let number) = log else { return checkpointKey.label([0]) }
    let lineage = UInt64(tenants[number]?.lineage ?? 0).bigEndianBytes.suffix(2)
    return checkpointKey.label([1] + UInt64(number.rawValue).bigEndianBytes.suffix(4) + lineage)
  }
}
