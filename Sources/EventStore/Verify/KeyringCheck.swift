package import Keyring
import Storage

extension EventStore {
  /// Opens the keyring with its root, for reading, to see that they belong together.
  ///
  /// Throws when one of them is of another store or of another moment.
  /// Only for a store that no daemon runs on: beside one, a rotation could look like a fault.
  package static func checkKeyring(path: String, holders: RootHolders) throws(OpeningError) {
    do {
      let directory = try DataDirectory.open(path: path, isReadOnly: true)
      _ = try Keyring.openReading(
        data: directory, tables: try KeyringTables.open(directory), holders: holders)
    } catch let error as StorageError {
      throw .storage(error)
    } catch let error as KeyringError {
      throw .keyring(error)
    } catch {
      throw .log(.corrupt)
    }
  }
}
