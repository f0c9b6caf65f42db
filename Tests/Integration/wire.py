"""A small client that hides nothing: no retries, no reconnects."""

import socket

from verdicts import Failed


class ErrorReply(Exception):
    @property
    def word(self):
        return str(self).split(" ", 1)[0]


class Closed(Exception):
    """The connection ended before the answer came: whether it was done is unknown."""


class Wire:
    """A RESP3 connection without retries, so that what is unknown stays unknown."""

    def __init__(self, path, tenant=None, timeout=20.0):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.buffer = bytearray()
        self.start = 0
        try:
            self.socket.connect(str(path))
        except OSError as error:
            self.socket.close()
            raise Closed(str(error)) from None
        self.call("HELLO", "3", *(("AUTH", tenant, "peer") if tenant else ()))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    @staticmethod
    def encode(*words):
        parts = [b"*%d\r\n" % len(words)]
        for word in words:
            data = word if isinstance(word, bytes) else str(word).encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
        return b"".join(parts)

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Closed(str(error)) from None

    def call(self, *words):
        self.send(self.encode(*words))
        reply = self.reply()
        if isinstance(reply, ErrorReply):
            raise reply
        return reply

    def pipeline(self, commands):
        """Replies of many commands; error replies are in the list."""
        self.send(b"".join(self.encode(*words) for words in commands))
        return [self.reply() for _ in commands]

    def raw_until(self, mark):
        """Everything up to and without the reply that `mark` is."""
        while True:
            place = self.buffer.find(mark, self.start)
            if place >= 0:
                data = bytes(self.buffer[self.start:place])
                self.start = place + len(mark)
                return data
            self._fill()

    def _fill(self):
        if self.start > 1 << 20:
            del self.buffer[: self.start]
            self.start = 0
        try:
            data = self.socket.recv(1 << 18)
        except OSError as error:
            raise Closed(str(error)) from None
        if not data:
            raise Closed("end of stream")
        self.buffer += data

    def _line(self):
        while True:
            end = self.buffer.find(b"\r\n", self.start)
            if end >= 0:
                line = self.buffer[self.start:end]
                self.start = end + 2
                return line
            self._fill()

    def reply(self):
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"$":
            count = int(rest)
            if count < 0:
                return None
            while len(self.buffer) - self.start < count + 2:
                self._fill()
            data = bytes(self.buffer[self.start:self.start + count])
            self.start += count + 2
            return data
        if kind == b":":
            return int(rest)
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return ErrorReply(rest.decode("utf-8", "replace"))
        if kind == b"_":
            return None
        if kind == b"#":
            return rest == b"t"
        if kind == b",":
            return float(rest)
        if kind == b"%":
            pairs = [(self.reply(), self.reply()) for _ in range(int(rest))]
            return {k.decode() if isinstance(k, bytes) else k: v for k, v in pairs}
        if kind in (b"*", b"~", b">"):
            return None if int(rest) < 0 else [self.reply() for _ in range(int(rest))]
        raise Failed(f"not a reply: {bytes(line[:40])!r}")


def parse_replies(data):
    """The replies in bytes that are there already."""
    wire = Wire.__new__(Wire)
    wire.buffer, wire.start = bytearray(data), 0
    replies = []
    while wire.start < len(wire.buffer):
        replies.append(wire.reply())
    return replies
