import EventModel
import EventStore
import NIOCore
import RESP

/// A transaction that is being run: first its reads, which see the state before it, then its
/// appends, which are one group of one commit.
struct Execution {
  /// What becomes of one command.
  enum Part {
    /// The reply is known.
    case answered([UInt8])
    /// The reply is that of the next read.
    case read
    /// So many events of the group.
    case appended(events: Int)
  }

  private(set) var parts: [Part] = []
  private(set) var plans: [ReadPlan] = []
  private var appends: [QueuedCommand] = []
  /// Which of ``parts`` have what a read answered, and when that began; see ``ShredBarrier``.
  private var readParts: [Int] = []
  private(set) var epoch: UInt64 = 0

  /// Checks once more who may what, and runs everything that is neither read nor append.
  init(_ transaction: Transaction, _ context: inout CommandContext) throws(CommandError) {
    let output = context.output
    defer { context.output = output }
    var number = 0
    for queued in transaction.commands {
      number += 1
      do throws(CommandError) {
        try queued.command.authorize(&context.state, context.surroundings)
        guard !queued.command.isAppend else {
          _ = try context.state.boundTenant(in: context.surroundings)
          parts.append(.appended(events: 0))
          appends.append(queued)
          continue
        }
        context.output = []
        switch try queued.run(&context) {
        case .read(let plan):
          parts.append(.read)
          plans.append(plan)
        default: parts.append(.answered(context.output))
        }
      } catch {
        throw error.naming(command: number)
      }
    }
  }

  var hasAppends: Bool { !appends.isEmpty }

  /// Puts all events into the current batch, under one group number.
  mutating func collect(into context: inout CommandContext) throws(CommandError) {
    let collector = context.appends
    collector.beginShared()
    defer { collector.endShared() }
    var next = 0
    for index in parts.indices {
      guard case .appended = parts[index] else { continue }
      let before = collector.current.notes.count
      _ = try appends[next].run(&context)
      parts[index] = .appended(events: collector.current.notes.count - before)
      next += 1
    }
    appends = []
  }

  /// Takes over what the reads answered, or throws why one of them did not.
  mutating func take(_ answer: ReadAnswer) throws(CommandError) {
    var read = 0
    var start = 0
    for index in parts.indices {
      guard case .read = parts[index] else { continue }
      guard read < answer.ends.count else {
        throw (answer.refusal ?? CommandError(StoreError.shuttingDown)).naming(command: index + 1)
      }
      parts[index] = .answered(Array(answer.bytes[start..<answer.ends[read]]))
      start = answer.ends[read]
      readParts.append(index)
      read += 1
    }
    plans = []
    epoch = answer.epoch
  }

  /// A shred overtook the reads while the appends were committed: what they answered is not sent.
  mutating func dropReads(_ encoder: ReplyEncoder) {
    for index in readParts {
      var bytes: [UInt8] = []
      encoder.error(CommandError(.tryAgain, "a shred overtook this read").line, to: &bytes)
      parts[index] = .answered(bytes)
    }
  }

  /// Appends the reply when nothing is to be stored.
  func append(_ encoder: ReplyEncoder, to bytes: inout [UInt8]) {
    encoder.array(parts.count, to: &bytes)
    for case .answered(let reply) in parts { bytes += reply }
  }

  /// Appends the reply after the commit: a list, or why nothing was stored.
  func append(
    _ pending: PendingAppends, _ events: Range<Int>, batch: Span<UInt8>, _ encoder: ReplyEncoder,
    to bytes: inout [UInt8]
  ) {
    if let refused = AppendReply.firstRefused(pending, events) {
      return encoder.error(error(refused, events, pending).line, to: &bytes)
    }
    encoder.array(parts.count, to: &bytes)
    var first = events.lowerBound
    for part in parts {
      switch part {
      case .answered(let reply): bytes += reply
      case .read: encoder.nullArray(to: &bytes)
      case .appended(let count):
        AppendReply.appendStored(
          pending, first..<(first + count), batch: batch, encoder, to: &bytes)
        first += count
      }
    }
  }

  private func error(
    _ refused: (index: Int, error: StoreError), _ events: Range<Int>, _ pending: PendingAppends
  ) -> CommandError {
    let error = CommandError(refused.error)
    guard refused.error != .batchRefused, refused.error != .shuttingDown else { return error }
    var first = events.lowerBound
    for (index, part) in parts.enumerated() {
      guard case .appended(let count) = part else { continue }
      if refused.index < first + count {
        let named = error.naming(command: index + 1)
        guard count > 1 else { return named }
        return CommandError(named.word, "\(named.text) event \(refused.index - first + 1)")
      }
      first += count
    }
    return error
  }
}

extension CommandError {
  /// The same with the number of the command in its transaction, from 1.
  func naming(command number: Int) -> CommandError {
    CommandError(word, "\(text) command \(number)")
  }
}

extension ConnectionHandler {
  /// Runs a transaction; the connection waits for it.
  func execute(_ transaction: Transaction) {
    do throws(CommandError) {
      let execution = try Execution(transaction, &command)
      stalls.insert(.busy)
      self.execution = execution
      guard execution.plans.isEmpty else {
        return dispatcher.read(.several(execution.plans), for: key, command.state.encoder)
      }
      try store(execution)
    } catch {
      refuse(error)
    }
  }

  /// The reads are done.
  func executionRead(_ answer: ReadAnswer) {
    guard var execution else { return }
    do throws(CommandError) {
      try execution.take(answer)
      try store(execution)
    } catch {
      refuse(error)
    }
    process()
  }

  private func store(_ prepared: Execution) throws(CommandError) {
    var execution = prepared
    guard execution.hasAppends else {
      execution.append(command.state.encoder, to: &command.output)
      self.execution = nil
      stalls.remove(.busy)
      return
    }
    command.appends.connection = key
    try execution.collect(into: &command)
    self.execution = execution
    outstanding += 1
    dispatcher.scheduleSubmission()
  }

  private func refuse(_ error: CommandError) {
    execution = nil
    stalls.remove(.busy)
    command.state.encoder.error(error.line, to: &command.output)
  }

  /// The group is committed, or refused.
  func executionStored(_ pending: PendingAppends, _ events: Range<Int>, _ batch: Span<UInt8>) {
    if let tenant = command.state.tenantNumber, let epoch = execution?.epoch,
      epoch < dispatcher.lastBarriers[tenant] ?? 0
    {
      execution?.dropReads(command.state.encoder)
    }
    execution?.append(
      pending, events, batch: batch, command.state.encoder, to: &command.output)
    execution = nil
    stalls.remove(.busy)
  }
}

extension ReadPlan {
  /// Runs the reads of a transaction one after the other, until one of them is refused.
  ///
  /// The sum of their replies has the bound of one.
  static func run(
    _ plans: [ReadPlan], on store: EventStore, _ encoder: ReplyEncoder
  ) -> ReadAnswer {
    var whole = ReadAnswer()
    for plan in plans {
      let answer = plan.run(on: store, encoder)
      if let refusal = answer.refusal {
        whole.refusal = refusal
        whole.isTenantGone = answer.isTenantGone
        return whole
      }
      whole.accesses += answer.accesses
      if answer.isStrict { whole.isStrict = true }
      if answer.bytes.isEmpty {
        encoder.nullArray(to: &whole.bytes)
      } else {
        whole.bytes += answer.bytes
      }
      guard whole.bytes.count <= 2 * Limits.replyBytesMax else {
        whole.refusal = CommandError(.tooBig, "replies of a transaction: read less at once")
        return whole
      }
      whole.ends.append(whole.bytes.count)
    }
    return whole
  }
}
