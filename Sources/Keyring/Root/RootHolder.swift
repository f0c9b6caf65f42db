import EventModel
import Sodium
import Storage

/// One keeper of the root: a header and two slots, of which the newest epochs' parity chooses one.
///
/// Every write is durable and was read back when it returns; after an error nobody knows what is in
/// the slot, and the holder counts as missing until it was opened and written again.
protocol RootHolder: AnyObject {
  var header: RootHeader { get }
  var medium: RootMedium { get }

  /// The slot in which an epoch's root lies or would lie.
  func slot(epoch: UInt64) throws(KeyringError) -> SecretBytes
  func write(slot: Span<UInt8>, epoch: UInt64) throws(KeyringError)
  func write(header: RootHeader) throws(KeyringError)
  /// Throws when the holder is not where it was.
  func probe() throws(KeyringError)
  /// Brings the replica that it keeps, if any, up to the last commit.
  func takeReplica(of tables: KeyringTables) throws(KeyringError)
}

extension RootHolder {
  func takeReplica(of tables: KeyringTables) throws(KeyringError) {}

  /// The root of an epoch as the holder has it, or nil when it has none for it.
  func root(epoch: UInt64, _ factors: RootFactors) throws(KeyringError) -> SecretBytes? {
    let slot = try slot(epoch: epoch)
    guard let found = RootSlot.look(slot.bytes), found.epoch == epoch else { return nil }
    guard found.factor.kind != nil else {
      guard let plain = RootSlot.decode(slot.bytes) else { return nil }
      return SecretBytes(copying: slot.bytes.extracting(plain.root))
    }
    let key = try factors.key(found.factor)
    guard
      let root = RootSlot.open(
        slot, key: key.bytes, label: RootSlot.label(header, epoch: epoch))
    else { throw .factorWrong }
    return root
  }

  /// The epochs of the slots that hold a root, and what it is sealed under.
  func contents() throws(KeyringError) -> [(epoch: UInt64, factor: SlotFactor)] {
    var contents: [(epoch: UInt64, factor: SlotFactor)] = []
    for parity: UInt64 in 0...1 {
      let slot = try slot(epoch: parity)
      if let found = RootSlot.look(slot.bytes) { contents.append(found) }
    }
    return contents
  }

  /// The epochs of the slots that hold a root.
  func epochs() throws(KeyringError) -> [UInt64] { try contents().map(\.epoch) }

  /// Writes a root into the slot of its epoch, over whatever was there.
  func stage(
    epoch: UInt64, root: Span<UInt8>, _ factor: SlotFactor, _ factors: RootFactors
  ) throws(KeyringError) {
    TestHooks.crashPoint("root.stage.before")
    #if DEBUG
      if TestHooks.isVariant("rename"), let file = self as? RootFile { try file.replaceFile() }
    #endif
    if factor.kind == nil {
      let slot = RootSlot.encode(epoch: epoch, root: root)
      try write(slot: slot.bytes, epoch: epoch)
    } else {
      let slot = RootSlot.seal(
        epoch: epoch, root: root, factor, key: try factors.key(factor).bytes,
        label: RootSlot.label(header, epoch: epoch))
      try write(slot: slot.bytes, epoch: epoch)
    }
    TestHooks.crashPoint("root.stage.after")
  }

  /// Overwrites the slot of an epoch with randomness, whatever is in it.
  func erase(epoch: UInt64) throws(KeyringError) {
    TestHooks.crashPoint("root.erase.before")
    try write(slot: SecretBytes.random(count: RootSlot.bytesCount).bytes, epoch: epoch)
    TestHooks.crashPoint("root.erase.after")
  }

  /// Notes that the operator took a weak medium.
  func acceptWeakness() throws(KeyringError) {
    var header = header
    header.isWeakAccepted = true
    try write(header: header)
  }
}
