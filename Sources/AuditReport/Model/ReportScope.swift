/// What a report is about, and how much of it was looked at.
package struct ReportScope: Hashable, Sendable {
  /// How many of how many were checked.
  package struct Portion: Hashable, Sendable {
    package let checked: UInt64
    package let all: UInt64

    package init(_ checked: UInt64, of all: UInt64) {
      self.checked = checked
      self.all = all
    }
  }

  /// A span of time, in milliseconds since 1970; `last` is inside.
  package struct Range: Hashable, Sendable {
    package let first: Int64
    package let last: Int64

    package init(first: Int64, last: Int64) {
      self.first = first
      self.last = last
    }
  }

  /// The store's id, in hexadecimal digits.
  package var store: String
  /// When the bundle was made, in milliseconds since 1970; ages are counted up to then.
  package var takenMilliseconds: Int64
  /// SHA-256 of the bundle's manifest, in hexadecimal digits.
  package var manifestHash: String
  /// The program that checked, with its version.
  package var tool: String
  /// What the bundle was asked for, or nil for all.
  package var requested: Range?
  /// What it holds, or nil for nothing.
  package var covered: Range?
  package var tenants: Int
  /// Events whose sealed records were hashed again.
  package var records = Portion(0, of: 0)
  package var ledgerEntries = Portion(0, of: 0)
  package var signatures = Portion(0, of: 0)
  /// How the events were chosen, when not all were.
  package var sample: String?
  /// The verifier key that signatures were checked with, as text.
  package var verifierKey: String
  /// Whether the auditor brought that key, rather than taking the bundle's.
  package var isKeyIndependent: Bool
  /// The earlier checkpoint that the auditor brought, in words; nil: none, so an older state could not
  /// be compared.
  package var earlierCheckpoint: String?

  package init(
    store: String, takenMilliseconds: Int64, manifestHash: String, tool: String, tenants: Int,
    verifierKey: String, isKeyIndependent: Bool
  ) {
    self.store = store
    self.takenMilliseconds = takenMilliseconds
    self.manifestHash = manifestHash
    self.tool = tool
    self.tenants = tenants
    self.verifierKey = verifierKey
    self.isKeyIndependent = isKeyIndependent
  }
}
