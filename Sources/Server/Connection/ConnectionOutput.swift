import EventModel
import EventStore
import NIOCore
import RESP

/// What a connection was given to send, and of whom it is.
struct Outflow {
  /// Bytes handed to the channel since the beginning.
  var writtenBytes: UInt64 = 0
  /// Whose events the replies have that the kernel has not taken; nil when there are none.
  var tenant: TenantNumber?
  /// They are of more tenants than ``tenant``.
  var isMixed = false
}

// Output and the end

extension ConnectionHandler {
  /// How long an ending connection may take to fetch its last reply.
  private static let lingerTime = TimeAmount.seconds(1)

  /// Sends what has been answered.
  func flush() {
    guard let context, !command.output.isEmpty else { return }
    let buffer = takeOutput(context)
    let promise = dispatcher.unfetched.promise(for: buffer.readableBytes, on: context.eventLoop)
    context.writeAndFlush(Self.wrapOutboundOut(buffer), promise: promise)
  }

  /// Sends a long reply behind what was answered before it, without copying it.
  func send(_ chunks: [ByteBuffer]) {
    guard let context, let last = chunks.last else { return }
    flush()
    noteOutput(of: command.state.tenantNumber)
    let count = chunks.reduce(0) { $0 + $1.readableBytes }
    outflow.writtenBytes += UInt64(count)
    bounds.uncheckedBytes += count
    let promise =
      dispatcher.unfetched.promise(
        for: chunks.reduce(0) { $0 + $1.storageCapacity }, on: context.eventLoop)
      ?? context.eventLoop.makePromise(of: Void.self)
    dispatcher.buffers.give(chunks, after: promise.futureResult)
    for chunk in chunks.dropLast() {
      context.write(Self.wrapOutboundOut(chunk), promise: nil)
    }
    context.writeAndFlush(Self.wrapOutboundOut(last), promise: promise)
  }

  private func takeOutput(_ context: ChannelHandlerContext) -> ByteBuffer {
    noteOutput(of: command.state.tenantNumber)
    var buffer = context.channel.allocator.buffer(capacity: command.output.count)
    buffer.writeBytes(command.output)
    outflow.writtenBytes += UInt64(command.output.count)
    bounds.uncheckedBytes += command.output.count
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

  func close() {
    guard let channel = context?.channel else { return }
    dispatcher.loop.execute { channel.close(promise: nil) }
  }

  /// Ends the connection without another word.
  func abort() { context?.close(promise: nil) }

  /// A connection that nobody can say the tenant of gets little time.
  func watchHandshake() {
    command.state.bindOnlyTenant(in: command.surroundings)
    if !command.state.isUnbound {
      handshakeDeadline?.cancel()
      handshakeDeadline = nil
    } else if handshakeDeadline == nil {
      handshakeDeadline = dispatcher.loop.scheduleTask(
        in: .seconds(Int64(Limits.unauthenticatedSecondsMax))
      ) {
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

// What a shred must know

extension ConnectionHandler {
  /// Bytes that the kernel has not taken yet.
  var bufferedBytes: Int {
    let options = context?.channel.syncOptions
    return (try? options?.getOption(.bufferedWritableBytes)) ?? 0
  }

  /// Bytes that the kernel has taken since the beginning.
  var takenBytes: UInt64 { outflow.writtenBytes - UInt64(bufferedBytes) }

  /// Bytes of all replies that were made until now, sent or not.
  var madeBytes: UInt64 { outflow.writtenBytes + UInt64(command.output.count) }

  /// What is sent next may have events of this tenant.
  func noteOutput(of tenant: TenantNumber?) {
    guard let tenant, tenant != outflow.tenant else { return }
    outflow.isMixed = outflow.tenant != nil && takenBytes < madeBytes
    outflow.tenant = tenant
  }

  /// True when replies with events of the tenant may not have reached the kernel.
  func hasUnsent(of tenant: TenantNumber) -> Bool {
    guard takenBytes < madeBytes else { return false }
    return outflow.isMixed || outflow.tenant == tenant || command.state.tenantNumber == tenant
  }
}
