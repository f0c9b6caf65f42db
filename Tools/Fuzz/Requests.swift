import EventModel
import RESP

/// A command as the parser found it: its arguments, copied.
struct ParsedCommand: Hashable {
  var arguments: [[UInt8]]
  var count: Int
}

/// All commands of `bytes`, and what stopped the parser if it was not the end.
///
/// `step` bytes more are shown each time, as a socket would bring them.
func parseRequests(
  _ bytes: [UInt8], step: Int, isUnauthenticated: Bool = false
) -> (commands: [ParsedCommand], failure: ProtocolFailure?) {
  var parser = RequestParser()
  parser.isUnauthenticated = isUnauthenticated
  var commands: [ParsedCommand] = []
  var start = 0
  var end = min(step, bytes.count)
  while true {
    switch parser.parse(bytes.span.extracting(start..<end)) {
    case .needMore:
      guard end < bytes.count else { return (commands, nil) }
      end = min(end + step, bytes.count)
    case .failure(let failure): return (commands, failure)
    case .command(let count):
      precondition(count > 0 && start + count <= end, "a command longer than its bytes")
      commands.append(ParsedCommand(arguments: arguments(parser, bytes, start), count: count))
      start += count
      parser.reset()
    }
  }
}

private func arguments(_ parser: RequestParser, _ bytes: [UInt8], _ start: Int) -> [[UInt8]] {
  parser.ranges.map { range in
    parser.isInline
      ? parser.inlineBytes.span.extracting(range.range).array
      : Array(bytes[(start + range.range.lowerBound)..<(start + range.range.upperBound)])
  }
}

/// The RESP request parser: the same commands however the bytes are cut, and the same again when
/// they are written anew.
func fuzzRequests(_ bytes: [UInt8]) {
  var input = Input(bytes)
  let flags = input.byte()
  let rest = input.remaining
  let isUnauthenticated = flags & 0x80 != 0
  let whole = parseRequests(rest, step: max(1, rest.count), isUnauthenticated: isUnauthenticated)
  let pieces = parseRequests(
    rest, step: 1 + Int(flags & 0x1F), isUnauthenticated: isUnauthenticated)
  precondition(whole == pieces, "pieces parse differently")
  var again: [UInt8] = []
  for command in whole.commands where !command.arguments.isEmpty {
    again += Array("*\(command.arguments.count)\r\n".utf8)
    for argument in command.arguments {
      again += Array("$\(argument.count)\r\n".utf8) + argument + [0x0D, 0x0A]
    }
  }
  let second = parseRequests(again, step: max(1, again.count))
  precondition(
    second.failure == nil
      && second.commands.map(\.arguments)
        == whole.commands.map(\.arguments).filter { !$0.isEmpty },
    "written anew, it parses differently")
}
