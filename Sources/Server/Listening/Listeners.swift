import NIOCore

/// The sockets that are listened on: the two that always are, and those of the access file.
final class Listeners {
  private let directory: String
  private let group: any EventLoopGroup
  private let dispatcher: Dispatcher
  private var open: [Listener] = []

  init(directory: String, group: any EventLoopGroup, dispatcher: Dispatcher) {
    self.directory = directory
    self.group = group
    self.dispatcher = dispatcher
  }

  /// Opens what the policy declares and closes what it no longer does.
  func open(for policy: AccessPolicy) async throws(ListenerError) {
    let wanted = [.query, .admin] + policy.sockets.map { Endpoint.named($0.name) }
    for listener in open where !wanted.contains(listener.endpoint) { await listener.close() }
    open.removeAll { !wanted.contains($0.endpoint) }
    for endpoint in wanted where !open.contains(where: { $0.endpoint == endpoint }) {
      open.append(
        try await Listener.bind(endpoint, in: directory, group: group, dispatcher: dispatcher))
    }
  }

  func closeAll() async {
    for listener in open { await listener.close() }
    open = []
  }
}
