/// What the connections of one user take together; confined to the event loop.
final class UserUsage {
  var connections = 0
  /// Unfinished commands and unfetched replies.
  var bytes = 0
}
