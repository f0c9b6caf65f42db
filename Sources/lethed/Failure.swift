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
