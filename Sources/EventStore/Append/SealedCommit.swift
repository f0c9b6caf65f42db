import EventModel
import Storage
import TransparencyLog

/// One group commit on its way: filled by the writer, then made durable by the committer.
///
/// Owned by one thread at a time; two of them travel in turn, so that the next is sealed while the
/// device syncs the last.
final class SealedCommit: @unchecked Sendable {
  /// A tenant that has events in the commit, with where its log ends then.
  struct Touched {
    let tenant: TenantState
    var position: UInt64
    var storedMilliseconds: Int64
  }

  /// Sealed records, one behind the other.
  var records: [UInt8] = []
  /// Where each of them lies.
  var places: [ByteRange] = []
  /// Each record's tenant, as an index into ``touched``, and position.
  var owners: [(touched: Int32, position: UInt64)] = []
  var touched: [Touched] = []
  var postings: [TaggedPosting] = []
  /// Its events' ids: kept until the next but one is sealed, since the index has them only then.
  var ids = InFlightIDs()
  var firstSequence: UInt64 = 0
  var sealedState: [UInt8] = []
  var batches: [AppendBatch] = []
  /// Lines of the access log that go along.
  var access: AccessLog.Batch?

  func removeAll() {
    records.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
    owners.removeAll(keepingCapacity: true)
    touched.removeAll(keepingCapacity: true)
    postings.removeAll(keepingCapacity: true)
    ids.removeAll()
    batches.removeAll(keepingCapacity: true)
  }

  /// The commit fails: the lines of the access log are written by themselves.
  func giveAccessBack(_ log: AccessLog) {
    if let access { log.giveBack(access) }
    access = nil
  }

  /// Answers every batch; with `error`, every event that was not refused for a reason of its own.
  func answer(_ error: StoreError?) {
    for batch in batches {
      if let error {
        for index in batch.results.indices where batch.results[index].error == nil {
          batch.results[index] = AppendResult(error: error)
        }
      }
      batch.completion(batch)
    }
  }
}
