package import EventModel

/// Which retention class the events of a type belong to, when their writer does not say.
///
/// ```
/// types u16 | class u8 | length u8 | type | class u8 | ..        ascending by type
/// ```
package struct TypeMap: Hashable, Sendable {
  /// Types without an entry belong to `default`.
  package private(set) var classes: [[UInt8]: ClassNumber] = [:]

  static let document = DocumentID(.typeMap, 0)

  package init() {}

  /// Maps a type; false when there is no more room.
  package mutating func set(_ type: [UInt8], _ number: ClassNumber) -> Bool {
    var next = classes
    next[type] = number == .default ? nil : number
    guard Self.bytesCount(next) <= Document.bytesMax else { return false }
    classes = next
    return true
  }

  private static func bytesCount(_ classes: [[UInt8]: ClassNumber]) -> Int {
    classes.keys.reduce(2) { $0 + 2 + $1.count }
  }

  var contents: Document {
    var bytes: [UInt8] = []
    bytes.appendBigEndian(UInt64(classes.count), bytes: 2)
    for (type, number) in classes.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      bytes += [number.rawValue, UInt8(type.count)] + type
    }
    return Document(copying: bytes.span)
  }

  /// Nil when the document is not a map of types.
  init?(_ bytes: Span<UInt8>) {
    guard bytes.count >= 2 else { return nil }
    var offset = 2
    for _ in 0..<bytes.bigEndian(at: 0, bytes: 2) {
      guard offset + 2 <= bytes.count else { return nil }
      let end = offset + 2 + Int(bytes[offset + 1])
      guard end <= bytes.count else { return nil }
      classes[bytes.extracting((offset + 2)..<end).array] = ClassNumber(rawValue: bytes[offset])
      offset = end
    }
  }
}

extension Keyring {
  /// Which classes the tenant's types are mapped to.
  package func typeMap(_ tenant: TenantNumber) throws(KeyringError) -> TypeMap {
    guard let document = try document(tenant: tenant, TypeMap.document) else { return TypeMap() }
    guard let map = document.withBytes({ TypeMap($0) }) else { throw .corrupt }
    return map
  }

  /// Maps types anew; names of types need not be forgotten, so the root stays.
  package func setTypeMap(
    _ tenant: TenantNumber, _ map: TypeMap, entry: LedgerEntry
  ) throws(KeyringError) {
    try setDocuments(tenant: tenant, [TypeMap.document: map.contents], entry: entry)
  }
}
