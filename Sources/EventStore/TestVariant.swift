import Storage

extension EventStore {
  /// True when the debug build was started as this broken variant; always false in a release.
  ///
  /// For the modules above the engine, which do not see Storage.
  package static func isTestVariant(_ name: String) -> Bool {
    #if DEBUG
      return TestHooks.isVariant(name)
    #else
      return false
    #endif
  }
}
