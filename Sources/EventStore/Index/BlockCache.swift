import Synchronization

/// An opened block of a segment.
final class Block: Sendable {
  let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }
}

/// Opened blocks, at most so many, the ones not used of late going first (CLOCK).
final class BlockCache: Sendable {
  struct Key: Hashable, Sendable {
    let segment: UInt64
    let number: Int
  }

  private struct Entry {
    let key: Key
    let block: Block
    var wasUsed = false
  }

  private struct State {
    var places: [Key: Int] = [:]
    var entries: [Entry] = []
    var hand = 0
  }

  /// Blocks that were not here when they were asked for.
  let missCount = Atomic<Int>(0)
  private let blocksMax: Int
  private let state = Mutex(State())

  /// 2,048 blocks are 32 MiB.
  init(blocksMax: Int = 2_048) { self.blocksMax = blocksMax }

  subscript(key: Key) -> Block? {
    state.withLock { state in
      guard let place = state.places[key] else {
        missCount.add(1, ordering: .relaxed)
        return nil
      }
      state.entries[place].wasUsed = true
      return state.entries[place].block
    }
  }

  func insert(_ block: Block, for key: Key) {
    state.withLock { state in
      guard state.places[key] == nil else { return }
      guard state.entries.count == blocksMax else {
        state.places[key] = state.entries.count
        state.entries.append(Entry(key: key, block: block))
        return
      }
      while state.entries[state.hand].wasUsed {
        state.entries[state.hand].wasUsed = false
        state.hand = (state.hand + 1) % blocksMax
      }
      state.places[state.entries[state.hand].key] = nil
      state.places[key] = state.hand
      state.entries[state.hand] = Entry(key: key, block: block)
      state.hand = (state.hand + 1) % blocksMax
    }
  }

  /// Forgets all blocks, when some of their segments have gone.
  func removeAll() { state.withLock { $0 = State() } }
}
