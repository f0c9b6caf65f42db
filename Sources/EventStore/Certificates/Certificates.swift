package import EventModel
package import Keyring
import Sodium
import Storage
import Synchronization

/// A certificate without its text.
package struct CertificateSummary: Sendable {
  package let id: CertificateID
  /// `subject`, `events`, `stream`, `period`, `tenant` or `expiry`.
  package let kind: String
  /// Nil when it concerns several, or one that is gone.
  package let tenant: TenantName?
  package let timeMilliseconds: Int64
  package let eventCount: UInt64
  package let keyCount: UInt64
  /// False while a root holder has not confirmed the erasure.
  package let isFinished: Bool
  package let level: ErasureLevel
}

/// A finished certificate: what anybody can check who has the public key.
package struct Certificate: Sendable {
  package let summary: CertificateSummary
  /// `{"certificate":{..},"key":"..","signature":".."}` in canonical JSON; what is signed is the
  /// value of `certificate`, as it stands there.
  package let document: [UInt8]
}

/// The certificates that are begun and not finished, with what is known of them in memory only.
final class CertificateDesk: Sendable {
  private let samples = Mutex<[UInt64: CertificateSamples]>([:])
  private let lost = Mutex(LostHolders())

  /// Lines of the ledger that say that a root holder was lost.
  private struct LostHolders {
    var indices: [UInt64] = []
    var next: UInt64 = 1
  }

  /// Where the ledger says that a root holder was lost; every line is read once.
  func lostHolders(_ keyring: Keyring) throws(StoreError) -> [UInt64] {
    try lost.withLock { (lost) throws(StoreError) in
      while lost.next < keyring.nextLedgerIndex {
        let next = lost.next
        let lines = try StoreError.translating { () throws(KeyringError) in
          try keyring.ledgerEntries(from: next, limit: 1_024)
        }
        lost.indices += lines.filter { $0.entry.act == .rootHolderRemoved && $0.entry.result == 1 }
          .map(\.index)
        lost.next += UInt64(max(1, lines.count))
      }
      return lost.indices
    }
  }

  func hold(_ samples: CertificateSamples, for index: UInt64) {
    self.samples.withLock { $0[index] = samples }
  }

  func samples(of index: UInt64) -> CertificateSamples? { samples.withLock { $0[index] } }

  func release(_ indices: [UInt64]) {
    samples.withLock { samples in for index in indices { samples[index] = nil } }
  }
}

extension ControlPlane {
  /// Finishes every certificate whose erasure is confirmed; on the writer's thread.
  ///
  /// Order: keys destroyed and certificate begun (one commit) -> old root erased -> answered -> samples
  /// tried again, signed, finished (one commit). A crash before the last leaves certificates
  /// begun; the next start finishes them.
  func finishCertificates() throws(StoreError) {
    let begun = try shared.withState { (state) throws(StoreError) -> [(UInt64, [UInt8])] in
      guard state.failure == nil else { return [] }
      #if DEBUG
        let isEarly = TestHooks.isVariant("certificate-unconfirmed")
      #else
        let isEarly = false
      #endif
      guard isEarly || !state.keyring.isErasureUnconfirmed else { return [] }
      return try StoreError.translating { () throws(KeyringError) in
        try state.keyring.unfinishedCertificates().map { ($0.index, $0.plain) }
      }
    }
    guard !begun.isEmpty else { return }
    var opened: [UInt64: Int] = [:]
    for (index, plain) in begun {
      opened[index] = try samples(of: index, CertificateRecord(plain))?.countOpening(shared)
    }
    let now = shared.clock()
    try shared.withState { (state) throws(StoreError) in
      let lost = try desk.lostHolders(state.keyring)
      var finished: [(UInt64, [UInt8])] = []
      for (index, plain) in begun {
        guard
          let record = CertificateRecord(plain)?.finished(
            CertificateID(store: state.keyring.id, index: index), state.keyring,
            openedAfter: opened[index], lostHolders: lost, now: now)
        else { throw .corrupt }
        finished.append((index, record.bytes))
      }
      try StoreError.translating { () throws(KeyringError) in
        try state.keyring.finishCertificates(finished)
      }
    }
    desk.release(begun.map { $0.0 })
  }

  /// The samples of before the act; after a restart others of the same act, if it is told which events
  /// it erased.
  private func samples(
    of index: UInt64, _ record: CertificateRecord?
  ) throws(StoreError) -> CertificateSamples? {
    if let held = desk.samples(of: index) { return held }
    guard let record,
      let erased = try shared.erasures.samples(
        ofAct: index, tenant: record.tenant, shared: shared)
    else { return nil }
    return try CertificateSamples(erased: erased, of: record.tenant, shared: shared)
  }

  /// The certificates behind `after`, oldest first.
  func certificates(after: UInt64, limit: Int) throws(StoreError) -> [CertificateSummary] {
    try finishCertificates()
    return try shared.withState { (state) throws(StoreError) in
      let found = try StoreError.translating { () throws(KeyringError) in
        try state.keyring.certificates(from: after + 1, limit: limit)
      }
      return try found.map { (index, plain) throws(StoreError) in
        guard let record = CertificateRecord(plain) else { throw .corrupt }
        return summary(record, CertificateID(store: state.keyring.id, index: index), state)
      }
    }
  }

  /// One certificate; throws `.erasurePending` while its erasure is not confirmed.
  func certificate(_ name: [UInt8]) throws(StoreError) -> Certificate {
    try finishCertificates()
    return try shared.withState { (state) throws(StoreError) in
      guard let id = CertificateID(name, store: state.keyring.id) else { throw .noCertificate }
      let found = try StoreError.translating { () throws(KeyringError) in
        try state.keyring.certificates(from: id.index, limit: 1).first
      }
      guard let found, found.index == id.index else { throw .noCertificate }
      guard let record = CertificateRecord(found.plain) else { throw .corrupt }
      guard record.isFinished else { throw .erasurePending }
      return Certificate(
        summary: summary(record, id, state),
        document: record.document(publicKey: state.keyring.publicKey))
    }
  }

  private func summary(
    _ record: CertificateRecord, _ id: CertificateID, _ state: EngineState
  ) -> CertificateSummary {
    CertificateSummary(
      id: id, kind: record.act.certificateKind ?? "", tenant: state.tenants[record.tenant]?.name,
      timeMilliseconds: record.timeMilliseconds, eventCount: record.eventCount,
      keyCount: record.keyCount, isFinished: record.isFinished, level: record.level)
  }
}

extension CertificateRecord {
  /// The finished certificate as a file.
  func document(publicKey: [UInt8]) -> [UInt8] {
    let document: CanonicalJSON = [
      "certificate": .encoded(text), "key": .string(publicKey.hexadecimal),
      "signature": .string(signature.hexadecimal),
    ]
    return document.bytes
  }

  /// The finished certificate, signed; nil when what was begun is damaged.
  fileprivate func finished(
    _ id: CertificateID, _ keyring: Keyring, openedAfter: Int?, lostHolders: [UInt64], now: Int64
  ) -> CertificateRecord? {
    guard !isFinished, let sections = CertificateSections(text) else { return nil }
    let text = CertificateText(
      id: id, record: self, sections: sections, holders: keyring.holderReport,
      openedAfter: openedAfter, lostHolders: lostHolders, confirmedMilliseconds: now)
    var record = self
    record.isFinished = true
    record.level = text.level
    record.text = text.bytes
    record.signature = keyring.signature(of: record.text.span)
    return record
  }
}
