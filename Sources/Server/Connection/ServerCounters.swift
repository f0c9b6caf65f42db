/// What `INFO` counts since the daemon started; confined to the event loop.
final class ServerCounters {
  /// Waiting connections that an append or the access file concerned.
  var tailWakes: UInt64 = 0
  /// Reads that waiting connections ran after they had begun to wait.
  var tailReads: UInt64 = 0
  /// Connections that were not let in because there were too many.
  var refused: UInt64 = 0
  /// Times that accepting stopped for want of file descriptors.
  var acceptPauses: UInt64 = 0
  /// Closed because a command did not come to its end.
  var cutUnfinished: UInt64 = 0
  /// Closed because replies were not taken.
  var cutUnfetched: UInt64 = 0
  /// Closed because their user's connections held too many bytes.
  var cutMemory: UInt64 = 0
  /// Closed because replies from before a shred were not taken in time.
  var cutShred: UInt64 = 0
  /// Reads that a shred overtook and that were run again.
  var rereads: UInt64 = 0

  /// The lines of `INFO`.
  var lines: [String] {
    [
      "# Bounds", "tail_wakes:\(tailWakes)", "tail_reads:\(tailReads)",
      "refused_connections:\(refused)", "accept_pauses:\(acceptPauses)",
      "closed_unfinished_command:\(cutUnfinished)",
      "closed_unfetched_replies:\(cutUnfetched)", "closed_user_memory:\(cutMemory)",
      "closed_at_shred:\(cutShred)", "reads_repeated_at_shred:\(rereads)", "",
    ]
  }
}
