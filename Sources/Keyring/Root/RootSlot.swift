import EventModel
import Sodium

/// One of the two places of a root in a holder (Docs/Format.md, section 2).
///
/// ```
/// magic "LTSLOT1\0" | epoch u64 | factor u8 | zero 7 | root 32 | random .. | checksum 32 at 480
/// ```
enum RootSlot {
  static let bytesCount = 512
  static let rootBytes = 32
  private static let magic = Array("LTSLOT1\0".utf8)
  private static let checksumAt = 480
  private static let rootAt = 24
  private static let checksumContext = KeyDerivation.Context("LT1.root.sum")

  /// Where the slot of an epoch begins: even ones in A, odd ones in B.
  static func offset(epoch: UInt64) -> Int { epoch % 2 == 0 ? 4_096 : 8_192 }

  static func encode(epoch: UInt64, root: Span<UInt8>) -> SecretBytes {
    precondition(root.count == rootBytes, "a root has 32 bytes")
    var slot = SecretBytes.random(count: bytesCount)
    var bytes = slot.mutableBytes
    bytes.set(magic.span, at: 0)
    bytes.setBigEndian(epoch, at: 8, bytes: 8)
    bytes.setBigEndian(0, at: 16, bytes: 8)
    bytes.set(root, at: rootAt)
    let checksum = checksum(of: slot.bytes)
    bytes = slot.mutableBytes
    bytes.set(checksum.span, at: checksumAt)
    return slot
  }

  /// The epoch and the root's place, or nil when the slot is empty, torn or erased.
  static func decode(_ slot: Span<UInt8>) -> (epoch: UInt64, root: Range<Int>)? {
    guard slot.count == bytesCount, magic.indices.allSatisfy({ slot[$0] == magic[$0] }),
      slot.bigEndian(at: 16, bytes: 8) == 0
    else { return nil }
    let checksum = checksum(of: slot)
    guard (0..<32).allSatisfy({ slot[checksumAt + $0] == checksum[$0] }) else { return nil }
    return (slot.bigEndian(at: 8, bytes: 8), rootAt..<(rootAt + rootBytes))
  }

  // Sealed slots:
  // magic | epoch | factor u8 | passes u8 | memory MiB u16 | zero 4 | salt 16 | sealed root 98 | random ..
  private static let saltAt = 24
  private static let sealedAt = 40
  private static let sealedBytes = rootBytes + SealedMessage.overheadBytes
  private static let sealContext = KeyDerivation.Context("LT1.root.slot")

  /// The slot's place: a sealed root moved into another holder or epoch does not open.
  static func label(_ header: RootHeader, epoch: UInt64) -> [UInt8] {
    header.store.bytes + [header.index] + epoch.bigEndianBytes
  }

  /// The same as ``encode(epoch:root:)`` with the root sealed under a factor's key.
  static func seal(
    epoch: UInt64, root: Span<UInt8>, _ factor: SlotFactor, key: borrowing SecretBytes,
    label: [UInt8]
  ) -> SecretBytes {
    let sealed = SealedMessage.seal(
      root, key: key.bytes, context: sealContext, label: label.span, nonce: Random.bytes(16).span)
    var slot = SecretBytes.random(count: bytesCount)
    var bytes = slot.mutableBytes
    bytes.set(magic.span, at: 0)
    bytes.setBigEndian(epoch, at: 8, bytes: 8)
    bytes[16] = factor.kind?.rawValue ?? 0
    bytes[17] = factor.passes
    bytes.setBigEndian(UInt64(factor.memoryMebibytes), at: 18, bytes: 2)
    bytes.setBigEndian(0, at: 20, bytes: 4)
    bytes.set(factor.salt.span, at: saltAt)
    bytes.set(sealed.span, at: sealedAt)
    let checksum = checksum(of: slot.bytes)
    bytes = slot.mutableBytes
    bytes.set(checksum.span, at: checksumAt)
    return slot
  }

  /// The epoch of a slot and what its root is sealed under, or nil when it is empty, torn or erased.
  static func look(_ slot: Span<UInt8>) -> (epoch: UInt64, factor: SlotFactor)? {
    if let plain = decode(slot) { return (plain.epoch, .none) }
    guard slot.count == bytesCount, magic.indices.allSatisfy({ slot[$0] == magic[$0] }),
      let kind = RootFactor(rawValue: slot[16]), slot.bigEndian(at: 20, bytes: 4) == 0
    else { return nil }
    let checksum = checksum(of: slot)
    guard (0..<32).allSatisfy({ slot[checksumAt + $0] == checksum[$0] }) else { return nil }
    let factor = SlotFactor(
      kind: kind, passes: slot[17], memoryMebibytes: UInt16(slot.bigEndian(at: 18, bytes: 2)),
      salt: slot.extracting(saltAt..<(saltAt + PasswordHash.saltBytes)).array)
    guard Int(factor.passes) <= SlotFactor.passesMax,
      Int(factor.memoryMebibytes) <= SlotFactor.memoryMebibytesMax
    else { return nil }
    return (slot.bigEndian(at: 8, bytes: 8), factor)
  }

  /// The root of a sealed slot, or nil when the key is another.
  static func open(
    _ slot: borrowing SecretBytes, key: borrowing SecretBytes, label: [UInt8]
  ) -> SecretBytes? {
    SealedMessage.open(
      slot.bytes.extracting(sealedAt..<(sealedAt + sealedBytes)), key: key.bytes,
      context: sealContext, label: label.span)
  }

  /// Of a slot or of a holder's header: the 480 bytes before it.
  static func checksum(of bytes: Span<UInt8>) -> [UInt8] {
    KeyDerivation.checksum(
      count: 32, context: checksumContext, message: bytes.extracting(0..<checksumAt))
  }
}

/// The first 512 bytes of a root holder.
struct RootHeader: Equatable {
  static let bytesCount = 512
  /// A holder: header, slot A, slot B, anchor, at 4,096 bytes each.
  static let holderBytes = 16_384
  private static let magic = Array("LTROOT1\0".utf8)

  let store: StoreID
  /// Its number in the store's table of holders, from 0; never given twice.
  let index: UInt8
  /// How many holders there were when this was written: a hint, the table in the top node decides.
  var count: UInt8
  var isWeakAccepted: Bool
  let createdMilliseconds: Int64

  init(
    store: StoreID, index: UInt8, count: UInt8, isWeakAccepted: Bool, createdMilliseconds: Int64
  ) {
    self.store = store
    self.index = index
    self.count = count
    self.isWeakAccepted = isWeakAccepted
    self.createdMilliseconds = createdMilliseconds
  }

  /// Nil when the bytes are not a holder's header.
  init?(_ bytes: Span<UInt8>) {
    guard bytes.count == Self.bytesCount,
      Self.magic.indices.allSatisfy({ bytes[$0] == Self.magic[$0] }),
      let store = StoreID(bytes: bytes.extracting(8..<24).array)
    else { return nil }
    let checksum = RootSlot.checksum(of: bytes)
    guard (0..<32).allSatisfy({ bytes[480 + $0] == checksum[$0] }) else { return nil }
    self.init(
      store: store, index: bytes[24], count: bytes[25], isWeakAccepted: bytes[26] & 1 != 0,
      createdMilliseconds: Int64(bitPattern: bytes.bigEndian(at: 32, bytes: 8)))
    guard count > 0 else { return nil }
  }

  var bytes: [UInt8] {
    var bytes = Self.magic + store.bytes
    bytes.append(contentsOf: [index, count, isWeakAccepted ? 1 : 0, 0, 0, 0, 0, 0])
    bytes.appendBigEndian(UInt64(bitPattern: createdMilliseconds), bytes: 8)
    bytes.append(contentsOf: repeatElement(0, count: Self.bytesCount - bytes.count))
    let checksum = RootSlot.checksum(of: bytes.span)
    for index in 0..<32 { bytes[480 + index] = checksum[index] }
    return bytes
  }
}
