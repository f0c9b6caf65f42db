import Dispatch
import Synchronization

/// What waits for the writer, in the order in which it was submitted.
enum Work: Sendable {
  case append(AppendBatch)
  case control(ControlWork)
  /// Lines of the access log are to be written.
  case access
  /// Ends the writer's thread.
  case stop
}

/// A control act with the way back to who asked for it.
struct ControlWork: Sendable {
  let act: ControlAct
  let actor: Actor
  /// The command that asked for it, as the ledger names it when it is refused; empty: the daemon.
  var verb = ""
  let completion: @Sendable (Result<ControlAnswer, StoreError>) -> Void
  /// What ``Surveyor`` found, for the acts that it prepares.
  var survey: Result<Survey, StoreError>?
}

/// The queue before the writer: many threads add, one takes all.
final class WorkQueue: Sendable {
  private struct State {
    var work: [Work] = []
    var bytes = 0
    var isClosed = false
  }

  private let state = Mutex(State())
  private let available = DispatchSemaphore(value: 0)

  /// Bytes of the batches that wait.
  var bytes: Int { state.withLock { $0.bytes } }

  /// Adds work; false when the queue was closed.
  func add(_ work: Work) -> Bool {
    let isAdded = state.withLock { state in
      guard !state.isClosed else { return false }
      if case .append(let batch) = work { state.bytes += batch.bytes.count }
      state.work.append(work)
      return true
    }
    if isAdded { available.signal() }
    return isAdded
  }

  /// Takes no more work after this, and lets the writer end when it has done what waits.
  func close() {
    state.withLock { state in
      guard !state.isClosed else { return }
      state.isClosed = true
      state.work.append(.stop)
    }
    available.signal()
  }

  /// Waits for work and takes all of it.
  func takeAll() -> [Work] {
    while true {
      available.wait()
      let taken = state.withLock { state in
        let work = state.work
        state.work = []
        state.bytes = 0
        return work
      }
      // A signal may belong to work that an earlier round took along.
      if !taken.isEmpty { return taken }
    }
  }
}
