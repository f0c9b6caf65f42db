import EventModel
import EventStore
import NIOCore
import RESP

/// A connection that waits for an erasure (`EVENT.ERASURES .. BLOCK ms`).
struct ErasureWait {
  var read: ErasureRead
  var isReading = true
  /// There was an erasure while it was being read.
  var isWoken = false
  /// It is answered as soon as it has been read.
  var isOver = false
  let deadline: Scheduled<Void>
}

extension ConnectionHandler {
  func waitForErasures(_ read: ErasureRead, _ milliseconds: Int) {
    // Waiting begins before reading, so that nothing is missed between the two.
    dispatcher.erasureWaiters[read.tenant, default: []].insert(key)
    let deadline = dispatcher.loop.scheduleTask(in: .milliseconds(Int64(milliseconds))) {
      [dispatcher, key] () -> Void in dispatcher.connections[key]?.erasuresTimedOut()
    }
    erasureWait = ErasureWait(read: read, deadline: deadline)
    readErasures(read)
  }

  private func readErasures(_ read: ErasureRead) {
    // Zero: nothing found is no bytes, not an empty list.
    dispatcher.read(
      .query(.erasures(read, blockMilliseconds: 0)), for: key, command.state.encoder)
  }

  /// A reader thread is done.
  func erasuresRead(_ answer: ReadAnswer) {
    guard var waiting = erasureWait else { return }
    guard answer.refusal == nil, answer.bytes.isEmpty, !waiting.isOver else {
      endErasureWait()
      return answerBlock(answer)
    }
    waiting.isReading = false
    if let after = answer.erasuresAfter { waiting.read.after = after }
    let isWoken = waiting.isWoken
    waiting.isWoken = false
    erasureWait = waiting
    if isWoken { wakeForErasures() }
  }

  /// The tenant has a new erasure.
  func wakeForErasures() {
    guard var waiting = erasureWait else { return }
    if waiting.isReading {
      erasureWait?.isWoken = true
      return
    }
    guard !command.state.roles.isDisjoint(with: [.reader, .auditor]) else {
      // The access file was changed in the meantime.
      endErasureWait()
      return answerBlock(ReadAnswer(refusal: .forbidden("event.erasures")))
    }
    waiting.isReading = true
    erasureWait = waiting
    readErasures(waiting.read)
  }

  private func erasuresTimedOut() {
    guard let waiting = erasureWait else { return }
    erasureWait?.isOver = true
    guard !waiting.isReading else { return }
    endErasureWait()
    answerBlock(ReadAnswer())
  }

  /// The daemon ends; returns true when the connection was answered because of it.
  func drainErasureWait() -> Bool {
    guard erasureWait != nil else { return false }
    erasuresTimedOut()
    return erasureWait == nil
  }

  func endErasureWait() {
    guard let waiting = erasureWait else { return }
    waiting.deadline.cancel()
    let tenant = waiting.read.tenant
    dispatcher.erasureWaiters[tenant]?.remove(key)
    if dispatcher.erasureWaiters[tenant]?.isEmpty == true {
      dispatcher.erasureWaiters[tenant] = nil
    }
    erasureWait = nil
  }
}

extension Dispatcher {
  /// On the writer's thread, after an erasure.
  func erased(_ tenants: [TenantNumber]) {
    loop.execute { [self] in
      for tenant in tenants {
        for key in erasureWaiters[tenant] ?? [] { connections[key]?.wakeForErasures() }
      }
    }
  }
}
