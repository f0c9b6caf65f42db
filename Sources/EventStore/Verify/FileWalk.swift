import Storage

extension PageWalk {
  /// Walks `data.mdb` in the directory `name` of `path`.
  static func run(_ name: String, of path: String) throws(OpeningError) -> PageWalkReport {
    #if DEBUG
      if TestHooks.isVariant("walk-skipped") { return PageWalkReport() }
    #endif
    do { return try run(path: "\(path)/\(name)/data.mdb") } catch {
      throw .page(error, of: name)
    }
  }
}
