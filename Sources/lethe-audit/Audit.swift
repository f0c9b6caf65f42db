import EventModel
import TransparencyLog

/// What the auditor brings along.
struct AuditInput: Sendable {
  let folder: String
  /// The key as text: that of a note, or 64 hexadecimal digits.
  var key: String?
  /// Files with checkpoints of earlier audits.
  var earlier: [String] = []
  /// True when the auditor says that there was no audit before.
  var isFirst = false
}

/// Everything that one bundle gave.
struct Audit: Sendable {
  private(set) var manifest: Manifest?
  /// SHA-256 of MANIFEST.json; empty when it could not be read.
  private(set) var manifestHash = ""
  private(set) var findings = Findings()
  private(set) var ledger = LedgerFacts()
  private(set) var logs = LogFacts()
  private(set) var tables: Tables?
  private(set) var certificates: [UInt64: CertificateFacts] = [:]
  /// The conditions of a cryptographic erase, over all certificates.
  private(set) var conditions = EraseSummary()
  /// What acts say they have erased, by tenant.
  private(set) var erased: [TenantNumber: [ErasedRange]] = [:]

  let input: AuditInput
  private(set) var checkpoints = Checkpoints()
  private var erasedCount = 0

  /// Ranges of erased positions that are read.
  private static let rangesMax = 4_000_000

  /// Reads the whole bundle.
  init(_ input: AuditInput) {
    self.input = input
    do throws(Stop) { try run() } catch { add(error.finding) }
  }

  private mutating func add(_ row: Finding) {
    findings.add(row.code, row.basis, row.outcome, row.sentence)
  }

  private mutating func run() throws(Stop) {
    let manifest = try readManifest()
    self.manifest = manifest
    try readCheckpoints(manifest)
    if manifest.ledgerCount == 0 {
      findings.add("LED-3", .recomputed, .unknown, "the bundle is empty: no ledger entry")
    }
    let ledgerHeads = heads(.ledger(manifest.store))
    var file = BundleFile(BundleNames.ledger, of: manifest, in: input.folder)
    ledger = LedgerCheck(&file, manifest, ledgerHeads, &findings).facts
    readTables(manifest)
    readCertificates(manifest)
    readErasures(manifest)
    readLogs(manifest)
    judgeEarlier(manifest)
  }

  // MARK: what it is and who says so

  private mutating func readManifest() throws(Stop) -> Manifest {
    guard
      let bytes = BundleFile.small(
        BundleNames.manifest, in: input.folder, bytesMax: Manifest.bytesMax)
    else { throw Stop("BUN-1", .unknown, "no bundle here: MANIFEST.json cannot be read") }
    guard
      let noteBytes = BundleFile.small(
        BundleNames.manifestNote, in: input.folder, bytesMax: SignedNote.bytesMax)
    else { throw Stop("BUN-1", .unknown, "MANIFEST.note cannot be read") }
    guard let note = SignedNote(noteBytes) else {
      throw Stop("BUN-1", .tampered, "MANIFEST.note: no signed note")
    }
    // Before anything of it is believed.
    let hash = Hash256.sha256(bytes.span).bytes.hexadecimal
    manifestHash = hash
    guard note.text.suffix(65) == Array("\(hash)\n".utf8)[...] else {
      throw Stop("BUN-1", .tampered, "MANIFEST.json: not the one that was signed")
    }
    let manifest = try Manifest(bytes)
    let text = BundleNames.manifestText(store: manifest.store.bytes.hexadecimal, hash: hash)
    guard note.text == text, note.verdict(of: manifest.key) == .signed else {
      throw Stop("BUN-1", .tampered, "MANIFEST.note: the signature is not of it")
    }
    findings.add("BUN-1", .recomputed, .pass, "the manifest is signed")
    try judgeKey(manifest)
    judgeNames(manifest)
    return manifest
  }

  /// The key that the bundle names proves nothing: whoever forges one signs with a key of their own.
  private mutating func judgeKey(_ manifest: Manifest) throws(Stop) {
    guard let text = input.key else {
      findings.add(
        "KEY-1", .attested, .unknown,
        "no key from elsewhere (--key): the bundle may be a forgery as a whole")
      return
    }
    let key: NoteKey?
    if text.contains("+") {
      key = NoteKey(text)
    } else {
      key = [UInt8](hexadecimal: text).flatMap { NoteKey(store: manifest.store, publicKey: $0) }
    }
    guard let key else { throw Stop("KEY-1", .unknown, "--key: no key of a store") }
    guard key == manifest.key else {
      throw Stop("KEY-1", .unknown, "the bundle is of another key than that of --key")
    }
    findings.add(
      "KEY-1", .attested, .pass, "signed with the key that the auditor has from elsewhere")
  }

  private mutating func judgeNames(_ manifest: Manifest) {
    let own: Set<String> = [BundleNames.manifest, BundleNames.manifestNote]
    let names = SystemCalls.names(in: input.folder, countMax: 100_000) ?? []
    let strange = names.filter { manifest.files[$0] == nil && !own.contains($0) }.sorted()
    for name in strange.prefix(Findings.sameMax) {
      findings.add(
        "BUN-3", .recomputed, .finding, "\(Text.printable(name)): not a file of this bundle")
    }
  }

  private mutating func readCheckpoints(_ manifest: Manifest) throws(Stop) {
    var file = BundleFile(BundleNames.checkpoints, of: manifest, in: input.folder)
    checkpoints.read(&file, manifest.key, &findings)
    for path in input.earlier {
      let count = try checkpoints.readEarlier(path: path, manifest.key)
      if count == 0 {
        findings.add("CHK-2", .recomputed, .unknown, "no earlier checkpoint in there")
      }
    }
    guard input.earlier.isEmpty else { return }
    if input.isFirst {
      findings.add("CHK-2", .attested, .pass, "the auditor says that there was no audit before")
    } else {
      findings.add(
        "CHK-2", .attested, .unknown,
        "no earlier checkpoint (--from), and nobody says that this is the first audit (--first)")
    }
  }

  private func heads(_ origin: LogOrigin) -> [Head] { checkpoints.heads[origin] ?? [] }

  // MARK: what was done

  private mutating func readTables(_ manifest: Manifest) {
    var file = BundleFile(BundleNames.tables, of: manifest, in: input.folder)
    let count = manifest.files[BundleNames.tables]?.bytes ?? 0
    if count > 0, count <= UInt64(JSONParser.bytesMax), file.fill(Int(count)) {
      tables = Tables(file.withBytes(Int(count)) { $0.array })
      file.take(Int(count))
    }
    if let fault = file.finish() { findings.add("BUN-2", .recomputed, .tampered, fault) }
    if tables == nil {
      findings.add("TAB-1", .recomputed, .tampered, "\(file.name): not the tables of a bundle")
    }
  }

  private mutating func readCertificates(_ manifest: Manifest) {
    var file = BundleFile(BundleNames.certificates, of: manifest, in: input.folder)
    var check = CertificateCheck(manifest, ledger)
    check.read(&file, &findings)
    check.judgeCompleteness(isErasurePending: tables?.isErasurePending ?? false, &findings)
    certificates = check.certificates
    conditions = check.conditions
  }

  private mutating func readErasures(_ manifest: Manifest) {
    var file = BundleFile(BundleNames.erasures, of: manifest, in: input.folder)
    var number = 0
    while file.fill(ErasedRange.bytes) {
      number += 1
      let range = file.withBytes(ErasedRange.bytes) { ErasedRange($0, at: 0) }
      file.take(ErasedRange.bytes)
      guard let range, range.ledgerIndex >= 1 else {
        findings.add("ERA-1", .recomputed, .tampered, "\(file.name), row \(number): no range")
        break
      }
      // What was erased while the bundle was made has its act behind the bundle's end.
      if range.ledgerIndex <= manifest.ledgerCount {
        judge(range, number)
        erased[range.tenant, default: []].append(range)
      }
      erasedCount += 1
      guard erasedCount < Self.rangesMax else {
        findings.add("ERA-1", .recomputed, .unknown, "more erased ranges than this program reads")
        break
      }
    }
    if let fault = file.finish() { findings.add("BUN-2", .recomputed, .tampered, fault) }
  }

  /// An act that is said to have erased must be one that erases, of that tenant.
  private mutating func judge(_ range: ErasedRange, _ number: Int) {
    guard ledger.unreadable == 0 else { return }
    let entry = ledger.act(range.ledgerIndex)
    guard let entry else {
      findings.add(
        "ERA-1", .recomputed, .tampered,
        "erased range \(number): ledger entry \(range.ledgerIndex) erased nothing")
      return
    }
    if entry.tenant != .none, entry.tenant != range.tenant {
      findings.add(
        "ERA-1", .recomputed, .tampered,
        "erased range \(number): ledger entry \(range.ledgerIndex) is of another tenant")
    }
  }

  private mutating func readLogs(_ manifest: Manifest) {
    for (index, log) in manifest.logs.enumerated() {
      let number = index + 1
      var leaves = BundleFile(BundleNames.leaves(number), of: manifest, in: input.folder)
      var records = BundleFile(BundleNames.records(number), of: manifest, in: input.folder)
      var check = LogCheck(number, manifest, erased: erased[log.tenant] ?? [])
      check.read(&leaves, &records, heads(of: log), &logs, &findings)
    }
    findings.add(
      "LOG-1", .recomputed, .pass, "\(logs.events) leaves in \(manifest.logs.count) logs")
    var sentence = "\(logs.rehashed) records hashed again, each is that of its leaf"
    if logs.purged > 0 { sentence += "; \(logs.purged) were purged, their hashes are left" }
    if logs.notSampled > 0 { sentence += "; \(logs.notSampled) were not drawn" }
    findings.add("LOG-2", .recomputed, .pass, sentence)
    if logs.untold > 0 {
      findings.add(
        "ERA-2", .stated, .pass,
        "\(logs.untold) erased events whose act's positions are not told any more")
    }
  }

  // MARK: what was before

  /// The checkpoints of a log, and those of its older lineages as far as their events were kept.
  private func heads(of log: Manifest.Log) -> [Head] {
    var found = heads(log.origin)
    guard case .tenant(let store, let id, let lineage) = log.origin else { return found }
    for (origin, older) in checkpoints.heads {
      guard case .tenant(store, id, let before) = origin, before < lineage,
        let kept = ledger.kept(of: log.tenant, since: before)
      else { continue }
      found += older.filter { $0.checkpoint.size <= kept }
    }
    return found.sorted { $0.checkpoint.size < $1.checkpoint.size }
  }

  /// Earlier checkpoints that no log of this bundle answers for.
  private mutating func judgeEarlier(_ manifest: Manifest) {
    var count = 0
    var gone: [Head] = []
    for (origin, heads) in checkpoints.heads {
      for head in heads where head.isEarlier {
        count += 1
        guard origin.store == manifest.store else {
          findings.add("CHK-2", .recomputed, .unknown, "an earlier checkpoint is of another store")
          continue
        }
        guard case .tenant(_, let id, let lineage) = origin else { continue }
        guard let log = manifest.logs.first(where: { $0.origin.isTenant(id) }) else {
          gone.append(head)
          continue
        }
        judge(head, id, lineage, log)
      }
    }
    judgeGone(gone)
    if count > 0 {
      findings.add("CHK-2", .recomputed, .pass, "\(count) earlier checkpoints looked for")
    }
  }

  private mutating func judge(
    _ head: Head, _ id: TenantID, _ lineage: UInt64, _ log: Manifest.Log
  ) {
    guard case .tenant(_, _, let now) = log.origin, lineage != now else { return }
    let time = Text.time(head.checkpoint.timeMilliseconds)
    guard lineage < now, let kept = ledger.kept(of: log.tenant, since: lineage) else {
      findings.add(
        "CHK-2", .recomputed, .tampered,
        "the log that was signed \(time) is of a lineage that the ledger does not have")
      return
    }
    if head.checkpoint.size > kept {
      findings.add(
        "CHK-3", .recomputed, .finding,
        "positions \(kept + 1) to \(head.checkpoint.size) that were signed \(time) were lost by a "
          + "restore, as the ledger has it")
    }
  }

  /// A tenant's log that is not there any more must have been shredded.
  private mutating func judgeGone(_ heads: [Head]) {
    let tenants = Set(heads.map(\.checkpoint.origin))
    guard !tenants.isEmpty else { return }
    let shredded = ledger.acts.values.count { $0.act == .tenantShredded }
    if tenants.count <= shredded {
      findings.add(
        "CHK-3", .recomputed, .finding,
        "\(tenants.count) logs of earlier checkpoints are gone; the ledger has \(shredded) shredded tenants"
      )
    } else {
      findings.add(
        "CHK-2", .recomputed, .tampered,
        "\(tenants.count) logs of earlier checkpoints are gone, and only \(shredded) tenants were shredded"
      )
    }
  }
}

extension LogOrigin {
  fileprivate func isTenant(_ id: TenantID) -> Bool {
    if case .tenant(_, let found, _) = self { found == id } else { false }
  }
}
