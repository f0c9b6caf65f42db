import EventModel
import Synchronization

/// The bundles that are being made, in memory only; each is of one moment and fetched in pieces.
final class BundleDesk: Sendable {
  private let sessions = Mutex<[String: BundleSession]>([:])

  /// Bundles at the same time; another one ends the one that was left alone for longest.
  private static let sessionsMax = 2
  /// How long nothing may be fetched of a bundle: ten minutes.
  private static let idleMilliseconds: Int64 = 600_000

  /// Runs one act; blocks, and is called by one thread only.
  func perform(_ act: BundleAct, _ shared: SharedEngine) throws(StoreError) -> BundleAnswer {
    let now = shared.clock()
    switch act {
    case .begin(let challenge):
      var session = try BundleSession(challenge, shared)
      session.usedMilliseconds = now
      let start = session.start
      sessions.withLock { sessions in
        sessions = sessions.filter { now - $0.value.usedMilliseconds < Self.idleMilliseconds }
        if sessions.count >= Self.sessionsMax,
          let oldest = sessions.min(by: { $0.value.usedMilliseconds < $1.value.usedMilliseconds })
        {
          sessions[oldest.key] = nil
        }
        sessions[start.token] = session
      }
      return .begun(start)
    case .next(let token):
      let name = String(decoding: token, as: UTF8.self)
      guard var session = sessions.withLock({ $0.removeValue(forKey: name) }),
        now - session.usedMilliseconds < Self.idleMilliseconds
      else { throw .noBundle }
      let pieces = try session.next(shared)
      session.usedMilliseconds = now
      // The answer without pieces is the last.
      if !pieces.isEmpty { sessions.withLock { $0[name] = session } }
      return .pieces(pieces)
    }
  }
}
