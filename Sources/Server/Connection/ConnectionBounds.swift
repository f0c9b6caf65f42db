import EventModel
import NIOCore
import RESP
import Storage

/// What is kept of a connection so that it costs bounded memory and time.
struct ConnectionBounds {
  /// What the user's connections hold together; nil for one that was refused.
  var usage: UserUsage?
  /// What of ``usage`` is this connection's.
  var countedBytes = 0
  /// What the input held when it was last counted.
  var unfinishedBytes = 0
  /// What the kernel had not taken when that was last asked.
  var unfetchedBytes = 0
  /// Bytes written since then.
  var uncheckedBytes = 0
  var isWatched = false
  /// Seconds since a command began that has not come completely.
  var unfinishedSeconds = 0
  /// Seconds since the client last took what it must, and how much it had taken then.
  var stuckSeconds = 0
  var takenBytes: UInt64 = 0
}

extension ConnectionHandler {
  /// Replies of so many bytes may be written before the kernel is asked what it has not taken.
  private static let uncheckedBytesMax = 16 << 10
  /// Who holds less is not the one to be cut.
  private static let smallBytes = 64 << 10

  /// True in the variant that the suites about hostile clients must catch.
  static var areLimitsOff: Bool {
    #if DEBUG
      return TestHooks.isVariant("limits-off")
    #else
      return false
    #endif
  }

  /// Keeps the sums of what all connections and this user's hold; this one ends when it makes them
  /// too large.
  func count() {
    guard let usage = bounds.usage, context != nil else { return }
    if bounds.uncheckedBytes >= Self.uncheckedBytesMax {
      bounds.unfetchedBytes = bufferedBytes
      bounds.uncheckedBytes = 0
    }
    // What a transaction has queued is an unfinished command too.
    let unfinished = input.readableBytes + (command.state.transaction?.byteCount ?? 0)
    let held = unfinished + bounds.unfetchedBytes
    dispatcher.unfinishedBytes += unfinished - bounds.unfinishedBytes
    usage.bytes += held - bounds.countedBytes
    (bounds.unfinishedBytes, bounds.countedBytes) = (unfinished, held)
    guard held > 0 else { return }
    if !bounds.isWatched {
      bounds.isWatched = true
      dispatcher.watch(key)
    }
    guard held > Self.smallBytes, outstanding == 0, !stalls.contains(.closing), !Self.areLimitsOff
    else { return }
    if usage.bytes > Limits.userBytesMax {
      cut(.tryAgain, "the connections of this user hold too many bytes", \.cutMemory)
    } else if unfinished > Self.smallBytes, dispatcher.unfinishedBytes > Limits.unfinishedBytesMax {
      cut(.tryAgain, "unfinished commands of all clients are too many bytes", \.cutMemory)
    }
  }

  /// The connection is gone.
  func stopCounting() {
    dispatcher.unfinishedBytes -= bounds.unfinishedBytes
    bounds.usage?.bytes -= bounds.countedBytes
    bounds = ConnectionBounds()
  }

  /// Once a second, while something is unfinished or unfetched; false when nothing is any more.
  func isWorthWatching() -> Bool {
    guard context != nil, !stalls.contains(.closing) else { return false }
    bounds.unfetchedBytes = bufferedBytes
    bounds.uncheckedBytes = 0
    bounds.isWatched = true
    giveRoomBack()
    if !Self.areLimitsOff {
      watchInput()
      watchOutput()
    }
    count()
    bounds.isWatched = bounds.countedBytes > 0
    return bounds.isWatched
  }

  /// Few bytes of a command must not keep a large buffer.
  private func giveRoomBack() {
    guard input.storageCapacity >= 4_096, input.storageCapacity / 4 > input.readableBytes else {
      return
    }
    var small = ByteBufferAllocator().buffer(capacity: input.readableBytes)
    small.writeImmutableBuffer(input)
    input = small
  }

  private func watchInput() {
    guard stalls.isEmpty, input.readableBytes > 0 else {
      bounds.unfinishedSeconds = 0
      return
    }
    bounds.unfinishedSeconds += 1
    guard bounds.unfinishedSeconds > Limits.commandSecondsMax, outstanding == 0 else { return }
    cut(
      .err, "Protocol error: a command did not end within \(Limits.commandSecondsMax) seconds",
      \.cutUnfinished)
  }

  private func watchOutput() {
    let taken = takenBytes
    guard bounds.unfetchedBytes > 0, taken < bounds.takenBytes + UInt64(Limits.outputBytesMin)
    else {
      (bounds.stuckSeconds, bounds.takenBytes) = (0, taken)
      return
    }
    bounds.stuckSeconds += 1
    guard bounds.stuckSeconds > Limits.outputSecondsMax else { return }
    cut(
      .tryAgain, "replies were not fetched within \(Limits.outputSecondsMax) seconds",
      \.cutUnfetched)
  }

  /// Ends the connection; why is its last line, if the client takes it within a second.
  private func cut(
    _ word: ErrorWord, _ text: String, _ counter: ReferenceWritableKeyPath<ServerCounters, UInt64>
  ) {
    guard !stalls.contains(.closing) else { return }
    dispatcher.surroundings.counters[keyPath: counter] += 1
    command.state.encoder.error(CommandError(word, text).line, to: &command.output)
    finish()
  }
}
