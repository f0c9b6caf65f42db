import EventModel
import EventStore
import Keyring
import RESP

extension ControlReply {
  /// Appends what `RETENTION RUN` answers.
  static func append(
    _ report: ExpiryReport, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    var map = MapReply(encoder: encoder)
    map.add("time", Timestamp.text(report.timeMilliseconds))
    map.add("tenants", report.tenantCount)
    map.add("periods", report.periodCount)
    map.add("events", report.eventCount)
    map.add("events-held", report.heldCount)
    map.add("buckets", report.bucketCount)
    if let rotation = report.rotation {
      map.add("class", erasureClass(rotation.weaknesses))
      map.add("epoch", rotation.epoch)
      map.add("nodes", UInt64(rotation.nodesWritten))
      map.add("sealed", UInt64(rotation.bytesSealed))
    }
    map.append(to: &bytes)
  }

  /// Appends what `RETENTION STATUS` answers.
  static func append(
    _ status: RetentionStatus, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    var map = MapReply(encoder: encoder)
    map.add("expiry", status.isPaused ? "paused" : "running")
    map.add("last-run", time: status.lastRun?.milliseconds)
    map.add("last-events", status.lastRun?.eventCount ?? 0)
    map.add("due-events", status.dueEventCount)
    map.add("due-since", time: status.dueSinceMilliseconds)
    map.add("purge-acts", status.purge.outstandingActs)
    map.add("purge-since", time: status.purge.outstandingSinceMilliseconds)
    map.add("purged-events", status.purge.recordCount)
    map.add("last-purge", time: status.purge.lastMilliseconds)
    map.append(to: &bytes)
  }
}
