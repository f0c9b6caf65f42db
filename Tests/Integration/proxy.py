"""A socket between a client and the daemon: it notes what the client sends, and may cut the line."""

import pathlib
import socket
import tempfile
import threading

from wire import parse_replies


class Proxy:
    """Passes everything on; `sent` has the client's bytes, one entry a connection.

    With `cuts`, so many connections are closed when the daemon answers a command that has `after` in
    it, without passing the answer on: the client cannot know whether it was done.
    """

    def __init__(self, target, cuts=0, after=b""):
        self.target, self.cuts, self.after = str(target), cuts, after
        self.folder = tempfile.TemporaryDirectory(prefix="lethe-proxy-")
        self.path = pathlib.Path(self.folder.name, "proxy.sock")
        self.sent, self.answered = [], []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen(16)
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.folder.cleanup()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.target)
            number = len(self.sent)
            self.sent.append(bytearray())
            self.answered.append(bytearray())
            for run in (self.requests, self.answers):
                threading.Thread(target=run, args=(client, server, number), daemon=True).start()

    def requests(self, client, server, number):
        self.pump(client, server, self.sent[number].extend)

    def answers(self, client, server, number):
        def passes(data):
            self.answered[number].extend(data)
            if self.cuts and self.after and self.after in self.sent[number]:
                self.cuts -= 1
                return False
            return True
        self.pump(server, client, passes)

    @staticmethod
    def pump(source, target, note):
        try:
            while data := source.recv(65_536):
                if note(data) is False:
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def commands(self):
        """The commands of each connection, in the order of the connections."""
        found = []
        for data in self.sent:
            if data.startswith(b"*"):
                found.append([[word.decode() for word in words] for words in parse_replies(data)])
            else:
                found.append([data.decode().split()])
        return found
