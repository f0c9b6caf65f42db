import Testing

@testable import lethe_hammer

// The hammer judges the daemon; these judge the hammer.

@Test func `low ranks are drawn as often as the distribution says`() {
  let zipf = Zipf(count: 1_000, exponent: 1)
  var random = SplitMix(7)
  var counts = [Int](repeating: 0, count: 1_000)
  for _ in 0..<100_000 { counts[zipf.draw(&random)] += 1 }
  let harmonic = (1...1_000).reduce(0) { $0 + 1 / Double($1) }
  for rank in [0, 1, 9, 99] {
    let expected = 100_000 / (harmonic * Double(rank + 1))
    #expect(abs(Double(counts[rank]) - expected) < 5 * expected.squareRoot())
  }
}

@Test(arguments: [0, 0.5, 1, 1.5])
func `every rank can be drawn and no other`(exponent: Double) {
  let zipf = Zipf(count: 5, exponent: exponent)
  var random = SplitMix(1)
  let drawn = Set((0..<10_000).map { _ in zipf.draw(&random) })
  #expect(drawn == [0, 1, 2, 3, 4])
}

@Test func `quantiles are right to three percent`() {
  var histogram = Histogram()
  for value in 1...100_000 as ClosedRange<UInt64> { histogram.add(value * 1_000) }
  for part in [0.5, 0.9, 0.99, 0.999] {
    let exact = part * 100_000_000
    #expect(abs(Double(histogram.quantile(part)) - exact) <= exact * 0.032)
  }
  #expect(histogram.quantile(1) == 100_000_000)
}

@Test func `events follow from the seed, the lane and the number alone`() {
  let plan = Plan(seed: 3, tenants: 4, streams: 100, persons: 400, exponent: 1, enrols: true)
  let draws = Plan.Draws(plan)
  let first = (0..<50).map { plan.event($0, ofLane: 2, draws) }
  #expect(first == (0..<50).map { plan.event($0, ofLane: 2, Plan.Draws(plan)) })
  #expect(first != (0..<50).map { plan.event($0, ofLane: 3, draws) })
  var other = plan
  other.seed = 4
  #expect(first.map(\.stream) != (0..<50).map { other.event($0, ofLane: 2, draws).stream })
}

@Test(arguments: [1, 3, 4, 7])
func `every person is enrolled once`(tenants: Int) {
  let plan = Plan(tenants: tenants, persons: 1_000, connections: 10, enrols: true)
  let draws = Plan.Draws(plan)
  for tenant in 0..<tenants {
    let persons = plan.lanes(ofTenant: tenant).flatMap { lane in
      (0..<plan.enrolments(ofLane: lane)).map { plan.event($0, ofLane: lane, draws).person }
    }
    #expect(persons.sorted() == Array(0..<plan.personsPerTenant))
  }
}

@Test func `an answer is read however it is cut`() throws {
  let answer = Array(
    ("*10\r\n$8\r\nposition\r\n:123\r\n$7\r\nversion\r\n:45\r\n$2\r\nid\r\n$3\r\nabc\r\n"
      + "$4\r\ntime\r\n$4\r\n\r\n\r\n\r\n$9\r\nduplicate\r\n:1\r\n").utf8)
  for count in 0..<answer.count {
    var reader = AnswerReader(bytes: Array(answer[..<count]), index: 0)
    #expect(try reader.acknowledgement(lane: 0) == nil)
  }
  var reader = AnswerReader(bytes: answer + answer, index: 0)
  let expected = Acknowledgement(position: 123, version: 45, isDuplicate: true)
  #expect(try reader.acknowledgement(lane: 0) == expected)
  #expect(reader.index == answer.count)
}

@Test func `an error is no answer`() {
  var reader = AnswerReader(bytes: Array("-NOSPACE no\r\n".utf8), index: 0)
  #expect(throws: HammerError.self) { try reader.acknowledgement(lane: 0) }
}
