import ArgumentParser
import Client

/// `lethe tenant enrolkey`.
struct TenantEnrolKey: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enrolkey",
    abstract: "Set the public key that reports about a tenant are sealed to (officers).",
    discussion: """
      The key is the tenant's: a public key of X25519 (libsodium's crypto_box_keypair) in 64 hexadecimal \
      digits. Whoever has its secret half, and nobody here, opens what `lethe incident report` writes \
      for the tenant.

      EXAMPLES
        $ lethe tenant enrolkey acme 8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a
        $ lethe tenant enrolkey acme "$(cat acme-reports.pub)"
      """)

  @Argument(help: "The tenant.")
  var name: String

  @Argument(help: "64 hexadecimal digits.")
  var key: String

  @OptionGroup var options: ConnectionOptions

  func run() throws {
    _ = try options.openAdmin().call(Request("TENANT", "ENROLKEY", name, key))
    Output.message("key enrolled")
  }
}
