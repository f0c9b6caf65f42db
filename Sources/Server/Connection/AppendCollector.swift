import EventModel
import EventStore

/// What is needed to answer one append when its commit is done.
struct AppendNote: Sendable {
  /// Finds the connection; see ``ConnectionTable``.
  let connection: ConnectionKey
  /// The same number in neighbours: one command, one reply.
  let group: UInt32
  /// The reply is a list of maps (`EVENT.BATCH`).
  let isBatch: Bool
  /// The id's place in the batch's bytes.
  let id: ByteRange
  /// The id is 16 bytes, made here.
  let isUUID: Bool
  /// The time that the client gave; empty when the stored time is the event's.
  let time: ByteRange
}

/// Where a connection is kept in the table; `generation` tells it from those before it.
struct ConnectionKey: Hashable, Sendable {
  /// No connection; generations begin with 1.
  static let none = ConnectionKey(slot: 0, generation: 0)

  let slot: UInt32
  let generation: UInt32
}

/// The events of one tick together with what their replies need.
final class PendingAppends {
  let batch: AppendBatch
  var notes: [AppendNote] = []

  init(batch: AppendBatch) { self.batch = batch }
}

/// Gathers the events of all connections until the loop's tick ends, so that they travel to the
/// writer together; their buffers are used again and again.
final class AppendCollector {
  /// Bytes after which a batch is handed over before the tick ends.
  static let batchBytesMax = 4 << 20
  /// Batches whose memory is kept, and how much of it each.
  private static let pooledBatchesMax = 4
  private static let pooledBytesMax = 8 << 20

  /// The connection whose command is being run.
  var connection = ConnectionKey.none
  private let makeBatch: () -> AppendBatch
  private let nowMilliseconds: () -> Int64
  private(set) var current: PendingAppends
  private var pool: [PendingAppends] = []
  private var nextGroup: UInt32 = 0
  /// All commands of a transaction have one number.
  private var isShared = false
  /// Fresh for each batch; not secret, so a counter makes the rest of it.
  private var random: (UInt64, UInt64) = (0, 0)
  private var milliseconds: Int64 = 0

  init(
    nowMilliseconds: @escaping () -> Int64, makeBatch: @escaping () -> AppendBatch
  ) {
    self.makeBatch = makeBatch
    self.nowMilliseconds = nowMilliseconds
    current = PendingAppends(batch: makeBatch())
  }

  var isEmpty: Bool { current.notes.isEmpty }
  var isFull: Bool { current.batch.bytes.count >= Self.batchBytesMax }

  /// A number for the events of one command.
  func beginGroup() -> UInt32 {
    if !isShared { nextGroup &+= 1 }
    return nextGroup
  }

  /// Until ``endShared()`` all commands are one group.
  func beginShared() {
    nextGroup &+= 1
    isShared = true
  }

  func endShared() { isShared = false }

  /// Takes what was gathered; what comes next goes into another batch.
  func take() -> PendingAppends {
    let taken = current
    random = (0, 0)
    current = pool.popLast() ?? PendingAppends(batch: makeBatch())
    return taken
  }

  /// Gives an answered batch back for use.
  func recycle(_ pending: PendingAppends) {
    guard pool.count < Self.pooledBatchesMax,
      pending.batch.bytes.capacity <= Self.pooledBytesMax
    else { return }
    pending.batch.removeAll()
    pending.notes.removeAll(keepingCapacity: true)
    pool.append(pending)
  }

  /// Appends a UUID of version 7.
  func appendUUID(to bytes: inout [UInt8]) {
    if random == (0, 0) {
      var generator = SystemRandomNumberGenerator()
      random = (generator.next(), generator.next())
      milliseconds = nowMilliseconds()
    }
    random.1 &+= 1
    EventUUID.append(milliseconds: milliseconds, random: random, to: &bytes)
  }
}
