import ArgumentParser
import CLinux
import Client
import RESP

/// `cold`: all events of persons who are rare among many.
///
/// `--fill` appends one event for each of many persons, and in between a number of events of a few
/// others. Without it, the events of those few are asked for, each person once.
struct Cold: ParsableCommand {
  @OptionGroup var target: Target
  @Option(help: "Persons with one event each.")
  var persons = 100_000
  @Option(help: "Persons who are asked for.")
  var cold = 20
  @Option(help: "Events of each of those.")
  var events = 1_000
  @Option(help: "Connections.")
  var connections = 50
  @Flag(help: "Appends; otherwise reads.")
  var fill = false

  func run() throws {
    try Hammer.report { () throws(HammerError) in
      if fill { try append() } else { try query() }
    }
  }

  private var session: Session {
    Session(
      plan: Plan(persons: persons, connections: connections, enrols: true), path: target.socket,
      adminPath: target.admin, pipeline: 16, workers: 2, events: 0, process: target.process)
  }

  /// Of every so many persons there is one round of events of the rare ones.
  private func append() throws(HammerError) {
    let session = self.session
    try session.makeTenants()
    let verifier = Verifier(session.plan, path: target.socket)
    let connection = try verifier.connect(0)
    let rounds = max(1, events / 10)
    var person = 0
    for round in 0..<rounds {
      for _ in 0..<min(10, events) {
        for rare in 0..<cold { try send(connection, "cold-\(rare)") }
      }
      while person < persons * (round + 1) / rounds {
        try send(connection, Plan.person(person))
        person += 1
      }
    }
    try drain(connection, to: 0)
    print("\(persons) persons with one event, \(cold) with \(rounds * min(10, events))")
  }

  private func send(_ connection: Connection, _ person: String) throws(HammerError) {
    var request = Request("EVENT.APPEND", "s", "hammer", "DATASUBJECT")
    request.append(person)
    request.append("DATA", String(repeating: "x", count: 200))
    do { try connection.send(request) } catch { throw .gone("\(error)") }
    if connection.pending >= 4_000 { try drain(connection, to: 2_000) }
  }

  private func drain(_ connection: Connection, to count: Int) throws(HammerError) {
    while connection.pending > count {
      do {
        let reply = try connection.receive()
        if case .error(let text) = reply { throw HammerError.wrong(text) }
      } catch let error as HammerError {
        throw error
      } catch {
        throw .gone("\(error)")
      }
    }
  }

  private func query() throws(HammerError) {
    let verifier = Verifier(session.plan, path: target.socket)
    let connection = try verifier.connect(0)
    var latencies = Histogram()
    for rare in 0..<cold {
      let start = linux_monotonic_nanoseconds()
      let found = try count(verifier, connection, "cold-\(rare)")
      latencies.add(linux_monotonic_nanoseconds() - start)
      guard found == max(1, events / 10) * min(10, events) else {
        throw .wrong("cold-\(rare): \(found) events")
      }
    }
    print("all events of a rare person among \(persons): \(latencies.text)")
  }

  /// All events of one person, page by page.
  private func count(
    _ verifier: Verifier, _ connection: Connection, _ person: String
  ) throws(HammerError) -> Int {
    var cursor = "0"
    var count = 0
    repeat {
      var request = Request("EVENT.QUERY", "DATASUBJECT")
      request.append(person)
      request.append("COUNT", "1000")
      request.append("CURSOR", cursor)
      let reply = try verifier.call(connection, request)
      guard let items = reply.items, items.count == 2, let next = items[0].text,
        let events = items[1].items
      else { throw .wrong("EVENT.QUERY: \(reply)") }
      for event in events where event["datasubject"]?.text != person {
        throw .wrong("\(person): an event of \(event["datasubject"]?.text ?? "nobody")")
      }
      count += events.count
      cursor = next
    } while cursor != "0"
    return count
  }
}
