import EventModel
import Foundation
import Sodium
import Testing

@testable import Keyring

/// The keyring's own formats against the published vectors, which an independent program computes
/// from Docs/Format.md (Tests/Integration/vectors.py).
@Suite struct PublishedVectorTests {
  private struct Row {
    let fields: [String: Any]

    func number(_ name: String) throws -> Int { try #require(fields[name] as? Int) }
    func text(_ name: String) throws -> String { try #require(fields[name] as? String) }

    func bytes(_ name: String) throws -> [UInt8] {
      let digits = Array(try text(name))
      return try stride(from: 0, to: digits.count, by: 2).map {
        try #require(UInt8(String(digits[$0...($0 + 1)]), radix: 16))
      }
    }
  }

  private func rows(_ name: String) throws -> [Row] {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Vectors/vectors.json")
    let all = try JSONSerialization.jsonObject(with: try Data(contentsOf: path)) as? [String: Any]
    let part = try #require(all?[name])
    if let row = part as? [String: Any] { return [Row(fields: row)] }
    return try #require(part as? [[String: Any]]).map(Row.init)
  }

  @Test func `covers are the published ones`() throws {
    for row in try rows("covers") {
      let unit: PeriodUnit = try row.number("unit") == 0 ? .day : .hour
      let seed = try row.bytes("seed")
      let whole = PeriodCover(unit: unit, seed: seed.span)
      let range = UInt32(try row.number("lower"))..<UInt32(try row.number("upper"))
      guard let cover = whole.puncturing(range) else { throw KeyringError.tenantFull }
      var entries = [UInt8](repeating: 0, count: cover.bytesCount)
      var span = entries.mutableSpan
      cover.write(to: &span, at: 0)
      let expected = try row.bytes("entries")
      #expect(entries == expected)
    }
  }

  @Test func `ledger entries are the published ones`() throws {
    for row in try rows("ledger") {
      let uid = UInt32(try row.number("uid"))
      let actor: LedgerEntry.Actor
      switch try row.number("actorKind") {
      case 0: actor = .daemon
      case 1: actor = .uid(uid)
      default: actor = .socket(name: try row.bytes("socketName"), uid: uid)
      }
      var entry = LedgerEntry(
        timeMilliseconds: Int64(try row.number("time")),
        act: try #require(LedgerEntry.Act(rawValue: UInt8(row.number("act")))), actor: actor,
        tenant: TenantNumber(rawValue: UInt32(try row.number("tenant"))),
        result: UInt8(try row.number("result")), planHash: try row.bytes("planHash"),
        count: UInt64(try row.number("count")))
      entry.epoch = UInt64(try row.number("epoch"))
      let plain = try row.bytes("plain")
      #expect(entry.plain == plain)
      #expect(LedgerEntry(plain: plain.span) == entry)
    }
  }

  @Test func `nodes open under the published labels`() throws {
    for row in try rows("nodes") {
      let store = try #require(StoreID(bytes: row.bytes("store")))
      let label = NodeSealing.Label(
        store: store, kind: try #require(NodeKind(rawValue: UInt8(row.number("kind")))),
        id: NodeID(rawValue: try #require(UInt64(row.text("id")))),
        version: try #require(UInt64(row.text("version"))),
        tenant: UInt32(try row.number("tenant")))
      let (sealed, key, expected) = (
        try row.bytes("sealed"), try row.bytes("key"), try row.bytes("plain")
      )
      guard let plain = NodeSealing.open(sealed.span, key: key.span, label: label) else {
        throw KeyringError.corrupt
      }
      let isSame = plain.isEqual(to: expected.span)
      #expect(isSame)
    }
  }

  @Test func `root headers and slots are the published ones`() throws {
    let row = try rows("rootHeader")[0]
    let header = RootHeader(
      store: try #require(StoreID(bytes: row.bytes("store"))),
      index: UInt8(try row.number("index")),
      count: UInt8(try row.number("count")), isWeakAccepted: try row.number("flags") == 1,
      createdMilliseconds: Int64(try row.number("created")))
    let bytes = try row.bytes("header")
    #expect(header.bytes == bytes)
    #expect(RootHeader(bytes.span) == header)
    let slot = try rows("rootSlot")[0]
    let raw = try slot.bytes("slot")
    guard let found = RootSlot.decode(raw.span) else { throw KeyringError.corrupt }
    #expect(found.epoch == UInt64(try slot.number("epoch")))
    let root = try slot.bytes("root")
    #expect(Array(raw[found.root]) == root)
  }
}
