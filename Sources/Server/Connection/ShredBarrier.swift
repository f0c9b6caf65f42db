import EventModel
import Synchronization

/// Sees to it that after a shred's answer nothing is sent that was read before it.
///
/// Order at a shred: keys destroyed, engine empty of them -> ``raise(for:)`` on the event loop ->
/// replies that were made before have reached the kernel, or their connections are closed -> the
/// shred is answered. Reads note ``count`` when they begin; one that a shred of its tenant overtook
/// is run again instead of being sent. Everything but ``count`` is confined to the loop.
final class ShredBarrier: Sendable {
  private let raised = Atomic<UInt64>(0)

  /// How many barriers were raised; from any thread.
  var count: UInt64 { raised.load(ordering: .acquiring) }

  /// The new number.
  func raise() -> UInt64 { raised.add(1, ordering: .acquiringAndReleasing).newValue }
}

/// The connections that a shred waits for.
struct FlushWait {
  /// Each with how many bytes of replies it must have passed on.
  var connections: [(key: ConnectionKey, bytes: UInt64)]
  var ticksLeft: Int
  /// Answers to shreds, given when all have or are closed.
  var answers: [() -> Void] = []
}
