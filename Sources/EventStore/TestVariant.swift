import Storage

extension EventStore {
  /// True when the debug build was started as this broken variant; modules above the engine ask
  /// here, since they do not see Storage. Always false in a release.
  package static func isTestVariant(_ name: String) -> Bool {
    #if DEBUG
      return TestHooks.isVariant(name)
    #else
      return false
    #endif
  }
}
