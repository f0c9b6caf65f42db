package import EventStore
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Where the server listens and whom it lets in.
package struct ServerConfiguration: Sendable {
  /// The directory of `query.sock`, `admin.sock` and the declared sockets.
  package var socketsDirectory: String
  /// The access file, if there is one.
  package var accessPath: String?
  /// `x.y.z`, as HELLO and INFO show it.
  package var version: String

  package init(socketsDirectory: String, accessPath: String?, version: String) {
    self.socketsDirectory = socketsDirectory
    self.accessPath = accessPath
    self.version = version
  }
}

/// Serves an open store on Unix sockets until the service group ends it.
///
/// One event loop carries all connections; two threads read. At the end nothing more is accepted or
/// run, what is in flight is answered, and after five seconds at most every connection is closed.
/// The store stays open; whoever opened it closes it afterwards.
package final class Server: Service {
  private static let readerThreads = 2
  private static let drainSeconds = 5

  private let store: EventStore
  private let configuration: ServerConfiguration
  private let logger: Logger
  private let accessLoader: AccessLoader
  private let policy: AccessPolicy
  private let onReady: @Sendable () -> Void
  private let reloads: AsyncStream<Void>
  private let reloadContinuation: AsyncStream<Void>.Continuation

  /// Reads the access file; `onReady` runs when all sockets are listened on.
  ///
  /// Throws when the access file is refused: the operator corrects it and starts again.
  package init(
    store: EventStore, configuration: ServerConfiguration, logger: Logger,
    onReady: @escaping @Sendable () -> Void = {}
  ) throws(AccessFileError) {
    self.store = store
    self.configuration = configuration
    self.logger = logger
    self.onReady = onReady
    accessLoader = AccessLoader(path: configuration.accessPath, ownUID: SystemCalls.ownUID)
    policy = try accessLoader.load()
    (reloads, reloadContinuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    if policy.isDefault {
      logger.warning(
        "no access file: only the daemon's own user may connect, with every role, unseparated")
    }
  }

  /// Reads the access file again (SIGHUP); if it is refused, the old one stays.
  package func reloadAccess() { reloadContinuation.yield() }

  /// Throws ``ListenerError`` when a socket cannot be listened on.
  package func run() async throws {
    SystemCalls.returnLargeBuffers()
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let readers = NIOThreadPool(numberOfThreads: Self.readerThreads)
    readers.start()
    let dispatcher = Dispatcher(
      loop: group.next(), store: store, readers: readers, version: configuration.version,
      policy: policy)
    var failure: (any Error)?
    do {
      try await serve(dispatcher, group: group)
    } catch {
      failure = error
    }
    try? await group.shutdownGracefully()
    try? await readers.shutdownGracefully()
    if let failure { throw failure }
  }
}

extension Server {
  private func serve(_ dispatcher: Dispatcher, group: any EventLoopGroup) async throws {
    let listeners = Listeners(
      directory: configuration.socketsDirectory, group: group, dispatcher: dispatcher)
    do {
      try await listeners.open(for: policy)
    } catch {
      await listeners.closeAll()
      throw error
    }
    logger.info("listening", metadata: ["sockets": "\(configuration.socketsDirectory)"])
    onReady()
    await withGracefulShutdownHandler {
      for await _ in reloads { await reload(dispatcher, listeners) }
    } onGracefulShutdown: {
      self.reloadContinuation.finish()
    }
    logger.info("draining")
    await listeners.closeAll()
    await drain(dispatcher)
    logger.info("stopped")
  }

  private func reload(_ dispatcher: Dispatcher, _ listeners: Listeners) async {
    let policy: AccessPolicy
    do throws(AccessFileError) {
      policy = try accessLoader.load()
    } catch {
      logger.error("\(error.sentence); the old rules stay")
      return
    }
    try? await dispatcher.loop.submit { dispatcher.setPolicy(policy) }.get()
    do {
      try await listeners.open(for: policy)
    } catch {
      logger.error("a declared socket cannot be listened on", metadata: ["why": "\(error)"])
    }
    logger.info("access file read again")
  }

  /// Waits until every connection has had its answers, but not for ever.
  private func drain(_ dispatcher: Dispatcher) async {
    try? await dispatcher.loop.submit { dispatcher.drain() }.get()
    for _ in 0..<(Self.drainSeconds * 50) {
      let count = try? await dispatcher.loop.submit { dispatcher.connections.count }.get()
      if count ?? 0 == 0 { return }
      try? await Task.sleep(for: .milliseconds(20))
    }
    try? await dispatcher.loop.submit { dispatcher.closeAll() }.get()
  }
}
