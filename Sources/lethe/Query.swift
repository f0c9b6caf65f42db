import ArgumentParser
import Client
import RESP

/// `lethe query`: live events by person, type, source and time.
struct Query: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find live events by person, type, source and time.",
    discussion: """
      All filters must hold. Events come by position; erased ones do not match. When there are \
      more than --count, a cursor for --cursor is told on stderr.

      EXAMPLES
        $ lethe query --type order.placed --since 7d
        $ lethe query orders --subject-prompt          # asks who, and does not show the answer
        $ lethe query --subject-prompt --all --json < one-identifier.txt
        $ lethe query --source https://shop.example --reverse --count 10 --format ce
      """)

  @Argument(help: "Only events of this stream.")
  var stream: String?

  @OptionGroup var filter: FilterOptions

  @OptionGroup var amount: AmountOptions

  @Option(help: "Go on where another query with the same filters ended.")
  var cursor: String?

  @OptionGroup var form: FormatOption

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    let session = try options.openQuery()
    let output = form.output(isJSON: options.json)
    var base = Request("EVENT.QUERY")
    try filter.append(to: &base, stream: stream)
    if amount.reverse { base.append("REV") }
    var pages = CursorPages(base: base, cursor: cursor, missing: amount.most)
    output.showHeads(withStream: true)
    while let events = try pages.next(session, output) {
      try output.show(events, withStream: true)
    }
    if let cursor = pages.cursor { Output.message("there may be more: --cursor \(cursor)") }
  }
}

/// Follows cursors until enough has come.
struct CursorPages {
  private let base: Request
  /// Where to go on, nil at the beginning and at the end.
  private(set) var cursor: String?
  private var missing: UInt64
  private var isAtEnd = false

  /// The most that is asked for at once.
  private static let pageItems: UInt64 = 1_000

  /// `base` is the command without cursor and count.
  init(base: Request, cursor: String?, missing: UInt64) {
    (self.base, self.cursor, self.missing) = (base, cursor, missing)
  }

  /// The next page, which may be empty, or nil at the end.
  mutating func next(_ session: Session, _ output: EventOutput?) throws -> [Reply]? {
    guard missing > 0, !isAtEnd else { return nil }
    var request = base
    request.append("COUNT", String(min(missing, Self.pageItems)))
    if let cursor { request.append("CURSOR", cursor) }
    output?.append(to: &request)
    guard let parts = try session.callAgain(request).items, parts.count == 2,
      let next = parts[0].text, let items = parts[1].items
    else { throw session.unexpectedReply }
    missing -= min(missing, UInt64(items.count))
    isAtEnd = next == "0"
    cursor = isAtEnd ? nil : next
    return items
  }
}
