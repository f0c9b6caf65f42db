import EventModel
import Sodium

@testable import Keyring

/// The decoders of the key tree behind its seals, and the seals themselves: a node that somebody
/// else's key opens, or that a bug wrote, must be refused or be readable to its end.
func fuzzNodes(_ bytes: [UInt8]) {
  var input = Input(bytes)
  switch input.byte() % 11 {
  case 0: fuzzBitmap(.references, &input)
  case 1: fuzzBitmap(.mapReferences, &input)
  case 2: fuzzBitmap(.keys, &input)
  case 3: fuzzMapLeaf(&input)
  case 4: fuzzTenant(&input, units: 1)
  case 5: fuzzTenant(&input, units: 3)
  case 6: fuzzTop(&input)
  case 7: fuzzRoot(&input)
  case 8: fuzzLedger(&input)
  case 10: fuzzDocument(&input)
  default: fuzzSealed(&input)
  }
}

private func plain(_ input: inout Input, units: Int = 1) -> SecretBytes {
  SecretBytes(copying: input.bytes(units * NodeSealing.unitBytes).span)
}

private func fuzzBitmap(_ shape: BitmapNode.Shape, _ input: inout Input) {
  let steps = input.bytes(8)
  guard var node = BitmapNode(plain(&input), shape) else { return }
  let entry = SecretBytes(copying: [UInt8](repeating: 0xA5, count: shape.width).span)
  for step in steps {
    let child = Int(step & 31)
    let (first, last) = (node.first(after: child), node.last(through: child))
    precondition(first == 32 || node.contains(first))
    precondition(last.map { node.contains($0) } ?? true)
    if node.contains(child) { _ = node.entry(child)[shape.width - 1] }
    if step & 0x20 != 0 {
      node.remove(child)
      precondition(!node.contains(child))
    } else {
      node.set(child, to: entry.bytes)
      precondition(node.contains(child) && entry.isEqual(to: node.entry(child)))
    }
  }
}

private func fuzzMapLeaf(_ input: inout Input) {
  let wanted = MapTag(input.bytes(16).span, at: 0)
  let secret = plain(&input)
  _ = MapLeaf.isLeaf(secret)
  _ = MapLeaf.find(wanted, in: secret)
  guard let items = MapLeaf.decode(secret) else { return }
  let again = MapLeaf.encode(items[...])
  let decoded = MapLeaf.decode(again)
  precondition(
    decoded?.map(\.tag) == items.map(\.tag) && decoded?.map(\.entry) == items.map(\.entry))
  for item in items {
    for level in 0..<MapTag.levels { precondition((0..<32).contains(item.tag.digit(level))) }
  }
}

private func fuzzTenant(_ input: inout Input, units: Int) {
  let periods = input.bytes(8)
  guard var node = TenantNode(plain(&input, units: units)) else { return }
  _ = (node.id, node.name, node.createdMilliseconds, node.generation, node.nextSlot)
  _ = (node.isSuspended, node.dataSecret.count, node.mapKey.count, node.positionSeed.count)
  _ = (node.impersonalKey.count, node.lineage)
  let keys = node.keys
  node.setKeys(keys)
  let map = node.map
  node.setMap(map)
  guard let classes = node.classes else { preconditionFailure("checked, yet unreadable") }
  let period = UInt32(periods.span.bigEndian(at: 0, bytes: 4))
  let upper = UInt32(periods.span.bigEndian(at: 4, bytes: 4))
  for found in classes {
    _ = found.cover.key(for: period)
    _ = found.cover.firstPeriod
    if period < upper, let next = found.cover.puncturing(period..<upper) {
      precondition(next.key(for: period) == nil, "a punctured period can be derived")
    }
  }
  if (try? node.setClasses(classes)) != nil {
    precondition(node.classes?.count == classes.count, "classes that cannot be read again")
  }
  fuzzRetired(node, period)
}

/// What a tenant's node has can be kept for its earlier events, and read again.
private func fuzzRetired(_ node: borrowing TenantNode, _ period: UInt32) {
  guard let keys = try? RetiredKeys(of: node, storedThrough: Int64(period)) else { return }
  guard let again = RetiredKeys(keys.document) else {
    preconditionFailure("keys that cannot be read again")
  }
  precondition(again.covers.count == node.classes?.count && again.isOver == keys.isOver)
}

private func fuzzDocument(_ input: inout Input) {
  let document = Document(copying: input.bytes(Int(input.byte()) * 8).span)
  if let keys = RetiredKeys(document) {
    _ = (keys.isOver, keys.covers.count, keys.positions.height)
  }
  if var history = GenerationHistory(document) {
    history.destroy(1, at: 2)
    precondition(GenerationHistory(history.contents)?.rows == history.rows)
  }
}

private let store = StoreID(bytes: [UInt8](repeating: 7, count: 16))!

private func fuzzTop(_ input: inout Input) {
  let isAdjusted = input.byte() & 1 == 0
  let epoch = input.bytes(8)
  var bytes = input.bytes(NodeSealing.unitBytes)
  if isAdjusted {
    bytes[0] = 1
    bytes.replaceSubrange(1..<17, with: store.bytes)
    bytes.replaceSubrange(25..<33, with: epoch)
  }
  let root = SecretBytes(zeroes: 32)
  let label = NodeSealing.Label(
    store: store, kind: .top, id: .top, version: epoch.span.bigEndian(at: 0, bytes: 8), tenant: 0)
  let value = epoch + NodeSealing.seal(bytes.span, key: root.bytes, label: label)
  precondition(TopNode.epoch(of: value.span) == epoch.span.bigEndian(at: 0, bytes: 8))
  guard let top = TopNode(value: value.span, root: root.bytes, store: store) else {
    precondition(!isAdjusted, "a top that is one was refused")
    return
  }
  _ = (top.version, top.nextTenant, top.nextLedgerIndex)
  let copy = top.copy()
  precondition(copy.epoch == top.epoch)
  var again = top.copy()
  let tenants = top.tenants
  again.setTenants(tenants)
  let buckets = top.buckets
  again.setBuckets(buckets)
  let first = top.plain.bytes.array
  precondition(again.plain.isEqual(to: first.span))
}

private func fuzzRoot(_ input: inout Input) {
  let isAdjusted = input.byte() & 1 == 0
  var bytes = input.bytes(RootSlot.bytesCount)
  if isAdjusted {
    let isSlot = input.byte() & 1 == 0
    bytes.replaceSubrange(0..<8, with: Array((isSlot ? "LTSLOT1\0" : "LTROOT1\0").utf8))
    if isSlot { bytes.replaceSubrange(16..<24, with: [UInt8](repeating: 0, count: 8)) }
    bytes.replaceSubrange(480..<512, with: RootSlot.checksum(of: bytes.span))
    if isSlot { precondition(RootSlot.decode(bytes.span) != nil, "a slot that is one was refused") }
  }
  if let slot = RootSlot.decode(bytes.span) {
    precondition(slot.root.count == RootSlot.rootBytes && slot.root.upperBound <= bytes.count)
  }
  if let header = RootHeader(bytes.span) {
    precondition(RootHeader(header.bytes.span) == header, "a header that reads differently")
  }
  _ = RootSlot.decode(input.remaining.span)
  _ = RootHeader(input.remaining.span)
}

private func fuzzLedger(_ input: inout Input) {
  let bytes = input.bytes(LedgerEntry.plainBytes)
  guard let entry = LedgerEntry(plain: bytes.span) else { return }
  let again = entry.plain
  precondition(LedgerEntry(plain: again.span) == entry, "a ledger entry that reads differently")
}

private func fuzzSealed(_ input: inout Input) {
  let key = SecretBytes(zeroes: 32)
  let label = NodeSealing.Label(
    store: store, kind: .map, id: NodeID(rawValue: 1), version: 1, tenant: 1)
  precondition(NodeSealing.open(input.remaining.span, key: key.bytes, label: label) == nil)
  _ = TopNode(value: input.remaining.span, root: key.bytes, store: store)
  _ = LedgerEntry(input.remaining.span, key: key, store: store, index: 1)
}
