package import EventModel
import Sodium
import Storage

extension Keyring {
  /// A document of a tenant, or of the store when `tenant` is nil; nil when there is none.
  package func document(
    tenant: TenantNumber?, _ id: DocumentID
  ) throws(KeyringError) -> Document? {
    let root = try documentRoot(tenant)
    let array = KeyArray.documents(of: tenant?.rawValue ?? 0)
    return try tables.read { (view) throws(KeyringError) -> Document? in
      try Self.document(id, array, root, reader, in: view)
    }
  }

  /// The document in a trie, or nil when there is none.
  static func document(
    _ id: DocumentID, _ array: KeyArray, _ root: borrowing TrieRoot, _ reader: NodeReader,
    in source: borrowing some NodeSource & ~Copyable
  ) throws(KeyringError) -> Document? {
    guard let entry = try array.entry(id.place, root, reader, in: source) else { return nil }
    let plain = try reader.open(
      NodeReference(copying: entry.bytes), .document, tenant: array.tenant, in: source)
    guard let document = Document(node: plain) else { throw .corrupt }
    return document
  }

  /// The documents of a kind, ascending.
  package func documents(
    tenant: TenantNumber?, kind: DocumentKind
  ) throws(KeyringError) -> [DocumentID] {
    let root = try documentRoot(tenant)
    let array = KeyArray.documents(of: tenant?.rawValue ?? 0)
    return try tables.read { (view) throws(KeyringError) -> [DocumentID] in
      var found: [DocumentID] = []
      try array.forEach(root, reader, in: view) { place, _ in
        guard let id = DocumentID(place: place), id.kind == kind else { return }
        found.append(id)
      }
      return found
    }
  }

  /// Adds documents or gives them new contents, without a new root.
  ///
  /// Whoever has an old copy and today's root opens the old contents: for what need not be forgotten.
  /// What must be goes through ``Removal/documents``.
  package func setDocuments(
    tenant: TenantNumber?, _ documents: [DocumentID: Document], entry: LedgerEntry? = nil
  ) throws(KeyringError) {
    let edits = documents.map { DocumentEdit(tenant: tenant, id: $0.key, document: $0.value) }
    try add(entry: entry) { (top, writer, transaction) throws(KeyringError) in
      try Self.edit(edits, &top, &writer, in: &transaction)
    }
    if let tenant { loaded.remove(tenant) }
  }

  private func documentRoot(_ tenant: TenantNumber?) throws(KeyringError) -> TrieRoot {
    guard let tenant else { return top.documents }
    return try load(tenant).node.documents
  }

  /// Writes and removes documents and every node on their paths; tenants that are not there any more
  /// are passed over.
  static func edit(
    _ edits: [DocumentEdit], _ top: inout TopNode, _ writer: inout NodeWriter,
    in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    guard !edits.isEmpty else { return }
    var byTenant: [TenantNumber: [DocumentID: Document?]] = [:]
    var ofStore: [DocumentID: Document?] = [:]
    for edit in edits {
      if let tenant = edit.tenant {
        byTenant[tenant, default: [:]].updateValue(edit.document, forKey: edit.id)
      } else {
        ofStore.updateValue(edit.document, forKey: edit.id)
      }
    }
    if !byTenant.isEmpty {
      try editTenants(byTenant.keys.sorted(), &top, &writer, in: &transaction) {
        (tenant, node, writer, transaction) throws(KeyringError) in
        var root = node.documents
        try edit(byTenant[tenant] ?? [:], tenant.rawValue, &root, &writer, in: &transaction)
        node.setDocuments(root)
      }
    }
    if !ofStore.isEmpty {
      var root = top.documents
      try edit(ofStore, 0, &root, &writer, in: &transaction)
      top.setDocuments(root)
    }
  }

  /// The same in one trie.
  static func edit(
    _ edits: [DocumentID: Document?], _ tenant: UInt32, _ root: inout TrieRoot,
    _ writer: inout NodeWriter, in transaction: inout KeyringTransaction
  ) throws(KeyringError) {
    let places = edits.keys.map(\.place).sorted()
    // Removing what is not there must not make a path to it.
    if root.height == 0, edits.values.allSatisfy({ $0 == nil }) { return }
    try KeyArray.documents(of: tenant).edit(&root, places[...], &writer, in: &transaction) {
      (leaf, child, place, writer, transaction) throws(KeyringError) in
      guard let id = DocumentID(place: place), let content = edits[id] else { throw .corrupt }
      var reference =
        leaf.contains(child) ? NodeReference(copying: leaf.entry(child)) : NodeReference()
      guard let content else {
        guard !reference.isZero else { return }
        try writer.remove(reference, in: &transaction)
        leaf.remove(child)
        return
      }
      let plain = content.plain
      try writer.write(plain.bytes, at: &reference, .document, tenant: tenant, in: &transaction)
      leaf.set(child, to: reference.bytes.bytes)
    }
  }
}
