package import EventModel
import Sodium
package import Storage
import Synchronization

/// A holder on another host, or in another process: it keeps the root's slots and a replica of the
/// keyring, behind a Unix socket that something else forwards.
///
/// The replica is as sealed as the keyring is. It must have a rotation's commit before its old root is
/// overwritten; what is only added follows within a second. After any failure the connection is not used
/// again.
package final class RemoteHolder: RootHolder, Sendable {
  private struct State: ~Copyable {
    var link: HolderLink
    var header: RootHeader
    var isBroken = false
    /// The mark of the replica's top, and the number of commits that it has followed.
    var mark: [UInt8]
    var number: UInt64?
  }

  let path: String
  let medium: RootMedium
  private let state: Mutex<State>

  static let prefix = "unix:"

  /// True when a holder's place is a socket and not a file.
  package static func isSocket(_ path: String) -> Bool { path.hasPrefix(prefix) }

  /// The path of the socket of `unix:PATH`.
  package static func socketPath(_ path: String) -> String { String(path.dropFirst(prefix.count)) }

  private init(
    _ path: String, _ link: consuming HolderLink, _ answer: [UInt8], mark: [UInt8]
  ) throws(KeyringError) {
    guard answer.count == RootHeader.bytesCount + 1,
      let header = RootHeader(answer.span.extracting(0..<RootHeader.bytesCount))
    else { throw .rootUnreadable }
    self.path = path
    // Of another host's devices nothing is known; they are not the data's.
    medium = RootMedium(
      weakness: WeakErasure(number: answer[RootHeader.bytesCount]), device: .max)
    state = Mutex(State(link: link, header: header, mark: mark))
  }

  /// Connects to the socket of `unix:PATH`; nobody else may write to the holder meanwhile.
  static func open(
    path: String, store: StoreID, acceptsWeak: Bool, isReading: Bool
  ) throws(KeyringError) -> RemoteHolder {
    let link = try HolderLink.connect(socketPath(path))
    let flags: UInt8 = (isReading ? 1 : 0) | (acceptsWeak ? 2 : 0)
    let answer = try link.ask(.open, store.bytes + [flags])
    let mark = try link.ask(.mark, [])
    return try RemoteHolder(path, link, answer, mark: mark)
  }

  /// Makes the holder there, with both slots and the replica empty.
  static func create(path: String, header: RootHeader) throws(KeyringError) -> RemoteHolder {
    let link = try HolderLink.connect(socketPath(path))
    let answer = try link.ask(.create, header.bytes)
    return try RemoteHolder(path, link, answer, mark: [])
  }

  var header: RootHeader { state.withLock { $0.header } }

  func slot(epoch: UInt64) throws(KeyringError) -> SecretBytes {
    try state.withLock { (state) throws(KeyringError) -> SecretBytes in
      try Self.using(&state) { (link) throws(KeyringError) -> SecretBytes in
        let parity: [UInt8] = [UInt8(epoch % 2)]
        try link.send(HolderRequest.readSlot.rawValue, parity.span)
        return try link.receiveSlot()
      }
    }
  }

  func write(slot: Span<UInt8>, epoch: UInt64) throws(KeyringError) {
    var message = SecretBytes(zeroes: 1 + slot.count)
    var bytes = message.mutableBytes
    bytes[0] = UInt8(epoch % 2)
    bytes.set(slot, at: 1)
    try send(message)
  }

  private func send(_ message: borrowing SecretBytes) throws(KeyringError) {
    try state.withLock { (state) throws(KeyringError) in
      try Self.using(&state) { (link) throws(KeyringError) in
        try link.send(HolderRequest.writeSlot.rawValue, message.bytes)
        _ = try link.answer()
      }
    }
  }

  func write(header: RootHeader) throws(KeyringError) {
    try state.withLock { (state) throws(KeyringError) in
      try Self.using(&state) { (link) throws(KeyringError) in
        _ = try link.ask(.writeHeader, header.bytes)
      }
      state.header = header
    }
  }

  /// What was found out last: to ask would make the store wait for a network.
  func probe() throws(KeyringError) {
    if state.withLock({ $0.isBroken }) { throw .rootMissing }
  }

  private static func using<Result: ~Copyable>(
    _ state: inout State, _ body: (borrowing HolderLink) throws(KeyringError) -> Result
  ) throws(KeyringError) -> Result {
    guard !state.isBroken else { throw .rootMissing }
    do { return try body(state.link) } catch {
      state.isBroken = true
      throw error
    }
  }
}

// The replica

extension RemoteHolder {
  func takeReplica(of tables: KeyringTables) throws(KeyringError) {
    try state.withLock { (state) throws(KeyringError) in _ = try Self.follow(&state, tables) }
  }

  /// Ships what was committed since the last time, or asks whether the holder is there.
  ///
  /// For a thread that may wait.
  package func tend(_ tables: KeyringTables) {
    try? state.withLock { (state) throws(KeyringError) in
      guard try !Self.follow(&state, tables) else { return }
      try Self.using(&state) { (link) throws(KeyringError) in _ = try link.ask(.probe, []) }
    }
  }

  /// True when something had to be shipped.
  private static func follow(
    _ state: inout State, _ tables: KeyringTables
  ) throws(KeyringError) -> Bool {
    #if DEBUG
      if TestHooks.isVariant("replica-late") { return false }
    #endif
    let mark = state.mark
    if let gap = tables.gap(after: mark, from: state.number) {
      if !gap.chunks.isEmpty {
        try using(&state) { (link) throws(KeyringError) in
          try link.send(HolderRequest.beginChanges.rawValue, mark.span)
          for chunk in gap.chunks {
            try link.send(HolderRequest.changes.rawValue, chunk.span)
          }
          _ = try link.ask(.endChanges, [])
        }
      }
      (state.mark, state.number) = (gap.mark, gap.end)
      return !gap.chunks.isEmpty
    }
    state.mark = try using(&state) { (link) throws(KeyringError) -> [UInt8] in
      try link.send(HolderRequest.beginChanges.rawValue)
      do throws(StorageError) {
        try tables.forEachChunk { (chunk) throws(StorageError) in
          do { try link.send(HolderRequest.changes.rawValue, chunk.span) } catch {
            throw .ioFailure(0)
          }
        }
      } catch { throw .storage(error) }
      _ = try link.ask(.endChanges, [])
      return try link.ask(.mark, [])
    }
    state.number = nil
    // What was committed while everything was shipped.
    guard tables.gap(after: state.mark, from: nil) != nil else { throw .rootUnreadable }
    return try follow(&state, tables) || true
  }

  /// Fills empty tables with the replica of the holder at `unix:PATH`.
  package static func fetchReplica(
    _ path: String, store: StoreID, into tables: KeyringTables
  ) throws(KeyringError) {
    let link = try HolderLink.connect(socketPath(path))
    _ = try link.ask(.open, store.bytes + [3])
    try link.send(HolderRequest.fetch.rawValue)
    do throws(StorageError) {
      try tables.follow(from: nil) { () throws(StorageError) -> [UInt8]? in
        do throws(KeyringError) {
          let (code, count) = try link.receiveHead()
          let chunk = try link.receiveBytes(count)
          guard code != HolderAnswer.done.rawValue else { return nil }
          guard code == HolderAnswer.more.rawValue else { throw .rootUnreadable }
          return chunk
        } catch { throw .ioFailure(0) }
      }
    } catch { throw .storage(error) }
  }
}

extension HolderLink {
  /// Sends a request and takes its answer, which has no root in it.
  func ask(_ request: HolderRequest, _ payload: [UInt8]) throws(KeyringError) -> [UInt8] {
    try send(request.rawValue, payload.span)
    return try answer()
  }

  func answer() throws(KeyringError) -> [UInt8] {
    let (code, count) = try receiveHead()
    let payload = try receiveBytes(count)
    try Self.check(code, payload.first ?? 0)
    return payload
  }

  static func check(_ code: UInt8, _ payload: UInt8) throws(KeyringError) {
    guard let answer = HolderAnswer(rawValue: code) else { throw .rootUnreadable }
    if let failure = answer.failure(payload) { throw failure }
  }
}
