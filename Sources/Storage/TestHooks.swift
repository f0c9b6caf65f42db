#if DEBUG
  package import Synchronization
#endif

/// Where tests reach into the store; in release builds nothing of it is left.
///
/// A *variant* is a deliberately broken behaviour that a test must catch, chosen by name
/// (`LETHE_TEST_VARIANT`). A *crash point* is a place just before or after a durable step, at the
/// N-th of which (`LETHE_TEST_CRASH_AT=N`) the process kills itself; `LETHE_TEST_CRASH_LOG=FILE`
/// gets the names of all that were passed.
package enum TestHooks {
  #if DEBUG
    /// What was asked for when the process started.
    package struct Settings: Sendable {
      package var variant = Linux.environmentVariable("LETHE_TEST_VARIANT")
      /// How many more crash points are passed, the last one fatally; nil: none is fatal.
      package var pointsUntilCrash = Linux.environmentVariable("LETHE_TEST_CRASH_AT").flatMap(
        Int.init)
      package var crashLog = Linux.environmentVariable("LETHE_TEST_CRASH_LOG")
    }

    /// What is in force; tests of the same process may change it.
    package static let settings = Mutex(Settings())

    /// A variant for this task only, so that tests beside it are not disturbed.
    @TaskLocal package static var taskVariant: String?

    /// What is added to the clock: tests start a daemon on another day.
    package static let clockOffsetMilliseconds =
      Linux.environmentVariable("LETHE_TEST_CLOCK_MS").flatMap(Int64.init) ?? 0

    /// How long a daemon waits before it purges, when a test does not want to.
    package static let purgeDelayMilliseconds =
      Linux.environmentVariable("LETHE_TEST_PURGE_MS").flatMap(UInt64.init)
  #endif

  #if DEBUG
    /// The broken behaviour asked for.
    package static var variant: String? { taskVariant ?? settings.withLock { $0.variant } }

    /// True when the broken behaviour `name` was asked for; asked in debug builds only.
    package static func isVariant(_ name: String) -> Bool { variant == name }
  #endif

  /// Ends the process here when a test asked for it, as a power cut would.
  package static func crashPoint(_ name: StaticString) {
    #if DEBUG
      let (log, isFatal) = settings.withLock { settings in
        settings.pointsUntilCrash? -= 1
        return (settings.crashLog, settings.pointsUntilCrash == 0)
      }
      if let log { Linux.appendLine("\(name)", to: log) }
      if isFatal { Linux.killSelf() }
    #endif
  }

  #if DEBUG
    /// Runs `body` with a variant in force for the whole process.
    package static func withVariant<Result, Failure: Error>(
      _ name: String, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
      let before = settings.withLock { settings in
        let before = settings.variant
        settings.variant = name
        return before
      }
      defer { settings.withLock { $0.variant = before } }
      return try body()
    }
  #endif
}
