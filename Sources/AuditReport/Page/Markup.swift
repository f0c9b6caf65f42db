/// HTML while it is written, from the outside in.
///
/// Everything that is not markup passes ``text(_:)``, so nothing that a bundle says becomes markup.
struct Markup {
  /// A text is cut behind so many characters: a bundle may say anything.
  static let textMax = 600

  private(set) var bytes: [UInt8] = []

  typealias Attributes = KeyValuePairs<String, String>

  mutating func element(
    _ name: String, _ attributes: Attributes = [:], _ content: (inout Markup) -> Void
  ) {
    open(name, attributes)
    bytes.append(UInt8(ascii: ">"))
    content(&self)
    bytes += "</\(name)>".utf8
  }

  mutating func element(_ name: String, _ attributes: Attributes = [:], text content: String) {
    element(name, attributes) { $0.text(content) }
  }

  /// An element that has no content; SVG needs it to be closed.
  mutating func void(_ name: String, _ attributes: Attributes) {
    open(name, attributes)
    bytes += "/>".utf8
  }

  /// Text that was written for this page; never from a bundle.
  mutating func raw(_ fixed: StaticString) { bytes += fixed.description.utf8 }

  /// What another markup has.
  mutating func append(_ other: Markup) { bytes += other.bytes }

  /// Text as it is to be read, at most ``textMax`` characters of it.
  mutating func text(_ content: String) {
    for (count, scalar) in content.unicodeScalars.enumerated() {
      guard count < Self.textMax else {
        bytes += "\u{2026}".utf8
        return
      }
      switch scalar {
      case "&": bytes += "&amp;".utf8
      case "<": bytes += "&lt;".utf8
      case ">": bytes += "&gt;".utf8
      case "\"": bytes += "&quot;".utf8
      case "'": bytes += "&#39;".utf8
      default: bytes += String(Self.isReadable(scalar) ? scalar : "\u{FFFD}").utf8
      }
    }
  }

  private mutating func open(_ name: String, _ attributes: Attributes) {
    if Self.blocks.contains(name) { bytes.append(UInt8(ascii: "\n")) }
    bytes += "<\(name)".utf8
    for (name, value) in attributes {
      bytes += " \(name)=\"".utf8
      text(value)
      bytes.append(UInt8(ascii: "\""))
    }
  }

  /// Elements that begin a line of the file.
  private static let blocks: Set<String> = [
    "head", "title", "meta", "style", "body", "header", "main", "section", "nav", "h1", "h2", "h3",
    "p", "ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr", "figure",
    "figcaption", "details", "summary", "svg", "pre", "footer", "div",
  ]

  /// False for what is not shown, or turns the text around it.
  private static func isReadable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      false
    default: true
    }
  }
}
