import EventModel
import TransparencyLog

/// What a log must have been at some length, and who says so.
struct Head: Hashable, Sendable {
  let checkpoint: Checkpoint
  /// True when the auditor brought it along: it was signed before this bundle was made.
  let isEarlier: Bool
}

/// The checkpoints of a bundle and those that the auditor kept of earlier ones.
struct Checkpoints: Sendable {
  /// By log, ascending by length.
  private(set) var heads: [LogOrigin: [Head]] = [:]

  /// Notes of one file; those of a bundle stand as strings of JSON on a line each.
  static let lineBytesMax = 1 << 20

  /// Reads the bundle's own; each must be signed.
  mutating func read(
    _ file: inout BundleFile, _ key: NoteKey, _ findings: inout Findings
  ) {
    var count = 0
    var number = 0
    while let line = file.nextLine(bytesMax: Self.lineBytesMax) {
      number += 1
      guard let note = Self.note(line), let checkpoint = Checkpoint(note.text) else {
        findings.add(
          "CHK-1", .recomputed, .tampered, "\(file.name), line \(number): no checkpoint")
        continue
      }
      guard note.verdict(of: key) == .signed else {
        findings.add(
          "CHK-1", .recomputed, .tampered,
          "\(file.name), line \(number): the signature is not of it")
        continue
      }
      count += 1
      add(Head(checkpoint: checkpoint, isEarlier: false))
    }
    if file.available > 0 {
      findings.add("CHK-1", .recomputed, .tampered, "\(file.name): a line that does not end")
    }
    if let fault = file.finish() { findings.add("BUN-2", .recomputed, .tampered, fault) }
    findings.add("CHK-1", .recomputed, .pass, "\(count) checkpoints are signed")
  }

  /// Reads what the auditor kept: a note, or such a file of an earlier bundle; throws what is wrong.
  mutating func readEarlier(path: String, _ key: NoteKey) throws(Stop) -> Int {
    guard let bytes = BundleFile.small(path: path, bytesMax: 64 << 20) else {
      throw Stop("CHK-2", .unknown, "the earlier checkpoint cannot be read")
    }
    var notes: [SignedNote?] = []
    if bytes.first == 0x22 {
      notes = bytes.split(separator: 0x0A).map { Self.note(Array($0)) }
    } else {
      notes = [SignedNote(bytes)]
    }
    for note in notes {
      guard let note, let checkpoint = Checkpoint(note.text) else {
        throw Stop("CHK-2", .unknown, "the earlier checkpoint is none")
      }
      switch note.verdict(of: key) {
      case .signed: add(Head(checkpoint: checkpoint, isEarlier: true))
      case .unsigned: throw Stop("CHK-2", .unknown, "the earlier checkpoint is of another key")
      case .forged:
        throw Stop("CHK-2", .tampered, "the earlier checkpoint's signature is not of it")
      }
    }
    return notes.count
  }

  private mutating func add(_ head: Head) {
    var known = heads[head.checkpoint.origin] ?? []
    let place = known.firstIndex { $0.checkpoint.size > head.checkpoint.size } ?? known.count
    known.insert(head, at: place)
    heads[head.checkpoint.origin] = known
  }

  private static func note(_ line: [UInt8]) -> SignedNote? {
    guard let text = (try? JSONParser.parse(line))?.string else { return nil }
    return SignedNote(Array(text.utf8))
  }
}

/// Compares a log, leaf by leaf, with the checkpoints that there are of it.
struct HeadCheck {
  private let heads: [Head]
  private var next = 0
  private(set) var frontier = Frontier()
  /// Sizes at which the root was another one.
  private(set) var wrong: [Head] = []
  /// Checkpoints that were met.
  private(set) var right: [Head] = []

  init(_ heads: [Head]) {
    self.heads = heads
    compare()
  }

  mutating func append(_ leaf: LeafHash) {
    frontier.append(leaf)
    if next < heads.count, heads[next].checkpoint.size == frontier.count { compare() }
  }

  /// Checkpoints of a longer log than this.
  var longer: [Head] { Array(heads[next...]) }

  private mutating func compare() {
    while next < heads.count, heads[next].checkpoint.size == frontier.count {
      let head = heads[next]
      if head.checkpoint.root == frontier.root() { right.append(head) } else { wrong.append(head) }
      next += 1
    }
  }
}

extension BundleFile {
  /// The next line without its end; nil at the end of the file, or when a line is too long.
  mutating func nextLine(bytesMax: Int) -> [UInt8]? {
    var wanted = 1
    while true {
      let isThere = fill(wanted)
      if let end = lineEnd {
        guard end <= bytesMax else { return nil }
        let line = withBytes(end) { $0.array }
        take(end + 1)
        return line
      }
      guard isThere, available <= bytesMax else { return nil }
      wanted = available + 1
    }
  }
}
