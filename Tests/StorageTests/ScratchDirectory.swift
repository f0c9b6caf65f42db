import EventModel
import Foundation
import Storage

/// A private directory of one test, removed with its scope.
final class ScratchDirectory {
  let path: String

  init() {
    path = NSTemporaryDirectory() + "lethe-storage-" + UUID().uuidString
    _ = unsafe mkdir(path, 0o700)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func setMode(_ mode: Int, of name: String) throws {
    try FileManager.default.setAttributes(
      [.posixPermissions: mode], ofItemAtPath: path + "/" + name)
  }

  func write(_ text: String, to name: String) throws {
    let file = path + "/" + name
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
  }
}

let storeID = StoreID(bytes: Array(0xA0..<0xB0)) ?? { fatalError("16 bytes") }()
