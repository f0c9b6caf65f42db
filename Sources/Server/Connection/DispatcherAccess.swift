import EventModel
import EventStore
import NIOCore

// What is read out is noted in the access log before it leaves.

extension Dispatcher {
  /// Gives an answer to its connection, as soon as the access log has it as safely as it must;
  /// `readAgain` is called instead when a shred overtook it.
  func deliver(
    _ answer: ReadAnswer, of tenant: TenantNumber?, to key: ConnectionKey,
    readAgain: @escaping () -> Void
  ) {
    guard let handler = connections[key], !isOutdated(answer, of: tenant) else {
      unfetched.handedOver(answer.byteCount)
      if connections[key] != nil { readAgain() }
      return
    }
    let again = Again(readAgain)
    let mayLeave = store.noteAccess(
      handler.command.state.records(of: answer, tenant), mustWait: answer.isStrict
    ) { [self] error in
      loop.execute { [self] in
        unfetched.handedOver(answer.byteCount)
        if let error {
          var refused = ReadAnswer()
          refused.refusal = CommandError(unlogged: error)
          connections[key]?.readDone(refused)
        } else if isOutdated(answer, of: tenant) {
          again.read()
        } else {
          connections[key]?.readDone(answer)
        }
      }
    }
    guard mayLeave else { return }
    unfetched.handedOver(answer.byteCount)
    handler.readDone(answer)
  }

  /// Gives out what a hold keeps, when the access log has it on the disk.
  func deliver(
    _ export: HoldExport, _ result: Result<ControlAnswer, StoreError>, _ shape: ControlShape,
    to key: ConnectionKey
  ) {
    guard let state = connections[key]?.command.state else { return }
    var positions = ServedPositions()
    for found in export.events { positions.add(found.event.position) }
    let record = AccessRecord(
      tenant: export.number, peer: state.accessPeer, verb: .holdExport,
      purpose: Array(state.purpose.utf8), positions: positions,
      byteCount: UInt64(export.events.reduce(0) { $0 + $1.body.count }))
    let mayLeave = store.noteAccess([record]) { [self] error in
      loop.execute { [self] in
        connections[key]?.controlDone(error.map { .failure($0) } ?? result, shape)
      }
    }
    if mayLeave { connections[key]?.controlDone(result, shape) }
  }

  /// Made and called on the event loop; only passed on by the writer's thread.
  private final class Again: @unchecked Sendable {
    let read: () -> Void

    init(_ read: @escaping () -> Void) { self.read = read }
  }
}

extension ConnectionState {
  /// What the access log is told of an answer.
  fileprivate func records(of answer: ReadAnswer, _ tenant: TenantNumber?) -> [AccessRecord] {
    guard let tenant, !answer.accesses.isEmpty else { return [] }
    let peer = accessPeer
    return answer.accesses.map { access in
      AccessRecord(
        tenant: tenant, peer: peer, verb: access.verb, purpose: Array(purpose.utf8),
        positions: access.positions, byteCount: UInt64(access.byteCount))
    }
  }

  /// The peer as the access log names it.
  var accessPeer: AccessPeer {
    AccessPeer(
      connection: id, uid: peer.uid, socketName: Array((actor.socketName ?? "").utf8))
  }
}

extension CommandError {
  /// Why something is not read out: the access log cannot be written.
  init(unlogged error: StoreError) {
    switch error {
    case .shuttingDown, .noTenant: self.init(error)
    case .readOnly, .ioFailure:
      self.init(
        .readOnly,
        "the access log cannot be written since the device failed: only little is read out")
    case .noSpace:
      self.init(
        .noSpace, "there is no room for the access log: only little is read out at a time")
    default: self.init(.tryAgain, "the access log cannot be written at present")
    }
  }
}
