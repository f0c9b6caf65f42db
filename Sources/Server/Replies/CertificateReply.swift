import EventModel
import EventStore
import Keyring
import RESP

extension ControlReply {
  /// True when the peer may see a certificate; those of tenants that are gone, and of several, belong
  /// to the whole store.
  static func isVisible(
    _ certificate: CertificateSummary, _ rights: Rights, _ roles: RoleSet
  ) -> Bool {
    guard let tenant = certificate.tenant else { return rights.reachStore(with: roles) }
    return !rights.roles(for: tenant).isDisjoint(with: roles)
  }

  /// Appends what `AUDIT CERTIFICATES` answers.
  static func append(
    _ certificates: [CertificateSummary], _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    encoder.array(certificates.count, to: &bytes)
    for certificate in certificates {
      var map = MapReply(encoder: encoder)
      map.add("certificate", certificate.id.text)
      map.add("kind", certificate.kind)
      map.add("tenant", certificate.tenant?.text ?? "")
      map.add("time", Timestamp.text(certificate.timeMilliseconds))
      map.add("events", certificate.eventCount)
      map.add("keys", certificate.keyCount)
      map.add("state", certificate.isFinished ? "complete" : "pending")
      map.add("class", certificate.isFinished ? certificate.level.text : "")
      map.append(to: &bytes)
    }
  }

  /// Appends what `AUDIT COPIES` answers.
  static func append(_ copies: [KnownBackup], _ encoder: ReplyEncoder, to bytes: inout [UInt8]) {
    encoder.array(copies.count, to: &bytes)
    for copy in copies {
      var map = MapReply(encoder: encoder)
      map.add("copy", copy.id.hexadecimal)
      map.add("first", Timestamp.text(copy.firstMilliseconds))
      map.add("last", Timestamp.text(copy.lastMilliseconds))
      map.add("records", copy.lastSequence)
      map.add("keyring", isTrue: copy.hasKeyring)
      map.append(to: &bytes)
    }
  }

  /// Appends what `AUDIT CERTIFICATE` answers: the document, as one would keep it in a file.
  static func append(
    _ certificate: Certificate, _ isVisible: Bool, _ encoder: ReplyEncoder,
    to bytes: inout [UInt8]
  ) {
    guard isVisible else {
      return encoder.error(CommandError.noCertificate.line, to: &bytes)
    }
    encoder.bulk(certificate.document.span, to: &bytes)
  }
}
