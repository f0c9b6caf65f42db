package import EventModel
package import Storage

/// What a root holder's file looks like from outside; its secrets are not read.
package struct RootInspection: Sendable {
  package let status: FileStatus
  package let medium: RootMedium
  /// What the file says of itself, or nil when it is no root holder.
  package let header: Header?

  /// What a holder's header tells.
  package struct Header: Sendable {
    /// The store that it belongs to.
    package let store: StoreID
    /// How many holders were made together.
    package let count: Int
    /// True when the operator took a weak medium.
    package let isWeakAccepted: Bool
  }

  /// True when the file has a holder's size, and one name.
  package var hasShape: Bool {
    status.isRegular && status.links == 1 && status.size == RootHeader.holderBytes
  }

  /// Opens the file for reading only, takes no lock, and closes it.
  package static func look(at path: String) throws(KeyringError) -> RootInspection {
    let file = try open(path)
    let (status, bytes) = try facts(of: file)
    var header: Header?
    if let found = RootHeader(bytes.span) {
      header = Header(
        store: found.store, count: Int(found.count), isWeakAccepted: found.isWeakAccepted)
    }
    return RootInspection(status: status, medium: try RootMedium(file), header: header)
  }

  private static func open(_ path: String) throws(KeyringError) -> FileDescriptor {
    do throws(StorageError) {
      return try FileDescriptor.open(path: path, isReadOnly: true)
    } catch {
      throw error == .missing ? .rootMissing : .rootUnreadable
    }
  }

  /// What the file is, and the bytes of its header if it is long enough.
  private static func facts(
    of file: borrowing FileDescriptor
  ) throws(KeyringError) -> (FileStatus, [UInt8]) {
    do throws(StorageError) {
      let status = try file.status()
      guard status.isRegular, status.size >= RootHeader.bytesCount else { return (status, []) }
      return (status, try file.bytes(count: RootHeader.bytesCount))
    } catch {
      throw .rootUnreadable
    }
  }
}
