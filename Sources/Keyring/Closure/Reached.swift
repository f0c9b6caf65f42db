package import EventModel
package import Sodium

/// A name that an attacker found in a map.
package struct ReachedName: Hashable, Sendable {
  package let tenant: TenantNumber
  package let tag: Tag128
  package let kind: NameKind
}

/// A retention class of a tenant.
package struct ReachedClass: Hashable, Sendable {
  package let tenant: TenantNumber
  package let classNumber: ClassNumber
}

/// A generation of a tenant's keys.
package struct ReachedGeneration: Hashable, Sendable {
  package let tenant: TenantNumber
  package let number: UInt16

  package init(tenant: TenantNumber, number: UInt16) {
    self.tenant = tenant
    self.number = number
  }
}

/// A document that an attacker reached.
package struct ReachedDocument: Sendable {
  /// 0 for the store's.
  package let tenant: UInt32
  package let id: DocumentID
  package let document: Document
}
