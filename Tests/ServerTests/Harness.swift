import EventModel
import EventStore
import RESP

@testable import Server

/// A connection without a socket: commands in, bytes out.
struct Harness {
  var context: CommandContext

  init(
    endpoint: Endpoint = .query, grants: [Grant] = [Grant(tenants: .some(Self.acme), roles: .all)],
    tenants: [String] = ["acme"]
  ) {
    let surroundings = Surroundings(
      version: "0.1.0", policy: AccessPolicy(onlyUID: 1000),
      tenantNumber: { name in
        tenants.firstIndex(of: name.text).map { TenantNumber(rawValue: UInt32($0 + 1)) }
      },
      onlyTenant: { tenants.count == 1 ? TenantName(tenants[0]) : nil },
      lastPosition: { _ in 7 }, nowMicroseconds: { 1_764_000_000_000_001 })
    let state = ConnectionState(
      id: 3, endpoint: endpoint, peer: Peer(uid: 1000, gid: 1000, groups: []),
      rights: Rights(grants: grants))
    let collector = AppendCollector(nowMilliseconds: { 1_764_000_000_000 }) {
      AppendBatch { _ in }
    }
    context = CommandContext(state: state, appends: collector, surroundings: surroundings)
  }

  static let acme = [TenantName("acme")!]

  /// Runs one command as the connection does; returns the outcome, or nil after an error reply.
  @discardableResult
  mutating func run(_ arguments: [[UInt8]]) -> CommandOutcome? {
    var bytes: [UInt8] = []
    var ranges: [ByteRange] = []
    for argument in arguments {
      ranges.append(ByteRange(offset: bytes.count, count: argument.count))
      bytes += argument
    }
    do throws(CommandError) {
      let view = Arguments(bytes: bytes.span, ranges: ranges.span)
      let command = try CommandTable.find(view, on: context.state.endpoint)
      try command.authorize(&context.state, context.surroundings)
      return try context.perform(command, view)
    } catch {
      context.refuseTransaction()
      context.state.encoder.error(error.line, to: &context.output)
      return nil
    }
  }

  /// Runs a command whose arguments have no blanks; returns the reply's bytes.
  mutating func reply(_ line: String) -> String {
    reply(line.split(separator: " ", omittingEmptySubsequences: false).map { Array($0.utf8) })
  }

  mutating func reply(_ arguments: [[UInt8]]) -> String {
    context.output = []
    run(arguments)
    return String(decoding: context.output, as: UTF8.self)
  }

  /// The events that were gathered.
  var batch: AppendBatch { context.appends.current.batch }
}
