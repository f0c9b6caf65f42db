import CLinux
import Dispatch
import Glibc
import Synchronization

extension Session {
  /// Enrols, appends, verifies; the status of the program.
  func run() throws(HammerError) {
    linux_raise_limits()
    try makeTenants()
    var counts = try findPlace()
    if plan.enrols {
      print("enrolling \(plan.personsPerTenant * plan.tenants) persons")
      counts = try work(counts, isEnrolling: true)
    }
    if events > 0 {
      print("appending \(events) events")
      counts = try work(counts, isEnrolling: false)
    }
    try verify(counts)
  }

  /// Runs the workers and prints how it goes; returns where the lanes stand.
  private func work(_ counts: [UInt64], isEnrolling: Bool) throws(HammerError) -> [UInt64] {
    let workers = min(self.workers, plan.connections, plan.lanes)
    let progress = Progress(lanes: counts, workers: workers)
    var lanes = makeLanes(counts)
    var threads: [Worker] = []
    for index in 0..<workers {
      threads.append(
        Worker(
          index, of: workers, plan: plan, path: path, pipeline: pipeline,
          events: events / workers + (index < events % workers ? 1 : 0), lanes: &lanes,
          progress: progress))
    }
    let slots = max(1, plan.connections / workers)
    let group = DispatchGroup()
    for thread in threads {
      DispatchQueue.global().async(group: group) {
        var worker = thread
        worker.run(slots: slots, isEnrolling: isEnrolling)
      }
    }
    threads = []
    try watch(progress)
    group.wait()
    return try finish(progress)
  }

  /// Saves every second and prints every interval, until the workers are done.
  private func watch(_ progress: Progress) throws(HammerError) {
    let start = linux_monotonic_nanoseconds()
    var (lastPrint, lastSave, lastEvents) = (start, start, UInt64(0))
    var rates: [Double] = []
    while true {
      usleep(20_000)
      let now = linux_monotonic_nanoseconds()
      let isOver = progress.counts.withLock { $0.runningWorkers == 0 }
      if now - lastSave > 1_000_000_000 {
        try save(progress)
        lastSave = now
      }
      guard isOver || now - lastPrint >= UInt64(intervalSeconds) * 1_000_000_000 else { continue }
      let events = progress.events.load(ordering: .relaxed)
      let rate = Double(events - lastEvents) / (Double(now - lastPrint) / 1e9)
      if !isOver || rates.isEmpty { rates.append(rate) }
      print(line((now - start) / 1_000_000_000, events, rate))
      (lastPrint, lastEvents) = (now, events)
      if isOver {
        summarise(progress, seconds: Double(now - start) / 1e9, rates)
        return
      }
    }
  }

  private func line(_ seconds: UInt64, _ events: UInt64, _ rate: Double) -> String {
    var text = "\(seconds) s  \(events) events  \(Int(rate))/s"
    if let process, let memory = Memory.kilobytes(ofProcess: process) {
      text += "  memory \(memory.anonymous / 1_024) MB"
      text += " (\(memory.resident / 1_024) MB with mapped files)"
    }
    return text
  }

  private func summarise(_ progress: Progress, seconds: Double, _ rates: [Double]) {
    let events = progress.events.load(ordering: .relaxed)
    let repetitions = progress.repetitions.load(ordering: .relaxed)
    print(
      "rate \(Int(Double(events) / seconds))/s  slowest interval \(Int(rates.min() ?? 0))/s  "
        + "events \(events)  repetitions \(repetitions)")
    if events > 0 {
      print("hammer's own processor time \(Self.processorNanoseconds / events) ns an event")
    }
    progress.counts.withLock { print("latency \($0.latencies.text)") }
  }

  /// Of this process, since it began.
  private static var processorNanoseconds: UInt64 {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  private func save(_ progress: Progress) throws(HammerError) {
    guard let state else { return }
    let lanes = progress.counts.withLock { $0.lanes }
    guard state.save(plan, lanes) else { throw .gone("\(state.path) cannot be written") }
  }

  private func finish(_ progress: Progress) throws(HammerError) -> [UInt64] {
    try save(progress)
    let (lanes, failure, isWrong) = progress.counts.withLock {
      ($0.lanes, $0.failure, $0.isWrong)
    }
    if let failure { throw isWrong ? .wrong(failure) : .gone(failure) }
    return lanes
  }
}
