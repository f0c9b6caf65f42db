import EventModel
import Keyring
import Sodium
import Storage
import TransparencyLog

/// A tenant's log as it was when a bundle was begun.
struct BundleLog: Sendable {
  let tenant: TenantNumber
  let origin: LogOrigin
  let frontier: Frontier
  /// The positions whose records go along, the greatest first; nil: all.
  var wanted: [UInt64]?
  /// The position that comes next.
  var next: UInt64 = 1

  /// False for what came after the bundle was begun.
  func covers(_ position: UInt64) -> Bool {
    BundleSession.isMoving || position <= frontier.count
  }

  /// True when the record of a position goes along; asked in ascending order.
  mutating func wants(_ position: UInt64) -> Bool {
    guard wanted != nil else { return true }
    while let last = wanted?.last, last < position { wanted?.removeLast() }
    return wanted?.last == position
  }
}

/// One bundle on its way: how far it is, and the hashes of what was sent.
///
/// ```
/// ledger -> certificates -> tables -> erasures -> records -> checkpoints -> manifest -> nothing
/// ```
/// Ledger and logs end where they ended at the beginning; the rest is as it is when its turn comes.
struct BundleSession: Sendable {
  /// What comes next.
  enum Part: Sendable {
    case ledger(next: UInt64)
    case certificates(next: UInt64)
    case tables
    case erasures(log: Int, after: UInt64)
    case records(next: UInt64)
    case checkpoints
    case manifest
    case ended
  }

  let token = PlanBook.newToken()
  let challenge: Challenge?
  let madeMilliseconds: Int64
  /// Entries of the ledger.
  let ledgerCount: UInt64
  /// The newest record.
  let lastSequence: UInt64
  var logs: [BundleLog]
  var ledger = Frontier()
  var usedMilliseconds: Int64 = 0
  private var part = Part.ledger(next: 1)
  private var files: [String: (hash: RunningHash, count: UInt64)] = [:]

  /// True for a daemon that goes on to the store's end, wherever that is by then.
  static var isMoving: Bool {
    #if DEBUG
      TestHooks.isVariant("bundle-moving")
    #else
      false
    #endif
  }

  /// Bytes of one answer, about.
  static let answerBytes = 1 << 20

  /// Takes hold of the moment: how far ledger and logs reach.
  init(_ challenge: Challenge?, _ shared: SharedEngine) throws(StoreError) {
    self.challenge = challenge
    madeMilliseconds = shared.clock()
    let (store, heads, ledger, sequence) = shared.withState { state in
      let heads = state.tenants.values.map { (number: $0.number, id: $0.id, head: $0.committed) }
      return (
        state.keyring.id, heads.sorted { $0.number < $1.number },
        state.keyring.nextLedgerIndex - 1, state.nextSequence - 1
      )
    }
    (ledgerCount, lastSequence, logs) = (ledger, sequence, [])
    for (number, id, head) in heads {
      guard let lineage = try shared.lineage(of: number) else { continue }
      let origin = LogOrigin.tenant(store, id, lineage: lineage)
      let wanted = challenge?.positions(of: origin, size: head.frontier.count)
      logs.append(
        BundleLog(
          tenant: number, origin: origin, frontier: head.frontier, wanted: wanted?.reversed()))
    }
  }

  var start: BundleStart {
    BundleStart(
      token: token, ledgerCount: ledgerCount, logCount: logs.count,
      eventCount: logs.reduce(0) { $0 + $1.frontier.count })
  }

  /// The next pieces; none at the end.
  mutating func next(_ shared: SharedEngine) throws(StoreError) -> [BundlePiece] {
    while true {
      let pieces = try step(shared).filter { !$0.bytes.isEmpty }
      for piece in pieces {
        var file = files[piece.file] ?? (RunningHash(), 0)
        file.hash.add(piece.bytes.span)
        file.count += UInt64(piece.bytes.count)
        files[piece.file] = file
      }
      if case .ended = part { return pieces }
      if !pieces.isEmpty { return pieces }
    }
  }

  private mutating func step(_ shared: SharedEngine) throws(StoreError) -> [BundlePiece] {
    switch part {
    case .ledger(let next):
      guard next <= ledgerCount else {
        part = .certificates(next: 1)
        return []
      }
      let rows = try ledgerRows(from: next, shared)
      part = .ledger(next: next + UInt64(rows.count / LedgerEntry.plainBytes))
      return [BundlePiece(file: BundleNames.ledger, bytes: rows)]
    case .certificates(let next):
      let (bytes, last) = try certificates(from: next, shared)
      part = last.map { .certificates(next: $0 + 1) } ?? .tables
      return [BundlePiece(file: BundleNames.certificates, bytes: bytes)]
    case .tables:
      part = .erasures(log: 0, after: 0)
      return [BundlePiece(file: BundleNames.tables, bytes: try tables(shared))]
    case .erasures(let log, let after):
      guard log < logs.count else {
        part = .records(next: 1)
        return []
      }
      let (bytes, last) = try erasures(of: logs[log].tenant, after: after, shared)
      part = last.map { .erasures(log: log, after: $0) } ?? .erasures(log: log + 1, after: 0)
      return [BundlePiece(file: BundleNames.erasures, bytes: bytes)]
    case .records(let next):
      let last = Self.isMoving ? shared.withState { $0.nextSequence - 1 } : lastSequence
      guard next <= last else {
        part = .checkpoints
        return missingRows()
      }
      var scan = BundleScan(self)
      let reached = try scan.run(from: next, through: last, shared)
      logs = scan.logs
      part = .records(next: reached + 1)
      return scan.pieces
    case .checkpoints:
      part = .manifest
      return [BundlePiece(file: BundleNames.checkpoints, bytes: try checkpoints(shared))]
    case .manifest:
      part = .ended
      return manifest(shared)
    case .ended: return []
    }
  }

  /// Rows for positions at the end of a log of which no record was found.
  private mutating func missingRows() -> [BundlePiece] {
    var pieces: [BundlePiece] = []
    for index in logs.indices {
      var rows: [UInt8] = []
      while logs[index].next <= logs[index].frontier.count, rows.count < Self.answerBytes {
        LeafRow.missing.encode(to: &rows)
        logs[index].next += 1
      }
      pieces.append(BundlePiece(file: BundleNames.leaves(index + 1), bytes: rows))
    }
    return pieces
  }
}

extension BundleSession {
  private static let ledgerAtOnce = 1_024
  private static let certificatesAtOnce = 64

  private mutating func ledgerRows(
    from first: UInt64, _ shared: SharedEngine
  ) throws(StoreError) -> [UInt8] {
    let limit = min(Self.ledgerAtOnce, Int(ledgerCount - first + 1))
    let rows = try shared.withState { (state) throws(StoreError) in
      try StoreError.translating { () throws(KeyringError) in
        try state.keyring.ledgerRows(from: first, limit: limit)
      }
    }
    var bytes: [UInt8] = []
    for row in rows {
      // An entry that is not there leaves zeroes, which are none.
      let row = row ?? [UInt8](repeating: 0, count: LedgerEntry.plainBytes)
      ledger.append(LeafHash(entry: row.span))
      bytes += row
    }
    return bytes
  }

  /// Certificates that are finished, one a line, and the index of the last that was looked at.
  private func certificates(
    from first: UInt64, _ shared: SharedEngine
  ) throws(StoreError) -> (bytes: [UInt8], last: UInt64?) {
    let (found, key) = try shared.withState { (state) throws(StoreError) in
      let found = try StoreError.translating { () throws(KeyringError) in
        try state.keyring.certificates(from: first, limit: Self.certificatesAtOnce)
      }
      return (found, state.keyring.publicKey)
    }
    var bytes: [UInt8] = []
    for (index, plain) in found where index <= ledgerCount {
      guard let record = CertificateRecord(plain) else { throw .corrupt }
      guard record.isFinished else { continue }
      bytes += record.document(publicKey: key)
      bytes.append(0x0A)
    }
    return (bytes, found.last?.index)
  }

  private func erasures(
    of tenant: TenantNumber, after: UInt64, _ shared: SharedEngine
  ) throws(StoreError) -> (bytes: [UInt8], last: UInt64?) {
    guard shared.withState({ $0.tenants[tenant] != nil }) else { throw .bundleOutdated }
    let found: [Erasure]
    do throws(StoreError) {
      found = try shared.erasures.read(tenant, after: after, limit: 256, shared: shared)
    } catch {
      // An entry of the ledger is missing: the auditor finds that; what it erased is not told.
      guard error == .corrupt else { throw error }
      return ([], nil)
    }
    var bytes: [UInt8] = []
    for erasure in found {
      for range in erasure.positions {
        ErasedRange(tenant: tenant, ledgerIndex: erasure.ledgerIndex, positions: range)
          .encode(to: &bytes)
      }
    }
    return (bytes, found.last?.number)
  }

  /// The checkpoints of the ledger and of every log, those that were kept before the one of now; each as
  /// a string of JSON on a line of its own.
  private func checkpoints(_ shared: SharedEngine) throws(StoreError) -> [UInt8] {
    let store = shared.withState(\.keyring.id)
    var heads = [(log: LogName.ledger, origin: LogOrigin.ledger(store), frontier: ledger)]
    heads += logs.map { (.tenant($0.tenant), $0.origin, $0.frontier) }
    var bytes: [UInt8] = []
    for (log, origin, frontier) in heads {
      let end = CheckpointHistory.Entry(
        size: frontier.count, timeMilliseconds: madeMilliseconds, root: frontier.root())
      // What was signed since the bundle was begun may be of more than it has.
      let kept = try shared.checkpointHistory(log).entries.filter { $0.size <= end.size }
      let notes = shared.withState { state in
        (kept + [end]).map { state.note($0, of: origin).bytes }
      }
      for note in notes {
        bytes += CanonicalJSON.string(String(decoding: note, as: UTF8.self)).bytes
        bytes.append(0x0A)
      }
    }
    return bytes
  }

  /// The manifest and its signature.
  private func manifest(_ shared: SharedEngine) -> [BundlePiece] {
    shared.withState { state in
      let listed = files.sorted { $0.key < $1.key }.map { name, file -> CanonicalJSON in
        [
          "name": .string(name), "bytes": .integer(file.count),
          "sha256": .string(file.hash.hash.bytes.hexadecimal),
        ]
      }
      let text: CanonicalJSON = [
        "schema": .string(BundleNames.schema),
        "store": .string(state.keyring.id.bytes.hexadecimal),
        "key": .string(state.noteKey.text), "made": .time(madeMilliseconds),
        "tool": .string("lethe \(Release.version)"),
        "kind": .string(challenge == nil ? "whole" : "sample"),
        "challenge": challenge.map {
          ["seed": .string($0.seed), "sample": .integer(UInt64($0.count))]
        } ?? .null,
        "ledger": .integer(ledgerCount),
        "logs": .array(
          logs.map {
            [
              "tenant": .integer(UInt64($0.tenant.rawValue)), "origin": .string($0.origin.text),
              "events": .integer($0.frontier.count),
            ]
          }), "files": .array(listed),
      ]
      let bytes = text.bytes
      let signed = BundleNames.manifestText(
        store: state.keyring.id.bytes.hexadecimal,
        hash: Hash256.sha256(bytes.span).bytes.hexadecimal)
      let note = SignedNote(signed, key: state.noteKey) { state.keyring.signature(of: $0) }
      return [
        BundlePiece(file: BundleNames.manifest, bytes: bytes),
        BundlePiece(file: BundleNames.manifestNote, bytes: note.bytes),
      ]
    }
  }
}
