import ArgumentParser
import Client
import RESP

/// `lethe bundle`: what an auditor takes along.
struct Bundle: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a bundle for auditors: evidence without keys, names or plaintext.",
    discussion: """
      A new folder with the ledger, the hashes of all records, their ciphertext, the certificates, \
      what the daemon states of policies and holds, and signed checkpoints of it all. lethe-audit \
      checks it on a machine of its own, with the key of lethe certificate key --note. The whole \
      bundle is about as large as the events; with --challenge and --sample it has the ciphertext \
      of some only, which the auditor's seed draws.

      EXAMPLES
        $ lethe bundle q4
        $ lethe bundle q4 --challenge 7f0c-the-auditors-dice --sample 500
      """)

  @Argument(help: "The folder that is to be made.")
  var folder: String

  @Option(help: ArgumentHelp("The auditor's seed: [A-Za-z0-9-], at most 64.", valueName: "seed"))
  var challenge: String?

  @Option(help: ArgumentHelp("Records of each tenant, at most.", valueName: "n"))
  var sample: Int?

  @OptionGroup var options: ConnectionOptions

  mutating func validate() throws {
    guard (challenge == nil) == (sample == nil) else {
      throw ValidationError("--challenge and --sample go together")
    }
  }

  func run() throws {
    let session = try options.openAdmin()
    var request = Request("AUDIT", "BUNDLE", "BEGIN")
    if let challenge, let sample {
      request.append("CHALLENGE", challenge)
      request.append("SAMPLE", String(sample))
    }
    let start = try session.call(request)
    guard let token = start["bundle"], case .bulk(let name) = token else {
      throw session.unexpectedReply
    }
    let files = try BundleFiles(folder)
    var count = 0
    while true {
      let reply = try session.call(
        Request("AUDIT", "BUNDLE", "NEXT", String(decoding: name, as: UTF8.self)))
      guard let pieces = reply.items else { throw session.unexpectedReply }
      if pieces.isEmpty { break }
      for piece in pieces {
        guard let pair = piece.items, pair.count == 2, case .bulk(let file) = pair[0],
          case .bulk(let bytes) = pair[1]
        else { throw session.unexpectedReply }
        try files.append(bytes, to: String(decoding: file, as: UTF8.self))
        count += bytes.count
      }
      Output.progress("\(count) bytes written")
    }
    Output.endProgress()
    try files.finish()
    try Output.details(
      .map([
        (key: .bulk(Array("folder".utf8)), value: .bulk(Array(folder.utf8))),
        (key: .bulk(Array("bytes".utf8)), value: .integer(Int64(count))),
        (key: .bulk(Array("events".utf8)), value: start["events"] ?? .null),
        (key: .bulk(Array("ledger".utf8)), value: start["ledger"] ?? .null),
      ]), isJSON: options.json)
  }
}

/// The files of a bundle, in a folder that was not there before.
final class BundleFiles {
  private let folder: String
  private var known: Set<String> = []

  init(_ folder: String) throws {
    self.folder = folder
    try Self.check(.cannotCreate, SystemCalls.makeFolder(folder))
  }

  /// Adds bytes at the end of a file; the daemon chooses the name, but no other folder.
  func append(_ bytes: [UInt8], to name: String) throws {
    guard let first = name.utf8.first, first != 0x2E, name.utf8.count <= 64,
      name.utf8.allSatisfy({
        (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
          || $0 == 0x2D || $0 == 0x2E
      })
    else { throw Failure(.software, ClientError.unexpectedReply.text) }
    switch SystemCalls.openOutput("\(folder)/\(name)", mayExist: known.contains(name)) {
    case .success(let fd):
      defer { SystemCalls.closeFile(fd) }
      known.insert(name)
      try Self.check(.ioError, SystemCalls.writeAll(fd, bytes))
    case .failure(let error): try Self.check(.cannotCreate, error.errno)
    }
  }

  /// Makes the files durable.
  func finish() throws {
    for name in known {
      guard case .success(let fd) = SystemCalls.openInput("\(folder)/\(name)") else { continue }
      defer { SystemCalls.closeFile(fd) }
      try Self.check(.ioError, SystemCalls.sync(fd))
    }
  }

  private static func check(_ status: ProgramStatus, _ code: Int32) throws {
    guard code == 0 else {
      throw Failure(status, "the bundle: \(SystemCalls.describe(errno: code))")
    }
  }
}
