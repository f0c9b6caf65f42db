#if DEBUG
  import Glibc
  import Storage

  // What a root holder must never do, for the test that finds the old roots on the disk; debug builds only.

  extension RootFile {
    /// The broken variant "rename": a new file takes the old one's place, whose bytes stay on the
    /// disk.
    func replaceFile() throws(KeyringError) {
      let bytes: [UInt8]
      do throws(StorageError) { bytes = try file.bytes(count: RootHeader.holderBytes) } catch {
        throw .rootUnreadable
      }
      let next = try Self.createFile(path + ".new")
      do throws(StorageError) {
        try next.write(bytes.span, at: 0)
        try next.sync()
      } catch { throw .rootUnreadable }
      file = next
      guard unsafe Glibc.rename(path + ".new", path) == 0 else { throw .rootUnreadable }
    }
  }
#endif
