import EventModel
import Keyring
import Synchronization
import TransparencyLog

/// The ledger as a log: its leaves are the 256 bytes of its entries, in their order.
///
/// In memory are the hashes over 256 entries and more; what lies below is computed from the ledger when
/// a proof needs it. Built beside the other threads at start, at about a million entries in two seconds.
final class LedgerLog: Sendable {
  private struct State {
    var frontier = Frontier()
    /// By level of tiles, from level 1 on.
    var upper: [[Hash256]] = []

    mutating func append(_ entry: LedgerEntry) {
      var grown = LogTail(start: frontier.count)
      frontier.append(LeafHash(entry: entry.plain.span), to: &grown)
      for (level, hashes) in grown.levels.enumerated() where level > 0 {
        while upper.count < level { upper.append([]) }
        upper[level - 1] += hashes
      }
    }
  }

  private let state = Mutex(State())
  /// Entries that are read while the engine's lock is held once.
  private static let stepEntries = 1_024

  /// The log with all entries that there are; not to be asked while the engine's lock is held.
  func log(_ shared: SharedEngine) throws(StoreError) -> MerkleLog {
    let frontier = try state.withLock { (state) throws(StoreError) in
      while true {
        let entries = try Self.entries(from: state.frontier.count + 1, Self.stepEntries, shared)
        for entry in entries { state.append(entry) }
        guard entries.count == Self.stepEntries else { return state.frontier }
      }
    }
    return MerkleLog(frontier: frontier, tails: [])
  }

  /// Reads the tiles of the log.
  func tiles(_ shared: SharedEngine) -> (TileID) throws(StoreError) -> [Hash256] {
    { [self] (id) throws(StoreError) in
      let first = id.number * UInt64(TileID.hashesMax)
      guard id.level == 0 else {
        let hashes = state.withLock { Array($0.upper[id.level - 1].dropFirst(Int(first))) }
        return Self.padded(hashes.prefix(TileID.hashesMax))
      }
      let entries = try Self.entries(from: first + 1, TileID.hashesMax, shared)
      return Self.padded(entries.map { LeafHash(entry: $0.plain.span).hash }[...])
    }
  }

  private static func padded(_ hashes: ArraySlice<Hash256>) -> [Hash256] {
    let nothing = Hash256.sha256(Span())
    return Array(hashes) + repeatElement(nothing, count: TileID.hashesMax - hashes.count)
  }

  private static func entries(
    from first: UInt64, _ count: Int, _ shared: SharedEngine
  ) throws(StoreError) -> [LedgerEntry] {
    try shared.withState { (state) throws(StoreError) in
      try StoreError.translating { () throws(KeyringError) in
        try state.keyring.ledgerEntries(from: first, limit: count).map(\.entry)
      }
    }
  }
}
