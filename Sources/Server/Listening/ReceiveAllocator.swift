import NIOCore

/// Sizes the buffers that a connection's bytes are received in.
///
/// NIO keeps the first few buffers of a channel for as long as that lives, however large they are; so
/// the first are small and, never being reused, the only ones it keeps. What comes later grows with
/// what the client sends and is given back when its commands have been run: an idle connection holds
/// 1 KiB.
struct ReceiveAllocator: RecvByteBufferAllocator {
  private static let keptBuffers = 4
  private static let keptBytes = 256

  private var adaptive = AdaptiveRecvByteBufferAllocator(
    minimum: 1_024, initial: 4_096, maximum: 65_536)
  private var reads = 0

  func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
    if reads < Self.keptBuffers { return allocator.buffer(capacity: Self.keptBytes) }
    return adaptive.buffer(allocator: allocator)
  }

  /// No hint: with one, NIO would reuse the buffers that it keeps, and make them larger.
  func nextBufferSize() -> Int? { nil }

  /// True, so that NIO asks for a buffer each time.
  mutating func record(actualReadBytes: Int) -> Bool {
    if reads < Self.keptBuffers {
      reads += 1
    } else {
      _ = adaptive.record(actualReadBytes: actualReadBytes)
    }
    return true
  }
}
