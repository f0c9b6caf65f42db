import EventModel
import EventStore
import NIOCore
import NIOPosix
import RESP
import Storage

#if DEBUG
  import Glibc
#endif

// Reads, control acts and the barrier between them.

extension Dispatcher {
  /// Reads that shreds overtook are run so often, then refused.
  private static let attemptsMax = 16

  /// Runs a read on a reader thread; the connection gets the answer on the loop.
  ///
  /// An answer that a shred of the tenant overtook is not given: the read is run again.
  func read(
    _ plan: ReadPlan, for key: ConnectionKey, _ encoder: ReplyEncoder, attempt: Int = 1
  ) {
    // While a read is under way, its connection runs no command that could change the tenant.
    let tenant = plan.namedTenant ?? connections[key]?.command.state.tenantNumber
    let (store, unfetched, barrier, buffers) = (store, unfetched, barrier, buffers)
    readers.submit { [self] state in
      var result = ReadAnswer()
      let epoch = barrier.count
      if case .cancelled = state {
        result.refusal = CommandError(StoreError.shuttingDown)
      } else if unfetched.isTooMany {
        result.refusal = CommandError(.tryAgain, "clients do not fetch their replies")
      } else {
        result = ReadHelp.counted { plan.run(on: store, encoder, buffers) }
      }
      result.epoch = epoch
      #if DEBUG
        if TestHooks.variant?.hasPrefix("late-answers") == true { usleep(15_000) }
      #endif
      let answer = result
      unfetched.produced(answer.byteCount)
      loop.execute { [self] in
        deliver(answer, of: tenant, to: key) { [self] in
          repeatRead(plan, for: key, encoder, answer, attempt: attempt)
        }
      }
    }
  }

  /// True when an answer has events that a shred may have erased since they were read.
  func isOutdated(_ answer: ReadAnswer, of tenant: TenantNumber?) -> Bool {
    guard !answer.isEmpty else { return false }
    #if DEBUG
      if TestHooks.isVariant("late-answers-unchecked") { return false }
    #endif
    guard let tenant else { return answer.epoch < barrier.count }
    return answer.epoch < lastBarriers[tenant] ?? 0
  }

  private func repeatRead(
    _ plan: ReadPlan, for key: ConnectionKey, _ encoder: ReplyEncoder, _ answer: ReadAnswer,
    attempt: Int
  ) {
    guard let handler = connections[key] else { return }
    surroundings.counters.rereads += 1
    guard attempt < Self.attemptsMax else {
      var refused = ReadAnswer()
      refused.refusal = CommandError(.tryAgain, "shreds overtook this read")
      return handler.readDone(refused)
    }
    // What `$` meant stays what it meant when the read began.
    let again = answer.tail.map { ReadPlan.tail($0, blockMilliseconds: nil) } ?? plan
    read(again, for: key, encoder, attempt: attempt + 1)
  }

  /// Runs a control act on the writer's thread.
  func control(
    _ act: ControlAct, actor: Actor, verb: String, _ shape: ControlShape, for key: ConnectionKey
  ) {
    let isShred = act.isBarrier
    store.control(act, actor: actor, verb: verb) { [self] result in
      loop.execute { [self] in
        if case .success(.hold(.export(let export))) = result {
          return deliver(export, result, shape, to: key)
        }
        let answer = { [self] () -> Void in connections[key]?.controlDone(result, shape) }
        guard isShred, !flushWaits.isEmpty else { return answer() }
        flushWaits[flushWaits.count - 1].answers.append(answer)
      }
    }
  }
}

// Refusals

extension Dispatcher {
  /// Answers a refusal when the ledger has it.
  func note(_ refusal: Refusal, _ error: CommandError, actor: Actor, for key: ConnectionKey) {
    store.note(refusal, actor: actor) { [self] in
      loop.execute { [self] in connections[key]?.refusalNoted(error) }
    }
  }
}

// The barrier

extension Dispatcher {
  private static let flushTickMilliseconds = 5

  /// Keys of the tenant were destroyed: from now on nothing that was read before is sent.
  func raiseBarrier(for tenant: TenantNumber) {
    lastBarriers[tenant] = barrier.raise()
    let unsent = connections.all.filter { $0.hasUnsent(of: tenant) }
    guard !unsent.isEmpty else { return }
    let isFirst = flushWaits.isEmpty
    flushWaits.append(
      FlushWait(
        connections: unsent.map { ($0.key, $0.madeBytes) },
        ticksLeft: Limits.shredFlushMilliseconds / Self.flushTickMilliseconds))
    if isFirst { scheduleFlushTick() }
  }

  private func scheduleFlushTick() {
    loop.scheduleTask(in: .milliseconds(Int64(Self.flushTickMilliseconds))) { [self] in
      flushTick()
    }
  }

  /// Looks who has passed on what it had; whoever has not in time is closed.
  private func flushTick() {
    for index in flushWaits.indices {
      flushWaits[index].connections.removeAll { wait in
        guard let handler = connections[wait.key] else { return true }
        return handler.takenBytes >= wait.bytes
      }
      flushWaits[index].ticksLeft -= 1
      guard flushWaits[index].ticksLeft <= 0 else { continue }
      for wait in flushWaits[index].connections {
        surroundings.counters.cutShred += 1
        connections[wait.key]?.abort()
      }
      flushWaits[index].connections = []
    }
    let answers = flushWaits.filter(\.connections.isEmpty).flatMap(\.answers)
    flushWaits.removeAll { $0.connections.isEmpty }
    if !flushWaits.isEmpty { scheduleFlushTick() }
    for answer in answers { answer() }
  }
}

// What takes too long or too much

extension Dispatcher {
  /// The connection is looked at once a second until it holds nothing.
  func watch(_ key: ConnectionKey) {
    watched.insert(key)
    guard !isSweepScheduled else { return }
    isSweepScheduled = true
    loop.scheduleTask(in: .seconds(1)) { [self] in sweep() }
  }

  private func sweep() {
    isSweepScheduled = false
    let keys = watched
    watched.removeAll(keepingCapacity: keys.count < 1_024)
    for key in keys where connections[key]?.isWorthWatching() == true { watch(key) }
  }
}
