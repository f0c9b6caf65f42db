import EventModel
import EventStore
import NIOCore
import RESP

/// One connection: bytes in, commands run in order, replies out.
///
/// Appends pipeline. Any other command waits until the connection's appends are answered; while a
/// read, a control act or a blocked read is under way nothing else is parsed. What waits stays as
/// bytes in ``input``, and the socket is not read from, so a client costs bounded memory.
/// The answers come in ConnectionAnswers.swift and leave in ConnectionOutput.swift; what takes too
/// long or too much is cut in ConnectionBounds.swift.
final class ConnectionHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

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
  var input = ByteBuffer()
  var outflow = Outflow()
  var bounds = ConnectionBounds()
  var isInputClosed = false
  var handshakeDeadline: Scheduled<Void>?
  private(set) var context: ChannelHandlerContext?

  private var parser = RequestParser()
  private var isProcessing = false
  private var isReadDeferred = false
  /// Why the peer does not get in, as its only reply.
  private let refusal: String?

  /// A connection that was let in.
  init(dispatcher: Dispatcher, state: ConnectionState) {
    self.dispatcher = dispatcher
    command = CommandContext(
      state: state, appends: dispatcher.collector, surroundings: dispatcher.surroundings)
    refusal = nil
    key = dispatcher.add(self, uid: state.peer.uid)
    bounds.usage = dispatcher.usage(ofUser: state.peer.uid)
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
      dispatcher.refusals += 1
      // Each takes a descriptor until it is closed; a crowd gets no explanation.
      guard dispatcher.refusals <= Limits.refusalsMax else { return context.close(promise: nil) }
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
    if refusal != nil { dispatcher.refusals -= 1 }
    input = ByteBuffer()
    stopCounting()
    dispatcher.remove(key, uid: command.state.peer.uid)
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
    count()
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
    if count > 0 { bounds.unfinishedSeconds = 0 }
    // An idle connection holds no buffer.
    if input.readableBytes == 0 { input = ByteBuffer() }
  }

  /// Runs commands until the bytes end or something must be waited for; returns how many bytes
  /// were used up.
  private func runCommands(_ buffer: ByteBuffer) -> Int {
    let bytes = buffer.readableBytesUInt8Span
    var offset = 0
    while offset < bytes.count, stalls.isEmpty, command.output.count < Limits.replyBytesMax {
      // Before the limits of strangers apply: the first command may be a long append.
      command.state.bindOnlyTenant(in: command.surroundings)
      parser.isUnauthenticated = command.state.isUnbound && !Self.areLimitsOff
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
      follow(try command.perform(found, arguments), arguments)
    } catch {
      guard outstanding == 0 else {
        stalls.insert(.order)
        return false
      }
      command.refuseTransaction()
      if let refusal = CommandTable.refusal(error, arguments, on: command.state.endpoint) {
        stalls.insert(.busy)
        dispatcher.note(refusal, error, actor: command.state.actor, for: key)
      } else {
        command.state.encoder.error(error.line, to: &command.output)
      }
    }
    return true
  }

  private func follow(_ outcome: CommandOutcome, _ arguments: Arguments) {
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
      let verb = CommandTable.verb(arguments, on: command.state.endpoint)
      dispatcher.control(act, actor: command.state.actor, verb: verb ?? "", shape, for: key)
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
