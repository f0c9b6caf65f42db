import EventStore
import Keyring
import Storage

/// Why the program ends: one plain sentence and an exit code of its own (Docs/Operations.md).
struct Failure: Error {
  let sentence: String
  let exitCode: Int32

  init(_ exitCode: Int32, _ sentence: String) {
    self.exitCode = exitCode
    self.sentence = sentence
  }

  /// What an opening error means to the operator.
  init(_ error: OpeningError) {
    switch error {
    case .storage(let error): self.init(error)
    case .keyring(let error): self.init(error)
    case .page(let fault, let file):
      self.init(65, "\(file)/data.mdb is damaged, \(fault.text). It was not opened.")
    case .log(.rolledBack):
      self.init(
        85,
        "the events need newer keys than this keyring has: an older keyring was put back. "
          + "Nothing was changed; bring the newest keyring.")
    case .log:
      self.init(
        65, "the log is damaged: a record is not what was written. Nothing was changed.")
    }
  }

  init(_ error: KeyringError) {
    switch error {
    case .storage(let error): self.init(error)
    case .rootMissing:
      self.init(80, "the root is missing: no holder has one. A root is never made over a store.")
    case .rootUnreadable:
      self.init(
        81, "a root holder cannot be read: wrong owner, mode (it must be 0600), size or checksum")
    case .rootOfAnotherStore: self.init(84, "a root holder belongs to another store")
    case .rootHolderSetWrong:
      self.init(
        64,
        "name every root holder that the store has, once, also one that is missing: "
          + "`lethed root status` tells them; `lethed root remove` ends one")
    case .holdersUnavailable:
      self.init(80, "no root holder takes a new root. Nothing was destroyed.")
    case .factorNeeded(let factor):
      self.init(88, "the root is sealed: give its \(factor.option)")
    case .factorWrong:
      self.init(
        88, "the factor does not open the root, or is empty, too long or open to others (0600)")
    case .tooManyHolders: self.init(64, "a store has at most four root holders")
    case .lastHolder:
      self.init(64, "this holder cannot go: no other holder that is there has the root")
    case .rootExists: self.init(73, "there is a root holder already; it is never overwritten")
    case .storageExists: self.init(73, "there is a keyring already; it is never overwritten")
    case .storageMissing: self.init(66, "there is a root but no keyring: bring the newest keyring")
    case .storageRolledBack(let storage, let root):
      self.init(
        82,
        "the storage is older than the root (epochs \(storage) and \(root)): it would bring back "
          + "what was erased since. Bring the newest data directory.")
    case .rootRolledBack(let storage, let root):
      self.init(
        83,
        "the root is older than the storage (epochs \(root) and \(storage)). Bring today's root.")
    case .weakMedium(let reason):
      self.init(
        87,
        "the root's medium cannot erase (\(reason)). Choose another, or say "
          + "--accept-weak-erasure: then every receipt says class E0.")
    case .holderBusy: self.init(75, "another daemon has a root holder open")
    case .erasureUnconfirmed:
      self.init(74, "an old root may still be in a holder; the holder cannot be written")
    case .slotBeyondEnd: self.init(85, "the keyring is older than the events need")
    case .corrupt, .unknownTenant, .tenantExists, .tooManyTenants, .unknownClass, .tooManyClasses,
      .tenantFull:
      self.init(65, "a node of the keyring is damaged. Nothing was changed.")
    }
  }

  init(_ error: StorageError) {
    switch error {
    case .noSpace: self.init(74, "no space left on the data device")
    case .ioFailure(let code): self.init(74, "the data device failed with errno \(code)")
    case .readOnly: self.init(74, "the store has stopped writing after an I/O failure")
    case .corrupt: self.init(65, "a file of the data directory is damaged")
    case .busy(let pid):
      let who = pid.map { " (process \($0))" } ?? ""
      self.init(75, "another daemon has this data directory\(who)")
    case .missing:
      self.init(66, "there is no store in the data directory; `lethed init` makes one")
    case .unknownFormat:
      self.init(86, "the data directory is of a format that this version does not know")
    case .otherKind:
      self.init(
        86,
        "a backup is not a store and a store not a backup: `lethed restore` makes a store of one")
    case .otherStore: self.init(84, "the backup belongs to another store")
    case .otherLineage:
      self.init(
        73,
        "the backup has events that this store does not have: the store was restored or put back "
          + "since. Begin a new backup in another directory.")
    case .notPrivate:
      self.init(
        77,
        "the data directory or a file in it is open to others or belongs to somebody else: "
          + "it must be the daemon's own, mode 0700")
    case .exists:
      self.init(73, "the data directory is not empty; a store is never made over another")
    }
  }
}

extension RootFactor {
  /// How it is given on the command line.
  var option: String {
    switch self {
    case .passphrase: "passphrase with --passphrase-file"
    case .keyFile: "key file with --key-file"
    case .credential: "credential with --credential"
    }
  }
}
