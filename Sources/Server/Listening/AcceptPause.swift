import Glibc
import NIOCore

/// Looks away from a listening socket for a while when the process has no descriptor for another
/// connection.
///
/// NIO's own handler for this delays the next read, but leaves the socket registered: the kernel goes
/// on saying that somebody waits, and the loop spins.
final class AcceptPause: ChannelInboundHandler {
  typealias InboundIn = any Channel

  private static let time = TimeAmount.milliseconds(500)
  private static let shortages = [EMFILE, ENFILE, ENOBUFS, ENOMEM]

  private let counters: ServerCounters
  private var isPaused = false

  init(counters: ServerCounters) { self.counters = counters }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let code = (error as? IOError)?.errnoCode, Self.shortages.contains(code) else {
      context.fireErrorCaught(error)
      return
    }
    guard !isPaused, !ConnectionHandler.areLimitsOff else { return }
    isPaused = true
    counters.acceptPauses += 1
    set(context, isReading: false)
    context.eventLoop.assumeIsolated().scheduleTask(in: Self.time) { [self] in
      isPaused = false
      set(context, isReading: true)
    }
  }

  private func set(_ context: ChannelHandlerContext, isReading: Bool) {
    try? context.channel.syncOptions?.setOption(.autoRead, value: isReading)
  }
}
