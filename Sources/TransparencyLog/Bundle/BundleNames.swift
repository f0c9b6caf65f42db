/// The files of a bundle; there are no others, and no folders.
package enum BundleNames {
  package static let schema = "lethe.bundle/1"
  package static let manifest = "MANIFEST.json"
  /// The signed note whose text ``manifestText(store:hash:)`` is.
  package static let manifestNote = "MANIFEST.note"
  package static let checkpoints = "checkpoints.ndjson"
  package static let ledger = "ledger.bin"
  package static let certificates = "certificates.ndjson"
  package static let tables = "tables.json"
  package static let erasures = "erasures.bin"

  /// The rows of a tenant's log, by its number in the bundle.
  package static func leaves(_ log: Int) -> String { "log-\(log).leaves" }
  /// Its ciphertext.
  package static func records(_ log: Int) -> String { "log-\(log).records" }

  /// What is signed of a manifest: three lines.
  package static func manifestText(store: String, hash: String) -> [UInt8] {
    Array("\(schema)\n\(store)\n\(hash)\n".utf8)
  }
}
