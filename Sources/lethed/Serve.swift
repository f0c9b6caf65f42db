import ArgumentParser
import EventStore
import Logging
import Server
import ServiceLifecycle
import UnixSignals

/// `lethed serve`: the daemon.
struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the daemon on a store.",
    discussion: """
      Listens on query.sock and admin.sock in --sockets, and on the sockets that the access file \
      declares:
        lethed serve --data /var/lib/lethe --root /var/lib/lethe-root/root --sockets /run/lethe \
      --access /etc/lethe/access.json

      Without an access file only the daemon's own user may connect. SIGHUP reads the access file \
      again; SIGTERM answers what was accepted and ends within 5 seconds.
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("The directory for the sockets.", valueName: "dir"))
  var sockets: String?

  @Option(help: ArgumentHelp("The access file (JSON).", valueName: "file"))
  var access: String?

  @Option(help: "A JSON file of settings.")
  var config: String?

  func run() async throws {
    let settings = try await ServeSettings.read(
      options: store, sockets: sockets, access: access, config: config)
    LoggingSystem.bootstrap { _ in StreamLogHandler.standardError(label: "lethed") }
    let logger = Logger(label: "lethed")
    logger.info("starting", metadata: ["version": "\(LetheVersion.text)"])
    let opened: EventStore
    do {
      opened = try EventStore.open(
        path: settings.data, holders: settings.holders, clocks: StoreOptions.clocks,
        isUnattended: true)
    } catch {
      throw Failure(error)
    }
    defer { opened.close() }
    for warning in opened.warnings { logger.warning("\(warning)") }
    let server: Server
    do {
      server = try Server(
        store: opened,
        configuration: ServerConfiguration(
          socketsDirectory: settings.sockets, accessPath: settings.access,
          version: LetheVersion.text),
        logger: logger)
    } catch {
      throw Failure(78, error.sentence)
    }
    try await Self.serve(server, logger)
  }

  private static func serve(_ server: Server, _ logger: Logger) async throws {
    let hangup = Task {
      for await _ in await UnixSignalsSequence(trapping: .sighup) { server.reloadAccess() }
    }
    defer { hangup.cancel() }
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [.init(service: server)],
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    do {
      try await group.run()
    } catch let error as ListenerError {
      throw Failure(69, "a socket cannot be listened on: \(error)")
    }
  }
}
