import ArgumentParser
import Client
import RESP

/// `lethe certificate`: what was erased, as evidence for others.
struct CertificateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "certificate",
    abstract: "List and fetch erasure certificates.",
    discussion: """
      Every act that erases events is certified: what, when, by whom, how well, and what the \
      certificate does not cover. A certificate is JSON in its canonical form, signed with the store's \
      key (lethe certificate key), which whoever checks it must have had from elsewhere.

      EXAMPLES
        $ lethe certificate list
        $ lethe certificate show 3f0a91c2-17 > 3f0a91c2-17.json
        $ lethe certificate key
        $ lethe certificate copies
      """,
    subcommands: [
      CertificateList.self, CertificateShow.self, CertificateKey.self, CertificateCopies.self,
      CertificateRetire.self,
    ])
}

/// `lethe certificate list`.
struct CertificateList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the certificates, oldest first.",
    discussion: """
      EXAMPLES
        $ lethe certificate list
        $ lethe certificate list --after 3f0a91c2-17 --json
      """)

  @Option(help: ArgumentHelp("Only those behind this one.", valueName: "certificate"))
  var after: String?

  @Option(help: "At most so many.")
  var count = 100

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    var request = Request("AUDIT", "CERTIFICATES", "COUNT", String(count))
    if let after { request.append("AFTER", after) }
    try Output.list(options.openAdmin().call(request), isJSON: options.json)
  }
}

/// `lethe certificate show`.
struct CertificateShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Write one certificate to stdout, as it is kept.",
    discussion: """
      EXAMPLES
        $ lethe certificate show 3f0a91c2-17
        $ lethe certificate show 17 > 17.json
      """)

  @Argument(help: "The certificate: 3f0a91c2-17, or 17.")
  var certificate: String

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    let session = try options.openAdmin()
    let reply = try session.call(Request("AUDIT", "CERTIFICATE", certificate))
    guard case .bulk(let document) = reply else { throw session.unexpectedReply }
    try Output.lines([document])
  }
}

/// `lethe certificate key`.
struct CertificateKey: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "key", abstract: "Write the key that certificates are checked with.",
    discussion: """
      Give it to whoever checks certificates before there are any: the key that a certificate names \
      itself proves nothing.

      EXAMPLES
        $ lethe certificate key
        $ lethe certificate key --json
      """)

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    let session = try options.openAdmin()
    guard let key = try session.call(Request("KEY", "STATUS"))["signing-key"] else {
      throw session.unexpectedReply
    }
    try options.json
      ? Output.details(.map([(key: .bulk(Array("key".utf8)), value: key)]), isJSON: true)
      : Output.line(Table.cell(key))
  }
}

/// `lethe certificate copies`.
struct CertificateCopies: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "copies", abstract: "List the backups that certificates name.",
    discussion: """
      Those that lethed backup made and nobody has retired.

      EXAMPLES
        $ lethe certificate copies
        $ lethe certificate copies --json
      """)

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try Output.list(options.openAdmin().call(Request("AUDIT", "COPIES")), isJSON: options.json)
  }
}

/// `lethe certificate retire`.
struct CertificateRetire: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retire", abstract: "Say that a backup is destroyed (operators).",
    discussion: """
      Later certificates do not name it any more; the ledger keeps who said so.

      EXAMPLES
        $ lethe certificate copies
        $ lethe certificate retire 0f61c5b4a0d14ae2b0a2f5a9c2e8d713
      """)

  @Argument(help: "The copy, as lethe certificate copies shows it.")
  var copy: String

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    _ = try options.openAdmin().call(Request("AUDIT", "RETIRE", copy))
    Output.message("copy retired")
  }
}
