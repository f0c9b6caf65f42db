import NIOCore
import Synchronization

/// Memory of long replies, kept for the next ones.
///
/// Fresh memory costs a page fault for each 4 KiB, which for events of a few hundred bytes is as much
/// as decrypting them. What was in a buffer is overwritten when it comes back, for which nobody else
/// may hold it: overwriting would be a copy.
final class ReplyBuffers: Sendable {
  /// Bytes of one buffer; a larger event gets one of its own.
  static let bufferBytes = 128 << 10
  /// Buffers that are kept: 8 MiB, one longest reply.
  private static let keptMax = 64

  private let kept = Mutex<[ByteBuffer]>([])

  #if DEBUG
    /// Nothing is overwritten: what a test must notice.
    private let isBroken: Bool

    init(isBroken: Bool = false) { self.isBroken = isBroken }
  #endif

  /// An empty buffer with room for at least `count` bytes.
  func take(for count: Int) -> ByteBuffer {
    if count <= Self.bufferBytes, let buffer = kept.withLock({ $0.popLast() }) { return buffer }
    return ByteBufferAllocator().buffer(capacity: max(count, Self.bufferBytes))
  }

  /// Takes a buffer back.
  func give(_ buffer: consuming ByteBuffer) {
    guard buffer.storageCapacity == Self.bufferBytes else { return }
    #if DEBUG
      if !isBroken { buffer.setRepeatingByte(0, count: buffer.writerIndex, at: 0) }
    #else
      buffer.setRepeatingByte(0, count: buffer.writerIndex, at: 0)
    #endif
    buffer.clear()
    let empty = buffer
    kept.withLock { if $0.count < Self.keptMax { $0.append(empty) } }
  }

  /// Takes the buffers of a reply back when `sent` says that they were sent or never will be.
  func give(_ buffers: [ByteBuffer], after sent: EventLoopFuture<Void>) {
    let owned = Owned(buffers)
    let loop = sent.eventLoop
    sent.whenComplete { _ in
      // A write may be done before whoever asked for it has let go of the reply.
      loop.execute { while let buffer = owned.next() { self.give(consume buffer) } }
    }
  }

  /// The only reference to buffers: a second one would make overwriting them a copy.
  private final class Owned: Sendable {
    private let buffers: Mutex<[ByteBuffer]>

    init(_ buffers: [ByteBuffer]) { self.buffers = Mutex(buffers) }

    func next() -> ByteBuffer? { buffers.withLock { $0.popLast() } }
  }
}
