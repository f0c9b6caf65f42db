package import EventModel

/// The engine: appends in groups, reads by position and version, forgets.
package final class EventStore: Sendable {
  /// The tenant of this name, or nil; cheap and callable from any thread.
  package func tenant(named name: TenantName) -> TenantNumber? { nil }

  /// Every tenant's name; cheap and callable from any thread.
  package var tenantNames: [TenantName] { [] }

  /// Hands a batch to the writer without waiting; its completion runs on the writer's thread.
  package func submit(_ batch: AppendBatch) { batch.completion(batch) }

  /// Bytes of batches that wait for the writer.
  package var queuedBytes: Int { 0 }

  /// Runs an act on the writer's thread, after all that was submitted before.
  package func control(
    _ act: ControlAct, actor: Actor,
    completion: @escaping @Sendable (Result<ControlAnswer, StoreError>) -> Void
  ) { completion(.failure(.shuttingDown)) }

  /// Calls `body` with the tenant's events whose positions lie in `positions`, at most `limit`,
  /// until it returns false. Blocks; never call it on an event loop.
  package func readFeed(
    _ tenant: TenantNumber, positions: ClosedRange<UInt64>, isDescending: Bool, limit: Int,
    _ body: (ReadEvent, Span<UInt8>) -> Bool
  ) throws(StoreError) {}

  /// The same for the events of one stream, by version. An unknown stream has none.
  package func readStream(
    _ tenant: TenantNumber, stream: Span<UInt8>, versions: ClosedRange<UInt64>,
    isDescending: Bool, limit: Int, _ body: (ReadEvent, Span<UInt8>) -> Bool
  ) throws(StoreError) {}

  /// What is known of a stream, or nil when it has no event.
  package func summary(
    _ tenant: TenantNumber, stream: Span<UInt8>
  ) throws(StoreError) -> StreamSummary? { nil }

  /// The tenant's newest position; 0 when it has no event.
  package func lastPosition(_ tenant: TenantNumber) -> UInt64 { 0 }

  /// The stream's newest version; 0 when it has no event.
  package func lastVersion(
    _ tenant: TenantNumber, stream: Span<UInt8>
  ) throws(StoreError) -> UInt64 { 0 }

  /// `handler` runs on the writer's thread after each commit with the tenants that have new events.
  package func setPublishHandler(_ handler: @escaping @Sendable ([TenantNumber]) -> Void) {}

  /// Answers what was submitted, stops the threads and closes the files.
  package func close() {}
}
