package import EventModel
import Keyring
import Sodium
import Synchronization

/// A report, or a look at what it would say.
package struct IncidentAnswer: Sendable {
  /// What reports about the same are named by: 16 hexadecimal digits.
  package let incident: String
  /// From 1, a later version supersedes the earlier ones; 0: nothing was noted.
  package let version: UInt64
  /// Canonical JSON without an identifier of a person.
  package let summary: [UInt8]
  /// When the time to notify ends: milliseconds since 1970.
  package let notifyUntilMilliseconds: Int64
  /// Until then, from now on; negative when it is over.
  package let millisecondsLeft: Int64
  /// Tenants that events were taken of, and in how many parts their package is; 0: they have no key.
  package let packages: [(tenant: TenantName, parts: Int)]
}

/// Packages of the newest report, for whoever made it to fetch.
///
/// In memory only: they can be made again at any time.
final class IncidentDesk: Sendable {
  /// Bytes of a part before it is sealed: a reply carries one.
  static let partBytes = 4 << 20

  private struct Parts: Sendable {
    var hash: [UInt8] = []
    var version: UInt64 = 0
    var tenants: [TenantName: [[UInt8]]] = [:]
  }

  private let parts = Mutex(Parts())

  func set(_ hash: [UInt8], _ version: UInt64, _ tenants: [TenantName: [[UInt8]]]) {
    parts.withLock { $0 = Parts(hash: hash, version: version, tenants: tenants) }
  }

  /// A part, counted from 1; nil when the newest report has none such.
  func part(_ incident: [UInt8], _ tenant: TenantName, _ number: Int) -> [UInt8]? {
    parts.withLock { parts in
      guard Array(parts.hash.prefix(8).hexadecimal.utf8) == incident,
        let found = parts.tenants[tenant], found.indices.contains(number - 1)
      else { return nil }
      return found[number - 1]
    }
  }
}

extension ControlPlane {
  /// Says what was found; a report gets a version, a line in the ledger and a package for each tenant.
  func incident(
    _ survey: IncidentSurvey, _ actor: Actor
  ) throws(StoreError) -> IncidentAnswer {
    let request = survey.request
    let report = IncidentReport(survey, store: shared.withState { $0.keyring.id })
    var version: UInt64 = 0
    var packages: [TenantName: [[UInt8]]] = [:]
    let concerned = survey.tenants.filter { !$0.positions.isEmpty }
    if request.isReport {
      version = try noteReport(survey, content: report.summary(version: nil), actor)
      if let logged = survey.loggedMilliseconds { shared.accessLog.note(logged: logged, shared) }
      for tenant in concerned {
        guard let key = tenant.settings.reportKey else { continue }
        let plain = report.package(tenant, version: version)
        packages[tenant.name] = Self.parts(plain).compactMap {
          SealedBox.seal($0.span, to: key.span)
        }
      }
      incidents.set(request.hash, version, packages)
    }
    let until = request.aware + IncidentReport.notificationHours * 3_600_000
    return IncidentAnswer(
      incident: request.hash.prefix(8).hexadecimal, version: version,
      summary: report.summary(version: version == 0 ? nil : version),
      notifyUntilMilliseconds: until, millisecondsLeft: until - shared.clock(),
      packages: concerned.map { ($0.name, packages[$0.name]?.count ?? 0) }.sorted {
        $0.tenant < $1.tenant
      })
  }

  private static func parts(_ plain: [UInt8]) -> [[UInt8]] {
    stride(from: 0, to: max(1, plain.count), by: IncidentDesk.partBytes).map {
      Array(plain[$0..<min($0 + IncidentDesk.partBytes, plain.count)])
    }
  }

  /// The version of a report with this content: that of the last one when nothing has changed.
  private func noteReport(
    _ survey: IncidentSurvey, content: [UInt8], _ actor: Actor
  ) throws(StoreError) -> UInt64 {
    let hash = survey.request.hash
    let contentHash = KeyDerivation.checksum(
      count: 32, context: KeyDerivation.Context("LT1.incident"), message: content.span)
    return try shared.withState { (state) throws(StoreError) in
      if let failure = state.failure { throw failure }
      var (id, known) = try state.storedIncident(hash)
      guard known.contentHash != contentHash else { return known.version }
      guard id.number < Limits.incidentsMax else { throw .tooManyIncidents }
      known = StoredIncident(hash: hash, contentHash: contentHash, version: known.version + 1)
      let entry = LedgerEntry(
        timeMilliseconds: shared.clock(), act: .incidentReported, actor: actor.ledgerActor,
        result: UInt8(clamping: known.version), planHash: hash,
        count: survey.tenants.reduce(0) { $0 + $1.tally.eventCount })
      try StoreError.translating { () throws(KeyringError) in
        try state.keyring.setDocuments(tenant: nil, [id: known.document], entry: entry)
      }
      return known.version
    }
  }

  /// Notes the public key that a tenant's packages are sealed to.
  func enrolKey(
    _ tenant: TenantNumber, _ key: [UInt8], _ actor: Actor
  ) throws(StoreError) -> ControlAnswer {
    try setEvidence(tenant, actor, act: .keyEnrolled, result: 0, count: 0) { $0.reportKey = key }
  }
}

/// What is kept of a report: a document of the store.
private struct StoredIncident {
  var hash: [UInt8] = []
  var contentHash: [UInt8] = []
  var version: UInt64 = 0

  /// `format u8 = 1 | zero 3 | version u32 | hash of the request 32 | hash of the content 32`.
  var document: Document {
    var bytes: [UInt8] = [1, 0, 0, 0]
    bytes.appendBigEndian(version, bytes: 4)
    bytes += hash + contentHash
    return Document(copying: bytes.span)
  }

  init(hash: [UInt8], contentHash: [UInt8], version: UInt64) {
    (self.hash, self.contentHash, self.version) = (hash, contentHash, version)
  }

  init?(_ document: Document) {
    var reader = PlanReader(document.withBytes { $0.array })
    guard reader.number(4) == 1 << 24, let version = reader.number(4), let hash = reader.raw(32),
      let content = reader.raw(32)
    else { return nil }
    self.init(hash: hash, contentHash: content, version: version)
  }
}

extension EngineState {
  /// What is kept of an incident, or where it will be.
  fileprivate func storedIncident(
    _ hash: [UInt8]
  ) throws(StoreError) -> (id: DocumentID, known: StoredIncident) {
    try StoreError.translating { () throws(KeyringError) in
      var next: UInt32 = 0
      for id in try keyring.documents(tenant: nil, kind: .evidence) {
        next = max(next, id.number + 1)
        guard let document = try keyring.document(tenant: nil, id) else { continue }
        guard let known = StoredIncident(document) else { throw .corrupt }
        if known.hash == hash { return (id, known) }
      }
      return (
        DocumentID(.evidence, next), StoredIncident(hash: hash, contentHash: [], version: 0)
      )
    }
  }
}
