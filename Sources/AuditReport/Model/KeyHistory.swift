/// A key that is replaced from time to time, and when it was.
package struct KeyHistory: Hashable, Sendable {
  /// Which: `root`, `tenant 3f..`, `signing key`.
  package let name: String
  /// What it protects, in a few words.
  package let use: String
  /// A state of NIST SP 800-57: `active`, `deactivated`, ..
  package let state: String
  /// When the first was made, in milliseconds since 1970.
  package let createdMilliseconds: Int64
  /// When it was replaced, ascending, in milliseconds since 1970.
  package let rotations: [Int64]
  /// How long one may be used; nil when no limit is set.
  package let limitDays: UInt32?

  package init(
    name: String, use: String, state: String, createdMilliseconds: Int64, rotations: [Int64],
    limitDays: UInt32?
  ) {
    self.name = name
    self.use = use
    self.state = state
    self.createdMilliseconds = createdMilliseconds
    self.rotations = rotations
    self.limitDays = limitDays
  }

  /// When today's was made.
  package var newestMilliseconds: Int64 { max(createdMilliseconds, rotations.last ?? 0) }
}
