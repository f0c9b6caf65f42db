import EventModel
import Foundation
import Keyring
import Sodium
import Testing
import TransparencyLog

@testable import EventStore

/// Lethe against the published vectors, which an independent program computes from Docs/Format.md.
@Suite struct VectorTests {
  @Test func `class seeds give the published period keys`() throws {
    for row in try Vectors.rows("periods") {
      let unit = try #require(PeriodUnit(rawValue: UInt8(row.number("unit"))))
      let cover = PeriodCover(unit: unit, seed: row.bytes("seed").span)
      var found: [UInt8] = []
      if let key = cover.key(for: UInt32(row.number("index"))) { found = key.bytes.array }
      #expect(found == row.bytes("key"))
    }
  }

  @Test func `position seeds give the published leaves`() throws {
    for row in try Vectors.rows("positions") {
      var tree = PositionTree(seed: SecretBytes(copying: row.bytes("seed").span))
      let leaf = tree.leaf(UInt64(row.number("position"))).array
      #expect(leaf == row.bytes("leaf"))
    }
  }

  @Test func `event bases are the published ones`() throws {
    for row in try Vectors.rows("bases") {
      var base = SecretBytes(zeroes: 32)
      var span = base.mutableBytes
      EventKeys.base(
        into: &span, period: row.bytes("period").span, stream: row.bytes("stream").span,
        subjects: row.bytes("subjects").span, impersonal: row.bytes("impersonal").span,
        dataSecret: row.bytes("dataSecret").span)
      let found = base.bytes.array
      #expect(found == row.bytes("base"))
    }
  }

  @Test func `derived secrets are the published ones`() throws {
    let contexts: [String: KeyDerivation.Context] = [
      "LT1.route": RoutingKeys.maskContext, "LT1.route.tag": RoutingKeys.tagContext,
      "LT1.log.state": EngineState.logStateContext, "LT1.idx.feed": TermKey.feed,
      "LT1.idx.stream": TermKey.stream, "LT1.idx.subject": TermKey.subject,
      "LT1.index": KeyDerivation.Context("LT1.index"),
      "LT1.ledger": KeyDerivation.Context("LT1.ledger"),
    ]
    for row in try Vectors.rows("derivations") {
      let context = try #require(contexts[row.text("context")])
      let output = row.bytes("output")
      let key = row.bytes("key")
      let derived = KeyDerivation.secret(
        count: output.count, key: key.span, context: context, message: key.span.extracting(0..<0))
      let found = derived.bytes.array
      #expect(found == output)
    }
  }

  @Test func `messages are sealed to the published bytes, and open`() throws {
    let contexts: [String: KeyDerivation.Context] = [
      "LT1.node.key": KeyDerivation.Context("LT1.node.key"), "LT1.log.seal": LogState.context,
      "LT1.seg.dir": KeyDerivation.Context("LT1.seg.dir"),
    ]
    for row in try Vectors.rows("sealed") {
      let context = try #require(contexts[row.text("context")])
      let (key, label) = (row.bytes("key"), row.bytes("label"))
      let sealed = SealedMessage.seal(
        row.bytes("plain").span, key: key.span, context: context, label: label.span,
        nonce: row.bytes("nonce").span)
      #expect(sealed == row.bytes("sealed"))
      var opened: [UInt8] = []
      if let plain = SealedMessage.open(
        sealed.span, key: key.span, context: context, label: label.span)
      {
        opened = plain.bytes.array
      }
      #expect(opened == row.bytes("plain"))
    }
  }

  @Test func `names and postings have the published tags`() throws {
    for row in try Vectors.rows("names") {
      var message = [UInt8(row.number("kind")), UInt8(row.number("class"))] + row.bytes("id")
      let key = row.bytes("mapKey")
      let tag = NameResolver.tag(ofName: &message, SecretBytes(copying: key.span))
      let expected = row.bytes("tag")
      #expect(tag.low.byteSwapped.bigEndianBytes + tag.high.byteSwapped.bigEndianBytes == expected)
    }
    for row in try Vectors.rows("postings") {
      let bucket = Bucket(number: UInt16(row.number("bucket")))
      let tag = TaggedPosting.tag(termKey: row.bytes("termKey").span, bucket: bucket)
      #expect("\(tag)" == row.text("tag"))
    }
  }

  @Test func `types and ids have the published terms`() throws {
    func secret(_ row: Vectors.Row) -> SecretBytes {
      let bytes = row.bytes("mapKey")
      return SecretBytes(copying: bytes.span)
    }
    for row in try Vectors.rows("types") {
      let term = TermKey(type: row.bytes("type").span, mapKey: secret(row))
      let bucket = Bucket(month: 682)
      #expect(
        term.tag(in: bucket)
          == TaggedPosting.tag(termKey: row.bytes("termKey").span, bucket: bucket))
    }
    for row in try Vectors.rows("ids") {
      var scratch: [UInt8] = []
      let term = IDTerm(
        id: row.bytes("id").span, source: row.bytes("source").span,
        idKey: IDTerm.key(mapKey: secret(row)), scratch: &scratch)
      let bytes = term.keyBytes
      #expect(bytes.span.array == row.bytes("termKey"))
      #expect("\(term.fingerprint)" == row.text("fingerprint"))
    }
  }

  @Test func `lengths are padded as published`() throws {
    for row in try Vectors.rows("padme") {
      #expect(Padme.paddedBytes(row.number("bytes")) == row.number("padded"))
    }
  }

  @Test func `published records open to their bodies, headers and routing fields`() throws {
    for row in try Vectors.rows("records") {
      let record = row.bytes("record")
      let secret = row.bytes("instanceSecret")
      let keys = RoutingKeys(
        mask: KeyDerivation.secret(
          count: 32, key: secret.span, context: RoutingKeys.maskContext,
          message: secret.span.extracting(0..<0)),
        tag: KeyDerivation.secret(
          count: 16, key: secret.span, context: RoutingKeys.tagContext,
          message: secret.span.extracting(0..<0)))
      let route = keys.open(record.span)
      let routing = try #require(route)
      #expect(routing.position == UInt64(row.number("position")))
      #expect(routing.tenant.rawValue == UInt32(row.number("tenant")))
      #expect(routing.period == Period(unit: .day, index: UInt32(row.number("period"))))
      #expect(Int(routing.generation) == row.number("generation"))

      let headerKey = SecretBytes(copying: row.bytes("headerKey").span)
      let head = HeaderMask.open(record.span, key: headerKey)
      let header = try #require(head)
      #expect(header.stream.rawValue == UInt64(row.number("streamSlot")))
      #expect(header.version == UInt64(row.number("version")))
      #expect(header.storedMilliseconds == Int64(row.number("storedMilliseconds")))
      #expect(header.subjects.count == row.number("subjectCount"))
      for (index, slot) in row.numbers("slots").enumerated() {
        #expect(header.subjects[index].rawValue == UInt64(slot))
      }

      var eventKey = SecretBytes(zeroes: 64)
      var plain: [UInt8] = []
      let count = RecordOpener.open(
        record.span, subjectCount: header.subjects.count, base: row.bytes("base").span,
        leaf: row.bytes("leaf").span, tenantID: TenantID(bytes: row.bytes("tenantID")),
        position: routing.position, eventKey: &eventKey, into: &plain)
      #expect(count == row.bytes("body").count)
      #expect(Array(plain.prefix(count ?? 0)) == row.bytes("body"))
      let leaf = LeafHash(
        position: routing.position, recordHash: RecordHash.sha256(record.span))
      #expect(leaf.hash.bytes == row.bytes("merkleLeaf"))
    }
  }
}

/// The published file.
private enum Vectors {
  struct Row {
    let values: [String: Any]

    func number(_ name: String) -> Int { (values[name] as? NSNumber)?.intValue ?? -1 }

    func numbers(_ name: String) -> [Int] {
      (values[name] as? [NSNumber])?.map(\.intValue) ?? []
    }

    /// A number as it stands, since a tag has 64 bits.
    func text(_ name: String) -> String {
      if let number = values[name] as? NSNumber { return number.stringValue }
      return values[name] as? String ?? ""
    }

    func bytes(_ name: String) -> [UInt8] {
      let digits = Array((values[name] as? String ?? "").utf8)
      return stride(from: 0, to: digits.count, by: 2).map { index in
        UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) ?? 0
      }
    }
  }

  static func rows(_ part: String) throws -> [Row] {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Vectors/vectors.json")
    let file = try JSONSerialization.jsonObject(with: Data(contentsOf: path)) as? [String: Any]
    let rows = try #require(file?[part] as? [[String: Any]])
    try #require(!rows.isEmpty)
    return rows.map(Row.init)
  }
}
