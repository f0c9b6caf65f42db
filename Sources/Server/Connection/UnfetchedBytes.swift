import EventModel
import NIOCore
import Synchronization

/// Bytes of large replies that clients have not fetched, of all connections together.
///
/// Small replies are bounded by each connection's own limit and not counted, so that they need no
/// promise.
final class UnfetchedBytes: Sendable {
  private static let largeBytes = 64 << 10

  private let count = Atomic<Int>(0)

  /// True when reads must wait until clients fetch what was read for them; from any thread.
  var isTooMany: Bool { count.load(ordering: .relaxed) > Limits.unfetchedBytesMax }

  /// A reader thread has made a reply of `bytes`, which waits for the event loop.
  func produced(_ bytes: Int) { count.add(bytes, ordering: .relaxed) }

  /// The event loop has taken such a reply.
  func handedOver(_ bytes: Int) { count.subtract(bytes, ordering: .relaxed) }

  /// A promise to be given along when a reply is written; nil when it need not be counted.
  func promise(for bytes: Int, on loop: any EventLoop) -> EventLoopPromise<Void>? {
    guard bytes >= Self.largeBytes else { return nil }
    count.add(bytes, ordering: .relaxed)
    let promise = loop.makePromise(of: Void.self)
    promise.futureResult.whenComplete { _ in self.count.subtract(bytes, ordering: .relaxed) }
    return promise
  }
}
