import CLinux
import EventModel
import Sodium
package import Storage

/// `lethed holder`: keeps one store's root and a replica of its keyring for a daemon elsewhere.
///
/// ```
/// DIR/root       a root holder like any other, written in place
/// DIR/replica    as a backup, with the keyring only
/// ```
/// It has no key of its own and opens nothing. One thread does one request at a time; whoever may
/// connect (this user and root) is trusted with the root. A crash leaves a slot before or after a write,
/// and the replica before or after a commit.
package final class HolderServer {
  private static let connectionsMax = 32
  /// A daemon asks every second; one that is silent for so long may be replaced by another.
  private static let silenceNanoseconds: UInt64 = 10_000_000_000

  private final class Connection {
    let link: HolderLink
    var isOpen = false
    var isLooking = true
    var heard = linux_monotonic_nanoseconds()

    init(_ link: consuming HolderLink) { self.link = link }
  }

  private let directory: String
  private var root: RootFile?
  private var replica: (directory: DataDirectory, tables: KeyringTables)?
  private var connections: [Connection] = []
  /// The one that may write.
  private var writer: Connection?

  /// Opens what the directory has, which may be nothing yet.
  package init(directory: String) throws(KeyringError) {
    self.directory = directory
    do throws(StorageError) { try DataDirectory.makePrivate(directory) } catch {
      throw .storage(error)
    }
    let path = directory + "/root"
    let inspection: RootInspection
    do { inspection = try RootInspection.look(at: path) } catch {
      guard error == .rootMissing else { throw error }
      return
    }
    guard let store = inspection.header?.store else { throw .rootUnreadable }
    root = try RootFile.open(path: path, store: store, acceptsWeak: true, isReading: false)
    replica = try Self.openReplica(directory, store)
  }

  private static func openReplica(
    _ directory: String, _ store: StoreID
  ) throws(KeyringError) -> (DataDirectory, KeyringTables) {
    do throws(StorageError) {
      let opened = try DataDirectory.openBackup(path: directory + "/replica", of: store)
      return (opened, try KeyringTables.open(opened))
    } catch { throw .storage(error) }
  }

  /// Answers requests until the process ends.
  package func run(socket path: String) throws(StorageError) -> Never {
    let listener = try LocalSocket.listen(path: path)
    while true {
      let numbers = [listener.number] + connections.map { $0.link.number }
      guard let index = LocalSocket.waitReadable(numbers) else { continue }
      guard index > 0 else {
        accept(listener)
        continue
      }
      let connection = connections[index - 1]
      do { try serve(connection) } catch { drop(connection) }
    }
  }

  private func accept(_ listener: borrowing LocalSocket) {
    do throws(StorageError) {
      let socket = try listener.accept(timeoutMilliseconds: HolderLink.timeoutMilliseconds)
      guard socket.isOfOwnUser, connections.count < Self.connectionsMax else { return }
      connections.append(Connection(HolderLink(socket)))
    } catch {}
  }

  private func drop(_ connection: Connection) {
    connections.removeAll { $0 === connection }
    if writer === connection { writer = nil }
  }

  /// One request and its answer; what it throws ends the connection.
  private func serve(_ connection: Connection) throws(KeyringError) {
    let (code, count) = try connection.link.receiveHead()
    connection.heard = linux_monotonic_nanoseconds()
    guard let request = HolderRequest(rawValue: code) else {
      return try connection.link.send(HolderAnswer.notUnderstood.rawValue)
    }
    if request == .writeSlot {
      let message = try connection.link.receiveSecret(count, most: 1 + RootSlot.bytesCount)
      return try answer(connection) { () throws(KeyringError) in
        try writeSlot(message, connection)
        return []
      }
    }
    let payload = try connection.link.receiveBytes(count)
    switch request {
    case .readSlot: try readSlot(payload, connection)
    case .fetch: try fetch(connection)
    case .beginChanges: try takeChanges(payload, connection)
    default:
      try answer(connection) { () throws(KeyringError) in
        try perform(request, payload, connection)
      }
    }
  }

  private func answer(
    _ connection: Connection, _ body: () throws(KeyringError) -> [UInt8]
  ) throws(KeyringError) {
    let payload: [UInt8]
    do { payload = try body() } catch {
      var detail: [UInt8] = []
      if case .weakMedium(let weakness) = error { detail = [weakness.number] }
      return try connection.link.send(HolderAnswer(error).rawValue, detail.span)
    }
    try connection.link.send(HolderAnswer.done.rawValue, payload.span)
  }

  private func perform(
    _ request: HolderRequest, _ payload: [UInt8], _ connection: Connection
  ) throws(KeyringError) -> [UInt8] {
    switch request {
    case .open: return try open(payload, connection)
    case .create: return try create(payload, connection)
    case .writeHeader:
      guard let header = RootHeader(payload.span) else { throw .rootUnreadable }
      try file(connection, isWriting: true).write(header: header)
      return []
    case .mark:
      _ = try file(connection)
      do throws(StorageError) { return try replica?.tables.mark ?? [] } catch {
        throw .storage(error)
      }
    default:
      try file(connection).probe()
      return []
    }
  }
}

// Requests

extension HolderServer {
  private func file(
    _ connection: Connection, isWriting: Bool = false
  ) throws(KeyringError) -> RootFile {
    guard let root else { throw .rootMissing }
    guard connection.isOpen, !isWriting || writer === connection else { throw .holderBusy }
    return root
  }

  private func open(
    _ payload: [UInt8], _ connection: Connection
  ) throws(KeyringError) -> [UInt8] {
    guard payload.count == 17 else { throw .rootUnreadable }
    guard let root else { throw .rootMissing }
    guard root.header.store.bytes == Array(payload[..<16]) else { throw .rootOfAnotherStore }
    if let weakness = root.medium.weakness, !root.header.isWeakAccepted, payload[16] & 2 == 0 {
      throw .weakMedium(weakness)
    }
    if payload[16] & 1 == 0 { try takeOver(connection) }
    connection.isOpen = true
    return root.header.bytes + [root.medium.weakness?.number ?? 0]
  }

  private func takeOver(_ connection: Connection) throws(KeyringError) {
    if let writer, writer !== connection,
      connection.heard - min(writer.heard, connection.heard) < Self.silenceNanoseconds
    {
      throw .holderBusy
    }
    writer = connection
  }

  private func create(
    _ payload: [UInt8], _ connection: Connection
  ) throws(KeyringError) -> [UInt8] {
    guard root == nil else { throw .rootExists }
    guard let header = RootHeader(payload.span) else { throw .rootUnreadable }
    replica = try Self.openReplica(directory, header.store)
    let made = try RootFile.create(path: directory + "/root", header: header)
    root = made
    writer = connection
    connection.isOpen = true
    return header.bytes + [made.medium.weakness?.number ?? 0]
  }

  private func readSlot(_ payload: [UInt8], _ connection: Connection) throws(KeyringError) {
    guard payload.count == 1, let root, connection.isOpen else {
      return try connection.link.send(HolderAnswer.rootMissing.rawValue)
    }
    let slot: SecretBytes
    do { slot = try root.slot(epoch: UInt64(payload[0])) } catch {
      return try connection.link.send(HolderAnswer(error).rawValue)
    }
    try connection.link.send(HolderAnswer.done.rawValue, slot.bytes)
  }

  private func writeSlot(
    _ message: borrowing SecretBytes, _ connection: Connection
  ) throws(KeyringError) {
    guard message.count == 1 + RootSlot.bytesCount else { throw .rootUnreadable }
    let root = try file(connection, isWriting: true)
    TestHooks.crashPoint("holder.slot.before")
    try root.write(
      slot: message.bytes.extracting(1..<message.count), epoch: UInt64(message.bytes[0]))
    TestHooks.crashPoint("holder.slot.after")
  }

  /// Takes the chunks that follow, in one commit; a connection that ends before leaves nothing.
  private func takeChanges(_ base: [UInt8], _ connection: Connection) throws(KeyringError) {
    guard let replica, writer === connection else { throw .holderBusy }
    let link = connection
    try answer(connection) { () throws(KeyringError) in
      do throws(StorageError) {
        try replica.tables.follow(from: base.isEmpty ? nil : base) {
          () throws(StorageError) -> [UInt8]? in
          do throws(KeyringError) {
            let (code, count) = try link.link.receiveHead()
            let chunk = try link.link.receiveBytes(count)
            switch HolderRequest(rawValue: code) {
            case .changes: return chunk
            case .endChanges: return nil
            default: throw .rootUnreadable
            }
          } catch { throw .corrupt }
        }
      } catch { throw .storage(error) }
      return []
    }
  }

  private func fetch(_ connection: Connection) throws(KeyringError) {
    guard let replica, connection.isOpen else { throw .rootMissing }
    do throws(StorageError) {
      try replica.tables.forEachChunk { (chunk) throws(StorageError) in
        do { try connection.link.send(HolderAnswer.more.rawValue, chunk.span) } catch {
          throw .ioFailure(0)
        }
      }
    } catch { throw .storage(error) }
    try connection.link.send(HolderAnswer.done.rawValue)
  }
}
