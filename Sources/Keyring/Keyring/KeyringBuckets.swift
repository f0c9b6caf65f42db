package import EventModel
import Storage

extension Keyring {
  /// The last expiry run that found something, or nil.
  package var lastExpiry: ExpiryMark? {
    let (milliseconds, events) = top.lastExpiry
    return milliseconds == 0 ? nil : ExpiryMark(milliseconds: milliseconds, eventCount: events)
  }

  /// The buckets that have a key, ascending.
  package func buckets() throws(KeyringError) -> [Bucket] {
    try tables.read { (view) throws(KeyringError) in
      var found: [Bucket] = []
      try KeyArray.buckets.forEach(top.buckets, reader, in: view) { number, _ in
        found.append(Bucket(number: UInt16(clamping: number)))
      }
      return found
    }
  }
}
