import ArgumentParser
import Keyring
import Storage

/// `lethed holder`: keeps a store's root and a replica of its keyring on another host.
struct RunHolder: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "holder",
    abstract: "Keep a store's root and a replica of its keyring on another host.",
    discussion: """
      On the other host, and a tunnel from the store's host to it:
        lethed holder --dir /var/lib/lethe-holder --socket /run/lethe-holder/holder.sock
        ssh -N -L /run/lethe/holder.sock:/run/lethe-holder/holder.sock holder-host

      The store then names it like any other holder:
        lethed root add unix:/run/lethe/holder.sock --data DIR --root FILE
        lethed serve --data DIR --root FILE --root unix:/run/lethe/holder.sock --sockets /run/lethe

      Whoever may connect to the socket has the root: it has mode 0600 and takes this user and root only. \
      Keep the directory on a file system that overwrites in place, outside every backup.
      """)

  @Option(help: ArgumentHelp("Where root and replica lie; made if need be.", valueName: "dir"))
  var dir: String

  @Option(help: ArgumentHelp("The socket to listen on.", valueName: "path"))
  var socket: String

  func run() async throws {
    do {
      let server = try HolderServer(directory: dir)
      try server.run(socket: socket)
    } catch let error as KeyringError {
      throw Failure(error)
    } catch StorageError.busy {
      throw Failure(75, "somebody listens on the socket already")
    } catch let error as StorageError {
      throw Failure(69, "the socket cannot be listened on: \(error)")
    }
  }
}
