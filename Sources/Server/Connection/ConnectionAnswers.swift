import EventModel
import EventStore
import NIOCore
import RESP

/// A read that waits for events.
struct BlockedRead {
  var read: TailRead
  var isReading = true
  /// New events came while it was being read.
  var isWoken = false
  /// It is answered as soon as it has been read.
  var isOver = false
  let deadline: Scheduled<Void>
}

// What comes back from the writer and the readers, on the event loop.

extension ConnectionHandler {
  /// Writes the reply to one append command; returns true when it is the first of this batch.
  func answerAppend(_ pending: PendingAppends, _ events: Range<Int>, _ batch: Span<UInt8>) -> Bool {
    command.output.makeRoom(for: 256)
    if execution != nil {
      executionStored(pending, events, batch)
    } else {
      AppendReply.append(
        pending, events, batch: batch, command.state.encoder, to: &command.output)
    }
    outstanding -= 1
    if let first = pending.batch.results.indices.contains(events.lowerBound)
      ? pending.batch.results[events.lowerBound].error : nil, first == .noTenant
    {
      command.state.forgetTenantNumber()
    }
    let isFirst = !isTouched
    isTouched = true
    return isFirst
  }

  /// All replies of a batch are written: send them and go on.
  func appendsAnswered() {
    isTouched = false
    if outstanding <= Limits.inFlightAppendsMax / 2 { stalls.remove(.inFlight) }
    if outstanding == 0 { stalls.remove(.order) }
    process()
  }

  func queueShortened() {
    stalls.remove(.queue)
    process()
  }

  func controlDone(_ result: Result<ControlAnswer, StoreError>, _ shape: ControlShape) {
    guard !stalls.contains(.closing) else { return }
    ControlReply.append(result, shape, command.state, to: &command.output)
    stalls.remove(.busy)
    process()
  }

  /// The ledger has what was refused.
  func refusalNoted(_ error: CommandError) {
    guard !stalls.contains(.closing) else { return }
    command.state.encoder.error(error.line, to: &command.output)
    stalls.remove(.busy)
    process()
  }

  func policyChanged(_ policy: AccessPolicy) {
    switch policy.admit(command.state.peer, through: command.state.endpoint) {
    case .admitted(let rights): command.state.setRights(rights)
    case .refused: command.state.setRights(.none)
    }
  }

  /// Runs nothing more; what is in flight is still answered.
  func drain() {
    isDraining = true
    if let waiting = block {
      block?.isOver = true
      if !waiting.isReading { return answerBlock(ReadAnswer()) }
    }
    if drainErasureWait() { return }
    process()
  }
}

// Reads

extension ConnectionHandler {
  /// Starts a read; the connection waits for it.
  func begin(_ plan: ReadPlan) {
    stalls.insert(.busy)
    if case .query(.erasures(let read, let milliseconds?)) = plan {
      return waitForErasures(read, milliseconds)
    }
    if case .tail(let read, let milliseconds?) = plan {
      // Waiting begins before reading, so that nothing is missed between the two.
      dispatcher.waiters.add(key, read)
      let deadline = dispatcher.loop.scheduleTask(in: .milliseconds(Int64(milliseconds))) {
        [dispatcher, key] () -> Void in dispatcher.connections[key]?.blockTimedOut()
      }
      block = BlockedRead(read: read, deadline: deadline)
    }
    dispatcher.read(plan, for: key, command.state.encoder)
  }

  func readDone(_ answer: ReadAnswer) {
    guard !stalls.contains(.closing) else { return }
    if answer.isTenantGone { command.state.forgetTenantNumber() }
    if execution != nil { return executionRead(answer) }
    if erasureWait != nil { return erasuresRead(answer) }
    guard var waiting = block, answer.refusal == nil, answer.isEmpty, !waiting.isOver else {
      return answerBlock(answer)
    }
    waiting.isReading = false
    if let tail = answer.tail { waiting.read = tail }
    let isWoken = waiting.isWoken
    waiting.isWoken = false
    block = waiting
    if isWoken { wake() }
  }

  /// There are new events among those that the connection waits for.
  func wake() {
    guard var waiting = block else { return }
    dispatcher.surroundings.counters.tailWakes += 1
    if waiting.isReading {
      block?.isWoken = true
      return
    }
    guard command.state.roles.contains(.reader) else {
      // The access file was changed in the meantime.
      command.state.encoder.error(CommandError.forbidden("event.read").line, to: &command.output)
      endBlock()
      stalls.remove(.busy)
      return process()
    }
    waiting.isReading = true
    block = waiting
    dispatcher.surroundings.counters.tailReads += 1
    dispatcher.read(
      .tail(waiting.read, blockMilliseconds: nil), for: key, command.state.encoder)
  }

  private func blockTimedOut() {
    guard let waiting = block else { return }
    block?.isOver = true
    if !waiting.isReading { answerBlock(ReadAnswer()) }
  }

  /// Answers a read, blocked or not; no bytes mean that nothing was found.
  func answerBlock(_ answer: ReadAnswer) {
    noteOutput(
      of: block?.read.tenant ?? answer.namedTenant ?? command.state.tenantNumber)
    endBlock()
    if let error = answer.refusal {
      command.state.encoder.error(error.line, to: &command.output)
    } else if !answer.chunks.isEmpty {
      send(answer.chunks)
    } else if answer.bytes.isEmpty {
      command.state.encoder.nullArray(to: &command.output)
    } else if command.output.isEmpty {
      command.output = answer.bytes
    } else {
      command.output += answer.bytes
    }
    stalls.remove(.busy)
    process()
  }

  func endBlock() {
    guard let waiting = block else { return }
    waiting.deadline.cancel()
    dispatcher.waiters.remove(key, waiting.read)
    block = nil
  }
}
