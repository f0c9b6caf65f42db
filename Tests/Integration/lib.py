"""What the script suites share: a daemon on temporary directories, and a small client.

The daemon's binaries are looked for in LETHE_BIN_DIR: a directory that holds `lethed`, or a build
folder with `release` and `debug` in it (by default the repository's .build).
"""

import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

REPO = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77


class Failed(Exception):
    """A claim that does not hold; its text is the verdict."""


def check(condition, text):
    if not condition:
        raise Failed(text)


def binary(name, configuration="release"):
    base = pathlib.Path(os.environ.get("LETHE_BIN_DIR", REPO / ".build"))
    for path in (base / configuration / name, base / name):
        if path.is_file():
            return str(path)
    raise Failed(f"no {configuration} {name} below {base}: build it, or set LETHE_BIN_DIR")


def seed():
    """The seed of this run: LETHE_SEED, or a new one; printed, so that a run can be replayed."""
    value = int(os.environ.get("LETHE_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"seed {value} (replay with LETHE_SEED={value})", flush=True)
    return value


def run_suite(*tests):
    """Runs test functions in order; prints a verdict each and `N passed, N failed`."""
    passed = failed = skipped = 0
    wanted = sys.argv[1:]
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        name = test.__name__.replace("_", " ")
        start = time.monotonic()
        try:
            note = test() or ""
            passed += 1
            print(f"ok      {name} ({time.monotonic() - start:.1f} s) {note}".rstrip(), flush=True)
        except Skip as reason:
            skipped += 1
            print(f"SKIPPED {name}: {reason}", flush=True)
        except Failed as reason:
            failed += 1
            print(f"FAILED  {name}: {reason}", flush=True)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(1 if failed else SKIPPED if skipped and not passed else 0)


class Skip(Exception):
    """The machine cannot run this test."""


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


class Store:
    """A daemon on temporary directories; use it in a `with`, which cleans up."""

    def __init__(self, configuration="release", variant=None, root=None, environment=None):
        self.configuration = configuration
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lethe-", dir=os.environ.get("LETHE_TMP")))
        self.data = self.folder / "data"
        self.root = pathlib.Path(root) if root else self.folder / "root-holder" / "root"
        self.sockets = self.folder / "run"
        self.log = self.folder / "lethed.log"
        self.process = None
        self.weak = []
        self.environment = dict(os.environ, SWIFT_BACKTRACE="enable=no", **(environment or {}))
        if variant:
            self.environment["LETHE_TEST_VARIANT"] = variant
        self.sockets.mkdir(mode=0o700)
        if not root:
            self.root.parent.mkdir(mode=0o700)

    def __enter__(self):
        try:
            self.init()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, *_):
        self.close(keep=kind is not None and os.environ.get("LETHE_KEEP") == "1")

    @property
    def query(self):
        return self.sockets / "query.sock"

    @property
    def admin(self):
        return self.sockets / "admin.sock"

    def arguments(self, verb):
        return [binary("lethed", self.configuration), verb, "--data", str(self.data),
                "--root", str(self.root), *self.weak]

    def run(self, verb, *more, timeout=120):
        return subprocess.run(
            [*self.arguments(verb), *more], capture_output=True, text=True, timeout=timeout,
            env=self.environment, stdin=subprocess.DEVNULL)

    def init(self):
        done = self.run("init")
        if done.returncode == 87:  # this machine's temporary directory cannot erase
            self.weak = ["--accept-weak-erasure"]
            done = self.run("init")
        check(done.returncode == 0, f"init ended with {done.returncode}: {done.stderr.strip()}")

    def spawn(self, *more, environment=None):
        """Starts the daemon without waiting for it."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.arguments("serve"), "--sockets", str(self.sockets), *more],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=dict(self.environment, **(environment or {})))

    def start(self, *more, environment=None, timeout=60.0):
        self.spawn(*more, environment=environment)
        return self.wait(timeout)

    def wait(self, timeout=60.0):
        """Waits until the daemon answers; returns the seconds that it took."""
        start = time.monotonic()
        pause = 0.001
        while time.monotonic() - start < timeout:
            status = self.process.poll()
            if status is not None:
                tail = self.log.read_text(errors="replace").strip().splitlines()[-3:]
                raise Failed(f"the daemon ended with {status}: {' / '.join(tail)}")
            try:
                with Wire(self.admin) as admin, Wire(self.query):
                    admin.call("PING")
                    return time.monotonic() - start
            except Closed:
                pass
            except ErrorReply as error:
                # No tenant yet, or several of them: it answers, and that is all we ask.
                if error.word not in ("LOADING",):
                    return time.monotonic() - start
            time.sleep(pause)
            pause = min(0.02, pause * 1.5)
        raise Failed(f"the daemon does not answer after {timeout} s")

    def kill(self):
        """SIGKILL, by pid, and wait until the process is gone."""
        if self.process and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        if self.process:
            self.process.wait(10)
        self.process = None

    def stop(self, timeout=15):
        """SIGTERM; returns the exit status."""
        if not self.process:
            return 0
        if self.process.poll() is None:
            self.process.terminate()
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"the daemon does not end within {timeout} s of SIGTERM") from None
        self.process = None
        return status

    def close(self, keep=False):
        self.kill()
        if keep:
            print(f"kept {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def wire(self, tenant=None, **options):
        return Wire(self.query, tenant, **options)

    def control(self, *words):
        """One command on the admin socket."""
        with Wire(self.admin) as wire:
            return wire.call(*words)

    def create_tenant(self, name, retention="395d"):
        self.control("TENANT", "CREATE", name, "RETENTION", retention)

    def shred(self, tenant, person):
        """Erases a person; returns the plan and the receipt."""
        act = ["SHRED", "DATASUBJECT", tenant, person, "REASON", "art17"]
        with Wire(self.admin) as wire:
            plan = wire.call(*act, "DRYRUN")
            return plan, wire.call(*act, "CONFIRM", plan["confirm"])
