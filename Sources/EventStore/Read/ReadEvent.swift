package import EventModel

/// An event as the log gives it back, without its body.
package struct ReadEvent: Sendable, Hashable {
  package let position: UInt64
  /// The version in its stream.
  package let version: UInt64
  /// When it was stored: milliseconds since 1970, UTC.
  package let storedMilliseconds: Int64
  /// When it is not `.live` the body is empty.
  package let state: EventState
}

/// What is known of a stream.
package struct StreamSummary: Sendable, Hashable {
  /// The version of its newest event.
  package let version: UInt64
  /// The version of its oldest event that has not expired.
  package let firstVersion: UInt64
  /// How many of its events have expired.
  package let expiredCount: UInt64
  /// When its newest event was stored; nil when all have expired, since nobody knows then.
  package let lastStoredMilliseconds: Int64?
}
