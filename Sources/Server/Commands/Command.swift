import EventStore
import RESP

/// A command: a name, an arity, who may, and what it does.
///
/// A class, since one is fetched for each event: a struct of so many references would cost more.
final class Command: Sendable {
  /// Who may run a command, and on which sockets it exists.
  enum Audience: Hashable, Sendable {
    /// Every peer, on every socket: the handshake.
    case everybody
    /// Data sockets; a bound tenant, and one of these roles for it.
    case tenant(RoleSet)
    /// The admin socket; one of these roles. Which tenants they hold for, the command looks at.
    case admin(RoleSet)
  }

  typealias Run =
    @Sendable (Arguments, inout CommandContext) throws(CommandError) -> CommandOutcome

  let name: Word
  /// How many arguments follow the name.
  let arity: ClosedRange<Int>
  let audience: Audience
  /// One line for `COMMAND DOCS`.
  let summary: String
  /// Appends pipeline; everything else waits until they are answered.
  let isAppend: Bool
  /// Commands whose first argument names one of these; they count arity and audience for themselves.
  let subcommands: [Command]
  let run: Run

  init(
    _ name: Word, _ arity: ClosedRange<Int>, _ audience: Audience, _ summary: String,
    isAppend: Bool = false, run: @escaping Run
  ) {
    self.name = name
    self.arity = arity
    self.audience = audience
    self.summary = summary
    self.isAppend = isAppend
    subcommands = []
    self.run = run
  }

  /// A command that only leads to its subcommands.
  init(
    _ name: Word, _ audience: Audience, _ summary: String, subcommands: [Command]
  ) {
    self.name = name
    arity = 1...Self.many
    self.audience = audience
    self.summary = summary
    isAppend = false
    self.subcommands = subcommands
    run = { (arguments, context) throws(CommandError) in
      guard let word = arguments.word(at: 1),
        let found = subcommands.first(where: { $0.name == word })
      else { throw CommandError(.err, "unknown subcommand; see COMMAND DOCS \(name.text)") }
      try found.check(argumentCount: arguments.count - 2, parent: name)
      try found.authorize(&context.state, context.surroundings, parent: name)
      return try found.run(arguments.dropping(1), &context)
    }
  }

  /// As many arguments as a command may have.
  static let many = Int.max / 2

  /// The name as errors spell it: `tenant|create`.
  private func errorName(_ parent: Word?) -> String {
    (parent.map { "\($0.text)|" } ?? "").lowercased() + name.text.lowercased()
  }

  /// Throws when the number of arguments behind the name is wrong.
  func check(argumentCount: Int, parent: Word? = nil) throws(CommandError) {
    guard arity.contains(argumentCount) else { throw .arity(errorName(parent)) }
  }

  /// Throws when the peer may not run this.
  func authorize(
    _ state: inout ConnectionState, _ surroundings: Surroundings, parent: Word? = nil
  ) throws(CommandError) {
    switch audience {
    case .everybody: return
    case .tenant(let roles):
      _ = try state.boundTenant(in: surroundings)
      guard !state.roles.isDisjoint(with: roles) else { throw .forbidden(errorName(parent)) }
      let readsEvents = roles == .reader || roles == .exporter
      guard !readsEvents || !state.needsPurpose else { throw .purposeMissing }
    case .admin(let roles):
      guard !state.rights.allRoles.isDisjoint(with: roles) else {
        throw .forbidden(errorName(parent))
      }
    }
  }

  /// True when the command exists for connections of `endpoint`.
  func exists(on endpoint: Endpoint) -> Bool {
    switch audience {
    case .everybody: true
    case .tenant: endpoint != .admin
    case .admin: endpoint == .admin
    }
  }
}

/// What a command sees and changes.
struct CommandContext {
  var state: ConnectionState
  /// Replies that are to be sent, in order.
  var output: [UInt8] = []
  /// The events of this tick of the loop, of all connections.
  let appends: AppendCollector
  let surroundings: Surroundings

  init(state: ConnectionState, appends: AppendCollector, surroundings: Surroundings) {
    self.state = state
    self.appends = appends
    self.surroundings = surroundings
  }
}

/// How a command goes on after it was run.
enum CommandOutcome: Sendable {
  /// The reply is in the output.
  case answered
  /// The same, and then the connection ends.
  case close
  /// The reply comes when the writer has committed.
  case appended
  /// The reply comes from a reader thread.
  case read(ReadPlan)
  /// The commands of a transaction are to be run.
  case execute(Transaction)
  /// The reply comes from the writer's thread, in this shape.
  case control(ControlAct, ControlShape)
}
