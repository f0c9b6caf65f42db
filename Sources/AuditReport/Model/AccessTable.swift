/// Who was served how many events, by the hour of the day.
package struct AccessTable: Hashable, Sendable {
  /// One reader: a user of the machine or a named socket.
  package struct Peer: Hashable, Sendable {
    /// `uid 1201` or a socket's name.
    package let name: String
    package let purpose: String
    /// Events served in each of the 24 hours of the day (UTC), over all days.
    package let hours: [UInt64]
    package let bytes: UInt64
    package let exports: UInt64
    package let refused: UInt64
    package let lastMilliseconds: Int64

    package init(
      name: String, purpose: String, hours: [UInt64], bytes: UInt64, exports: UInt64,
      refused: UInt64, lastMilliseconds: Int64
    ) {
      self.name = name
      self.purpose = purpose
      self.hours = hours
      self.bytes = bytes
      self.exports = exports
      self.refused = refused
      self.lastMilliseconds = lastMilliseconds
    }
  }

  package let peers: [Peer]
  package let range: ReportScope.Range
  /// At most so many events may have been served without a line in the log.
  package let unloggedMax: UInt64

  package init(peers: [Peer], range: ReportScope.Range, unloggedMax: UInt64) {
    self.peers = peers
    self.range = range
    self.unloggedMax = unloggedMax
  }
}
