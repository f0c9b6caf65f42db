import EventModel
import Glibc

/// What libFuzzer calls for every input: one decoder, chosen by `LETHE_FUZZ_TARGET`.
///
/// A target returns for anything that it is given. What it finds wrong it says by a trap: an answer
/// that is out of bounds, or one that differs from what the same bytes give on another way.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  // A heap block of exactly the input's size, so that the sanitizer sees a step over its end.
  let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  chosen(input)
  return 0
}

/// The program's start, under the name that SwiftPM gives to it; hands over to libFuzzer.
@_cdecl("lethe_fuzz_main")
public func fuzzMain(
  _ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> Int32 {
  var count = count
  var arguments = unsafe arguments
  return unsafe runDriver(&count, &arguments, fuzzOneInput)
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

private let targets: [String: @Sendable ([UInt8]) -> Void] = [
  "requests": fuzzRequests,
  "commands": fuzzCommands,
  "access": fuzzAccess,
  "records": fuzzRecords,
  "cursors": fuzzCursors,
  "nodes": fuzzNodes,
  "replies": fuzzReplies,
  "json": fuzzJSON,
  "planted-overrun": plantedOverrun,
  "planted-hang": plantedHang,
  "planted-leak": plantedLeak,
  "planted-memory": plantedMemory,
]

private let chosen: @Sendable ([UInt8]) -> Void = {
  guard let name = unsafe getenv("LETHE_FUZZ_TARGET"),
    let target = unsafe targets[String(cString: name)]
  else {
    print("LETHE_FUZZ_TARGET must be one of \(targets.keys.sorted())")
    exit(64)
  }
  return target
}()

/// Takes values off the front of an input that steers a decoder as well as feeding it.
struct Input {
  private(set) var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  /// The next byte; zero when there is none.
  mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

  /// The next `count` bytes, zeroes where they are missing.
  mutating func bytes(_ count: Int) -> [UInt8] {
    let taken = Array(rest.prefix(count))
    rest = rest.dropFirst(count)
    return taken + Array(repeating: 0, count: count - taken.count)
  }

  /// Whatever is left.
  var remaining: [UInt8] { Array(rest) }
}
