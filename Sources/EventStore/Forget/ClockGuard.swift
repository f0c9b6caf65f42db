import Storage

/// One look at the clocks of the machine.
package struct ClockReading: Hashable, Sendable {
  /// Milliseconds since 1970, as the machine has it.
  package let wall: Int64
  /// Milliseconds since the machine started, suspensions included; nobody sets this one.
  package let boot: Int64
  /// True when the kernel says that something keeps its clock right.
  package let isSynchronized: Bool

  package init(wall: Int64, boot: Int64, isSynchronized: Bool) {
    self.wall = wall
    self.boot = boot
    self.isSynchronized = isSynchronized
  }
}

/// Decides whether the clock may be believed as far as destroying goes.
///
/// ```
///                 gap <= allowance                    an hour of it, under a synchronized clock
///  start ----------------------------> trusted <------------------------------ waiting
///    |                                  |   ^                                     ^
///    | gap of more                  leap|   | CLOCK CONFIRM, or the leap undone   | at most 31 days,
///    `----------------------------------+---+----> paused ------------------------' synchronized
/// ```
/// The gap is how far the clock is ahead of what is expected: at start of the last time mark that was
/// committed, while running of the time that has passed since, by a clock that nobody sets. What is behind is
/// harmless: less is due then, and nothing comes back. A value without clocks of its own.
package struct ClockGuard: Sendable {
  /// Whether the clock is believed, and if not, what it takes.
  package enum State: Hashable, Sendable {
    case trusted
    /// Since when the clock has been looked at, by the boot clock.
    case waiting(since: Int64)
    case paused
  }

  /// How far the clock may be ahead of the last mark when the daemon starts.
  static let startAllowance: Int64 = 86_400_000
  /// How far it may leap ahead in an hour while the daemon runs.
  static let leapAllowance: Int64 = 120_000
  /// The most that waiting makes up for.
  static let waitMax: Int64 = 31 * 86_400_000
  /// How long a leap is waited for, and how often the expected time follows the clock.
  static let hour: Int64 = 3_600_000

  package private(set) var state = State.paused
  /// Where the expected time runs from: a wall time and the boot time that belonged to it.
  private var anchor: (wall: Int64, boot: Int64)
  /// The same for the clock that is waited for.
  private var waited: (wall: Int64, boot: Int64) = (0, 0)
  private var allowance = startAllowance

  /// Begins at the daemon's start; `mark` is the last time mark, nil in a new store.
  package init(mark: Int64?, _ reading: ClockReading) {
    anchor = (mark ?? reading.wall, reading.boot)
    observe(reading)
  }

  /// The time that is expected.
  package func expected(_ reading: ClockReading) -> Int64 {
    anchor.wall + max(0, reading.boot - anchor.boot)
  }

  /// Looks at the clock; every few seconds.
  package mutating func observe(_ reading: ClockReading) {
    #if DEBUG
      if TestHooks.isVariant("clock-blind") { return confirm(reading) }
    #endif
    let gap = reading.wall - expected(reading)
    guard gap > allowance else { return trust(reading, gap) }
    guard gap <= Self.waitMax, reading.isSynchronized else {
      state = .paused
      return
    }
    let leap = reading.wall - waited.wall - (reading.boot - waited.boot)
    guard case .waiting(let since) = state, abs(leap) <= Self.leapAllowance else {
      state = .waiting(since: reading.boot)
      waited = (reading.wall, reading.boot)
      return
    }
    if reading.boot - since >= Self.hour { confirm(reading) }
  }

  /// Believes the clock, because somebody has looked at it.
  package mutating func confirm(_ reading: ClockReading) {
    state = .trusted
    anchor = (reading.wall, reading.boot)
    allowance = Self.leapAllowance
  }

  private mutating func trust(_ reading: ClockReading, _ gap: Int64) {
    // The expected time follows the clock once an hour, else every small leap would allow another; and never
    // back, so that a clock that went back may return.
    let isFirst = state != .trusted || allowance == Self.startAllowance
    state = .trusted
    guard gap >= 0, isFirst || reading.boot - anchor.boot >= Self.hour else { return }
    anchor = (reading.wall, reading.boot)
    allowance = Self.leapAllowance
  }
}
