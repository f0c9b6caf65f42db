import EventModel
import Keyring
import Storage
import Synchronization

/// The clocks of the machine; tests give others.
package struct MachineClocks: Sendable {
  let wall: @Sendable () -> Int64
  private let boot: @Sendable () -> Int64
  private let isSynchronized: @Sendable () -> Bool

  /// Both clocks in milliseconds.
  package init(
    wall: @escaping @Sendable () -> Int64, boot: @escaping @Sendable () -> Int64,
    isSynchronized: @escaping @Sendable () -> Bool
  ) {
    self.wall = wall
    self.boot = boot
    self.isSynchronized = isSynchronized
  }

  var reading: ClockReading {
    ClockReading(wall: wall(), boot: boot(), isSynchronized: isSynchronized())
  }
}

/// How far the clock is believed.
package struct ClockStatus: Sendable {
  package let state: ClockGuard.State
  package let reading: ClockReading
  /// The time that was expected: milliseconds since 1970.
  package let expectedMilliseconds: Int64
  /// The last time mark that was committed.
  package let markMilliseconds: Int64?
  /// Milliseconds that are still to be waited, when it is waited.
  package let waitMilliseconds: Int64?
}

extension SharedEngine {
  /// Looks at the clock; its time when it may be believed, else `.clockUncertain`.
  func trustedNow() throws(StoreError) -> Int64 {
    let reading = clocks.reading
    let state = clockGuard.withLock { clockGuard in
      clockGuard.observe(reading)
      return clockGuard.state
    }
    guard state == .trusted else { throw .clockUncertain }
    return reading.wall
  }
}

extension ControlPlane {
  /// A time mark, then what is over goes.
  func hourly(
    _ survey: Result<Survey, StoreError>?, _ actor: Actor
  ) throws(StoreError) -> ExpiryReport {
    let now = try shared.trustedNow()
    TestHooks.crashPoint("clock.mark.before")
    try shared.withState { (state) throws(StoreError) in
      if let failure = state.failure { throw failure }
      try StoreError.translating { () throws(KeyringError) in try state.keyring.setTimeMark(now) }
    }
    TestHooks.crashPoint("clock.mark.after")
    shared.noteUnwrittenRefusals(all: false)
    try keepCheckpoints(now)
    return try expire(survey, isDryRun: false, actor)
  }

  func clockStatus() -> ClockStatus {
    let reading = shared.clocks.reading
    let clockGuard = shared.clockGuard.withLock { clockGuard in
      clockGuard.observe(reading)
      return clockGuard
    }
    var wait: Int64?
    if case .waiting(let since) = clockGuard.state {
      wait = max(0, since + ClockGuard.hour - reading.boot)
    }
    return ClockStatus(
      state: clockGuard.state, reading: reading,
      expectedMilliseconds: clockGuard.expected(reading),
      markMilliseconds: shared.withState { $0.keyring.timeMark }, waitMilliseconds: wait)
  }

  /// Believes the clock; the ledger has who vouched for it and what it showed.
  func confirmClock(_ actor: Actor) throws(StoreError) -> ControlAnswer {
    let reading = shared.clocks.reading
    let entry = LedgerEntry(
      timeMilliseconds: reading.wall, act: .clockConfirmed, actor: actor.ledgerActor,
      count: UInt64(clamping: reading.wall))
    try shared.withState { (state) throws(StoreError) in
      if let failure = state.failure { throw failure }
      try StoreError.translating { () throws(KeyringError) in
        try state.keyring.setTimeMark(reading.wall, entry: entry)
      }
    }
    shared.clockGuard.withLock { $0.confirm(reading) }
    return .done
  }
}
