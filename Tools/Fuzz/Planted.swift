import EventModel
import Glibc
import RESP
import Synchronization

// Bugs that were planted: each run of Tools/fuzz sees them found before it believes that there is
// nothing else to find. They stand behind a command's syntax, as real ones would.

/// The number in the second argument of a command `GET n`, or nil.
private func number(_ bytes: [UInt8]) -> Int? {
  var input = Input(bytes)
  _ = input.byte()
  let rest = input.remaining
  for command in parseRequests(rest, step: rest.count + 1).commands
  where command.arguments.count == 2 {
    let (name, value) = (command.arguments[0], command.arguments[1])
    guard Word(name.span) == "GET" else { continue }
    if let number = DecimalNumber.parseUnsigned(value.span) { return Int(clamping: number) }
  }
  return nil
}

/// Believes a number that a client sent, and reads beyond the end of its buffer.
func plantedOverrun(_ bytes: [UInt8]) {
  guard let number = number(bytes), number < 4 * bytes.count else { return }
  let read = unsafe bytes.withUnsafeBufferPointer { $0.baseAddress?[number] }
  if read == 0x7F { sink.add(1, ordering: .relaxed) }
}

/// Takes twenty seconds for one number; in many parts, since libFuzzer's alarm ends each sleep.
func plantedHang(_ bytes: [UInt8]) {
  if let number = number(bytes), number > 9 { for _ in 0..<20 { sleep(1) } }
}

/// Forgets a block of memory.
func plantedLeak(_ bytes: [UInt8]) {
  guard let number = number(bytes), number > 9 else { return }
  // The address is kept, but not as one: what nothing points to is lost.
  let address = unsafe UInt(bitPattern: calloc(1, 4_096))
  sink.store(Int(truncatingIfNeeded: ~address), ordering: .relaxed)
}

/// Allocates what a client announced.
func plantedMemory(_ bytes: [UInt8]) {
  guard let number = number(bytes), number > 9 else { return }
  let block = [UInt8](repeating: 1, count: 600 << 20)
  if block[number % block.count] == 0 { sink.add(1, ordering: .relaxed) }
}

/// Keeps what the bugs do from being optimised away.
private let sink = Atomic(0)
