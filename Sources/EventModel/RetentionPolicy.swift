/// What is promised of the events of one retention class: how long they are kept at most and at least.
///
/// ```
/// steps    30d        60d          a longer maximum holds for periods that begin after it was set
///      |----------|-----------..   a shorter one for all, from the moment when it is in force
///      0         from
/// ```
/// A value; what changes it answers another one or says why not.
package struct RetentionPolicy: Hashable, Sendable {
  /// Who may take a promise back.
  package enum Mode: UInt8, Sendable, CaseIterable {
    /// The minimum can be shortened, with a second user.
    case governance = 0
    /// Nobody can shorten the minimum, nor leave this mode.
    case compliance = 1
  }

  /// What becomes of a person's events of this class when the person asks for erasure.
  package enum OnRequest: UInt8, Sendable, CaseIterable {
    /// Erased at once, or at the minimum's end while that has not passed.
    case erase = 0
    /// Restricted at once and erased when the newest of them expires.
    case restrict = 1
  }

  /// The maximum of the periods from one on.
  package struct Step: Hashable, Sendable {
    package let from: UInt32
    package let periods: UInt32

    package init(from: UInt32, periods: UInt32) {
      self.from = from
      self.periods = periods
    }
  }

  /// A shorter maximum that is still to come.
  package struct Shortening: Hashable, Sendable {
    package let periods: UInt32
    package let inForceMilliseconds: Int64

    package init(periods: UInt32, inForceMilliseconds: Int64) {
      self.periods = periods
      self.inForceMilliseconds = inForceMilliseconds
    }
  }

  /// The unit of the class's periods; never changes.
  package let unit: PeriodUnit
  /// From period 0 on; both numbers ascend.
  package private(set) var steps: [Step]
  package private(set) var shortening: Shortening?
  /// How long events are kept at least, counted from their period's end.
  package private(set) var minimumPeriods: UInt32 = 0
  /// Why the events are kept: a code, or empty.
  package private(set) var purpose: [UInt8] = []
  package private(set) var mode = Mode.governance
  package private(set) var onRequest = OnRequest.erase

  /// A policy without a minimum.
  package init(_ retention: Retention) {
    unit = retention.unit
    steps = [Step(from: 0, periods: retention.periods)]
  }

  /// A policy as it was stored; nil when it cannot be one.
  package init?(
    unit: PeriodUnit, steps: [Step], shortening: Shortening?, minimumPeriods: UInt32,
    purpose: [UInt8], mode: Mode, onRequest: OnRequest
  ) {
    guard steps.first?.from == 0, steps.count <= Limits.retentionStepsMax,
      zip(steps, steps.dropFirst()).allSatisfy({ $0.from < $1.from && $0.periods < $1.periods }),
      purpose.count <= Limits.classNameBytesMax
    else { return nil }
    self.unit = unit
    self.steps = steps
    self.shortening = shortening
    self.minimumPeriods = minimumPeriods
    self.purpose = purpose
    self.mode = mode
    self.onRequest = onRequest
  }

  /// The maximum of the newest periods, without one that is still to come.
  package var retention: Retention {
    Retention(unit: unit, periods: steps[steps.count - 1].periods)
  }

  /// The maximum of one period that was ever promised for it: a shorter one only ends events earlier.
  package func retention(of period: UInt32) -> Retention {
    let step = steps.last { $0.from <= period } ?? steps[0]
    return Retention(unit: unit, periods: step.periods)
  }

  /// When the events of a period expire, as things stand at `now`, in milliseconds since 1970.
  package func expiryMilliseconds(of period: UInt32, now: Int64) -> Int64 {
    Int64(period) * unit.milliseconds + Int64(maximum(of: period, now: now)) * unit.milliseconds
  }

  /// The first period that has not expired at `now`; all before it have.
  package func firstLivePeriod(now: Int64) -> UInt32 {
    let current = Int64(max(0, now) / unit.milliseconds)
    let standing = settled(now).steps
    for step in standing {
      let first = max(Int64(step.from), current - Int64(step.periods) + 1)
      let next = standing.first { $0.from > step.from }?.from
      if next.map({ first < Int64($0) }) ?? true { return UInt32(clamping: first) }
    }
    return 0
  }

  /// When the minimum of a period's events ends, in milliseconds since 1970: counted from its end.
  package func minimumEndMilliseconds(of period: UInt32) -> Int64 {
    guard minimumPeriods > 0 else { return 0 }
    return (Int64(period) + 1 + Int64(minimumPeriods)) * unit.milliseconds
  }

  private func maximum(of period: UInt32, now: Int64) -> UInt32 {
    let promised = retention(of: period).periods
    guard let shortening, now >= shortening.inForceMilliseconds else { return promised }
    return min(promised, shortening.periods)
  }

  /// The same policy with a shortening that is in force taken into its steps.
  private func settled(_ now: Int64) -> RetentionPolicy {
    guard let shortening, now >= shortening.inForceMilliseconds else { return self }
    return shortened(to: shortening.periods)
  }

  private func shortened(to periods: UInt32) -> RetentionPolicy {
    var next = self
    next.shortening = nil
    next.steps = []
    for step in steps where (next.steps.last?.periods ?? 0) < min(step.periods, periods) {
      next.steps.append(Step(from: step.from, periods: min(step.periods, periods)))
    }
    return next
  }
}

/// A span of time as administrators write it: `30d`, `36h` or `0d`.
package struct RetentionSpan: Hashable, Sendable {
  package let hours: UInt64

  /// Nil when it is neither, or longer than ``Limits/retentionDaysMax``.
  package init?(_ text: [UInt8]) {
    guard let last = text.last, (2...7).contains(text.count),
      text.dropLast().allSatisfy({ (0x30...0x39).contains($0) }),
      let number = UInt64(String(decoding: text.dropLast(), as: UTF8.self))
    else { return nil }
    switch last {
    case 0x64: hours = number * 24
    case 0x68: hours = number
    default: return nil
    }
    guard hours <= UInt64(Limits.retentionDaysMax) * 24 else { return nil }
  }

  /// As many whole periods as are not shorter.
  package func periods(in unit: PeriodUnit) -> UInt32 {
    UInt32(unit == .hour ? hours : (hours + 23) / 24)
  }

  /// As a new class's maximum; nil when it is nothing.
  package var retention: Retention? {
    guard hours > 0 else { return nil }
    let unit: PeriodUnit = hours <= 7 * 24 ? .hour : .day
    return Retention(unit: unit, periods: periods(in: unit))
  }
}

/// What is to be changed of a policy; nil stays as it is.
package struct RetentionChange: Hashable, Sendable {
  package var maximum: RetentionSpan?
  package var minimum: RetentionSpan?
  package var purpose: [UInt8]?
  package var mode: RetentionPolicy.Mode?
  package var onRequest: RetentionPolicy.OnRequest?

  package init() {}
}

/// Why a policy is not changed; the caller's move.
package enum RetentionRefusal: Error, Hashable, Sendable {
  /// Events would have to go before they may: the minimum must be shorter than the maximum.
  case minimumReachesMaximum
  /// Compliance: the minimum cannot be shortened, the mode and what becomes of requests stay.
  case isCompliance
  /// The maximum was lengthened too often; the older periods expire first.
  case tooManySteps
  /// A maximum of nothing.
  case noMaximum
}

extension RetentionPolicy {
  /// What a change needs before it may be made.
  package enum Weight: Hashable, Sendable {
    /// Nothing that was promised is taken back.
    case plain
    /// Events end earlier: it is planned, and in force later or with a second user's approval.
    case shortensMaximum
    /// Events that must be kept need not be: a second user approves it.
    case shortensMinimum
  }

  /// How heavy a change is at `now`.
  package func weight(of change: RetentionChange, now: Int64) -> Weight {
    if let minimum = change.minimum, minimum.periods(in: unit) < minimumPeriods {
      return .shortensMinimum
    }
    let standing = settled(now)
    let planned = standing.shortening?.periods ?? standing.retention.periods
    if let maximum = change.maximum, maximum.periods(in: unit) < planned {
      return .shortensMaximum
    }
    return .plain
  }

  /// The policy after a change; a shorter maximum is in force at once when it `isApproved`.
  package func changed(
    by change: RetentionChange, now: Int64, isApproved: Bool
  ) throws(RetentionRefusal) -> RetentionPolicy {
    var next = settled(now)
    if let minimum = change.minimum {
      let periods = minimum.periods(in: unit)
      guard mode == .governance || periods >= minimumPeriods else { throw .isCompliance }
      next.minimumPeriods = periods
    }
    if let wanted = change.mode {
      guard mode == .governance || wanted == .compliance else { throw .isCompliance }
      next.mode = wanted
    }
    if let wanted = change.onRequest {
      guard mode == .governance || wanted == .restrict || onRequest == .erase else {
        throw .isCompliance
      }
      next.onRequest = wanted
    }
    if let purpose = change.purpose { next.purpose = purpose }
    if let maximum = change.maximum {
      try next.setMaximum(maximum.periods(in: unit), now: now, isApproved: isApproved)
    }
    let shortest = min(
      next.retention.periods, next.shortening?.periods ?? next.retention.periods)
    guard next.minimumPeriods == 0 || next.minimumPeriods < shortest else {
      throw .minimumReachesMaximum
    }
    return next
  }

  private mutating func setMaximum(
    _ periods: UInt32, now: Int64, isApproved: Bool
  ) throws(RetentionRefusal) {
    guard periods > 0 else { throw .noMaximum }
    let newest = retention.periods
    if periods < newest {
      if isApproved {
        self = shortened(to: periods)
      } else {
        let inForce = now + Int64(Limits.shorteningDays) * 86_400_000
        shortening = Shortening(periods: periods, inForceMilliseconds: inForce)
      }
      return
    }
    shortening = nil
    guard periods > newest else { return }
    let from = UInt32(clamping: max(0, now) / unit.milliseconds) + 1
    // What was set today counts from tomorrow on, the last word alone.
    steps.removeAll { $0.from == from }
    steps.append(Step(from: from, periods: periods))
    forgetSteps(now)
    guard steps.count <= Limits.retentionStepsMax else { throw .tooManySteps }
  }

  /// Lets go of steps whose periods have all expired.
  private mutating func forgetSteps(_ now: Int64) {
    let first = firstLivePeriod(now: now)
    guard let kept = steps.lastIndex(where: { $0.from <= first }), kept > 0 else { return }
    steps.removeFirst(kept)
    steps[0] = Step(from: 0, periods: steps[0].periods)
  }
}
