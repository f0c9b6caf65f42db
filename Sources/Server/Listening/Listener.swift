import NIOCore
import NIOPosix

/// Why a socket cannot be listened on; the operator's move.
package enum ListenerError: Error, Hashable, Sendable {
  /// The path does not fit into a socket's address; `--sockets` must be shorter.
  case pathTooLong(String)
  /// Something that is not a socket lies there; it is left alone.
  case occupied(String)
  /// Another daemon answers there.
  case answered(String)
  /// The directory for the sockets does not exist.
  case noDirectory(String)
  /// The kernel refused.
  case failed(String)
}

/// One listening socket and its file.
final class Listener {
  /// sun_path holds 108 bytes, the last of which is zero.
  static let pathBytesMax = 107
  /// Connections that the kernel keeps until they are accepted.
  private static let backlog: Int32 = 511

  let endpoint: Endpoint
  private let path: String
  private let channel: any Channel
  private let occupant: SystemCalls.Occupant

  /// Binds the endpoint's socket in `directory`; every connection gets a handler from `dispatcher`.
  ///
  /// A socket that a dead daemon left is replaced; anything else is not touched. The socket's mode
  /// becomes 0660 only when it is bound, and until then nobody but the owner can connect.
  static func bind(
    _ endpoint: Endpoint, in directory: String, group: any EventLoopGroup,
    dispatcher: Dispatcher
  ) async throws(ListenerError) -> Listener {
    let path = "\(directory)/\(endpoint.fileName)"
    guard path.utf8.count <= pathBytesMax else { throw .pathTooLong(path) }
    guard SystemCalls.occupant(of: "\(directory)/.") == .directory else {
      throw .noDirectory(directory)
    }
    try await clear(path, group: group)
    let oldMask = SystemCalls.setFileMask(0o177)
    defer { _ = SystemCalls.setFileMask(oldMask) }
    let channel: any Channel
    do {
      channel = try await bootstrap(endpoint, group: group, dispatcher: dispatcher)
        .bind(unixDomainSocketPath: path).get()
    } catch {
      throw .failed(path)
    }
    guard SystemCalls.setMode(path, 0o660) else { throw .failed(path) }
    return Listener(
      endpoint: endpoint, path: path, channel: channel,
      occupant: SystemCalls.occupant(of: path))
  }

  private init(
    endpoint: Endpoint, path: String, channel: any Channel, occupant: SystemCalls.Occupant
  ) {
    self.endpoint = endpoint
    self.path = path
    self.channel = channel
    self.occupant = occupant
  }

  /// Stops accepting; removes the file if it is still the one that was made.
  func close() async {
    if SystemCalls.occupant(of: path) == occupant { SystemCalls.remove(path) }
    try? await channel.close().get()
  }
}

extension Listener {
  /// Removes a socket that nobody answers on.
  private static func clear(
    _ path: String, group: any EventLoopGroup
  ) async throws(ListenerError) {
    switch SystemCalls.occupant(of: path) {
    case .nothing: return
    case .directory, .other: throw .occupied(path)
    case .socket: break
    }
    let probe: (any Channel)?
    do {
      probe = try await ClientBootstrap(group: group).connect(unixDomainSocketPath: path).get()
    } catch {
      probe = nil
    }
    if let probe {
      try? await probe.close().get()
      throw .answered(path)
    }
    SystemCalls.remove(path)
  }

  private static func bootstrap(
    _ endpoint: Endpoint, group: any EventLoopGroup, dispatcher: Dispatcher
  ) -> ServerBootstrap {
    ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: backlog)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            AcceptPause(counters: dispatcher.surroundings.counters))
        }
      }
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(.recvAllocator, value: ReceiveAllocator())
      .childChannelOption(
        .writeBufferWaterMark,
        value: ChannelOptions.Types.WriteBufferWaterMark(low: 256 << 10, high: 1 << 20)
      )
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            handler(for: channel, through: endpoint, dispatcher))
        }
      }
  }

  private static func handler(
    for channel: any Channel, through endpoint: Endpoint, _ dispatcher: Dispatcher
  ) -> ConnectionHandler {
    let transport = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
      of: NIOBSDSocket.Handle.self
    ) { SystemCalls.peer(of: $0) }
    let peer = transport ?? nil
    switch (dispatcher.admit(peer, through: endpoint), peer) {
    case (.admitted(let rights), let peer?):
      return ConnectionHandler(
        dispatcher: dispatcher,
        state: ConnectionState(
          id: dispatcher.nextID(), endpoint: endpoint, peer: peer, rights: rights))
    case (.refused(let text), _):
      return ConnectionHandler(dispatcher: dispatcher, endpoint: endpoint, refusal: text)
    case (.admitted, nil):
      return ConnectionHandler(
        dispatcher: dispatcher, endpoint: endpoint, refusal: "NOPERM the peer is unknown")
    }
  }
}
