import ArgumentParser
import Client
import RESP

/// `lethe key`: the keyring.
struct Key: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at the keyring and its root holders, and rotate keys.",
    discussion: """
      EXAMPLES
        $ lethe key status
        $ lethe key rotate-root
        $ lethe key rotate-tenant acme
        $ lethe key rewrap acme
      """,
    subcommands: [KeyStatus.self, KeyRotateRoot.self, KeyRotateTenant.self, KeyRewrap.self])
}

/// `lethe key status`.
struct KeyStatus: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show epoch, version, nodes and root holders; or a tenant's keys with their ages.",
    discussion: """
      The states of keys are those of NIST SP 800-57.

      EXAMPLES
        $ lethe key status
        $ lethe key status acme
        $ lethe key status acme --json
      """)

  @Argument(help: "A tenant, to see its generations of keys and those of its classes' periods.")
  var tenant: String?

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    var request = Request("KEY", "STATUS")
    if let tenant { request.append(tenant) }
    let reply = try options.openAdmin().call(request)
    guard tenant != nil, !options.json, case .map(let pairs) = reply else {
      return try Output.details(reply, isJSON: options.json)
    }
    let lists = ["generations", "periods"]
    try Output.details(
      .map(pairs.filter { !lists.contains(Table.cell($0.key)) }), isJSON: false)
    for name in lists {
      guard let list = reply[name] else { continue }
      try Output.line("")
      try Output.list(list, isJSON: false)
    }
  }
}

/// `lethe key rotate-root`.
struct KeyRotateRoot: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate-root",
    abstract: "Replace the root: no copy of the keyring that was taken before opens then.",
    discussion: """
      No event is lost. Take a new backup of the keyring afterwards.

      EXAMPLES
        $ lethe key rotate-root
        $ lethe key rotate-root --json
      """)

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try Output.details(
      options.openAdmin().call(Request("KEY", "ROTATE", "ROOT")), isJSON: options.json)
  }
}

/// `lethe key rotate-tenant`.
struct KeyRotateTenant: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate-tenant",
    abstract: "Seal what a tenant stores from now on under new keys, and replace the root.",
    discussion: """
      What was stored before stays readable, and as protected as it was: the answer says how many events \
      that concerns. After a compromise follow with 'lethe key rewrap'. Take a new backup of the keyring \
      afterwards.

      EXAMPLES
        $ lethe key rotate-tenant acme
        $ lethe key rotate-tenant acme --compromised
        $ lethe key rotate-tenant acme --json
      """)

  @Argument(help: "The tenant.")
  var tenant: String

  @Flag(help: "Somebody may have the keys until now; KEY STATUS calls them compromised then.")
  var compromised = false

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    var request = Request("KEY", "ROTATE", "TENANT", tenant)
    if compromised { request.append("REASON", "compromise") }
    let reply = try options.openAdmin().call(request)
    guard !options.json, case .map(let pairs) = reply else {
      return try Output.details(reply, isJSON: options.json)
    }
    try Output.details(
      .map(pairs.filter { Table.cell($0.key) != "limits" }), isJSON: false)
    for limit in reply["limits"]?.items ?? [] { Output.message(Table.cell(limit)) }
  }
}

/// `lethe key rewrap`.
struct KeyRewrap: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rewrap",
    abstract: "Give every node of a tenant a fresh key, and replace the root.",
    discussion: """
      For when somebody may have read the keys of nodes. No event is lost. Appends wait meanwhile: for
      a million persons some seconds. Take a new backup of the keyring afterwards.

      EXAMPLES
        $ lethe key rewrap acme
        $ lethe key rewrap acme --json
      """)

  @Argument(help: "The tenant.")
  var tenant: String

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try Output.details(
      options.openAdmin().call(Request("KEY", "REWRAP", "TENANT", tenant)), isJSON: options.json)
  }
}
