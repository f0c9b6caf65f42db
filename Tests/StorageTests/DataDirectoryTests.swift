import EventModel
import Foundation
import Storage
import Testing

@Test func `a new directory opens with its identity`() throws {
  let scratch = ScratchDirectory()
  let path = scratch.path + "/data"
  do { #expect(try DataDirectory.create(path: path, id: storeID).id == storeID) }
  let text = try String(contentsOfFile: path + "/FORMAT", encoding: .utf8)
  #expect(text == "lethe-store 1\nid a0a1a2a3a4a5a6a7a8a9aaabacadaeaf\n")
  #expect(try DataDirectory.open(path: path).id == storeID)
}

@Test func `a second opener is turned away while the first lives`() throws {
  let scratch = ScratchDirectory()
  let path = scratch.path + "/data"
  let first = try DataDirectory.create(path: path, id: storeID)
  #expect(throws: StorageError.busy(pid: nil)) { try DataDirectory.open(path: path) }
  #expect(throws: Never.self) { try DataDirectory.open(path: path, isReadOnly: true) }
  withExtendedLifetime(first) {}
}

@Test func `a directory that others may enter is refused`() throws {
  let scratch = ScratchDirectory()
  let path = scratch.path + "/data"
  do { _ = try DataDirectory.create(path: path, id: storeID) }
  try scratch.setMode(0o755, of: "data")
  #expect(throws: StorageError.notPrivate) { try DataDirectory.open(path: path) }
  try scratch.setMode(0o700, of: "data")
  try scratch.setMode(0o750, of: "data/keyring")
  #expect(throws: StorageError.notPrivate) { try DataDirectory.open(path: path) }
  try scratch.setMode(0o700, of: "data/keyring")
  try scratch.setMode(0o644, of: "data/FORMAT")
  #expect(throws: StorageError.notPrivate) { try DataDirectory.open(path: path) }
}

@Test(arguments: [
  "lethe-store 2\nid a0a1a2a3a4a5a6a7a8a9aaabacadaeaf\n",
  "lethe-store 1\nid a0a1a2a3a4a5a6a7a8a9aaabacadaeag\n",
  "lethe-store 1\nid A0a1a2a3a4a5a6a7a8a9aaabacadaeaf\n",
  "lethe-store 1\n", "",
])
func `an unknown format is refused`(text: String) throws {
  let scratch = ScratchDirectory()
  do { _ = try DataDirectory.create(path: scratch.path + "/data", id: storeID) }
  try scratch.write(text, to: "data/FORMAT")
  #expect(throws: StorageError.unknownFormat) {
    try DataDirectory.open(path: scratch.path + "/data")
  }
}

@Test func `what is not there is missing`() throws {
  let scratch = ScratchDirectory()
  #expect(throws: StorageError.missing) { try DataDirectory.open(path: scratch.path + "/data") }
  #expect(throws: StorageError.missing) { try DataDirectory.open(path: scratch.path) }
}

@Test func `a directory is never made over another`() throws {
  let scratch = ScratchDirectory()
  do { _ = try DataDirectory.create(path: scratch.path, id: storeID) }
  #expect(throws: StorageError.exists) {
    try DataDirectory.create(path: scratch.path, id: storeID)
  }
}

@Test func `a deleted index is made again`() throws {
  let scratch = ScratchDirectory()
  let path = scratch.path + "/data"
  do { _ = try DataDirectory.create(path: path, id: storeID) }
  try FileManager.default.removeItem(atPath: path + "/index")
  let directory = try DataDirectory.open(path: path)
  #expect(throws: Never.self) { try IndexTables.open(directory) }
}

@Test func `a deleted keyring is not made again`() throws {
  let scratch = ScratchDirectory()
  let path = scratch.path + "/data"
  do { _ = try DataDirectory.create(path: path, id: storeID) }
  try FileManager.default.removeItem(atPath: path + "/keyring")
  #expect(throws: StorageError.missing) { try DataDirectory.open(path: path) }
}
