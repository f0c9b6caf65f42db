import EventModel
import Keyring
import Sodium

/// The grants of a tenant that have not ended; a document of the tenant (Docs/Format.md, section 4.7).
struct StoredGrants: Hashable, Sendable {
  struct Grant: Hashable, Sendable {
    let number: UInt32
    let peer: GrantPeer
    /// Who set it: nobody approves their own.
    let setBy: UInt32
    let setMilliseconds: Int64
    let untilDay: UInt32
    var isApproved: Bool

    /// True when it may be used at `now`.
    func isInForce(_ now: Int64) -> Bool { isApproved && !hasEnded(now) }

    /// It holds to the end of its last day.
    func hasEnded(_ now: Int64) -> Bool { (Int64(untilDay) + 1) * 86_400_000 <= now }
  }

  static let id = DocumentID(.grant, 0)

  /// Grants need a second user's approval.
  var needsApproval = false
  var nextNumber: UInt32 = 1
  var grants: [Grant] = []

  init() {}

  /// `format u8 = 1 | needs approval u8 | next number u32 | grants u8 | of each: number u32 | approved u8 |
  /// set by uid u32 | set ms u64 | last day u32 | peer u8 (1 uid, 2 socket) | uid u32, or name length u8
  /// and name`.
  var document: Document {
    var writer = PlanWriter()
    writer.append(1, bytes: 1)
    writer.append(needsApproval ? 1 : 0, bytes: 1)
    writer.append(nextNumber, bytes: 4)
    writer.append(grants.count, bytes: 1)
    for grant in grants {
      writer.append(grant.number, bytes: 4)
      writer.append(grant.isApproved ? 1 : 0, bytes: 1)
      writer.append(grant.setBy, bytes: 4)
      writer.append(grant.setMilliseconds, bytes: 8)
      writer.append(grant.untilDay, bytes: 4)
      switch grant.peer {
      case .uid(let uid):
        writer.append(1, bytes: 1)
        writer.append(uid, bytes: 4)
      case .socket(let name):
        writer.append(2, bytes: 1)
        writer.append(text: name)
      }
    }
    return Document(copying: writer.bytes.span)
  }

  /// Nil when the document is no list of grants.
  init?(_ document: Document) {
    var reader = PlanReader(document.withBytes { $0.array })
    guard reader.number(1) == 1, let flag = reader.number(1), let next = reader.number(4),
      let count = reader.number(1)
    else { return nil }
    needsApproval = flag != 0
    nextNumber = UInt32(next)
    for _ in 0..<count {
      guard let number = reader.number(4), let approved = reader.number(1),
        let setBy = reader.number(4), let set = reader.number(8), let day = reader.number(4),
        let kind = reader.number(1)
      else { return nil }
      let peer: GrantPeer
      if kind == 1, let uid = reader.number(4) {
        peer = .uid(UInt32(uid))
      } else if kind == 2, let name = reader.text() {
        peer = .socket(name)
      } else {
        return nil
      }
      grants.append(
        Grant(
          number: UInt32(number), peer: peer, setBy: UInt32(setBy),
          setMilliseconds: Int64(bitPattern: set), untilDay: UInt32(day),
          isApproved: approved != 0))
    }
  }
}

extension EngineState {
  /// The tenant's grants.
  func grants(_ tenant: TenantNumber) throws(StoreError) -> StoredGrants {
    let document = try StoreError.translating { () throws(KeyringError) in
      try keyring.document(tenant: tenant, StoredGrants.id)
    }
    guard let document else { return StoredGrants() }
    guard let grants = StoredGrants(document) else { throw .corrupt }
    return grants
  }
}
