import EventModel

/// Numbers, times and spans as a person reads them.
enum Wording {
  /// 1,234,567.
  static func number(_ value: UInt64) -> String {
    let digits = String(value)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return text
  }

  /// `1 event`, `1,234 events`.
  static func count(_ value: UInt64, _ one: String, _ many: String? = nil) -> String {
    "\(number(value)) \(value == 1 ? one : many ?? one + "s")"
  }

  static func count(_ value: Int, _ one: String, _ many: String? = nil) -> String {
    count(UInt64(max(0, value)), one, many)
  }

  /// `2026-11-24 17:10 UTC`.
  static func time(_ milliseconds: Int64) -> String {
    let text = Timestamp.text(clamped(milliseconds))
    return "\(text.prefix(10)) \(text.dropFirst(11).prefix(5)) UTC"
  }

  /// `2026-11-24`.
  static func day(_ milliseconds: Int64) -> String {
    String(Timestamp.text(clamped(milliseconds)).prefix(10))
  }

  /// `3 days 4 hours`: the two largest units.
  static func span(_ milliseconds: Int64) -> String {
    let units: [(Int64, String)] = [
      (86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second"),
    ]
    var rest = clamped(milliseconds)
    for (index, (length, name)) in units.enumerated() where rest >= length {
      let first = count(UInt64(rest / length), name)
      rest %= length
      guard index + 1 < units.count, rest >= units[index + 1].0 else { return first }
      let (shorter, shorterName) = units[index + 1]
      return "\(first) \(count(UInt64(rest / shorter), shorterName))"
    }
    return "under a second"
  }

  /// `97.3 %`; 100 % is said of all only, and 0 % of none.
  static func percent(_ part: UInt64, of whole: UInt64) -> String {
    guard whole > 0 else { return "none" }
    guard part < whole else { return "100 %" }
    guard part > 0 else { return "0 %" }
    let tenths = min(999, max(1, Int(Double(part) / Double(whole) * 1_000)))
    return "\(tenths / 10).\(tenths % 10) %"
  }

  /// 1.2 GB; a thousand bytes are a kB.
  static func bytes(_ value: UInt64) -> String {
    guard value >= 1_000 else { return count(value, "byte") }
    var (unit, names) = (UInt64(1_000), ["kB", "MB", "GB", "TB"][...])
    while names.count > 1, value / unit >= 1_000 {
      unit *= 1_000
      names.removeFirst()
    }
    let tenths = value / (unit / 10)
    return "\(number(tenths / 10)).\(tenths % 10) \(names.first ?? "")"
  }

  /// The first digits of an id; the page has the whole id elsewhere.
  static func short(_ id: String) -> String { id.count > 12 ? "\(id.prefix(8))\u{2026}" : id }

  /// What a row of a plot has room for; the table below it has the whole text.
  static func cut(_ text: String) -> String {
    text.count > 22 ? "\(text.prefix(21))\u{2026}" : text
  }

  /// Times that have a name: forged ones may lie anywhere.
  static func clamped(_ milliseconds: Int64) -> Int64 {
    min(max(0, milliseconds), 253_402_300_799_999)
  }

  /// From one time to a later one, in milliseconds; 0 when it is earlier.
  static func between(_ first: Int64, _ last: Int64) -> Int64 {
    max(0, clamped(last) - clamped(first))
  }
}

extension Sequence<UInt64> {
  /// The sum, or the largest number: counts of a forged bundle may not add up.
  var total: UInt64 {
    reduce(0) { sum, next in
      let (result, isTooLarge) = sum.addingReportingOverflow(next)
      return isTooLarge ? UInt64.max : result
    }
  }
}
