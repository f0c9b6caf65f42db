import EventModel

/// How many refusals of one actor the ledger takes, so that nobody can fill it.
///
/// Refusals beyond it are counted, and the actor's next line tells how many there were. A value; its
/// owner has the clock.
struct RefusalBudget {
  /// So many at once.
  static let burst = 16
  /// And one more every five minutes: 288 lines a day.
  static let intervalMilliseconds: Int64 = 300_000
  /// Beyond so many actors, all others are one.
  static let actorsMax = 256

  private struct Account {
    var left = RefusalBudget.burst
    var sinceMilliseconds: Int64
    /// Refused and not in the ledger.
    var unwritten: UInt64 = 0

    mutating func refill(_ now: Int64) {
      let earned = max(0, now - sinceMilliseconds) / RefusalBudget.intervalMilliseconds
      guard earned > 0 else { return }
      left = min(RefusalBudget.burst, left + Int(min(earned, Int64(RefusalBudget.burst))))
      sinceMilliseconds += earned * RefusalBudget.intervalMilliseconds
    }
  }

  private var accounts: [LedgerEntry.Actor: Account] = [:]
  private var others: Account?

  /// Counts a refusal; answers how many the line about it stands for, or nil when there is none.
  ///
  /// `now` are milliseconds of a clock that nobody sets.
  mutating func spend(_ actor: LedgerEntry.Actor, now: Int64) -> UInt64? {
    if accounts[actor] == nil, accounts.count >= Self.actorsMax {
      forgetIdle(now)
      guard accounts.count < Self.actorsMax else {
        var account = others ?? Account(sinceMilliseconds: now)
        defer { others = account }
        return Self.spend(&account, now)
      }
    }
    var account = accounts[actor] ?? Account(sinceMilliseconds: now)
    defer { accounts[actor] = account }
    return Self.spend(&account, now)
  }

  private static func spend(_ account: inout Account, _ now: Int64) -> UInt64? {
    account.refill(now)
    account.unwritten += 1
    guard account.left > 0 else { return nil }
    account.left -= 1
    defer { account.unwritten = 0 }
    return account.unwritten
  }

  /// Takes what was counted and not written, of those whose turn it is, or of all.
  ///
  /// Those who were too many to be told apart are the daemon's.
  mutating func takeUnwritten(
    now: Int64, all: Bool
  ) -> [(actor: LedgerEntry.Actor, count: UInt64)] {
    var found: [(actor: LedgerEntry.Actor, count: UInt64)] = []
    for actor in accounts.keys where accounts[actor]?.unwritten ?? 0 > 0 {
      accounts[actor]?.refill(now)
      guard all || accounts[actor]?.left ?? 0 > 0 else { continue }
      accounts[actor]?.left -= 1
      found.append((actor, accounts[actor]?.unwritten ?? 0))
      accounts[actor]?.unwritten = 0
    }
    if let unwritten = others?.unwritten, unwritten > 0 {
      found.append((.daemon, unwritten))
      others?.unwritten = 0
    }
    return found
  }

  /// Lets go of accounts that are full again.
  private mutating func forgetIdle(_ now: Int64) {
    accounts = accounts.filter { entry in
      var account = entry.value
      account.refill(now)
      return account.unwritten > 0 || account.left < Self.burst
    }
  }
}
