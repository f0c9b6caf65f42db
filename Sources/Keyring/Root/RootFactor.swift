import EventModel
package import Sodium
import Storage
import Synchronization

/// What a holder's root is sealed under, beside lying there; the numbers are part of the format.
package enum RootFactor: UInt8, Sendable, CaseIterable {
  case passphrase = 1
  case keyFile = 2
  /// A file that systemd gives to the service (`LoadCredentialEncrypted=`).
  case credential = 3
}

/// How one slot is sealed: which factor, and what makes a key of it.
struct SlotFactor: Hashable, Sendable {
  /// Nil: the root lies there as it is.
  let kind: RootFactor?
  /// Of Argon2id, for passphrases.
  let passes: UInt8
  let memoryMebibytes: UInt16
  let salt: [UInt8]

  static let none = SlotFactor(kind: nil, passes: 0, memoryMebibytes: 0, salt: [])
  /// A passphrase takes a second or so: RFC 9106 asks for at least 3 passes over 64 MiB.
  private static let passes: UInt8 = 3
  private static let memoryMebibytes: UInt16 = 256
  /// More than that nobody wrote: a file of that sort is not taken at its word.
  static let passesMax = 16
  static let memoryMebibytesMax = 1_024

  static func fresh(_ kind: RootFactor) -> SlotFactor {
    let isSlow = kind == .passphrase
    return SlotFactor(
      kind: kind, passes: isSlow ? passes : 0, memoryMebibytes: isSlow ? memoryMebibytes : 0,
      salt: Random.bytes(PasswordHash.saltBytes))
  }
}

/// The factors that were given at the start, and the keys that they gave; never in the store.
///
/// Making a key of a passphrase is slow on purpose, so it is kept, in locked memory.
package final class RootFactors: Sendable {
  /// A key that was made.
  final class Key: Sendable {
    let bytes: SecretBytes

    fileprivate init(_ bytes: consuming SecretBytes) { self.bytes = bytes }
  }

  private struct State: ~Copyable {
    var passphrase: Key?
    var keyFile: Key?
    var credential: Key?
    var keys: [SlotFactor: Key] = [:]

    func secret(_ kind: RootFactor) -> Key? {
      switch kind {
      case .passphrase: passphrase
      case .keyFile: keyFile
      case .credential: credential
      }
    }
  }

  private static let context = KeyDerivation.Context("LT1.root.factor")
  private let state = Mutex(State())

  package init() {}

  /// The content of a factor; of a passphrase without the end of its line.
  package func set(_ kind: RootFactor, _ secret: consuming SecretBytes) {
    let key = Key(secret)
    state.withLock { state in
      switch kind {
      case .passphrase: state.passphrase = key
      case .keyFile: state.keyFile = key
      case .credential: state.credential = key
      }
    }
  }

  /// The key for a slot; `.factorNeeded` when nobody gave the factor.
  func key(_ factor: SlotFactor) throws(KeyringError) -> Key {
    guard let kind = factor.kind else { throw .corrupt }
    if let known = state.withLock({ $0.keys[factor] }) { return known }
    guard let secret = state.withLock({ $0.secret(kind) }) else { throw .factorNeeded(kind) }
    return try keep(secret, for: factor)
  }

  /// Makes the key of a factor that is not, or not yet, the one that was given.
  func prepare(_ secret: consuming SecretBytes, for factor: SlotFactor) throws(KeyringError) {
    _ = try keep(Key(secret), for: factor)
  }

  private func keep(_ secret: Key, for factor: SlotFactor) throws(KeyringError) -> Key {
    guard let made = Self.derive(secret.bytes, factor) else { throw .factorWrong }
    let key = Key(made)
    state.withLock { $0.keys[factor] = key }
    return key
  }

  private static func derive(
    _ secret: borrowing SecretBytes, _ factor: SlotFactor
  ) -> SecretBytes? {
    guard factor.kind == .passphrase else {
      return KeyDerivation.secret(
        count: 32, key: factor.salt.span, context: context, message: secret.bytes)
    }
    return PasswordHash.key(
      passphrase: secret.bytes, salt: factor.salt.span, passes: Int(factor.passes),
      memoryMebibytes: Int(factor.memoryMebibytes))
  }
}

// Reading factors

extension RootFactors {
  /// The longest factor: key files are random, 32 bytes are enough.
  package static let bytesMax = 1_024

  /// Reads a factor's file, or standard input when `path` is a dash.
  ///
  /// `.factorWrong` when it is empty, too long or open to others, `.rootUnreadable` when it cannot be read.
  package static func read(_ kind: RootFactor, path: String) throws(KeyringError) -> SecretBytes {
    var room = SecretBytes(zeroes: bytesMax + 1)
    var count: Int
    do throws(StorageError) {
      let file =
        path == "-"
        ? try FileDescriptor.standardInput() : try FileDescriptor.open(path: path, isReadOnly: true)
      let status = try file.status()
      guard !status.isRegular || status.mode & 0o077 == 0 else { throw .notPrivate }
      var bytes = room.mutableBytes
      count = try file.readStream(into: &bytes)
    } catch { throw error == .notPrivate ? .factorWrong : .rootUnreadable }
    if kind == .passphrase {
      while count > 0, room.bytes[count - 1] == 10 || room.bytes[count - 1] == 13 { count -= 1 }
    }
    guard count > 0, count <= bytesMax else { throw .factorWrong }
    return SecretBytes(copying: room.bytes.extracting(0..<count))
  }
}
