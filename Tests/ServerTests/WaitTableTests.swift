import EventModel
import EventStore
import Testing

@testable import Server

@Suite struct WaitTableTests {
  private static let acme = TenantNumber(rawValue: 1)
  private static let other = TenantNumber(rawValue: 2)

  private func key(_ slot: UInt32) -> ConnectionKey { ConnectionKey(slot: slot, generation: 1) }

  private func read(_ tenant: TenantNumber, _ streams: String?...) -> TailRead {
    TailRead(
      tenant: tenant,
      cursors: streams.map { TailRead.Cursor(stream: $0.map { Array($0.utf8) }, after: nil) },
      count: 1)
  }

  /// An answered batch with one event for each stream of a tenant.
  private func batch(
    _ tenant: TenantNumber, _ streams: [String], error: StoreError? = nil, isDuplicate: Bool = false
  ) -> AppendBatch {
    let batch = AppendBatch { _ in }
    for stream in streams {
      let place = ByteRange(offset: batch.bytes.count, count: stream.utf8.count)
      batch.bytes += Array(stream.utf8)
      batch.requests.append(
        AppendRequest(
          tenant: tenant, ticket: 0, group: 0, expectation: .any, body: .none, stream: place,
          subjects: InlineArray(repeating: .none), subjectCount: 0, className: .none))
      var result = AppendResult(error: error)
      result.isDuplicate = isDuplicate
      batch.results.append(result)
    }
    return batch
  }

  @Test func `an append concerns the waiters of its stream and of its tenant`() {
    var table = WaitTable(seed: 7)
    table.add(key(1), read(Self.acme, "a"))
    table.add(key(2), read(Self.acme, "b", "a"))
    table.add(key(3), read(Self.acme, "c"))
    table.add(key(4), read(Self.acme, nil))
    table.add(key(5), read(Self.other, "a"))
    #expect(table.concerned(by: batch(Self.acme, ["a", "a"])) == [key(1), key(2), key(4)])
    #expect(table.concerned(by: batch(Self.acme, ["none"])) == [key(4)])
    #expect(table.concerned(by: batch(Self.other, ["a", "b"])) == [key(5)])
  }

  @Test func `refused and repeated appends concern nobody`() {
    var table = WaitTable(seed: 7)
    table.add(key(1), read(Self.acme, "a"))
    #expect(table.concerned(by: batch(Self.acme, ["a"], error: .subjectShredded)).isEmpty)
    #expect(table.concerned(by: batch(Self.acme, ["a"], isDuplicate: true)).isEmpty)
  }

  @Test func `who has stopped waiting is not found and leaves nothing behind`() {
    var table = WaitTable(seed: 7)
    let twice = read(Self.acme, "a", "a", "b")
    table.add(key(1), twice)
    table.add(key(2), read(Self.acme, nil))
    table.remove(key(1), twice)
    #expect(table.concerned(by: batch(Self.acme, ["a", "b"])) == [key(2)])
    table.remove(key(2), read(Self.acme, nil))
    #expect(table.isEmpty)
  }
}
