import EventModel
import Keyring

/// The retention classes that a tenant's types are mapped to.
///
/// Asked for each event whose writer says no class, so the last type is kept at hand.
final class TypeClasses {
  private let classes: [[UInt8]: RetentionClass]
  private var lastType: [UInt8] = []
  private var last: RetentionClass?

  init(_ map: TypeMap, _ known: [RetentionClass]) {
    classes = map.classes.compactMapValues { number in known.first { $0.number == number } }
  }

  /// The class of a type, or nil when it is mapped to none.
  func retentionClass(ofTypeIn body: Span<UInt8>) -> RetentionClass? {
    guard !classes.isEmpty, let place = EventTerms(body).type else { return nil }
    let type = body.extracting(place)
    if !lastType.isEmpty, isLast(type) { return last }
    lastType.removeAll(keepingCapacity: true)
    lastType.appendSpan(type)
    last = classes[lastType]
    return last
  }

  private func isLast(_ type: Span<UInt8>) -> Bool {
    guard type.count == lastType.count else { return false }
    for index in type.indices where type[index] != lastType[index] { return false }
    return true
  }
}
