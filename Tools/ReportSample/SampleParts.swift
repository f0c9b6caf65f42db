import AuditReport
import EventModel

/// Parts of made-up audits; the same on every run.
struct SampleParts {
  static let day: Int64 = 86_400_000
  /// 2026-11-24 17:00 UTC.
  static let now: Int64 = 1_795_539_600_000
  static let store = "b1946ac92492d2347c6235b4d2611184"
  static let manifest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
  static let key = "lethe-b1946ac9+4d1f22c0+AZ2Kx0h3yVb7bq1wE4cJw1XJtq1k0m2o1rQ8h5fGm3pL"

  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// Below `bound`.
  mutating func number(below bound: UInt64) -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return (state >> 33) % bound
  }

  mutating func id() -> String {
    var digits = ""
    for _ in 0..<32 { digits += String(number(below: 16), radix: 16) }
    return digits
  }

  static func before(_ days: Int64, hours: Int64 = 0) -> Int64 {
    now - days * day - hours * 3_600_000
  }

  /// Events of the last `days` days, about `mean` a day.
  mutating func periods(
    days: Int, mean: UInt64, maximum: UInt32, heldBefore: Int = .max, restricted: UInt64 = 0
  ) -> [ClassAges.PeriodCount] {
    let today = Int(Self.now / Self.day)
    return (0..<days).map { age in
      let live = mean / 2 + number(below: mean + 1)
      let isHeld = age > heldBefore
      return ClassAges.PeriodCount(
        index: UInt32(today - age),
        expiresMilliseconds: (Int64(today - age) + Int64(maximum)) * Self.day,
        live: isHeld ? 0 : live, restricted: number(below: restricted + 1),
        held: isHeld ? live / 20 : 0)
    }
  }

  mutating func ages(
    tenant: String, name: String, maximum: UInt32, minimum: UInt32 = 0, purpose: String,
    days: Int, mean: UInt64, heldBefore: Int = .max, restricted: UInt64 = 0
  ) -> ClassAges {
    ClassAges(
      tenant: tenant, name: name, unit: .day, maximum: maximum, minimum: minimum, purpose: purpose,
      periods: periods(
        days: days, mean: mean, maximum: maximum, heldBefore: heldBefore, restricted: restricted))
  }

  /// One person's erasure, asked for `asked` days ago and destroyed `wait` hours later.
  mutating func erasure(
    _ index: UInt64, _ kind: ErasureAct.Kind, tenant: String?, asked: Int64, wait: Int64?,
    certificate: ErasureAct.Certificate = .verified
  ) -> ErasureAct {
    var act = ErasureAct(
      index: index, kind: kind, tenant: tenant, certificate: certificate, level: "E1",
      ticket: kind == .expiry ? "" : "DPO-\(number(below: 900) + 100)",
      events: number(below: 4_000) + 1, persons: kind == .person ? 1 : 0)
    act.askedMilliseconds = Self.before(asked)
    act.restrictedMilliseconds = Self.before(asked, hours: -Int64(number(below: 30)))
    if let wait {
      let destroyed = Self.before(asked, hours: -wait)
      act.destroyedMilliseconds = destroyed
      if destroyed + Self.day < Self.now { act.droppedMilliseconds = destroyed + Self.day * 9 / 10 }
    }
    return act
  }

  mutating func peer(_ name: String, _ purpose: String, _ hours: ClosedRange<Int>, most: UInt64)
    -> AccessTable.Peer
  {
    AccessTable.Peer(
      name: name, purpose: purpose,
      hours: (0..<24).map { hours.contains($0) ? number(below: most) + 1 : 0 },
      bytes: most * 4_321, exports: number(below: 3), refused: number(below: 6),
      lastMilliseconds: Self.before(0, hours: Int64(number(below: 40))))
  }

  /// A ledger of `size` entries over `days` days with a checkpoint a day.
  mutating func ledger(
    size: UInt64, days: Int64, present: [ClosedRange<UInt64>], wrong: Int = -1
  ) -> LedgerContinuity {
    var counts: [Int64: UInt64] = [:]
    for _ in 0..<size {
      counts[Self.now / Self.day - Int64(number(below: UInt64(days))), default: 0] += 1
    }
    let checkpoints = (0..<days).map { day in
      LedgerContinuity.Checkpoint(
        milliseconds: Self.before(days - day - 1), size: size * UInt64(day + 1) / UInt64(days),
        isSound: Int(day) != wrong)
    }
    return LedgerContinuity(
      size: size, present: present, checkpoints: checkpoints, days: counts,
      acts: [
        .init(name: "periods expired", done: size / 3),
        .init(name: "person shredded", done: size / 5),
        .init(name: "plan confirmed", done: size / 5, refused: 4),
        .init(name: "root rotated", done: size / 9), .init(name: "hold set", done: 3),
        .init(name: "export granted", done: 2, refused: 1),
      ])
  }
}
