/// Copies a whole file that nobody writes to meanwhile.
package enum FileCopy {
  /// True when there is something at this path.
  package static func exists(_ path: String) -> Bool { Linux.exists(path) }

  private static let chunkBytes = 1 << 20

  /// Makes `target` with the bytes of `source`, durable when it returns; refuses what exists.
  package static func run(from source: String, to target: String) throws(StorageError) {
    let old = try FileDescriptor.open(path: source, isReadOnly: true)
    let new = try FileDescriptor.create(path: target, size: 0)
    let size = try old.status().size
    var offset = 0
    while offset < size {
      let bytes = try old.bytes(count: min(chunkBytes, size - offset), at: offset)
      try new.write(bytes.span, at: offset)
      offset += bytes.count
    }
    try new.sync()
  }
}
