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

  private static func factors(_ files: [(RootFactor, String?)]) throws -> RootFactors {
    let factors = RootFactors()
    for (kind, given) in files {
      guard let given else { continue }
      do { factors.set(kind, try RootFactors.read(kind, path: try path(kind, given))) } catch let
        error as KeyringError
      {
        guard error == .rootUnreadable else { throw Failure(error) }
        throw Failure(66, "the file of a factor of the root cannot be read")
      }
    }
    return factors
  }

  /// Where a factor lies; credentials are where systemd says.
  static func path(_ kind: RootFactor, _ given: String) throws -> String {
    guard kind == .credential else { return given }
    guard let directory = SystemCalls.environmentVariable("CREDENTIALS_DIRECTORY") else {
      throw Failure(66, "systemd gives no credentials to this process")
    }
    guard !given.contains("/") else { throw Failure(64, "a credential has a name, not a path") }
    return directory + "/" + given
  }

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
    let files: [(RootFactor, String?)] = [
      (.passphrase, options.passphraseFile ?? reader.string(forKey: "passphraseFile")),
      (.keyFile, options.keyFile ?? reader.string(forKey: "keyFile")),
      (.credential, options.credential ?? reader.string(forKey: "credential")),
    ]
    return ServeSettings(
      data: data,
      holders: RootHolders(
        paths: roots, acceptsWeakErasure: isWeakAccepted, factors: try factors(files)),
      sockets: reader.string(forKey: "sockets", default: "/run/lethe"),
      access: reader.string(forKey: "access"))
  }
}
