/// What the hammer knows of a store: the plan, and how many events of each lane were acknowledged.
///
/// ```
/// lethe-hammer 1
/// seed=1 tenants=8000 ..
/// <acknowledged events of lane 0>
/// ..
/// ```
struct StateFile {
  let path: String

  func save(_ plan: Plan, _ acknowledged: [UInt64]) -> Bool {
    var text = "lethe-hammer 1\n\(Self.line(plan))\n"
    for count in acknowledged { text += "\(count)\n" }
    return Files.write(path, Array(text.utf8))
  }

  /// Nil when there is no file; the counts, when it is of this plan.
  func load(_ plan: Plan) throws(HammerError) -> [UInt64]? {
    guard let bytes = Files.read(path) else { return nil }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    guard lines.count == plan.lanes + 2, lines[0] == "lethe-hammer 1" else {
      throw .wrong("\(path) is not a state of this plan")
    }
    guard lines[1] == Self.line(plan) else {
      throw .wrong("\(path) was made with other options: \(lines[1])")
    }
    return lines.dropFirst(2).map { UInt64($0) ?? 0 }
  }

  /// All that events and lanes follow from.
  private static func line(_ plan: Plan) -> String {
    "seed=\(plan.seed) tenants=\(plan.tenants) lanes=\(plan.lanes) streams=\(plan.streams) "
      + "persons=\(plan.persons) payload=\(plan.payloadBytes) zipf=\(plan.exponent) "
      + "ids=\(plan.hasIDs) repeat=\(plan.repeatPercent) enrol=\(plan.enrols)"
  }
}
