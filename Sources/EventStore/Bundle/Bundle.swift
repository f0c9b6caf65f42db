package import TransparencyLog

/// An act on bundles: what an auditor takes along, to check it without keys and without the daemon.
package enum BundleAct: Sendable {
  /// Begins one, with all records, or with those that a challenge draws.
  case begin(Challenge?)
  /// The next pieces of the one of this name.
  case next([UInt8])
}

/// Bytes to be added at the end of one of a bundle's files.
package struct BundlePiece: Sendable {
  package let file: String
  package let bytes: [UInt8]
}

/// What was begun.
package struct BundleStart: Sendable {
  /// 32 hexadecimal digits.
  package let token: String
  package let ledgerCount: UInt64
  package let logCount: Int
  package let eventCount: UInt64
}

/// What the control plane answers about bundles.
package enum BundleAnswer: Sendable {
  case begun(BundleStart)
  /// Empty at the end.
  case pieces([BundlePiece])
}
