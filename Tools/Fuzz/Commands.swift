import Client
import EventModel
import RESP

@testable import EventStore
@testable import Server

// Commands without sockets and without a store, as the unit tests run them: arguments in, a plan
// or an event's bytes out.

private let tenants = ["acme", "zeta"]

private func makeContext(_ endpoint: Endpoint) -> CommandContext {
  let surroundings = Surroundings(
    version: "0.0.0", policy: AccessPolicy(onlyUID: 1000),
    tenantNumber: { name in
      tenants.firstIndex(of: name.text).map { TenantNumber(rawValue: UInt32($0 + 1)) }
    },
    lastPosition: { _ in 7 }, nowMicroseconds: { 1_764_000_000_000_001 })
  var state = ConnectionState(
    id: 3, endpoint: endpoint, peer: Peer(uid: 1000, gid: 1000, groups: []),
    rights: Rights(grants: [Grant(tenants: .some([TenantName("acme")!]), roles: .all)]))
  _ = try? state.boundTenant(in: surroundings)
  let collector = AppendCollector(nowMilliseconds: { 1_764_000_000_000 }) { AppendBatch { _ in } }
  return CommandContext(state: state, appends: collector, surroundings: surroundings)
}

/// The command decoder: names, options, filters and batches of every command on every kind of
/// socket; replies are whole, and what was gathered for the writer is well formed.
func fuzzCommands(_ bytes: [UInt8]) {
  var input = Input(bytes)
  let isAdmin = input.byte() & 1 == 1
  var context = makeContext(isAdmin ? .admin : .query)
  for command in parseRequests(input.remaining, step: bytes.count + 1).commands
  where !command.arguments.isEmpty {
    run(command.arguments, &context)
  }
  checkReplies(context.output)
  check(context.appends.current.batch)
}

private func run(_ arguments: [[UInt8]], _ context: inout CommandContext) {
  var bytes: [UInt8] = []
  var ranges: [ByteRange] = []
  for argument in arguments {
    ranges.append(ByteRange(offset: bytes.count, count: argument.count))
    bytes += argument
  }
  do throws(CommandError) {
    let view = Arguments(bytes: bytes.span, ranges: ranges.span)
    let command = try CommandTable.find(view, on: context.state.endpoint)
    try command.authorize(&context.state, context.surroundings)
    _ = try context.perform(command, view)
  } catch {
    context.refuseTransaction()
    context.state.encoder.error(error.line, to: &context.output)
  }
}

private func checkReplies(_ output: [UInt8]) {
  var parser = ReplyParser()
  var start = 0
  while start < output.count {
    guard let step = try? parser.parse(output.span.extracting(start..<output.count)),
      step.reply != nil
    else { preconditionFailure("a reply that no client can read") }
    start += step.count
  }
}

private func check(_ batch: AppendBatch) {
  let bytes = batch.bytes
  for request in batch.requests {
    let body = bytes.span.extracting(request.body.range)
    guard let reader = EventBodyReader(body) else { preconditionFailure("no body") }
    precondition(
      reader.data.count <= Limits.dataBytesMax && !request.stream.isEmpty
        && Int(request.subjectCount) <= Limits.subjectsMax)
    precondition(
      reader.place(of: .stream, in: body)?.count == request.stream.range.count
        && reader.place(of: .type, in: body) != nil,
      "an event without a stream or a type")
    var subjects = 0
    reader.forEachField(in: body) { tag, place in
      precondition(place.upperBound <= body.count)
      if tag == BodyField.dataSubject.rawValue { subjects += 1 }
    }
    precondition(subjects == Int(request.subjectCount), "persons were lost")
    checkCloudEvent(body)
  }
}

/// Whatever was accepted can be given out as JSON that every parser takes.
private func checkCloudEvent(_ body: Span<UInt8>) {
  let event = ReadEvent(
    position: 7, version: 3, storedMilliseconds: 1_764_000_000_000, state: .live)
  var json: [UInt8] = []
  CloudEvent.append(event, body: body, tenant: TenantName("acme")!, to: &json)
  precondition(JSONCheck.isValid(json.span), "an event that is no JSON")
  checkAgainstParser(json)
}

/// Two readers of JSON, of the daemon and of the client, must agree; the client is stricter about
/// depth and about names that repeat.
func checkAgainstParser(_ json: [UInt8]) {
  let isValid = JSONCheck.isValid(json.span)
  do throws(JSONFailure) {
    _ = try JSONParser.parse(json)
    precondition(isValid, "the client takes what the daemon does not")
  } catch {
    precondition(
      !isValid || [.repeatedName, .tooDeep].contains(error.reason),
      "the daemon takes what the client does not")
  }
}

/// The access file.
func fuzzAccess(_ bytes: [UInt8]) {
  _ = try? AccessPolicy(parsing: bytes)
}
