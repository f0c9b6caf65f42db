import CLinux
import Client
import Synchronization

/// What all workers tell the thread that prints and saves.
final class Progress: Sendable {
  struct Counts: Sendable {
    /// Of each lane, how many of its events were acknowledged.
    var lanes: [UInt64]
    var failure: String?
    /// The store is wrong, as opposed to gone.
    var isWrong = false
    var latencies = Histogram()
    var runningWorkers = 0
  }

  let counts: Mutex<Counts>
  let events = Atomic<UInt64>(0)
  let repetitions = Atomic<UInt64>(0)
  let isStopping = Atomic(false)

  init(lanes: [UInt64], workers: Int) {
    counts = Mutex(Counts(lanes: lanes, runningWorkers: workers))
  }
}

/// Appends through its share of the lanes, on its own thread.
///
/// It keeps `slots` bursts of `pipeline` events under way; when one is answered, the next goes to a
/// lane that is drawn anew. Nothing waits for a particular lane.
struct Worker {
  let plan: Plan
  let draws: Plan.Draws
  let path: String
  let pipeline: Int
  let progress: Progress
  private var lanes: [Lane]
  /// Places in ``lanes``, by tenant, in the order in which they are drawn.
  private var groups: [[Int]]
  private let ranks: Zipf
  private var random: SplitMix
  private var payload: [UInt8] = []
  /// How many events are still to be sent, all slots together.
  private var budget: Int
  private var active: Set<Int> = []
  private var latencies = Histogram()
  private var lastReport: UInt64 = 0

  init(
    _ index: Int, of workers: Int, plan: Plan, path: String, pipeline: Int, events: Int,
    lanes all: inout [Lane?], progress: Progress
  ) {
    self.plan = plan
    draws = Plan.Draws(plan)
    self.path = path
    self.pipeline = pipeline
    self.progress = progress
    budget = events
    lanes = []
    var places: [Int: Int] = [:]
    groups = []
    for number in stride(from: index, to: all.count, by: workers) {
      let tenant = plan.tenant(ofLane: number)
      if places[tenant] == nil {
        places[tenant] = groups.count
        groups.append([])
      }
      groups[places[tenant]!].append(lanes.count)
      lanes.append(all[number].take()!)
    }
    ranks = Zipf(count: groups.count, exponent: plan.exponent)
    random = SplitMix(plan.seed ^ UInt64(index) ^ linux_monotonic_nanoseconds())
  }

  /// Sends and checks until the budget is used up, then hands over what was counted.
  mutating func run(slots: Int, isEnrolling: Bool) {
    var failure: HammerError?
    do throws(HammerError) {
      if isEnrolling { try enrol(slots: slots) } else { try hammer(slots: slots) }
    } catch {
      failure = error
    }
    report(failure)
    progress.counts.withLock { $0.runningWorkers -= 1 }
    for place in lanes.indices { lanes[place].close() }
  }

  private mutating func hammer(slots: Int) throws(HammerError) {
    for slot in 0..<slots { try beginBurst(slot) }
    while !active.isEmpty {
      try step { (worker, slot) throws(HammerError) in
        try worker.beginBurst(slot)
      }
    }
  }

  /// Every lane appends its first events, one for each of its persons.
  private mutating func enrol(slots: Int) throws(HammerError) {
    var next = 0
    let begin = { (worker: inout Worker, slot: Int) throws(HammerError) in
      while next < worker.lanes.count {
        let lane = worker.lanes[next]
        let wanted = worker.plan.enrolments(ofLane: lane.number)
        guard lane.sentEvents < wanted else {
          next += 1
          continue
        }
        return try worker.send(
          min(worker.pipeline, Int(wanted - lane.sentEvents)), on: next, slot: slot)
      }
    }
    for slot in 0..<slots { try begin(&self, slot) }
    while !active.isEmpty { try step(begin) }
  }

  private mutating func beginBurst(_ slot: Int) throws(HammerError) {
    let count = min(pipeline, budget)
    guard count > 0, !progress.isStopping.load(ordering: .relaxed) else { return }
    budget -= count
    let group = ranks.draw(&random)
    try send(count, on: groups[group][random.below(groups[group].count)], slot: slot)
  }

  private mutating func send(_ count: Int, on place: Int, slot: Int) throws(HammerError) {
    if !lanes[place].isOpen {
      let tenant = plan.tenant(ofLane: lanes[place].number)
      try lanes[place].open(path, tenant: Plan.name(ofTenant: tenant))
    }
    var due = 0
    for _ in 0..<count { due += lanes[place].send(plan, draws, payload: &payload) }
    lanes[place].bursts.append(
      Lane.Burst(slot: slot, remaining: due, sentNanoseconds: linux_monotonic_nanoseconds()))
    active.insert(place)
    try lanes[place].flush()
  }

  /// Waits until something can be read or written, and takes it.
  private mutating func step(
    _ next: (inout Worker, Int) throws(HammerError) -> Void
  ) throws(HammerError) {
    let places = Array(active)
    let ready = Polling.wait(
      places.map { (lanes[$0].fd, lanes[$0].hasOutput) }, milliseconds: 30_000)
    guard !ready.isEmpty else { throw .gone("no answer for 30 seconds") }
    for index in ready {
      let place = places[index]
      try lanes[place].flush()
      try lanes[place].fill()
      try takeAnswers(place, next)
    }
    if linux_monotonic_nanoseconds() - lastReport > 200_000_000 { report(nil) }
  }

  private mutating func takeAnswers(
    _ place: Int, _ next: (inout Worker, Int) throws(HammerError) -> Void
  ) throws(HammerError) {
    let now = linux_monotonic_nanoseconds()
    var finished: [Int] = []
    let before = lanes[place].acknowledged
    var answers: UInt64 = 0
    while !lanes[place].bursts.isEmpty, try lanes[place].receive(plan, draws) {
      answers += 1
      latencies.add(now - lanes[place].bursts[0].sentNanoseconds)
      lanes[place].bursts[0].remaining -= 1
      if lanes[place].bursts[0].remaining == 0 {
        finished.append(lanes[place].bursts.removeFirst().slot)
      }
    }
    let events = lanes[place].acknowledged - before
    progress.events.add(events, ordering: .relaxed)
    progress.repetitions.add(answers - events, ordering: .relaxed)
    if lanes[place].bursts.isEmpty { active.remove(place) }
    for slot in finished { try next(&self, slot) }
  }

  private mutating func report(_ failure: HammerError?) {
    lastReport = linux_monotonic_nanoseconds()
    progress.counts.withLock { counts in
      for lane in lanes { counts.lanes[lane.number] = lane.acknowledged }
      counts.latencies.add(latencies)
      if let failure {
        switch failure {
        case .wrong(let text): (counts.failure, counts.isWrong) = (text, true)
        case .gone(let text): counts.failure = counts.failure ?? text
        }
        progress.isStopping.store(true, ordering: .relaxed)
      }
    }
    latencies = Histogram()
  }
}
