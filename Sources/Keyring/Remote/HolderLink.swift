import EventModel
import Sodium
import Storage

/// What goes between a daemon and a holder behind a socket (Docs/Format.md, section 2.1).
///
/// ```
/// message: payload bytes u32 | code u8 | payload        requests and answers alternate
/// ```
struct HolderLink: ~Copyable, Sendable {
  static let payloadBytesMax = 1 << 20
  /// A holder that does not answer for so long is missing: rotations wait for it.
  static let timeoutMilliseconds: UInt32 = 5_000
  private static let headBytes = 5

  private let socket: LocalSocket

  init(_ socket: consuming LocalSocket) { self.socket = socket }

  static func connect(_ path: String) throws(KeyringError) -> HolderLink {
    do throws(StorageError) {
      return HolderLink(
        try LocalSocket.connect(path: path, timeoutMilliseconds: timeoutMilliseconds))
    } catch { throw error == .missing ? .rootMissing : .rootUnreadable }
  }

  var number: Int32 { socket.number }

  func send(_ code: UInt8, _ payload: Span<UInt8>) throws(KeyringError) {
    var head: [UInt8] = []
    head.appendBigEndian(UInt64(payload.count), bytes: 4)
    head.append(code)
    do throws(StorageError) {
      try socket.send(head.span)
      if payload.count > 0 { try socket.send(payload) }
    } catch { throw .rootUnreadable }
  }

  func send(_ code: UInt8) throws(KeyringError) {
    let nothing: [UInt8] = []
    try send(code, nothing.span)
  }

  /// The code of the next message and how long its payload is, which must be taken then.
  func receiveHead() throws(KeyringError) -> (code: UInt8, count: Int) {
    let head = try receiveBytes(Self.headBytes)
    let count = Int(head.span.bigEndian(at: 0, bytes: 4))
    guard count <= Self.payloadBytesMax else { throw .rootUnreadable }
    return (head[4], count)
  }

  /// A payload that is sealed or public.
  func receiveBytes(_ count: Int) throws(KeyringError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var span = bytes.mutableSpan
    do throws(StorageError) { try socket.receive(into: &span) } catch { throw .rootUnreadable }
    return bytes
  }

  /// The answer that is a slot.
  func receiveSlot() throws(KeyringError) -> SecretBytes {
    let (code, count) = try receiveHead()
    guard code == HolderAnswer.done.rawValue, count == RootSlot.bytesCount else {
      try Self.check(code, try receiveBytes(count).first ?? 0)
      throw .rootUnreadable
    }
    return try receiveSecret(count)
  }

  /// A payload that may have a root.
  func receiveSecret(
    _ count: Int, most: Int = RootSlot.bytesCount
  ) throws(KeyringError) -> SecretBytes {
    guard count <= most else { throw .rootUnreadable }
    var secret = SecretBytes(zeroes: max(1, count))
    guard count > 0 else { return secret }
    var span = secret.mutableBytes
    do throws(StorageError) { try socket.receive(into: &span) } catch { throw .rootUnreadable }
    return secret
  }
}

/// What a daemon asks of a holder.
enum HolderRequest: UInt8 {
  /// `store 16 | flags u8` (bit 0: only to look; bit 1: a weak medium is accepted) -> header 512 | weakness u8.
  case open = 1
  /// `header 512`: makes the holder -> the same.
  case create = 2
  /// `parity u8` -> slot 512.
  case readSlot = 3
  /// `parity u8 | slot 512`; answered when it is durable and was read back.
  case writeSlot = 4
  /// `header 512`.
  case writeHeader = 5
  case probe = 6
  /// -> the mark of the replica's top, or nothing.
  case mark = 7
  /// The mark that the changes follow on; empty: what follows is everything. Not answered.
  case beginChanges = 8
  /// A chunk of changes. Not answered.
  case changes = 9
  /// Answered when all chunks are committed.
  case endChanges = 10
  /// -> the replica in answers ``HolderAnswer/more``, then ``HolderAnswer/done``.
  case fetch = 11
}

/// What a holder answers.
enum HolderAnswer: UInt8 {
  case done = 0
  case rootMissing = 1
  case rootUnreadable = 2
  case rootOfAnotherStore = 3
  case rootExists = 4
  /// The number of the weakness among all.
  case weakMedium = 5
  /// Another daemon has the holder.
  case busy = 6
  /// The replica is not at the commit that the changes follow on.
  case replicaBehind = 7
  case more = 8
  case notUnderstood = 9

  init(_ error: KeyringError) {
    self =
      switch error {
      case .rootMissing: .rootMissing
      case .rootOfAnotherStore: .rootOfAnotherStore
      case .rootExists: .rootExists
      case .weakMedium: .weakMedium
      case .holderBusy: .busy
      case .storage(.otherLineage): .replicaBehind
      default: .rootUnreadable
      }
  }

  /// Nil when it is no failure.
  func failure(_ payload: UInt8) -> KeyringError? {
    switch self {
    case .done, .more: nil
    case .rootMissing: .rootMissing
    case .rootOfAnotherStore: .rootOfAnotherStore
    case .rootExists: .rootExists
    case .weakMedium: .weakMedium(WeakErasure(number: payload) ?? .unknown)
    case .busy: .holderBusy
    case .replicaBehind: .storage(.otherLineage)
    case .rootUnreadable, .notUnderstood: .rootUnreadable
    }
  }
}

extension WeakErasure {
  /// From 1 on; 0 stands for none.
  var number: UInt8 { UInt8((Self.allCases.firstIndex(of: self) ?? 0) + 1) }

  init?(number: UInt8) {
    guard number > 0, Int(number) <= Self.allCases.count else { return nil }
    self = Self.allCases[Int(number) - 1]
  }
}
