package import EventModel

/// One event to be appended; its bytes lie in the batch's buffer.
package struct AppendRequest: Sendable {
  package var tenant: TenantNumber
  /// Whatever the submitter wants to find the waiting client by; the engine does not look at it.
  package var ticket: UInt64
  /// Neighbours with the same group commit together or not at all.
  package var group: UInt32
  package var expectation: Expectation
  /// The body as ``EventBodyWriter`` wrote it; the other ranges lie within or beside it.
  package var body: ByteRange
  package var stream: ByteRange
  /// The first `subjectCount` are the data subjects; none means impersonal.
  package var subjects: InlineArray<4, ByteRange>
  package var subjectCount: UInt8
  /// The retention class's name; empty means `default`.
  package var className: ByteRange
  /// The client's own id; empty: none was given, and none is looked up.
  package var id: ByteRange = .none
  /// The source as given; empty: none.
  package var source: ByteRange = .none
  /// Refused for an erased person, the event is left out and its group goes on.
  package var skipsErased = false

  package init(
    tenant: TenantNumber, ticket: UInt64, group: UInt32, expectation: Expectation,
    body: ByteRange, stream: ByteRange, subjects: InlineArray<4, ByteRange>, subjectCount: UInt8,
    className: ByteRange
  ) {
    self.tenant = tenant
    self.ticket = ticket
    self.group = group
    self.expectation = expectation
    self.body = body
    self.stream = stream
    self.subjects = subjects
    self.subjectCount = subjectCount
    self.className = className
  }
}

/// What became of an ``AppendRequest``.
package struct AppendResult: Sendable, Equatable {
  package var position: UInt64
  package var version: UInt64
  package var storedMilliseconds: Int64
  /// Nil when the event is durable.
  package var error: StoreError?
  /// True when the event had been stored before: then position, version and time are the first's.
  package var isDuplicate = false

  package init(
    position: UInt64 = 0, version: UInt64 = 0, storedMilliseconds: Int64 = 0,
    error: StoreError? = nil
  ) {
    self.position = position
    self.version = version
    self.storedMilliseconds = storedMilliseconds
    self.error = error
  }
}

/// Events that travel to the writer together, once per tick of the event loop.
///
/// Owned by one side at a time: the submitter fills it, the writer answers in ``results`` and gives
/// it back through the completion; then it may be emptied and used again.
package final class AppendBatch: @unchecked Sendable {
  package var bytes: [UInt8] = []
  package var requests: [AppendRequest] = []
  /// As many as ``requests``, in their order, when the completion runs.
  package var results: [AppendResult] = []
  let completion: @Sendable (AppendBatch) -> Void

  /// `completion` runs once for each submission, on the writer's thread, after the commit.
  package init(completion: @escaping @Sendable (AppendBatch) -> Void) {
    self.completion = completion
  }

  /// Empties the batch and keeps its memory.
  package func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    requests.removeAll(keepingCapacity: true)
    results.removeAll(keepingCapacity: true)
  }
}
