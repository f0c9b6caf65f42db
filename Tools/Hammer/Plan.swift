import EventModel

/// What is to be done, and every event of it as a function of the seed: the model that answers are
/// held against needs no memory but counters.
///
/// A *lane* is a connection for one tenant; lane l belongs to tenant l % tenants. The j-th event of
/// a lane never depends on other lanes, so each lane's order is known whatever the daemon interleaves.
struct Plan: Hashable, Sendable {
  var seed: UInt64 = 1
  var tenants = 1
  /// In all; each lane has its own.
  var streams = 1_000
  /// In all; a tenant's are shared by its lanes.
  var persons = 8_000
  var payloadBytes = 200
  /// Of tenants, streams and persons; 0 is uniform.
  var exponent = 0.0
  var connections = 50
  var hasIDs = false
  /// So many percent of the events are sent a second time.
  var repeatPercent = 0
  /// Every person gets an event first.
  var enrols = false

  var lanes: Int { max(tenants, connections / tenants * tenants) }
  var lanesPerTenant: Int { lanes / tenants }
  var streamsPerLane: Int { max(1, streams / lanes) }
  var personsPerTenant: Int { max(1, persons / tenants) }

  func tenant(ofLane lane: Int) -> Int { lane % tenants }
  func lanes(ofTenant tenant: Int) -> [Int] { (0..<lanesPerTenant).map { tenant + $0 * tenants } }

  static func name(ofTenant tenant: Int) -> String { "t\(tenant)" }

  /// How many events of the lane enrol persons, before all others.
  func enrolments(ofLane lane: Int) -> UInt64 {
    guard enrols else { return 0 }
    let place = lane / tenants
    return UInt64((personsPerTenant - place + lanesPerTenant - 1) / lanesPerTenant)
  }

  /// All that a lane's event says, but its payload.
  struct Event: Hashable {
    let stream: Int
    let person: Int
  }

  /// Made once; drawing needs no tables.
  struct Draws: Sendable {
    let streams: Zipf
    let persons: Zipf

    init(_ plan: Plan) {
      streams = Zipf(count: plan.streamsPerLane, exponent: plan.exponent)
      persons = Zipf(count: plan.personsPerTenant, exponent: plan.exponent)
    }
  }

  func event(_ number: UInt64, ofLane lane: Int, _ draws: Draws) -> Event {
    var random = SplitMix(seed: seed, lane: lane, event: number)
    let stream = draws.streams.draw(&random)
    if number < enrolments(ofLane: lane) {
      return Event(stream: stream, person: lane / tenants + Int(number) * lanesPerTenant)
    }
    return Event(stream: stream, person: draws.persons.draw(&random))
  }

  /// `<lane>.<number>.` and then bytes that follow from the seed; never shorter than that head.
  func payload(_ number: UInt64, ofLane lane: Int, into bytes: inout [UInt8]) {
    let start = bytes.count
    bytes.append(contentsOf: "\(lane).\(number).".utf8)
    var random = SplitMix(seed: ~seed, lane: lane, event: number)
    while bytes.count - start < payloadBytes {
      var word = random.next()
      for _ in 0..<min(8, payloadBytes - (bytes.count - start)) {
        bytes.append(UInt8(truncatingIfNeeded: word))
        word >>= 8
      }
    }
  }

  /// Lane and number from a payload's head.
  static func place(in payload: [UInt8]) -> (lane: Int, number: UInt64)? {
    let parts = payload.split(separator: 0x2E, maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, let lane = Int(String(decoding: parts[0], as: UTF8.self)),
      let number = UInt64(String(decoding: parts[1], as: UTF8.self))
    else { return nil }
    return (lane, number)
  }

  /// True when event `number` is sent again behind itself.
  func isRepeated(_ number: UInt64, ofLane lane: Int) -> Bool {
    guard repeatPercent > 0 else { return false }
    var random = SplitMix(seed: seed &+ 7, lane: lane, event: number)
    return random.below(100) < repeatPercent
  }
}

extension Plan {
  /// Appends `EVENT.APPEND` of one event as the wire has it.
  func appendCommand(
    _ number: UInt64, ofLane lane: Int, _ event: Event, payload: inout [UInt8],
    to bytes: inout [UInt8]
  ) {
    payload.removeAll(keepingCapacity: true)
    self.payload(number, ofLane: lane, into: &payload)
    bytes.append(contentsOf: (hasIDs ? "*9\r\n" : "*7\r\n").utf8)
    bytes.append(contentsOf: "$12\r\nEVENT.APPEND\r\n".utf8)
    Self.append(Self.stream(event.stream, ofLane: lane), to: &bytes)
    bytes.append(contentsOf: "$6\r\nhammer\r\n$11\r\nDATASUBJECT\r\n".utf8)
    Self.append(Self.person(event.person), to: &bytes)
    if hasIDs {
      bytes.append(contentsOf: "$2\r\nID\r\n".utf8)
      Self.append(Self.id(number, ofLane: lane), to: &bytes)
    }
    bytes.append(contentsOf: "$4\r\nDATA\r\n$\(payload.count)\r\n".utf8)
    bytes.append(contentsOf: payload)
    bytes.append(contentsOf: [0x0D, 0x0A])
  }

  static func stream(_ stream: Int, ofLane lane: Int) -> String { "s\(lane)-\(stream)" }
  static func person(_ person: Int) -> String { "person-\(person)" }
  static func id(_ number: UInt64, ofLane lane: Int) -> String { "\(lane)-\(number)" }

  private static func append(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: "$\(text.utf8.count)\r\n\(text)\r\n".utf8)
  }
}
