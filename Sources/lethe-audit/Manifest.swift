import EventModel
import TransparencyLog

/// What a bundle says that it is.
struct Manifest: Sendable {
  /// A file as the manifest has it.
  struct File: Hashable, Sendable {
    let bytes: UInt64
    /// 64 hexadecimal digits; nil of a file without content.
    let sha256: String?
  }

  /// A tenant's log.
  struct Log: Hashable, Sendable {
    let tenant: TenantNumber
    let origin: LogOrigin
    let events: UInt64
  }

  let store: StoreID
  /// The key that the bundle names itself.
  let key: NoteKey
  let madeMilliseconds: Int64
  let tool: String
  /// Nil when every record goes along.
  let challenge: Challenge?
  let ledgerCount: UInt64
  /// In the order of their numbers in the bundle, from 1.
  let logs: [Log]
  let files: [String: File]

  static let bytesMax = JSONParser.bytesMax

  /// Reads a manifest; throws what is wrong with it.
  init(_ bytes: [UInt8]) throws(Stop) {
    func wrong(_ what: String) -> Stop { Stop("BUN-1", .tampered, "MANIFEST.json: \(what)") }
    let json: JSONValue
    do { json = try JSONParser.parse(bytes) } catch {
      throw wrong("no JSON from byte \(error.offset) on")
    }
    guard json["schema"]?.string == BundleNames.schema else {
      throw Stop("BUN-1", .unknown, "MANIFEST.json: not of a schema that this program knows")
    }
    guard
      let store = json["store"]?.string.flatMap({ [UInt8](hexadecimal: $0) })
        .flatMap({ StoreID(bytes: $0) })
    else { throw wrong("store") }
    guard let key = json["key"]?.string.flatMap({ NoteKey($0) }),
      NoteKey(store: store, publicKey: key.publicKey) == key
    else { throw wrong("key") }
    guard let made = json["made"]?.milliseconds else { throw wrong("made") }
    guard let tool = json["tool"]?.string, let ledger = json["ledger"]?.integer,
      ledger <= Limits.positionMax
    else { throw wrong("tool or ledger") }
    (self.store, self.key, madeMilliseconds, self.tool) = (store, key, made, tool)
    ledgerCount = ledger
    switch json["challenge"] {
    case .null: challenge = nil
    case let found?:
      guard let seed = found["seed"]?.string, let count = found["sample"]?.integer,
        let challenge = Challenge(seed: seed, count: Int(clamping: count))
      else { throw wrong("challenge") }
      self.challenge = challenge
    case nil: throw wrong("challenge")
    }
    guard json["kind"]?.string == (challenge == nil ? "whole" : "sample") else {
      throw wrong("kind")
    }
    guard let logs = Self.logs(json["logs"], store) else { throw wrong("logs") }
    self.logs = logs
    guard let files = Self.files(json["files"], logCount: logs.count) else { throw wrong("files") }
    self.files = files
  }

  private static func logs(_ json: JSONValue?, _ store: StoreID) -> [Log]? {
    guard let items = json?.items else { return nil }
    var logs: [Log] = []
    for item in items {
      guard let tenant = item["tenant"]?.integer.flatMap({ UInt32(exactly: $0) }),
        let origin = item["origin"]?.string.flatMap({ LogOrigin($0) }), origin.store == store,
        case .tenant = origin, let events = item["events"]?.integer, events <= Limits.positionMax
      else { return nil }
      logs.append(
        Log(tenant: TenantNumber(rawValue: tenant), origin: origin, events: events))
    }
    guard Set(logs.map(\.tenant)).count == logs.count,
      Set(logs.map(\.origin)).count == logs.count
    else { return nil }
    return logs
  }

  private static func files(_ json: JSONValue?, logCount: Int) -> [String: File]? {
    guard let items = json?.items else { return nil }
    var known: Set<String> = [
      BundleNames.checkpoints, BundleNames.ledger, BundleNames.certificates, BundleNames.tables,
      BundleNames.erasures,
    ]
    for number in 1..<(logCount + 1) {
      known.insert(BundleNames.leaves(number))
      known.insert(BundleNames.records(number))
    }
    var files: [String: File] = [:]
    for item in items {
      guard let name = item["name"]?.string, known.contains(name), files[name] == nil,
        let bytes = item["bytes"]?.integer, bytes > 0, let hash = item["sha256"]?.string,
        [UInt8](hexadecimal: hash)?.count == 32
      else { return nil }
      files[name] = File(bytes: bytes, sha256: hash)
    }
    return files
  }
}

extension JSONValue {
  var items: [JSONValue]? { if case .array(let items) = self { items } else { nil } }

  /// A whole number that JSON tells apart from its neighbours.
  var integer: UInt64? {
    guard case .number(let text) = self, let number = UInt64(text),
      number <= CanonicalJSON.integerMax, String(number) == text
    else { return nil }
    return number
  }

  /// A time as milliseconds since 1970.
  var milliseconds: Int64? {
    string.flatMap { Timestamp.milliseconds(Array($0.utf8).span) }.flatMap { $0 >= 0 ? $0 : nil }
  }
}
