import Client
import RESP

/// A connection whose errors are for people, and which can be made again.
final class Session {
  let path: String
  private let connect: () throws(ClientError) -> Connection
  private var connection: Connection

  /// How long a connection that was lost is tried to be made again, unless somebody is more patient.
  static let patienceMilliseconds: UInt64 = 5_000

  /// `connect` makes a connection, now and after each loss.
  init(path: String, connect: @escaping () throws(ClientError) -> Connection) throws {
    self.path = path
    self.connect = connect
    do { connection = try connect() } catch { throw Failure(error, path: path) }
  }

  convenience init(path: String, tenant: String?, _ options: ConnectionOptions) throws {
    let timeout = UInt64(options.timeout) * 1_000
    try self.init(path: path) { () throws(ClientError) in
      let connection = try Connection(path: path, tenant: tenant, timeoutMilliseconds: timeout)
      // Nothing was read yet, so a purpose that is refused is the first thing to hear of.
      if path == options.queryPath, let purpose = options.purposeName {
        _ = try connection.call(Request("EVENT.PURPOSE", purpose))
      }
      return connection
    }
  }

  /// What the daemon said of itself.
  var greeting: Reply { connection.greeting }

  /// Requests whose answers are due.
  var pending: Int { connection.pending }

  func call(_ request: Request, extraMilliseconds: UInt64 = 0) throws -> Reply {
    do {
      return try connection.call(request, extraMilliseconds: extraMilliseconds)
    } catch {
      throw Failure(error, path: path)
    }
  }

  /// The same for requests that may be done twice: reads, and appends with an id.
  ///
  /// After a lost connection it is sent once more.
  func callAgain(_ request: Request) throws -> Reply {
    do { return try call(request) } catch let failure as Failure where failure.isLostConnection {
      try reconnect()
      return try call(request)
    }
  }

  /// Makes the connection anew, trying until the time is over; whatever was due is forgotten.
  func reconnect(patienceMilliseconds: UInt64 = Session.patienceMilliseconds) throws {
    let end = SystemCalls.monotonicMilliseconds + patienceMilliseconds
    var pause: UInt64 = 50
    while true {
      do {
        connection = try connect()
        return
      } catch {
        let failure = Failure(error, path: path)
        guard failure.isPassing, SystemCalls.monotonicMilliseconds < end else { throw failure }
        SystemCalls.pause(milliseconds: pause)
        pause = min(2 * pause, 1_000)
      }
    }
  }

  func send(_ request: Request) throws {
    do { try connection.send(request) } catch { throw Failure(error, path: path) }
  }

  /// The oldest answer that is due; error replies are answers.
  func receive() throws -> Reply {
    do { return try connection.receive() } catch { throw Failure(error, path: path) }
  }

  /// For answers of another shape than the command has.
  var unexpectedReply: Failure { Failure(.unexpectedReply, path: path) }
}
