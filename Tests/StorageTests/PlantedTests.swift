import Dispatch
import Glibc
import Synchronization
import Testing

// Mistakes that were planted for Tools/sanitize: a sanitizer that does not report them reports
// nothing else either. They run only when LETHE_PLANTED names them.

@Suite struct PlantedTests {
  private static func isPlanted(_ name: String) -> Bool {
    guard let value = unsafe getenv("LETHE_PLANTED") else { return false }
    return unsafe String(cString: value) == name
  }

  nonisolated(unsafe) fileprivate static var counter = 0

  @Test(.enabled(if: isPlanted("race")))
  func `two threads count without a lock`() {
    // Threads of their own: of a pool, one might do the work of both.
    var threads = [pthread_t](repeating: 0, count: 2)
    for index in threads.indices {
      let status = unsafe pthread_create(
        &threads[index], nil,
        { _ in
          unsafe PlantedTests.counter += 1
          return nil
        }, nil)
      #expect(status == 0)
    }
    for thread in threads { pthread_join(thread, nil) }
  }

  /// Not a mistake: reports of this one would be false (Tools/Sanitize/mutex.c).
  @Test func `threads contend for a mutex`() {
    let numbers = Mutex([0, 0])
    DispatchQueue.concurrentPerform(iterations: 4) { _ in
      for _ in 0..<20_000 { numbers.withLock { $0[1] += 1 } }
    }
    #expect(numbers.withLock { $0[1] } == 80_000)
  }

  @Test(.enabled(if: isPlanted("overrun")))
  func `a read steps over the end of a block`() {
    let bytes = [UInt8](repeating: 1, count: 64)
    let place = bytes.count + Int(bytes[0])
    let read = unsafe bytes.withUnsafeBufferPointer { $0.baseAddress?[place] }
    #expect(read != nil)
  }
}
