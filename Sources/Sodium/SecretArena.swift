import CSodium
import Synchronization

/// Where secrets live: slabs of locked, guarded, undumpable memory, cut into equal cells.
///
/// One `sodium_malloc` per key costs 16 µs and three pages; a slab costs that once per 256 KiB.
/// Cells are wiped when they are given back. Slabs are never returned to the system.
package enum SecretArena {
  /// Bytes in a slab.
  static let slabBytes = 1 << 18
  /// The most that all slabs together may take; reaching it is a programmer's error (a leak).
  static let bytesMax = 1 << 28
  /// Cell sizes are the powers of two from 32 to 8,192 bytes.
  static let smallestShift = 5
  static let classCount = 9

  /// The largest secret in bytes.
  package static let secretBytesMax = 1 << (smallestShift + classCount - 1)

  @safe
  struct Cells: @unchecked Sendable {
    var free: [[UnsafeMutableRawPointer]] = unsafe Array(repeating: [], count: classCount)
    var bytes = 0
    var areAllLocked = true
  }

  private static let cells = Mutex(Cells())

  /// False when the system refused to lock some of the memory (RLIMIT_MEMLOCK): keys may be swapped.
  package static var isLocked: Bool { cells.withLock { $0.areAllLocked } }

  /// Bytes of all slabs.
  package static var totalBytes: Int { cells.withLock { $0.bytes } }

  static func sizeClass(_ count: Int) -> Int {
    precondition(count <= secretBytesMax, "a secret is larger than a cell")
    let smallest = 1 << smallestShift
    guard count > smallest else { return 0 }
    return Int.bitWidth - (count - 1).leadingZeroBitCount - smallestShift
  }

  static func take(_ sizeClass: Int) -> UnsafeMutableRawPointer {
    unsafe cells.withLock { cells in
      if unsafe cells.free[sizeClass].isEmpty { grow(&cells, sizeClass) }
      return unsafe cells.free[sizeClass].removeLast()
    }
  }

  static func give(_ cell: UnsafeMutableRawPointer, _ sizeClass: Int) {
    unsafe sodium_memzero(cell, 1 << (smallestShift + sizeClass))
    cells.withLock { unsafe $0.free[sizeClass].append(cell) }
  }

  private static func grow(_ cells: inout Cells, _ sizeClass: Int) {
    precondition(SodiumLibrary.isReady, "libsodium could not start")
    precondition(cells.bytes + slabBytes <= bytesMax, "secrets leak: the arena is full")
    guard let slab = unsafe sodium_malloc(slabBytes) else {
      preconditionFailure("no memory for secrets")
    }
    // sodium_malloc locks too but does not say whether it could.
    if unsafe sodium_mlock(slab, slabBytes) != 0 { cells.areAllLocked = false }
    unsafe sodium_memzero(slab, slabBytes)
    let cellBytes = 1 << (smallestShift + sizeClass)
    for offset in stride(from: 0, to: slabBytes, by: cellBytes) {
      unsafe cells.free[sizeClass].append(slab + offset)
    }
    cells.bytes += slabBytes
  }
}
