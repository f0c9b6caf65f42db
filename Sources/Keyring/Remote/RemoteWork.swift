import EventModel
package import Storage

/// What a thread that may wait does for holders behind sockets.
package struct RemoteWork: Sendable {
  let present: [RemoteHolder]
  let missing: [String]
  let store: StoreID
  let acceptsWeak: Bool

  /// Ships what was committed, and answers the missing holders that are back, their replicas up to date.
  package func run(_ tables: KeyringTables) -> [RemoteHolder] {
    for holder in present { holder.tend(tables) }
    var found: [RemoteHolder] = []
    for path in missing {
      guard
        let holder = try? RemoteHolder.open(
          path: path, store: store, acceptsWeak: acceptsWeak, isReading: false)
      else { continue }
      holder.tend(tables)
      found.append(holder)
    }
    return found
  }
}
