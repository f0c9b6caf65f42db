import ArgumentParser
import EventModel
import TransparencyLog

/// What the verbs on one certificate take.
struct CertificateOptions: ParsableArguments {
  @Argument(help: "The certificate's file.")
  var certificate: String

  @Option(
    help: ArgumentHelp(
      "The store's key, had from elsewhere: as text, or a file with it.", valueName: "key"))
  var key: String

  @Flag(help: "JSON for machines.")
  var json = false

  /// Reads the certificate and checks its signature; nil when there is nothing to look at.
  func read(_ findings: inout Findings) -> (CertificateFile, CertificateFacts)? {
    guard let bytes = BundleFile.small(path: certificate, bytesMax: CertificateFile.bytesMax),
      let file = CertificateFile(bytes.last == 0x0A ? bytes.dropLast() : bytes)
    else {
      findings.add("CER-1", .recomputed, .unknown, "no certificate in there")
      return nil
    }
    guard let key = noteKey(file) else {
      findings.add("KEY-1", .attested, .unknown, "--key: no key of a store")
      return nil
    }
    guard key.publicKey == file.publicKey else {
      findings.add(
        "KEY-1", .attested, .unknown, "the certificate is of another key than that of --key")
      return nil
    }
    guard file.isSigned(by: key), let facts = file.facts else {
      findings.add("CER-1", .recomputed, .tampered, "the signature is not of it")
      return nil
    }
    findings.add(
      "CER-1", .recomputed, .pass,
      "\(Text.printable(facts.title)) \(Text.printable(facts.name)), signed with the auditor's key")
    return (file, facts)
  }

  private func noteKey(_ file: CertificateFile) -> NoteKey? {
    let text = AuditOptions.text(key)
    if text.contains("+") { return NoteKey(text) }
    return [UInt8](hexadecimal: text).flatMap { NoteKey(name: "lethe", publicKey: $0) }
  }

  /// Shows rows and ends with their verdict.
  func end(_ findings: Findings) throws {
    Output.write(findings.rows, nil, isJSON: json)
    if findings.verdict != .pass { throw ExitCode(findings.verdict.exitCode) }
  }
}

/// `lethe-audit cert`.
struct CertificateVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cert", abstract: "Check one certificate.",
    discussion: """
      EXAMPLES
        $ lethe-audit cert 3f0a91c2-17.json --key lethe.key
      """)

  @OptionGroup var options: CertificateOptions

  func run() throws {
    var findings = Findings()
    if let (_, facts) = options.read(&findings) {
      findings.add(
        "CER-3", .stated, .pass,
        "\(facts.events) events, \(Text.printable(facts.kind)), class \(Text.printable(facts.level)), "
          + "destroyed \(Text.time(facts.destroyedMilliseconds)), confirmed "
          + Text.time(facts.confirmedMilliseconds))
    }
    try options.end(findings)
  }
}

/// `lethe-audit ce`.
struct CryptographicErase: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ce",
    abstract: "Go through the conditions of a cryptographic erase (NIST SP 800-88) one by one.",
    discussion: """
      EXAMPLES
        $ lethe-audit ce 3f0a91c2-17.json --key lethe.key
      """)

  @OptionGroup var options: CertificateOptions

  func run() throws {
    var findings = Findings()
    if let (file, facts) = options.read(&findings) {
      EraseConditions(json: file.json, facts: facts).judge(&findings)
    }
    try options.end(findings)
  }
}

/// The conditions under which destroying keys counts as sanitising, and what a certificate says of each.
struct EraseConditions {
  let json: JSONValue
  let facts: CertificateFacts

  func judge(_ findings: inout Findings) {
    findings.add(
      "CE-1", .stated, .pass,
      "encrypted before it was stored: the format has no record in the clear, since the first event"
    )
    judgeKeys(&findings)
    judgeMedia(&findings)
    judgeSamples(&findings)
    judgePersons(&findings)
    judgeCopies(&findings)
    findings.add("CE-10", .stated, .pass, "FIPS 140 validated: no (libsodium)")
  }

  private func judgeKeys(_ findings: inout Findings) {
    let method = json["method"]
    let bits = method?["key_bits"]?.integer ?? 0
    let suites = (method?["suite"]?.items ?? []).compactMap(\.string).map(Text.printable)
    findings.add(
      "CE-2", .stated, bits >= 128 ? .pass : .finding,
      "strength: keys of \(bits) bits, \(suites.joined(separator: ", "))")
    let keys = method?["destroyed"]?["keys"]?.integer ?? 0
    let roots = (method?["root_generation"]?.items ?? []).compactMap(\.integer)
    let isReplaced = roots.count == 2 && roots[1] > roots[0]
    findings.add(
      "CE-3", .stated, isReplaced ? .pass : .finding,
      "wrapping keys: \(keys) keys left the tree, root "
        + roots.map(String.init).joined(separator: " to "))
  }

  private func judgeMedia(_ findings: inout Findings) {
    let media = json["method"]?["media"]?.items ?? []
    for (index, medium) in media.enumerated() {
      let weakness = medium["weakness"]?.string
      let old = Text.printable(medium["old_root"]?.string ?? "not said")
      let isRemote = medium["kind"]?.string == "remote"
      findings.add(
        "CE-4", isRemote ? .attested : .stated, weakness == nil ? .pass : .finding,
        "copy \(index + 1) of the root: \(old)"
          + (weakness.map { "; its medium may keep it (\(Text.printable($0)))" } ?? ""))
    }
    if media.isEmpty {
      findings.add("CE-4", .stated, .finding, "no copy of the root is named")
    }
    let lost = json["copies"]?["root_holders_lost"]?.integer ?? 0
    findings.add(
      "CE-5", .attested, lost == 0 ? .pass : .finding,
      "copies of the root that nobody overwrote: \(lost) holders were lost; what was copied outside "
        + "of the holders, nobody knows")
    findings.add(
      "CE-6", .stated, facts.level == "E0" ? .finding : .pass,
      "class \(Text.printable(facts.level)): "
        + (facts.level == "E0" ? "nothing is claimed" : "overwritten in place and read back"))
  }

  private func judgeSamples(_ findings: inout Findings) {
    guard let after = facts.openedAfter else {
      findings.add(
        "CE-7", .stated, .finding,
        "verification: \(facts.sampled) samples opened before, and were not tried again")
      return
    }
    let isVerified = after == 0 && facts.openedBefore == facts.sampled
    let isEmpty = facts.sampled == 0 && facts.events > 0
    findings.add(
      "CE-7", .stated, isVerified && !isEmpty ? .pass : .finding,
      "verification: of \(facts.sampled) samples \(facts.openedBefore) opened before, \(after) after"
    )
  }

  private func judgePersons(_ findings: inout Findings) {
    let requester = json["approval"]?["requested_by"]?.string ?? ""
    let confirmer = json["approval"]?["confirmed_by"]?.string ?? ""
    let isOther = requester != confirmer
    findings.add(
      "CE-8", .attested, .pass,
      "traceability: requested by \(Text.printable(requester)), confirmed by "
        + "\(Text.printable(confirmer))\(isOther ? "" : ", the same")")
  }

  private func judgeCopies(_ findings: inout Findings) {
    let backups = json["copies"]?["backups"]?.items?.count ?? 0
    let unlisted = json["copies"]?["backups_unlisted"]?.integer ?? 0
    findings.add(
      "CE-9", .stated, .pass,
      "older copies of the data: \(UInt64(backups) + unlisted) backups are known; they do not open "
        + "with today's root, and do with an older one that somebody kept")
  }
}
