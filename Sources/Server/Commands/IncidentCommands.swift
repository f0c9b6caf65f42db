import EventModel
import EventStore
import RESP

/// `INCIDENT`: what somebody got who should not have, and whom to tell.
enum IncidentCommands {
  private static let roles: RoleSet = [.officer, .operator, .auditor]

  static let all = [
    Command("SCOPE", 6...14, .admin(roles), "Looks at what a report would say.") {
      (arguments, context) throws(CommandError) in
      .control(.incident(try request(arguments, context, isReport: false)), .asAnswered)
    },
    Command("REPORT", 6...14, .admin([.officer, .operator]), "Makes a report and its packages.") {
      (arguments, context) throws(CommandError) in
      .control(.incident(try request(arguments, context, isReport: true)), .asAnswered)
    },
    Command("PACKAGE", 3...3, .admin([.officer, .operator]), "INCIDENT PACKAGE id tenant part") {
      (arguments, context) throws(CommandError) in
      let tenant = try Administration.tenant(arguments[2], context, [.officer, .operator])
      guard let part = DecimalNumber.parseUnsigned(arguments[3]), part > 0, part < 1 << 20 else {
        throw .notInteger
      }
      return .control(
        .incidentPackage(arguments[1].array, tenant, part: Int(part)), .asAnswered)
    },
  ]

  /// A public key as 64 hexadecimal digits.
  static func key(_ bytes: Span<UInt8>) throws(CommandError) -> [UInt8] {
    let text = bytes.array
    let key = stride(from: 0, to: max(0, text.count - 1), by: 2).compactMap {
      UInt8(String(decoding: text[$0..<($0 + 2)], as: UTF8.self), radix: 16)
    }
    guard key.count == 32, key.hexadecimal.utf8.elementsEqual(text) else {
      throw CommandError(.badArgument, "key: 64 hexadecimal digits, a public key of X25519")
    }
    return key
  }

  private static func request(
    _ arguments: Arguments, _ context: CommandContext, isReport: Bool
  ) throws(CommandError) -> IncidentRequest {
    var options: [Word: Span<UInt8>.Index] = [:]
    var index = 1
    while index < arguments.count {
      guard index + 1 < arguments.count, let word = arguments.word(at: index),
        names.contains(word), options.updateValue(index + 1, forKey: word) == nil
      else { throw .syntax }
      index += 2
    }
    func time(_ name: Word, _ label: StaticString) throws(CommandError) -> Int64 {
      guard let place = options[name] else { throw .syntax }
      guard let time = Timestamp.milliseconds(arguments[place]), time >= 0 else {
        throw CommandError(.badArgument, "\(label): a time of RFC 3339")
      }
      return time
    }
    let (from, through) = (try time("FROM", "FROM"), try time("TO", "TO"))
    guard from <= through else { throw CommandError(.badArgument, "TO: not before FROM") }
    var tenant: TenantName?
    if let place = options["TENANT"] {
      tenant = try Administration.tenant(arguments[place], context, roles)
    } else if !context.state.rights.reachStore(with: roles) {
      throw CommandError(.noPerm, "without TENANT it concerns all: only who administrates all may")
    }
    let (uid, socket) = try peer(arguments, options)
    return IncidentRequest(
      exposed: try exposed(arguments, options), from: from, through: through,
      aware: try time("AWARE", "AWARE"), tenant: tenant, uid: uid,
      socketName: socket.map { Array($0.text.utf8) },
      reach: context.surroundings.policy.reach(uid: uid, socket: socket), isReport: isReport)
  }

  private static let names: Set<Word> = [
    "EXPOSED", "FROM", "TO", "AWARE", "TENANT", "UID", "SOCKET",
  ]

  private static func exposed(
    _ arguments: Arguments, _ options: [Word: Int]
  ) throws(CommandError) -> [ExposureClass] {
    guard let place = options["EXPOSED"] else { return ExposureClass.allCases }
    let text = String(decoding: arguments[place].array, as: UTF8.self).lowercased()
    guard let found = ExposureClass(rawValue: text) else {
      let codes = ExposureClass.allCases.map(\.rawValue).joined(separator: " ")
      throw CommandError(.badArgument, "EXPOSED: one of \(codes)")
    }
    return [found]
  }

  private static func peer(
    _ arguments: Arguments, _ options: [Word: Int]
  ) throws(CommandError) -> (uid: UInt32?, socket: SocketName?) {
    var uid: UInt32?
    if let place = options["UID"] {
      guard let number = DecimalNumber.parseUnsigned(arguments[place]), number < UInt32.max else {
        throw .notInteger
      }
      uid = UInt32(number)
    }
    var socket: SocketName?
    if let place = options["SOCKET"] {
      socket = SocketName(String(decoding: arguments[place].array, as: UTF8.self))
      guard socket != nil else {
        throw CommandError(.badArgument, "SOCKET: the name of a declared socket")
      }
    }
    return (uid, socket)
  }
}

extension AccessPolicy {
  /// Whose events a peer may read today; rules for groups count as if everybody were in them.
  func reach(uid: UInt32?, socket: SocketName?) -> PeerReach {
    let readers: RoleSet = [.reader, .exporter, .officer]
    var names: Set<TenantName> = []
    if socket == nil {
      for rule in peers where !rule.grant.roles.isDisjoint(with: readers) {
        if case .uid(let other) = rule.match, let uid, other != uid { continue }
        switch rule.grant.tenants {
        case .all: return .all
        case .some(let found): names.formUnion(found)
        }
      }
    }
    for rule in sockets where !rule.roles.isDisjoint(with: readers) {
      if let socket, rule.name != socket { continue }
      if socket == nil, uid != nil { continue }
      names.insert(rule.tenant)
    }
    return .some(names.sorted())
  }
}
