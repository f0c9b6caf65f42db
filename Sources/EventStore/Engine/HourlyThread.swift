import Dispatch

/// Does by itself what is to be done once an hour, as soon as a full hour has begun; and watches the clock
/// meanwhile.
final class HourlyThread: Sendable {
  static let intervalMilliseconds = 1_000
  /// After a failure it is tried again this much later.
  static let retryMilliseconds: Int64 = 60_000

  private let shared: SharedEngine
  private let ended = DispatchGroup()
  private let wanted = DispatchSemaphore(value: 0)

  init(shared: SharedEngine) { self.shared = shared }

  /// `run` does the work and answers later, whether it was done.
  func start(_ run: @escaping @Sendable (_ answer: @escaping @Sendable (Bool) -> Void) -> Void) {
    DispatchQueue(label: "lethe.hourly", qos: .utility).async(group: ended) { [self] in
      var done: Int64?
      var failed: Int64?
      while wanted.wait(timeout: .now() + .milliseconds(Self.intervalMilliseconds)) == .timedOut {
        let believed = try? shared.trustedNow()
        shared.noteClock(isBelieved: believed != nil)
        guard let now = believed else { continue }
        let hour = now / ClockGuard.hour
        if let failed, now >= failed, now < failed + Self.retryMilliseconds { continue }
        guard done != hour else { continue }
        let answer = DispatchSemaphore(value: 0)
        let isDone = Flag()
        run {
          isDone.isSet = $0
          answer.signal()
        }
        answer.wait()
        if isDone.isSet { done = hour }
        failed = isDone.isSet ? nil : now
      }
    }
  }

  func stop() {
    wanted.signal()
    ended.wait()
  }

  /// Written before its semaphore is signalled, read after.
  private final class Flag: @unchecked Sendable {
    var isSet = false
  }
}
