import EventModel
import EventStore
import Keyring
import RESP

extension ControlReply {
  /// Appends what `KEY STATUS` answers.
  static func append(
    _ status: KeyringStatus, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    var map = MapReply(encoder: encoder)
    map.add("epoch", status.epoch)
    map.add("version", status.version)
    map.add("nodes", UInt64(status.nodeCount))
    map.add("bytes", UInt64(status.usedBytes))
    map.add("tenants", UInt64(status.tenantCount))
    map.add("ledger", status.ledgerCount)
    map.add("class", erasureClass(status.holders.filter(\.isPresent).compactMap(\.medium.weakness)))
    map.add("holders", status.holders.map(\.path))
    map.add(
      "weaknesses",
      status.holders.filter(\.isPresent).compactMap { holder in
        holder.medium.weakness.map { "\(holder.path): \($0.rawValue)" }
      })
    map.add("missing", status.holders.filter { !$0.isPresent }.map(\.path))
    map.add("beside-data", status.holders.filter(\.isOnDataFileSystem).map(\.path))
    map.add("erasure-pending", isTrue: status.isErasurePending)
    map.add("memory-locked", isTrue: status.isMemoryLocked)
    map.add("signing-key", status.publicKey.hexadecimal)
    map.add("root-since", Timestamp.text(status.rootBegunMilliseconds))
    map.add("signing-key-since", Timestamp.text(status.createdMilliseconds))
    map.append(to: &bytes)
  }

  /// Appends what a rotation did.
  static func append(
    _ rotation: KeyRotation, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    let receipt = rotation.receipt
    var map = MapReply(encoder: encoder)
    map.add("epoch", receipt.epoch)
    map.add("time", Timestamp.text(rotation.timeMilliseconds))
    map.add("class", erasureClass(receipt.weaknesses))
    map.add("weaknesses", receipt.weaknesses.map(\.rawValue))
    map.add("holders", UInt64(receipt.holderCount))
    map.add("nodes", UInt64(receipt.nodesWritten))
    map.add("bytes-sealed", UInt64(receipt.bytesSealed))
    if let generation = rotation.generation {
      map.add("generation", UInt64(generation.number))
      map.add("events-not-protected", generation.lastPosition)
      map.add("limits", limits(of: generation))
    }
    map.append(to: &bytes)
  }

  /// What new keys do not do.
  private static func limits(of generation: NewGeneration) -> [String] {
    let last = generation.lastPosition
    return [
      last == 0
        ? "No event was stored before: all will have the new keys."
        : "Events up to position \(last) keep their old keys: who has these and the ciphertext reads them.",
      "Keys of names are as before: who has the map key can test names, types and ids.",
      "The access log keeps the keys of its days.",
      "Nodes keep their keys until they are rewrapped: KEY REWRAP TENANT.",
    ]
  }

  /// Appends what a shred did.
  ///
  /// Never a bare "erased": the class says what may be claimed, and with E0 nothing is, so that it
  /// is called a deletion record.
  static func append(
    _ receipt: ShredReceipt, _ encoder: ReplyEncoder, to bytes: inout [UInt8]
  ) {
    let level = erasureClass(receipt.rotation.weaknesses)
    var map = MapReply(encoder: encoder)
    map.add("title", level == "E0" ? "deletion record" : "erasure receipt")
    map.add("class", level)
    map.add("weaknesses", receipt.rotation.weaknesses.map(\.rawValue))
    map.add("time", Timestamp.text(receipt.timeMilliseconds))
    map.add("epoch", receipt.rotation.epoch)
    map.add("holders", UInt64(receipt.rotation.holderCount))
    map.add("keys", UInt64(receipt.rotation.keysDestroyed))
    map.add("nodes", UInt64(receipt.rotation.nodesWritten))
    map.add("subjects", receipt.plan.subjectCount)
    map.add("events", receipt.plan.eventCount)
    map.add("events-naming-others", receipt.plan.sharedEventCount)
    map.add("events-impersonal", receipt.plan.impersonalEventCount)
    addWhatStays(of: receipt.plan, to: &map)
    map.add("streams", receipt.plan.ownStreamCount)
    map.add("streams-naming-others", receipt.plan.sharedStreamCount)
    if let certificate = receipt.rotation.certificate { map.add("certificate", certificate.text) }
    map.append(to: &bytes)
  }

  /// E1: overwritten in place, gone for everybody above the firmware; E0: nothing is claimed.
  static func erasureClass(_ weaknesses: [WeakErasure]) -> String {
    weaknesses.isEmpty ? "E1" : "E0"
  }
}
