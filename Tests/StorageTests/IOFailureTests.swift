#if DEBUG
  import EventModel
  import Foundation
  import Storage
  import Testing

  /// Which of LMDB's two descriptors of `data.mdb` is made to fail.
  private enum Broken: String, CaseIterable, Codable, Sendable {
    /// Data pages cannot be written.
    case data
    /// The meta page, opened with O_DSYNC, cannot be written; LMDB then refuses everything.
    case meta
  }

  /// Puts a file that cannot be written in the place of a descriptor of `file`.
  private func breakDescriptor(_ broken: Broken, of file: String) {
    let null = unsafe open("/dev/null", O_RDONLY)
    for descriptor in Int32(3)..<256 {
      let link = try? FileManager.default.destinationOfSymbolicLink(
        atPath: "/proc/self/fd/\(descriptor)")
      guard link == file else { continue }
      let isMeta = fcntl(descriptor, F_GETFL) & O_DSYNC != 0
      if isMeta == (broken == .meta) { dup2(null, descriptor) }
    }
  }

  private func append(_ log: LogTables, _ sequence: UInt64) throws(StorageError) {
    let record = [UInt8](repeating: UInt8(sequence), count: 50)
    try log.append(
      record.span, ranges: [ByteRange(offset: 0, count: 50)], firstSequence: sequence,
      sealedState: [1].span)
  }

  private func isThere(_ log: LogTables, _ sequence: UInt64) throws(StorageError) -> Bool {
    try log.read { (view: borrowing LogView) throws(StorageError) in
      try view.record(sequence) != nil
    }
  }

  @Test(arguments: Broken.allCases)
  private func `a failed write is never acknowledged, and reads go on`(broken: Broken) async {
    await #expect(processExitsWith: .success) { [broken = broken as Broken] in
      let scratch = ScratchDirectory()
      let path = scratch.path + "/data"
      do {
        let log = try LogTables.open(DataDirectory.create(path: path, id: storeID))
        try append(log, 1)
        breakDescriptor(broken, of: path + "/log/data.mdb")
        let error = #expect(throws: StorageError.self) { try append(log, 2) }
        if case .ioFailure = error {} else { Issue.record("not an I/O failure: \(error as Any)") }
        for _ in 0..<3 {
          #expect(throws: StorageError.readOnly) { try append(log, 2) }
          #expect(try isThere(log, 1))
        }
      }
      let log = try LogTables.open(DataDirectory.open(path: path))
      try append(log, try isThere(log, 2) ? 3 : 2)
    }
  }
#endif
