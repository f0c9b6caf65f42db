package import RESP

/// Why a call to the daemon failed; each case says whose move it is.
package enum ClientError: Error, Hashable, Sendable {
  /// Nobody listens at the socket. The operator starts the daemon or names the right path.
  case unreachable(errno: Int32)
  /// The socket's permissions forbid it. The operator's move.
  case forbidden
  /// The path is no socket's path. The caller's mistake.
  case badPath
  /// No answer within the time. Whether the command was done is unknown.
  case timedOut
  /// The daemon closed the connection. Whether the command was done is unknown.
  case closed
  /// What came is not the protocol: something else listens there.
  case malformed(ReplyFailure)
  /// The daemon's own refusal.
  case refused(Refusal)
  /// The answer has another shape than this client knows. Client and daemon do not match.
  case unexpectedReply
}

/// An error reply: its first word is the code, stable for programs.
package struct Refusal: Error, Hashable, Sendable {
  package let code: String
  /// Everything behind the code.
  package let message: String

  package init(_ text: String) {
    if let blank = text.firstIndex(of: " ") {
      code = String(text[..<blank])
      message = String(text[text.index(after: blank)...])
    } else {
      code = text
      message = ""
    }
  }

  package var text: String { message.isEmpty ? code : "\(code) \(message)" }
}

extension ClientError {
  /// One plain sentence for people.
  package var text: String {
    switch self {
    case .unreachable(let code):
      "the daemon cannot be reached: \(SystemCalls.describe(errno: code))"
    case .forbidden: "the socket may not be opened by this user"
    case .badPath: "a socket's path has 1 to \(SystemCalls.socketPathBytesMax) bytes"
    case .timedOut: "no answer in time; whether it was done is unknown"
    case .closed: "the daemon closed the connection; whether it was done is unknown"
    case .malformed: "what answered is not the daemon"
    case .refused(let refusal): refusal.text
    case .unexpectedReply: "the daemon's answer is not understood; versions may differ"
    }
  }
}
