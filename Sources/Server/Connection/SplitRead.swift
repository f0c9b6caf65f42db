import Dispatch
import EventModel
import EventStore
import NIOCore
import Synchronization

/// A long read in two halves, the second on another thread while a core has nothing else to do.
///
/// Opening an event is mostly cryptography, so two cores take half the time; a client that asks for
/// page after page waits for each.
struct SplitRead {
  let first: RangeRead
  let second: RangeRead
  /// What is read when some of the halves' events are not there any more.
  let behind: RangeRead?

  /// Adds both halves; returns what else is to be read on this thread, or nil.
  func run(on store: EventStore, into list: inout EventList) throws(StoreError) -> RangeRead? {
    let part = list.part(count: second.count)
    let help = ReadHelp { [second] () throws(StoreError) in
      var other = part
      try second.read(store, into: &other)
      return other
    }
    guard let help else { return whole }
    var own = list.part(count: first.count)
    var failure: StoreError?
    do throws(StoreError) { try first.read(store, into: &own) } catch { failure = error }
    // Waited for also when this half failed: it works with this read's permission.
    let other = help.wait()
    if let failure { throw failure }
    list.append(own)
    if list.isOutOfBytes { return nil }
    let found = try other.get()
    // The reply ends with as many events as fit, and only adding them one by one tells how many.
    guard list.fits(found) else { return second }
    list.append(found)
    guard var behind else { return nil }
    behind.count -= list.count
    return behind.count > 0 ? behind : nil
  }

  private let whole: RangeRead

  /// Events that are worth another thread.
  static let countMin = 256
}

extension SplitRead {
  /// Nil when the read is short, or nobody knows how far it must go.
  init?(_ read: RangeRead, newest: UInt64) {
    let lower = max(read.range.lowerBound, 1)
    let upper = min(read.range.upperBound, newest)
    guard !read.isLiveOnly, read.count >= Self.countMin, lower <= upper else { return nil }
    let total = min(UInt64(read.count), upper - lower + 1)
    guard total >= UInt64(Self.countMin) else { return nil }
    let half = total / 2
    whole = read
    func part(from start: UInt64, _ count: UInt64) -> RangeRead {
      var part = read
      let end = start + count - 1
      part.range =
        read.isDescending ? (upper - (end - lower))...(upper - (start - lower)) : start...end
      part.count = Int(count)
      return part
    }
    first = part(from: lower, half)
    second = part(from: lower + half, total - half)
    let left = upper - lower + 1 - total
    var rest = left > 0 ? part(from: lower + total, left) : nil
    rest?.count = read.count
    behind = rest
  }
}

/// Work on another thread, if a core is free for it.
final class ReadHelp: Sendable {
  private static let queue = DispatchQueue(label: "lethe.readhelp", attributes: .concurrent)
  private static let coreCount = System.coreCount
  /// Reads and helpers at work.
  private static let busy = Atomic<Int>(0)

  private let result = Mutex<Result<EventList, StoreError>?>(nil)
  private let done = DispatchSemaphore(value: 0)

  /// Runs a read of a client's, so that others know that a core is taken.
  static func counted<Answer>(_ read: () -> Answer) -> Answer {
    busy.add(1, ordering: .relaxed)
    defer { busy.subtract(1, ordering: .relaxed) }
    return read()
  }

  /// Starts `work`, or returns nil when all cores have reads to do already.
  init?(_ work: @escaping @Sendable () throws(StoreError) -> EventList) {
    guard Self.busy.add(1, ordering: .relaxed).newValue <= Self.coreCount else {
      Self.busy.subtract(1, ordering: .relaxed)
      return nil
    }
    Self.queue.async { [self] in
      let found = Result { () throws(StoreError) in try work() }
      result.withLock { $0 = found }
      Self.busy.subtract(1, ordering: .relaxed)
      done.signal()
    }
  }

  /// What came of it; called once.
  func wait() -> Result<EventList, StoreError> {
    done.wait()
    return result.withLock { $0 } ?? .failure(.shuttingDown)
  }
}
