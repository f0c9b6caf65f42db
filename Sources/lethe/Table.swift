import Client
import RESP

/// Columns of text for a terminal.
enum Table {
  /// Rows as lines with their columns one below the other; numbers stand to the right.
  static func lines(_ rows: [[String]]) -> [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        let isNumber = !cell.isEmpty && cell.utf8.allSatisfy { (0x30...0x39).contains($0) }
        line += isNumber && column > 0 ? padding + cell : cell + padding
        line += "  "
      }
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }

  /// A reply as one cell.
  ///
  /// What a terminal would obey, and line ends, are shown as dots: what is
  /// shown here was written by others.
  static func cell(_ reply: Reply) -> String {
    switch reply {
    case .null: "-"
    case .boolean(let value): value ? "yes" : "no"
    case .integer(let number): String(number)
    case .bulk(let bytes):
      String(validating: bytes, as: UTF8.self).map(printable) ?? "<\(bytes.count) bytes>"
    case .simple(let text), .error(let text), .bigNumber(let text): printable(text)
    case .double(let number): String(number)
    case .array(let items), .set(let items), .push(let items):
      items.map(cell).joined(separator: ", ")
    case .map(let pairs):
      pairs.map { "\(cell($0.key)) \(cell($0.value))" }.joined(separator: ", ")
    }
  }

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
