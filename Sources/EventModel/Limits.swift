/// Every bound on what comes in, in one place, each with its reason; `lethe limits` prints it.
package enum Limits {
  /// An event's payload: 1 MiB; larger things belong in an object store, with their key here.
  package static let dataBytesMax = 1 << 20
  /// A record's padded region: the payload, its attributes and the largest padding.
  package static let regionBytesMax = (1 << 20) + (1 << 18)
  /// Names of streams, types, ids, sources, subjects: 255 bytes of UTF-8.
  package static let nameBytesMax = 255
  /// Values of attributes, content types and schemas.
  package static let attributeBytesMax = 4_096
  /// All of an event except its payload.
  package static let envelopeBytesMax = 1 << 16
  /// Data subjects of one event; the header has room for four.
  package static let subjectsMax = 4
  /// Attributes of one event.
  package static let attributesMax = 64
  /// Events of one batch.
  package static let batchEventsMax = 1_000
  /// Bytes of one command, a batch included.
  package static let commandBytesMax = 8 << 20
  /// Arguments of one command: a full batch with all options.
  package static let argumentsMax = 65_536
  /// Bytes of an inline command line.
  package static let inlineBytesMax = 1 << 16
  /// Arguments and bytes of one of them before a connection is bound to a tenant.
  package static let unauthenticatedArgumentsMax = 10
  package static let unauthenticatedBulkBytesMax = 16 << 10
  /// How long a connection may stay so.
  package static let unauthenticatedSecondsMax = 5
  /// Events of one reply: the default and the most.
  package static let countDefault = 100
  package static let countMax = 10_000
  /// Bytes of one reply; it ends early rather than exceed them.
  package static let replyBytesMax = 8 << 20
  /// Events of one reply that are given only when the access log has it on the disk.
  package static let bulkEvents: UInt64 = 256
  /// Events that may have been given without a line in the access log when the daemon dies; the log is
  /// written early at a quarter of it.
  package static let unloggedEventsMax: UInt64 = 4_096
  /// Incidents of which the versions are kept.
  package static let incidentsMax: UInt32 = 4_096
  /// Intervals that wait for the access log, 16 bytes each.
  package static let unloggedRangesMax = 65_536
  /// Days that the access log is kept, unless the tenant says otherwise.
  package static let accessLogDays: UInt16 = 365
  /// Days that it can be kept: six years.
  package static let accessLogDaysMax: UInt16 = 2_192
  /// The longest that a read waits.
  package static let blockMillisecondsMax = 30_000
  /// Streams of one `EVENT.READ`.
  package static let readStreamsMax = 64
  /// A tenant's name: `[a-z0-9][a-z0-9._-]{0,62}`.
  package static let tenantNameBytesMax = 63
  /// Holders of the root: each is one more that every rotation must write twice.
  package static let rootHoldersMax = 4
  /// Tenants of one store.
  package static let tenantsMax = 100_000
  /// Connections at the same time, and of one user.
  package static let connectionsMax = 16_000
  package static let connectionsPerUserMax = 12_000
  /// Connections that administrators may have beyond that: a crowd must not keep a shred waiting.
  package static let connectionsKept = 16
  /// File descriptors that connections leave to the engine and to what is refused.
  package static let descriptorsKept = 64
  /// Connections that are told why they are refused, at the same time; more are closed at once.
  package static let refusalsMax = 32
  /// Seconds in which a command must come completely: 8 MiB at 280 KiB a second.
  package static let commandSecondsMax = 30
  /// A client with replies lying here must take so many bytes, or all, in so many seconds.
  package static let outputSecondsMax = 30
  package static let outputBytesMin = 64 << 10
  /// Milliseconds in which replies that were made before a shred must have reached the kernel.
  package static let shredFlushMilliseconds = 1_000
  /// Bytes of unfinished commands and of replies that were not fetched, of one user together.
  package static let userBytesMax = 128 << 20
  /// Appends of one connection that wait for their commit; then it is not read from.
  package static let inFlightAppendsMax = 4_096
  /// What appends leave free on the data device: shreds, the index and a restart need some of it.
  package static let reserveBytes: UInt64 = 8 << 20
  /// Bytes that wait for the writer; then no connection is read from.
  package static let writerQueueBytesMax = 64 << 20
  /// Bytes of unfinished commands of all connections together: 12,000 of the largest would not fit.
  package static let unfinishedBytesMax = 256 << 20
  /// Bytes of large replies that were not fetched, of all connections together.
  package static let unfetchedBytesMax = 256 << 20
  /// Events and bytes of one group commit.
  package static let commitEventsMax = 16_384
  package static let commitBytesMax = 16 << 20
  /// Postings in memory before appends wait for the index.
  package static let tailPostingsMax = 4_000_000
  /// How long an erased person's identifier is refused: 30 days.
  package static let suppressionDays = 30
  /// How long a plan may be confirmed: one hour.
  package static let planMilliseconds: Int64 = 3_600_000
  /// Plans that wait at the same time.
  package static let plansMax = 256
  /// Persons of one plan.
  package static let shredSubjectsMax = 10_000
  /// What one user may have erased of a tenant in a day.
  ///
  /// So many persons, and so many events or a hundredth of the tenant's, whichever is more; beyond that a
  /// second user approves.
  package static let unapprovedSubjectsMax: UInt64 = 100
  package static let unapprovedEventsMax: UInt64 = 1_000
  package static let unapprovedShare: UInt64 = 100
  /// How long a plan waits for its approval: seven days.
  package static let approvalMilliseconds: Int64 = 7 * 86_400_000
  /// How long a confirmed shred can be made to wait: 30 days.
  package static let graceMillisecondsMax: Int64 = 30 * 86_400_000
  /// Positions of one `SHRED EVENTS`.
  package static let shredEventsMax = 1_000
  /// A position or version has 48 bits on the disk.
  package static let positionMax: UInt64 = (1 << 48) - 1
  /// Generations of a tenant whose events can be read: each key rotation and each restore begins one.
  package static let generationsMax = 256
  /// Retention classes of a tenant: their covers lie in one node.
  package static let classesMax = 8
  /// Holds of a tenant: each is asked before everything that is destroyed.
  package static let holdsMax = 256
  /// Events whose keys one hold saves: they lie in the key tree.
  ///
  /// From half of it on the hold keeps whole days instead.
  package static let heldEventsMax = 1 << 18
  /// Grants of a tenant that are in force or wait for an approval.
  package static let grantsMax = 64
  /// The longest time for which somebody may take events out: who still needs it then, asks again.
  package static let grantDaysMax: UInt32 = 366
  /// A class's name or purpose.
  package static let classNameBytesMax = 31
  /// Maxima of a class that were lengthened while events under the shorter ones live.
  package static let retentionStepsMax = 4
  /// Days until a shorter maximum is in force, unless a second user approves it.
  package static let shorteningDays = 7
  /// Retention: at most 36,500 days.
  package static let retentionDaysMax = 36_500
}
