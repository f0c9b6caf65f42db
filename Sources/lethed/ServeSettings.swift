import Configuration
import EventModel
import Keyring

/// What the daemon is told, from the first of: option, `LETHE_*` variable, file, default.
struct ServeSettings {
  let data: String
  let holders: RootHolders
  let sockets: String
  let access: String?

  /// Where the file is looked for when none is named; it need not exist.
  static let defaultFile = "/etc/lethe/lethed.json"

  /// Reads the settings; a file that was named must exist and be JSON.
  static func read(
    options: StoreOptions, sockets: String?, access: String?, config: String?
  ) async throws -> ServeSettings {
    var given: [AbsoluteConfigKey: ConfigValue] = [:]
    if let data = options.data { given["data"] = ConfigValue(stringLiteral: data) }
    if let sockets { given["sockets"] = ConfigValue(stringLiteral: sockets) }
    if let access { given["access"] = ConfigValue(stringLiteral: access) }
    let file = InMemoryProvider(values: [
      "filePath": ConfigValue(stringLiteral: config ?? defaultFile),
      "allowMissing": ConfigValue(booleanLiteral: config == nil),
    ])
    let reader: ConfigReader
    do {
      reader = ConfigReader(providers: [
        InMemoryProvider(values: given),
        EnvironmentVariablesProvider().prefixKeys(with: "lethe"),
        try await FileProvider<JSONSnapshot>(config: ConfigReader(provider: file)),
      ])
    } catch {
      throw Failure(78, "the configuration file cannot be read as JSON")
    }
    guard let data = reader.string(forKey: "data") else {
      throw Failure(64, "say --data DIR (or LETHE_DATA, or \"data\" in the configuration file)")
    }
    let roots =
      options.root.isEmpty ? reader.stringArray(forKey: "root", default: []) : options.root
    guard (1...Limits.rootHoldersMax).contains(roots.count) else {
      throw Failure(64, "say --root FILE once for every holder (or LETHE_ROOT, or \"root\")")
    }
    let isWeakAccepted =
      options.acceptWeakErasure || reader.bool(forKey: "acceptWeakErasure", default: false)
    return ServeSettings(
      data: data,
      holders: RootHolders(paths: roots, acceptsWeakErasure: isWeakAccepted),
      sockets: reader.string(forKey: "sockets", default: "/run/lethe"),
      access: reader.string(forKey: "access"))
  }
}
