import EventModel
import EventStore
import Storage

/// What a connection waits for.
enum Interest: Hashable {
  /// Any new event of a tenant.
  case tenant(TenantNumber)
  /// New events of one stream, by the hash of its name; see ``WaitTable/streamHash(_:)``.
  case stream(TenantNumber, hash: UInt64)
}

/// Who waits for what, so that an append wakes only those whom it concerns.
///
/// Nothing is asked of the writer: the batches that come back answered say which streams moved, and
/// they are looked at only while somebody waits for their tenant. Two streams with one hash wake each
/// other's waiters, who read, find nothing and wait on.
struct WaitTable {
  private var waiters: [Interest: Set<ConnectionKey>] = [:]
  /// Registrations of each tenant.
  private var counts: [TenantNumber: Int] = [:]
  /// Differs from run to run, so that nobody can prepare names of one hash.
  private let seed: UInt64

  init(seed: UInt64) { self.seed = seed }

  var isEmpty: Bool { counts.isEmpty }

  /// The hash of a stream's name (FNV-1a, seeded).
  func streamHash(_ name: Span<UInt8>) -> UInt64 {
    var hash = 0xCBF2_9CE4_8422_2325 ^ seed
    for index in name.indices { hash = (hash ^ UInt64(name[index])) &* 0x100_0000_01B3 }
    return hash ^ hash >> 32
  }

  /// What a tail read waits for.
  func interests(of read: TailRead) -> [Interest] {
    // Whoever waits for the whole tenant is woken by every stream anyway.
    if read.cursors.contains(where: { $0.stream == nil }) { return [.tenant(read.tenant)] }
    return Set(read.cursors.compactMap(\.stream)).map {
      .stream(read.tenant, hash: streamHash($0.span))
    }
  }

  mutating func add(_ key: ConnectionKey, _ read: TailRead) {
    for interest in interests(of: read)
    where waiters[interest, default: []].insert(key).inserted {
      counts[read.tenant, default: 0] += 1
    }
  }

  mutating func remove(_ key: ConnectionKey, _ read: TailRead) {
    for interest in interests(of: read) where waiters[interest]?.remove(key) != nil {
      if waiters[interest]?.isEmpty == true { waiters[interest] = nil }
      let left = (counts[read.tenant] ?? 1) - 1
      counts[read.tenant] = left == 0 ? nil : left
    }
  }

  /// The connections that an answered batch concerns.
  func concerned(by batch: AppendBatch) -> Set<ConnectionKey> {
    var found: Set<ConnectionKey> = []
    #if DEBUG
      if TestHooks.isVariant("wake-everybody") { return Set(waiters.values.joined()) }
    #endif
    var last: Interest?
    let bytes = batch.bytes
    for (request, result) in zip(batch.requests, batch.results)
    where result.error == nil && !result.isDuplicate && counts[request.tenant] != nil {
      let interest = Interest.stream(
        request.tenant, hash: streamHash(bytes.span.extracting(request.stream.range)))
      // Neighbours mostly go to one stream.
      guard interest != last else { continue }
      last = interest
      if let keys = waiters[interest] { found.formUnion(keys) }
      if let keys = waiters[.tenant(request.tenant)] { found.formUnion(keys) }
    }
    return found
  }
}
