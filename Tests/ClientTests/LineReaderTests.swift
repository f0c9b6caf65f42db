import Client
import Testing

@Test func `lines end with LF or CRLF, the last one with the file`() {
  let fd = FakeDaemon.pipe(Array("a\n\r\nb\r\nc".utf8))
  defer { SystemCalls.closeFile(fd) }
  var reader = LineReader(fd)
  var lines: [String] = []
  while case .line(let line) = reader.next() { lines.append(String(decoding: line, as: UTF8.self)) }
  #expect(lines == ["a", "", "b", "c"])
  #expect(reader.next() == .end)
}

@Test func `a line beyond its bound ends the reading`() {
  let fd = FakeDaemon.pipe([UInt8](repeating: 0x61, count: 30_000))
  defer { SystemCalls.closeFile(fd) }
  var reader = LineReader(fd, lineBytesMax: 10_000)
  #expect(reader.next() == .tooLong)
}

@Test func `many lines are read in linear time`() {
  let fd = FakeDaemon.pipe([UInt8](repeating: 0x0A, count: 1_000_000))
  defer { SystemCalls.closeFile(fd) }
  var reader = LineReader(fd)
  var count = 0
  while case .line = reader.next() { count += 1 }
  #expect(count == 1_000_000)
}

@Test func `reading all is bounded`() {
  let fd = FakeDaemon.pipe([UInt8](repeating: 0x61, count: 30_000))
  defer { SystemCalls.closeFile(fd) }
  #expect(LineReader.readAll(fd, bytesMax: 10_000) == nil)
}
