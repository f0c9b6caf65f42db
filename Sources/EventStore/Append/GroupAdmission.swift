import EventModel
import Keyring

/// What is to be done with one event of a group.
enum Admission {
  /// It is new; its stream has this slot, and this version without the group.
  case store(Slot, version: UInt64)
  /// It was stored before.
  case duplicate(AppendResult)
  /// It is about an erased person and its sender wants it left out.
  case skip
}

extension Appender {
  /// Seals the requests of one group of several, or none of them when one is refused; false when a
  /// name has no key yet.
  mutating func appendGroup(
    _ bytes: Span<UInt8>, _ requests: [AppendRequest], _ results: inout [AppendResult],
    group: Range<Int>, now: Int64, in state: EngineState
  ) -> Bool {
    do throws(StoreError) {
      var refusedAt = group.lowerBound
      let admissions: [Admission]
      do throws(StoreError) {
        guard let found = try admit(bytes, requests, group, now: now, &refusedAt, in: state) else {
          return false
        }
        admissions = found
      } catch {
        results[refusedAt].error = error
        throw .batchRefused
      }
      for (index, admission) in zip(group, admissions) {
        switch admission {
        case .skip: results[index].error = .subjectShredded
        case .duplicate(let first): results[index] = first
        case .store:
          // Nothing can be refused any more: a failure here is the store's and fails the whole
          // commit, since half of the group may be sealed already.
          let result = try seal(bytes, requests[index], isAdmitted: true, now: now, in: state)
          guard let result else { throw .corrupt }
          results[index] = result
        }
      }
    } catch {
      if error != .batchRefused { isPoisoned = true }
      for index in group where results[index].error == nil {
        results[index] = AppendResult(error: .batchRefused)
      }
    }
    return true
  }

  /// Checks everything that can refuse an event of a group: erased persons, then ids, then versions,
  /// which count the group's own events; nil when a name has no key yet.
  private mutating func admit(
    _ bytes: Span<UInt8>, _ requests: [AppendRequest], _ group: Range<Int>, now: Int64,
    _ refusedAt: inout Int, in state: EngineState
  ) throws(StoreError) -> [Admission]? {
    var admissions: [Admission] = []
    var ids: Set<IDTerm> = []
    var stored = 0
    var duplicate: (index: Int, position: UInt64)?
    for index in group {
      refusedAt = index
      guard let admission = try admit(bytes, requests[index], now: now, &ids, in: state) else {
        return nil
      }
      switch admission {
      case .store: stored += 1
      case .duplicate(let first): if duplicate == nil { duplicate = (index, first.position) }
      case .skip: break
      }
      admissions.append(admission)
    }
    guard stored > 0 else { return admissions }
    if let duplicate {
      // A retry repeats the whole group; this one is another group that uses an id again.
      refusedAt = duplicate.index
      throw .idConflict(position: duplicate.position)
    }
    try checkVersions(bytes, requests, group, admissions, &refusedAt, in: state)
    return admissions
  }

  private mutating func admit(
    _ bytes: Span<UInt8>, _ request: AppendRequest, now: Int64, _ ids: inout Set<IDTerm>,
    in state: EngineState
  ) throws(StoreError) -> Admission? {
    // Before its stream is asked for: no key is made for an event that is left out.
    if request.skipsErased,
      try resolver.namesErased(bytes, request, now: now, in: state)
    {
      return .skip
    }
    guard
      let resolved = try resolver.resolve(
        bytes, request, now: now, in: state, index: index, log: log)
    else { return nil }
    if !request.id.isEmpty {
      let term = idTerm(bytes, request, resolved.secrets)
      guard ids.insert(term).inserted else { throw .idConflict(position: 0) }
      do throws(StoreError) {
        if let first = try firstEvent(bytes, request, term, resolved, now: now, in: state) {
          return .duplicate(first)
        }
      } catch {
        if case .eventErased = error, request.skipsErased { return .skip }
        throw error
      }
    }
    return .store(resolved.stream.slot, version: resolved.stream.version)
  }

  private mutating func checkVersions(
    _ bytes: Span<UInt8>, _ requests: [AppendRequest], _ group: Range<Int>,
    _ admissions: [Admission], _ refusedAt: inout Int, in state: EngineState
  ) throws(StoreError) {
    var versions: [Slot: UInt64] = [:]
    for (index, admission) in zip(group, admissions) {
      refusedAt = index
      let expectation = requests[index].expectation
      let current: UInt64
      if case .store(let slot, let version) = admission {
        current = versions[slot] ?? version
        versions[slot] = current + 1
      } else {
        // What is expected of a stream stands at its first event, also when that one is left out.
        guard expectation != .any else { continue }
        let stream = try resolver.knownStream(
          bytes, requests[index], in: state, index: self.index, log: log)
        current = stream.map { versions[$0.slot] ?? $0.version } ?? 0
      }
      guard expectation.allows(current) else {
        throw .wrongVersion(expected: expectation, actual: current)
      }
    }
  }
}
