import ArgumentParser
import Client

/// `lethe subject`: what data subjects demand short of erasure, and their return.
struct Subject: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Restrict a person, note an objection, or take events of an erased person again.",
    discussion: """
      EXAMPLES
        $ lethe subject restrict --tenant acme <<<'u-42'
        $ lethe subject object --tenant acme           # asks, and does not show the answer
        $ lethe subject unrestrict --tenant acme <<<'u-42'
        $ lethe subject enrol --tenant acme <<<'u-42'
      """,
    subcommands: [
      SubjectEnrol.self, SubjectRestrict.self, SubjectObject.self, SubjectUnrestrict.self,
    ])
}

extension Subject {
  /// Sends one of `SUBJECT`'s verbs about the person on stdin.
  fileprivate static func demand(
    _ verb: String, _ options: ConnectionOptions, _ done: String
  ) throws {
    var request = Request("SUBJECT", verb, try options.requiredTenant())
    request.append(try Person.one("Data subject (not shown)"))
    _ = try options.openAdmin().call(request)
    Output.message(done)
  }
}

/// `lethe subject enrol`.
struct SubjectEnrol: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enrol", abstract: "Lift the mark of an erased person.",
    discussion: """
      New events get a new key; what was erased stays erased. The identifier is read from stdin, \
      or asked for without showing it.

      EXAMPLES
        $ lethe subject enrol --tenant acme <<<'u-42'
        $ lethe subject enrol --tenant acme < one-identifier.txt
      """)

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try Subject.demand("ENROL", options, "the person's events are taken again")
  }
}

/// `lethe subject restrict`.
struct SubjectRestrict: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restrict", abstract: "Show a person's events to nobody, and take no more.",
    discussion: """
      GDPR, article 18. The identifier is read from stdin, \
      or asked for without showing it.

      EXAMPLES
        $ lethe subject restrict --tenant acme <<<'u-42'
        $ lethe subject restrict --tenant acme < one-identifier.txt
      """)

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try Subject.demand("RESTRICT", options, "the person's events are neither shown nor taken")
  }
}

/// `lethe subject object`.
struct SubjectObject: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "object", abstract: "Take no more events of a person who objected.",
    discussion: """
      GDPR, article 21; what is there is shown. The identifier is read from stdin, \
      or asked for without showing it.

      EXAMPLES
        $ lethe subject object --tenant acme <<<'u-42'
        $ lethe subject object --tenant acme < one-identifier.txt
      """)

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try Subject.demand("OBJECT", options, "no more events of the person are taken")
  }
}

/// `lethe subject unrestrict`.
struct SubjectUnrestrict: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unrestrict", abstract: "End a restriction and an objection.",
    discussion: """
      A shred that waits goes on. The identifier is read from stdin, \
      or asked for without showing it.

      EXAMPLES
        $ lethe subject unrestrict --tenant acme <<<'u-42'
        $ lethe subject unrestrict --tenant acme < one-identifier.txt
      """)

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    try Subject.demand("UNRESTRICT", options, "the person's events are shown and taken again")
  }
}
