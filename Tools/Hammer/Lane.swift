import CLinux
import Client
import EventModel
import RESP

/// Why the hammer stops.
enum HammerError: Error {
  /// The daemon answered something that is not what must be answered.
  case wrong(String)
  /// The daemon is gone, or cannot be reached.
  case gone(String)
}

/// What an append was answered.
struct Acknowledgement: Hashable {
  var position: UInt64
  var version: UInt64
  var isDuplicate: Bool
}

/// One connection for one tenant, that is never waited for: what is sent is remembered in order,
/// and answers are taken as they come.
struct Lane {
  /// Sends that were made at one time, for one slot of the worker.
  struct Burst {
    let slot: Int
    var remaining: Int
    let sentNanoseconds: UInt64
  }

  let number: Int
  private(set) var fd: Int32 = -1
  private var outgoing: [UInt8] = []
  private var sent = 0
  private var incoming: [UInt8] = []
  private var consumed = 0
  var bursts: [Burst] = []
  /// Events that were sent, and that were answered.
  var sentEvents: UInt64
  var acknowledged: UInt64
  /// Sends that are due for an answer: whether each is a repetition.
  var repetitions: [Bool] = []
  var firstDue = 0
  /// Of each stream, what its last acknowledged version is.
  var versions: [UInt32]
  var lastPosition: UInt64 = 0
  var last = Acknowledgement(position: 0, version: 0, isDuplicate: false)

  init(_ number: Int, acknowledged: UInt64, streams: Int) {
    self.number = number
    self.acknowledged = acknowledged
    sentEvents = acknowledged
    versions = Array(repeating: 0, count: streams)
  }

  var isOpen: Bool { fd >= 0 }
  var hasOutput: Bool { sent < outgoing.count }
}

extension Lane {
  /// Connects and says which tenant the lane is for.
  mutating func open(_ path: String, tenant: String) throws(HammerError) {
    switch SystemCalls.connectUnix(path) {
    case .success(let fd): self.fd = fd
    case .failure(let error): throw .gone("connect: errno \(error.errno)")
    }
    var hello = Request("AUTH", tenant)
    hello.append("peer")
    hello.encode(to: &outgoing)
    try flush()
    while incoming.count < 5 {
      _ = SystemCalls.wait(fd, forWriting: hasOutput, milliseconds: 10_000)
      try flush()
      try fill()
    }
    guard incoming.starts(with: "+OK\r\n".utf8) else {
      throw .wrong("AUTH: \(String(decoding: incoming, as: UTF8.self))")
    }
    incoming.removeAll(keepingCapacity: true)
  }

  mutating func close() {
    if fd >= 0 { SystemCalls.closeFile(fd) }
    fd = -1
  }

  /// Queues one event, and once more if the plan says so; returns how many answers are due for it.
  mutating func send(_ plan: Plan, _ draws: Plan.Draws, payload: inout [UInt8]) -> Int {
    let event = plan.event(sentEvents, ofLane: number, draws)
    let times = plan.isRepeated(sentEvents, ofLane: number) ? 2 : 1
    for time in 0..<times {
      plan.appendCommand(sentEvents, ofLane: number, event, payload: &payload, to: &outgoing)
      repetitions.append(time > 0)
    }
    sentEvents += 1
    return times
  }

  /// Sends what goes without waiting.
  mutating func flush() throws(HammerError) {
    while sent < outgoing.count {
      switch SystemCalls.send(fd, outgoing, from: sent) {
      case .moved(let count): sent += count
      case .wouldBlock: return
      case .ended, .failed: throw .gone("the connection ended while sending")
      }
    }
    outgoing.removeAll(keepingCapacity: true)
    sent = 0
  }

  /// Reads what is there.
  mutating func fill() throws(HammerError) {
    switch SystemCalls.read(fd, into: &incoming, countMax: 1 << 16) {
    case .moved, .wouldBlock: return
    case .ended, .failed: throw .gone("the connection ended while receiving")
    }
  }

  /// The next answer, checked against the model; nil when it has not come.
  mutating func receive(_ plan: Plan, _ draws: Plan.Draws) throws(HammerError) -> Bool {
    var reader = AnswerReader(bytes: incoming, index: consumed)
    guard let answer = try reader.acknowledgement(lane: number) else {
      incoming.removeFirst(consumed)
      consumed = 0
      return false
    }
    consumed = reader.index
    if consumed == incoming.count {
      incoming.removeAll(keepingCapacity: true)
      consumed = 0
    }
    let isRepetition = repetitions[firstDue]
    firstDue += 1
    if firstDue == repetitions.count {
      repetitions.removeAll(keepingCapacity: true)
      firstDue = 0
    }
    try check(answer, isRepetition: isRepetition, plan, draws)
    return true
  }

  private mutating func check(
    _ answer: Acknowledgement, isRepetition: Bool, _ plan: Plan, _ draws: Plan.Draws
  ) throws(HammerError) {
    if isRepetition {
      var expected = last
      expected.isDuplicate = true
      guard answer == expected else { throw .wrong(description(answer, expected)) }
      return
    }
    let stream = plan.event(acknowledged, ofLane: number, draws).stream
    var expected = Acknowledgement(
      position: answer.position, version: UInt64(versions[stream]) + 1, isDuplicate: false)
    // With one lane a tenant's positions are the lane's own count; with more they only ascend.
    if plan.lanesPerTenant == 1 { expected.position = acknowledged + 1 }
    guard answer == expected, answer.position > lastPosition else {
      throw .wrong(description(answer, expected))
    }
    versions[stream] += 1
    acknowledged += 1
    lastPosition = answer.position
    last = answer
  }

  private func description(_ answer: Acknowledgement, _ expected: Acknowledgement) -> String {
    "lane \(number), event \(acknowledged): answered \(answer), expected \(expected), "
      + "last position \(lastPosition)"
  }
}

/// Reads the answers to appends in RESP2, without making values of what nobody looks at: the
/// client must not be what is measured.
struct AnswerReader {
  let bytes: [UInt8]
  var index: Int

  /// Nil when the answer is not complete; ``index`` is then of no use.
  mutating func acknowledgement(lane: Int) throws(HammerError) -> Acknowledgement? {
    guard index < bytes.count else { return nil }
    guard bytes[index] == 0x2A else { throw .wrong("lane \(lane): \(line())") }
    guard let count = number() else { return nil }
    guard count == 10 else { throw .wrong("lane \(lane): a list of \(count)") }
    var found: [UInt64?] = [nil, nil, nil]
    for _ in 0..<5 {
      guard let key = bulk(), index < bytes.count else { return nil }
      let place = Self.names.firstIndex { bytes[key].elementsEqual($0) }
      if bytes[index] == 0x3A {
        guard let value = number() else { return nil }
        if let place { found[place] = UInt64(clamping: value) }
      } else if bulk() == nil {
        return nil
      }
    }
    guard let position = found[0], let version = found[1], let duplicate = found[2] else {
      throw .wrong("lane \(lane): an answer without position, version or duplicate")
    }
    return Acknowledgement(position: position, version: version, isDuplicate: duplicate != 0)
  }

  private static let names = ["position", "version", "duplicate"].map { Array($0.utf8) }

  /// The number of a header or an integer.
  private mutating func number() -> Int64? {
    var value: Int64 = 0
    var place = index + 1
    let isNegative = place < bytes.count && bytes[place] == 0x2D
    if isNegative { place += 1 }
    while place < bytes.count, bytes[place] != 0x0D {
      value = value &* 10 &+ Int64(bytes[place]) - 0x30
      place += 1
    }
    guard place + 1 < bytes.count else { return nil }
    index = place + 2
    return isNegative ? -value : value
  }

  private mutating func bulk() -> Range<Int>? {
    guard index < bytes.count, bytes[index] == 0x24, let count = number() else { return nil }
    guard count >= 0 else { return index..<index }
    let end = index + Int(count)
    guard end + 2 <= bytes.count else { return nil }
    defer { index = end + 2 }
    return index..<end
  }

  private func line() -> String {
    String(decoding: bytes[index...].prefix { $0 != 0x0D }, as: UTF8.self)
  }
}
