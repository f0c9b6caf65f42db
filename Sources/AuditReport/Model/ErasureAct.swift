/// One act that destroyed keys, or waits to.
package struct ErasureAct: Hashable, Sendable {
  /// What was erased.
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    case person, events, stream, period, tenant
    /// Periods that were over their maximum; nobody asked.
    case expiry
  }

  /// What the bundle has of the act's certificate.
  package enum Certificate: Hashable, Sendable {
    /// There, signed, and in the ledger.
    case verified
    case missing
    /// There, but it does not fit.
    case wrong
    /// None is due: the act destroyed nothing, or has not happened yet.
    case none
  }

  /// Its entry in the ledger.
  package let index: UInt64
  package let kind: Kind
  /// The tenant's id in hexadecimal digits; nil when there are several.
  package let tenant: String?
  package let certificate: Certificate
  /// What may be claimed: `E1`, `E0`; empty when nothing says so.
  package let level: String
  package let ticket: String
  package let events: UInt64
  package let persons: UInt64
  /// When it was asked for, in milliseconds since 1970, as the rest; for an expiry, when the maximum
  /// was reached.
  package var askedMilliseconds: Int64?
  /// From when on nobody was shown the events.
  package var restrictedMilliseconds: Int64?
  package var destroyedMilliseconds: Int64?
  /// When the unreadable ciphertext was dropped as well.
  package var droppedMilliseconds: Int64?

  package init(
    index: UInt64, kind: Kind, tenant: String?, certificate: Certificate, level: String,
    ticket: String, events: UInt64, persons: UInt64
  ) {
    self.index = index
    self.kind = kind
    self.tenant = tenant
    self.certificate = certificate
    self.level = level
    self.ticket = ticket
    self.events = events
    self.persons = persons
  }
}
