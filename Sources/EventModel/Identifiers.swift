/// A tenant's name as clients spell it: `[a-z0-9][a-z0-9._-]{0,62}`.
package struct TenantName: Hashable, Sendable, Comparable {
  package let bytes: [UInt8]

  /// Returns nil when `bytes` is not a tenant's name.
  package init?(_ bytes: [UInt8]) {
    guard let first = bytes.first, bytes.count <= Limits.tenantNameBytesMax,
      Self.isAlphanumeric(first),
      bytes.allSatisfy({ Self.isAlphanumeric($0) || $0 == 0x2E || $0 == 0x5F || $0 == 0x2D })
    else { return nil }
    self.bytes = bytes
  }

  package init?(_ text: String) { self.init(Array(text.utf8)) }

  /// For administrators' answers; never for logs.
  package var text: String { String(decoding: bytes, as: UTF8.self) }

  package static func < (left: TenantName, right: TenantName) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
  }
}

/// A tenant's number in this store, from 1, never reused; what records carry.
package struct TenantNumber: Hashable, Sendable, Comparable {
  /// No tenant.
  package static let none = TenantNumber(rawValue: 0)

  package let rawValue: UInt32

  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static func < (left: TenantNumber, right: TenantNumber) -> Bool {
    left.rawValue < right.rawValue
  }
}

/// A tenant's random identity, bound into every event key.
package struct TenantID: Hashable, Sendable {
  package let bytes: [UInt8]

  /// `bytes` are 16.
  package init(bytes: [UInt8]) {
    precondition(bytes.count == 16, "a tenant id has 16 bytes")
    self.bytes = bytes
  }
}

/// The random identity of a store; in `FORMAT` and in its root holders.
package struct StoreID: Hashable, Sendable {
  package let bytes: [UInt8]

  /// Returns nil unless `bytes` are 16.
  package init?(bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    self.bytes = bytes
  }
}

/// The place of a key in a tenant's key array, from 1, never reused.
package struct Slot: Hashable, Sendable, Comparable {
  package let rawValue: UInt64

  package init(rawValue: UInt64) { self.rawValue = rawValue }

  package static func < (left: Slot, right: Slot) -> Bool { left.rawValue < right.rawValue }
}

/// A retention class of a tenant, from 0 (`default`).
package struct ClassNumber: Hashable, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The class that every tenant has.
  package static let `default` = ClassNumber(rawValue: 0)
}

/// What a key in the key array, or an entry of the map, belongs to.
package enum NameKind: UInt8, Sendable {
  case subject = 1
  case stream = 2
  /// The mark that a person was erased, restricted or objected, so that no key is minted for them
  /// silently.
  case suppression = 3
  /// The mark that an event of this id and source was erased, so that no retry brings it back.
  case erasedID = 4
  /// A person whose key of a class is kept until its minimum ends, and takes no new events.
  case formerSubject = 5
  /// A stream whose key is kept so.
  case formerStream = 6
}
