import EventModel
package import Keyring

/// What may be claimed of an erasure: how well the root's medium forgets.
package enum ErasureLevel: UInt8, Sendable {
  /// E0: nothing is claimed.
  case none = 0
  /// E1: overwritten in place, gone for everybody above the firmware.
  case overwritten = 1

  package init(_ weaknesses: [WeakErasure]) { self = weaknesses.isEmpty ? .overwritten : .none }

  package var text: String { "E\(rawValue)" }
}
