import EventModel
import Keyring
import Storage

/// Everything that a report says, found beside the writer; the same logs give the same findings.
struct IncidentSurvey: Sendable {
  /// What one peer was given of one tenant.
  struct Served: Sendable {
    var peer: (uid: UInt32, socketName: [UInt8])
    var connections: Set<[UInt64]> = []
    var replyCount: UInt64 = 0
    var eventCount: UInt64 = 0
    var byteCount: UInt64 = 0
    var purposes: Set<[UInt8]> = []
    var verbs: [AccessVerb: UInt64] = [:]
    var first = Int64.max
    var last = Int64.min
  }

  struct Tenant: Sendable {
    let number: TenantNumber
    let name: TenantName
    let id: TenantID
    let settings: EvidenceSettings
    let classNames: [ClassNumber: [UInt8]]
    var served: [Served] = []
    /// Every position whose content left, ascending.
    var positions: [ClosedRange<UInt64>] = []
    var exportedEvents: UInt64 = 0
    var exportCount: UInt64 = 0
    var tally = IncidentTally()
    /// Nil when nothing asks for it.
    var live: LiveTally?
    /// True when the access file lets the peer read it.
    var isWithinReach = false
  }

  /// An act of the control plane in the window.
  struct Act: Hashable, Sendable {
    let act: UInt8
    let uid: UInt32
    let socketName: [UInt8]
    var count: UInt64
  }

  let request: IncidentRequest
  /// In the order of their ids.
  private(set) var tenants: [Tenant] = []
  private(set) var acts: [Act] = []
  /// True when a root holder is lost together with the data.
  private(set) var isRootBesideData = false
  /// The root's generation at the end of the window.
  private(set) var epoch: UInt64 = 0
  /// Runs of the daemon in the window that did not end in order.
  private(set) var brokenRunCount = 0
  private(set) var runsSince: Int64?
  /// Until when every reply has its line, for sure; nil when lines could not be written.
  private(set) var loggedMilliseconds: Int64?
  /// False when lines could not be written yet.
  private(set) var isLogComplete = true

  /// Looks at the logs; never on the writer's thread.
  static func survey(
    _ request: IncidentRequest, _ shared: SharedEngine
  ) throws(StoreError) -> IncidentSurvey {
    var survey = IncidentSurvey(request: request)
    let now = shared.clock()
    do throws(StoreError) {
      try shared.accessLog.flush(now)
      survey.loggedMilliseconds = now
    } catch {
      survey.isLogComplete = false
    }
    let runs = shared.accessLog.runs
    survey.runsSince = runs.sinceMilliseconds
    survey.brokenRunCount = runs.brokenRuns(from: request.from, through: request.through)
    try survey.findTenants(shared)
    for index in survey.tenants.indices { try survey.look(at: index, shared) }
    try survey.findActs(shared)
    return survey
  }

  private init(request: IncidentRequest) { self.request = request }

  private mutating func findTenants(_ shared: SharedEngine) throws(StoreError) {
    let request = request
    let found = try shared.withState { (state) throws(StoreError) -> [Tenant] in
      var found: [Tenant] = []
      for tenant in state.tenants.values {
        if let name = request.tenant, name != tenant.name { continue }
        let classes = try tenant.open(state.keyring).keys.classes
        var known = Tenant(
          number: tenant.number, name: tenant.name, id: tenant.id,
          settings: try state.evidenceSettings(tenant.number),
          classNames: Dictionary(uniqueKeysWithValues: classes.map { ($0.number, $0.name) }))
        known.isWithinReach = request.reach.contains(tenant.name)
        found.append(known)
      }
      return found
    }
    if request.tenant != nil, found.isEmpty { throw .noTenant }
    tenants = found.sorted { $0.id.bytes.lexicographicallyPrecedes($1.id.bytes) }
    isRootBesideData = shared.withState {
      $0.keyring.holderReport.contains(where: \.isOnDataFileSystem)
    }
  }

  private mutating func look(
    at index: Int, _ shared: SharedEngine
  ) throws(StoreError) {
    var tenant = tenants[index]
    if request.exposed.contains(.peer) {
      let request = request
      var found: [[UInt8]: Served] = [:]
      var positions: [ClosedRange<UInt64>] = []
      try shared.accessLog.forEach(
        tenant.number, from: request.fromMinute, through: request.throughMinute, shared
      ) { row, run in
        guard request.isAbout(row.peer) else { return }
        let key = UInt64(row.peer.uid).bigEndianBytes + row.peer.socketName
        found[key, default: Served(peer: (row.peer.uid, row.peer.socketName))].add(row, run)
        positions += row.positions
        if positions.count > Self.rangesMax { positions = positions.united }
        guard row.verb.isExport else { return }
        tenant.exportCount += row.replyCount
        tenant.exportedEvents += row.eventCount
      }
      tenant.served = found.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
      tenant.positions = positions.united
      tenant.tally = try IncidentTally.count(tenant.positions, of: tenant.number, shared)
    }
    let needsLive =
      request.exposed.contains(.storageAndRoot) || request.exposed.contains(.memory)
      || request.exposed.contains(.peer) && tenant.isWithinReach
    if needsLive {
      tenant.live = try LiveTally.count(tenant.number, through: request.through, shared)
    }
    tenants[index] = tenant
  }

  /// Intervals that are held before those that touch are united.
  private static let rangesMax = 1 << 20

  private mutating func findActs(_ shared: SharedEngine) throws(StoreError) {
    var counts: [Act: UInt64] = [:]
    var next: UInt64 = 1
    while true {
      let lines = try shared.withState { (state) throws(StoreError) in
        try StoreError.translating { () throws(KeyringError) in
          try state.keyring.ledgerEntries(from: next, limit: 256)
        }
      }
      guard let last = lines.last else { break }
      next = last.index + 1
      for line in lines.map(\.entry) where line.timeMilliseconds <= request.through {
        epoch = line.epoch
        guard line.timeMilliseconds >= request.from else { continue }
        let actor = Actor(line.actor)
        guard !actor.isDaemon, request.uid == nil || request.uid == actor.uid else { continue }
        let act = Act(
          act: line.act.rawValue, uid: actor.uid,
          socketName: Array((actor.socketName ?? "").utf8), count: 0)
        counts[act, default: 0] += 1
      }
    }
    acts = counts.map { act, count in
      Act(act: act.act, uid: act.uid, socketName: act.socketName, count: count)
    }.sorted { ($0.act, $0.uid) < ($1.act, $1.uid) }
  }
}

extension IncidentSurvey.Served {
  mutating func add(_ row: AccessRow, _ run: Int64) {
    connections.insert([UInt64(bitPattern: run), row.peer.connection])
    replyCount += row.replyCount
    eventCount += row.eventCount
    byteCount += row.byteCount
    purposes.insert(row.purpose)
    verbs[row.verb, default: 0] += row.eventCount
    first = min(first, row.firstMilliseconds)
    last = max(last, row.lastMilliseconds)
  }
}
