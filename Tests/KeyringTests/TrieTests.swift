import EventModel
import Sodium
import Storage
import Testing

@testable import Keyring

/// Both tries against dictionaries, with random operations.
@Suite struct TrieTests {
  /// Numbers of every size, so that tries of every height are made.
  private func number(_ random: inout SeededGenerator) -> UInt64 {
    UInt64.random(in: 1..<(1 << UInt64.random(in: 1...40, using: &random)), using: &random)
  }

  @Test func `a key array holds what a dictionary holds`() throws {
    var random = SeededGenerator.forTest()
    let store = try TestStore(creates: false)
    let array = KeyArray.keys(of: 7)
    var root = TrieRoot()
    var model: [UInt64: UInt8] = [:]
    for round in 0..<60 {
      let isRemoval = round % 3 == 2
      var wanted: Set<UInt64> = []
      for _ in 0..<Int.random(in: 1...40, using: &random) {
        if isRemoval, let known = model.keys.sorted().randomElement(using: &random) {
          wanted.insert(known)
        } else {
          wanted.insert(number(&random))
        }
      }
      let value = UInt8.random(in: 1...255, using: &random)
      var writer = NodeWriter(
        store: store.data.id, mode: isRemoval ? .withFreshKeys : .keepingKeys)
      try store.tables.write { (transaction) throws(KeyringError) in
        try array.edit(&root, wanted.sorted()[...], &writer, in: &transaction) {
          leaf, child, _, _, _ in
          if isRemoval { return leaf.remove(child) }
          let entry = [UInt8](repeating: value, count: KeyLeafEntry.bytesCount)
          leaf.set(child, to: entry.span)
        }
      }
      for number in wanted { model[number] = isRemoval ? nil : value }
      try compare(array, root, model, store, probe: number(&random))
    }
    #expect(!model.isEmpty)
  }

  private func compare(
    _ array: KeyArray, _ root: borrowing TrieRoot, _ model: [UInt64: UInt8], _ store: TestStore,
    probe: UInt64
  ) throws {
    let reader = NodeReader(store: store.data.id)
    var found: [UInt64: UInt8] = [:]
    var order: [UInt64] = []
    try store.tables.read { (view) throws(KeyringError) in
      try array.forEach(root, reader, in: view) { number, entry in
        found[number] = entry[0]
        order.append(number)
      }
    }
    #expect(found == model)
    #expect(order == order.sorted())
    for number in [probe] + model.keys.prefix(5) {
      var value: UInt8?
      try store.tables.read { (view) throws(KeyringError) in
        if let entry = try array.entry(number, root, reader, in: view) { value = entry.bytes[0] }
      }
      #expect(value == model[number])
    }
  }

  /// Tags that share long prefixes, so that the map grows deep.
  private func clusteredTag(_ random: inout SeededGenerator) -> Tag128 {
    let shared = UInt64.random(in: 0..<60, using: &random)
    let low = shared == 0 ? random.next() : UInt64(0x5A5A_5A5A_5A5A_5A5A).byteSwapped
    let mask = shared == 0 ? 0 : (~UInt64(0) >> shared)
    return Tag128(low: (low.byteSwapped ^ (random.next() & mask)).byteSwapped, high: random.next())
  }

  @Test func `a map holds what a dictionary holds`() throws {
    var random = SeededGenerator.forTest()
    let store = try TestStore(creates: false)
    let map = NameMap(tenant: 3)
    var root = TrieRoot()
    var model: [MapTag: MapEntry] = [:]
    for round in 0..<40 {
      let isRemoval = round % 4 == 3
      var edits: [MapTag: MapEntry?] = [:]
      for _ in 0..<Int.random(in: 1...150, using: &random) {
        if isRemoval, let known = model.keys.sorted().randomElement(using: &random) {
          edits.updateValue(nil, forKey: known)
        } else {
          edits[MapTag(clusteredTag(&random))] = MapEntry(
            slot: Slot(rawValue: random.next() >> 24), kind: .subject,
            untilDay: UInt16.random(in: 0...65_535, using: &random))
        }
      }
      var writer = NodeWriter(
        store: store.data.id, mode: isRemoval ? .withFreshKeys : .keepingKeys)
      let sorted = edits.map { NameMap.Edit(tag: $0.key, entry: $0.value) }
        .sorted { $0.tag < $1.tag }
      try store.tables.write { (transaction) throws(KeyringError) in
        try map.edit(&root, sorted, &writer, in: &transaction)
      }
      for (tag, entry) in edits { model[tag] = entry }
      try compare(map, root, model, store)
    }
    #expect(model.count > 500)
  }

  private func compare(
    _ map: NameMap, _ root: borrowing TrieRoot, _ model: [MapTag: MapEntry], _ store: TestStore
  ) throws {
    let reader = NodeReader(store: store.data.id)
    var found: [MapTag: MapEntry] = [:]
    var order: [MapTag] = []
    let probes = Array(model.keys.prefix(20)) + [MapTag(tag(1)), MapTag(tag(2))]
    var probed: [MapEntry?] = []
    try store.tables.read { (view) throws(KeyringError) in
      if root.height > 0 {
        try map.forEach(root.reference, reader, in: view) { tag, entry in
          found[tag] = entry
          order.append(tag)
        }
      }
      for tag in probes { probed.append(try map.find(tag, root, reader, in: view)) }
    }
    #expect(found == model)
    #expect(order == order.sorted())
    #expect(probed == probes.map { model[$0] })
  }

  @Test func `tags branch by five bits from the first byte's top bit on`() {
    // Bytes 0xF8, 0x3E, 0 ..: digits 11111 00000 11111 00000 ..
    let tag = MapTag(Tag128(low: (UInt64(0xF83E) << 48).byteSwapped, high: 0))
    #expect((0..<4).map { tag.digit($0) } == [31, 0, 31, 0])
    // Bit 60 to 64 lie in both halves.
    let across = MapTag(
      Tag128(low: UInt64(0b1010).byteSwapped, high: (UInt64(1) << 63).byteSwapped))
    #expect(across.digit(12) == 0b10101)
    #expect((13..<MapTag.levels).allSatisfy { across.digit($0) == 0 })
  }

  @Test func `no node is left behind by additions and removals`() throws {
    let scenario = try ClosureScenario(random: .forTest())
    try scenario.run(operations: 60)
    let closure = try KeyringClosure(
      store: scenario.store.data.id, snapshots: [scenario.store.tables],
      holderPaths: scenario.store.holders.paths)
    let opened = closure.nodesOpened
    let count = try scenario.store.tables.read { (view) throws(StorageError) in
      try view.nodeCount()
    }
    #expect(opened == count)
  }
}
