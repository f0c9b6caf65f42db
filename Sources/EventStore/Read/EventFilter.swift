/// What a query asks for; every part that is given must hold.
package struct EventFilter: Hashable, Sendable {
  /// The stream's name.
  package var stream: [UInt8]?
  package var type: [UInt8]?
  /// A data subject's id, in whichever retention class.
  package var subject: [UInt8]?
  /// The source as the client gave it.
  package var source: [UInt8]?
  /// Stored at this time or later: milliseconds since 1970.
  package var sinceMilliseconds: Int64?
  /// Stored before this time: milliseconds since 1970.
  package var untilMilliseconds: Int64?

  package init() {}

  /// True when every live event is asked for.
  package var isEmpty: Bool { self == EventFilter() }
}
