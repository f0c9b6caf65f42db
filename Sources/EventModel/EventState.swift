/// What has become of an event.
package enum EventState: Sendable, Hashable {
  case live
  /// Its person asked that it be used no more; it is kept because the law says so.
  case restricted
  /// A key that it needs was destroyed. Final.
  case erased
}
