import EventModel
import Keyring
import Sodium
import Synchronization

/// The keys of the months in which postings expire, for the index's thread, which must not wait for
/// the engine's lock.
final class BucketKeys: Sendable {
  private let keys = Mutex<[Bucket: BucketKey]>([:])

  /// Keeps a secret in a place that can be put into a dictionary.
  private final class BucketKey: Sendable {
    let key: SecretBytes

    init(_ key: consuming SecretBytes) { self.key = key }
  }

  /// Whether the bucket's key is at hand.
  func contains(_ bucket: Bucket) -> Bool { keys.withLock { $0[bucket] != nil } }

  /// A copy of the bucket's key, or nil when it does not exist or was destroyed.
  func copy(of bucket: Bucket) -> SecretBytes? {
    guard let found = keys.withLock({ $0[bucket] }) else { return nil }
    return found.key.copy()
  }

  /// Takes a bucket's key from the keyring.
  func note(_ bucket: Bucket, _ keyring: Keyring) throws(KeyringError) {
    guard let key = try keyring.bucketKey(bucket) else { return }
    let kept = BucketKey(key)
    keys.withLock { $0[bucket] = kept }
  }

  /// Lets go of all that the keyring has no more, and answers them.
  func forget(_ keyring: Keyring) throws(KeyringError) -> Set<Bucket> {
    let known = Set(try keyring.buckets())
    return keys.withLock { keys in
      let gone = Set(keys.keys).subtracting(known)
      for bucket in gone { keys[bucket] = nil }
      return gone
    }
  }

  /// Takes all that the keyring has.
  ///
  /// Months are few: a hundred years are 1,200.
  func load(_ keyring: Keyring) throws(KeyringError) {
    for bucket in try keyring.buckets() { try note(bucket, keyring) }
  }
}
