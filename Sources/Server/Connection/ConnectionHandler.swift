import EventModel
import EventStore
import NIOCore
import RESP

/// One connection: bytes in, commands run in order, replies out.
///
/// Appends pipeline. Any other command waits until the connection's appends are answered; while a
/// read, a control act or a blocked read is under way nothing else is parsed. What waits stays as
/// bytes in ``input``, and the socket is not read from, so a client costs bounded memory.
/// The answers come in ConnectionAnswers.swift.
final class ConnectionHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// How long an ending connection may take to fetch its last reply.
  private static let lingerTime = TimeAmount.seconds(1)
  /// How long a connection may stay without a tenant.
  private static let handshakeTime = TimeAmount.seconds(5)

  let dispatcher: Dispatcher
  private(set) var key = ConnectionKey.none
  var command: CommandContext
  var stalls: ConnectionStalls = []
  /// Append commands whose replies are missing.
  var outstanding = 0
  /// Replies were written while a batch was answered, and are not flushed yet.
  var isTouched = false
  var isDraining = false
  var block: BlockedRead?
  var erasureWait: ErasureWait?
  /// The transaction that is being run.
  var execution: Execution?

  private var parser = RequestParser()
  private var input = ByteBuffer()
  private var context: ChannelHandlerContext?
  /// What ``input`` held when it was last counted.
  private var unfinishedBytes = 0
  private var isProcessing = false
  private var isReadDeferred = false
  private var isInputClosed = false
  private var handshakeDeadline: Scheduled<Void>?
  /// Why the peer does not get in, as its only reply.
  private let refusal: String?

  /// A connection that was let in.
  init(dispatcher: Dispatcher, state: ConnectionState) {
    self.dispatcher = dispatcher
    command = CommandContext(
      state: state, appends: dispatcher.collector, surroundings: dispatcher.surroundings)
    refusal = nil
    key = dispatcher.add(self, uid: state.peer.uid)
  }

  /// A connection that only hears why it was not.
  init(dispatcher: Dispatcher, endpoint: Endpoint, refusal: String) {
    self.dispatcher = dispatcher
    let nobody = Peer(uid: Peer.overflowUID, gid: Peer.overflowUID, groups: [])
    command = CommandContext(
      state: ConnectionState(id: 0, endpoint: endpoint, peer: nobody, rights: .none),
      appends: dispatcher.collector, surroundings: dispatcher.surroundings)
    self.refusal = refusal
  }
}

/// Why a connection is not read from.
struct ConnectionStalls: OptionSet {
  let rawValue: UInt8

  /// Too many appends wait for their commit.
  static let inFlight = ConnectionStalls(rawValue: 1)
  /// Too many bytes wait for the writer, of whichever connection.
  static let queue = ConnectionStalls(rawValue: 2)
  /// The client does not take its replies.
  static let output = ConnectionStalls(rawValue: 4)
  /// A command waits for the appends before it.
  static let order = ConnectionStalls(rawValue: 8)
  /// A read or a control act is under way.
  static let busy = ConnectionStalls(rawValue: 16)
  /// Nothing more is run; what still comes in is thrown away.
  static let closing = ConnectionStalls(rawValue: 32)
}

// What NIO calls

extension ConnectionHandler {
  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelActive(context: ChannelHandlerContext) {
    if let refusal {
      command.state.encoder.error(refusal, to: &command.output)
      finish()
    } else {
      watchHandshake()
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    stalls.insert(.closing)
    endBlock()
    endErasureWait()
    handshakeDeadline?.cancel()
    dispatcher.remove(key, uid: command.state.peer.uid)
    input = ByteBuffer()
    dispatcher.unfinishedBytes -= unfinishedBytes
    unfinishedBytes = 0
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !stalls.contains(.closing) else { return }
    var incoming = Self.unwrapInboundIn(data)
    if input.readableBytes == 0 {
      input = incoming
    } else {
      // Without this the buffer would grow for as long as reads end within a command.
      input.discardReadBytes()
      input.writeBuffer(&incoming)
    }
    process()
  }

  func read(context: ChannelHandlerContext) {
    if stalls.isEmpty || stalls.contains(.closing) {
      context.read()
    } else {
      isReadDeferred = true
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable {
      stalls.remove(.output)
      process()
    } else {
      stalls.insert(.output)
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard case .some(.inputClosed) = event as? ChannelEvent else { return }
    isInputClosed = true
    if stalls.contains(.closing) {
      context.close(promise: nil)
    } else {
      process()
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}

// Commands

extension ConnectionHandler {
  /// Runs what has come in as far as possible, sends the replies, and reads on or ends.
  func process() {
    guard !isProcessing else { return }
    isProcessing = true
    var isOutputLarge: Bool
    repeat {
      if stalls.isEmpty, input.readableBytes > 0 { runAvailable() }
      isOutputLarge = command.output.count >= Limits.replyBytesMax
      flush()
    } while isOutputLarge && stalls.isEmpty
    isProcessing = false
    countUnfinished()
    if !stalls.contains(.closing), dispatcher.isQueueFull {
      stalls.insert(.queue)
      dispatcher.stallForQueue(key)
    }
    // With the input closed, bytes that are left over will never be a command.
    let isIdle = outstanding == 0 && !stalls.contains(.busy)
    if isIdle, isDraining || isInputClosed && stalls.isEmpty { finish() }
    if stalls.isEmpty, isReadDeferred {
      isReadDeferred = false
      context?.read()
    }
  }

  private func runAvailable() {
    let count = runCommands(input)
    input.moveReaderIndex(forwardBy: count)
    // An idle connection holds no buffer.
    if input.readableBytes == 0 { input = ByteBuffer() }
  }

  /// Keeps the sum of what all connections hold; this one ends when it makes the sum too large.
  private func countUnfinished() {
    // What a transaction has queued is an unfinished command too.
    let held = input.readableBytes + (command.state.transaction?.byteCount ?? 0)
    dispatcher.unfinishedBytes += held - unfinishedBytes
    unfinishedBytes = held
    guard dispatcher.unfinishedBytes > Limits.unfinishedBytesMax,
      unfinishedBytes > Limits.inlineBytesMax, outstanding == 0, !stalls.contains(.closing)
    else { return }
    let error = CommandError(.tryAgain, "unfinished commands of all clients are too many bytes")
    command.state.encoder.error(error.line, to: &command.output)
    finish()
  }

  /// Runs commands until the bytes end or something must be waited for; returns how many bytes
  /// were used up.
  private func runCommands(_ buffer: ByteBuffer) -> Int {
    let bytes = buffer.readableBytesUInt8Span
    var offset = 0
    while offset < bytes.count, stalls.isEmpty, command.output.count < Limits.replyBytesMax {
      // Before the limits of strangers apply: the first command may be a long append.
      command.state.bindOnlyTenant(in: command.surroundings)
      parser.isUnauthenticated = command.state.isUnbound
      let rest = bytes.extracting(offset..<bytes.count)
      switch parser.parse(rest) {
      case .needMore: return offset
      case .failure(let failure):
        guard outstanding == 0 else {
          // The error comes behind the replies before it, like any other.
          stalls.insert(.order)
          parser.reset()
          return offset
        }
        end(after: failure)
      case .command(let count):
        let isDone = run(rest.extracting(0..<count))
        parser.reset()
        guard isDone else { return offset }
        offset += count
      }
    }
    return offset
  }

  /// Returns false when the command must be run again later.
  private func run(_ bytes: Span<UInt8>) -> Bool {
    let ranges = parser.ranges
    guard !ranges.isEmpty else { return true }
    guard parser.isInline else { return run(Arguments(bytes: bytes, ranges: ranges.span)) }
    let line = parser.inlineBytes
    return run(Arguments(bytes: line.span, ranges: ranges.span))
  }

  private func run(_ arguments: Arguments) -> Bool {
    do throws(CommandError) {
      let found = try CommandTable.find(arguments, on: command.state.endpoint)
      guard found.isAppend || outstanding == 0 else {
        stalls.insert(.order)
        return false
      }
      try found.authorize(&command.state, command.surroundings)
      command.appends.connection = key
      follow(try command.perform(found, arguments))
    } catch {
      guard outstanding == 0 else {
        stalls.insert(.order)
        return false
      }
      command.refuseTransaction()
      command.state.encoder.error(error.line, to: &command.output)
    }
    return true
  }

  private func follow(_ outcome: CommandOutcome) {
    switch outcome {
    case .answered: watchHandshake()
    case .close: finish()
    case .appended:
      outstanding += 1
      if outstanding >= Limits.inFlightAppendsMax { stalls.insert(.inFlight) }
      dispatcher.scheduleSubmission()
    case .read(let plan): begin(plan)
    case .execute(let transaction): execute(transaction)
    case .control(let act, let shape):
      stalls.insert(.busy)
      dispatcher.control(act, actor: command.state.actor, shape, for: key)
    }
  }

  private func end(after failure: ProtocolFailure) {
    guard let text = failure.text else {
      stalls.insert(.closing)
      close()
      return
    }
    command.state.encoder.error(text, to: &command.output)
    finish()
  }
}

// Output and the end

extension ConnectionHandler {
  /// Sends what has been answered.
  private func flush() {
    guard let context, !command.output.isEmpty else { return }
    let buffer = takeOutput(context)
    let promise = dispatcher.unfetched.promise(for: buffer.readableBytes, on: context.eventLoop)
    context.writeAndFlush(Self.wrapOutboundOut(buffer), promise: promise)
  }

  private func takeOutput(_ context: ChannelHandlerContext) -> ByteBuffer {
    var buffer = context.channel.allocator.buffer(capacity: command.output.count)
    buffer.writeBytes(command.output)
    command.output.removeAll(keepingCapacity: command.output.capacity <= 1_024)
    return buffer
  }

  /// Sends the last replies, then ends the connection.
  ///
  /// The output is closed first and the rest of the input thrown away: closing at once would reset
  /// the connection under a client that is still sending, and its last reply would be lost.
  func finish() {
    guard !stalls.contains(.closing), context != nil else { return }
    stalls.insert(.closing)
    handshakeDeadline?.cancel()
    dispatcher.loop.execute { [dispatcher, key] in dispatcher.connections[key]?.sendLast() }
    if key == .none { sendLast() }
  }

  private func sendLast() {
    guard let context else { return }
    let channel = context.channel
    let isInputClosed = isInputClosed
    let promise = context.eventLoop.makePromise(of: Void.self)
    promise.futureResult.whenComplete { _ in
      channel.close(mode: isInputClosed ? .all : .output, promise: nil)
    }
    context.writeAndFlush(Self.wrapOutboundOut(takeOutput(context)), promise: promise)
    dispatcher.loop.scheduleTask(in: Self.lingerTime) { channel.close(promise: nil) }
    context.read()
  }

  private func close() {
    guard let channel = context?.channel else { return }
    dispatcher.loop.execute { channel.close(promise: nil) }
  }

  /// Ends the connection without another word.
  func abort() { context?.close(promise: nil) }

  /// A connection that nobody can say the tenant of gets little time.
  private func watchHandshake() {
    command.state.bindOnlyTenant(in: command.surroundings)
    if !command.state.isUnbound {
      handshakeDeadline?.cancel()
      handshakeDeadline = nil
    } else if handshakeDeadline == nil {
      handshakeDeadline = dispatcher.loop.scheduleTask(in: Self.handshakeTime) {
        [dispatcher, key] () -> Void in dispatcher.connections[key]?.handshakeTimedOut()
      }
    }
  }

  private func handshakeTimedOut() {
    guard command.state.isUnbound, outstanding == 0 else { return }
    command.state.encoder.error(CommandError.authenticationRequired.line, to: &command.output)
    finish()
  }
}
