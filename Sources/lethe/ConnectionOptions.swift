import ArgumentParser
import Client

/// Where the daemon is and how to show what it says; the same for every command.
struct ConnectionOptions: ParsableArguments {
  @Option(help: "The query socket (LETHE_SOCKET, else /run/lethe/query.sock).")
  var socket: String?

  @Option(help: "The directory of query.sock and admin.sock (LETHE_SOCKETS).")
  var sockets: String?

  @Option(help: "The tenant (LETHE_TENANT); needless when this user may use only one.")
  var tenant: String?

  @Flag(help: "JSON for machines: one object, or one object a line for lists.")
  var json = false

  @Option(help: ArgumentHelp("Seconds to wait for an answer.", valueName: "seconds"))
  var timeout: UInt32 = 30

  mutating func validate() throws {
    guard timeout > 0, timeout <= 86_400 else {
      throw ValidationError("--timeout takes 1 to 86400 seconds")
    }
  }

  /// The path of the data plane's socket.
  var queryPath: String {
    socket ?? sockets.map { "\($0)/query.sock" }
      ?? SystemCalls.environment("LETHE_SOCKET")
      ?? SystemCalls.environment("LETHE_SOCKETS").map { "\($0)/query.sock" }
      ?? "/run/lethe/query.sock"
  }

  /// The path of the control plane's socket: beside the other one.
  var adminPath: String {
    if let directory = sockets { return "\(directory)/admin.sock" }
    if socket == nil, let directory = SystemCalls.environment("LETHE_SOCKETS") {
      return "\(directory)/admin.sock"
    }
    guard let slash = queryPath.lastIndex(of: "/") else { return "admin.sock" }
    return "\(queryPath[..<slash])/admin.sock"
  }

  /// The tenant that was named, if one was.
  var tenantName: String? { tenant ?? SystemCalls.environment("LETHE_TENANT") }

  /// The tenant for acts that must name one.
  func requiredTenant() throws -> String {
    guard let tenantName else {
      throw Failure(.usage, "name the tenant: --tenant NAME or LETHE_TENANT")
    }
    return tenantName
  }

  func openQuery() throws -> Session { try Session(path: queryPath, tenant: tenantName, self) }

  /// What connections of the data plane say that they read for.
  var purposeName: String? { SystemCalls.environment("LETHE_PURPOSE") }

  /// Acts on the control plane name their tenant themselves, so none is bound.
  func openAdmin() throws -> Session { try Session(path: adminPath, tenant: nil, self) }
}
