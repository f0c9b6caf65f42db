import EventModel

/// How things are written for people.
enum Text {
  /// A time; nothing that a file says can be out of range.
  static func time(_ milliseconds: Int64) -> String {
    Timestamp.text(min(max(0, milliseconds), 253_402_300_799_000))
  }

  /// A span of time in its largest unit.
  static func span(_ milliseconds: Int64) -> String {
    let minutes = max(0, milliseconds) / 60_000
    if minutes < 120 { return "\(minutes) min" }
    if minutes < 48 * 60 { return "\(minutes / 60) h" }
    return "\(minutes / 1_440) d"
  }

  /// What a terminal would obey is shown as dots: bundles are written by others.
  static func printable(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      let isHarmless =
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: false
        default: true
        }
      result.append(isHarmless ? scalar : "\u{B7}")
    }
    return String(result)
  }
}
