"""A daemon on temporary directories."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from verdicts import Failed, check
from wire import Closed, ErrorReply, Wire

REPO = pathlib.Path(__file__).resolve().parents[2]


def binary(name, configuration="release"):
    base = pathlib.Path(os.environ.get("LETHE_BIN_DIR", REPO / ".build"))
    for path in (base / configuration / name, base / name):
        if path.is_file():
            return str(path)
    raise Failed(f"no {configuration} {name} below {base}: build it, or set LETHE_BIN_DIR")


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
        self.options = []
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
    def admin_socket(self):
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
                [*self.arguments("serve"), "--sockets", str(self.sockets), *self.options, *more],
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
                with Wire(self.admin_socket) as admin, Wire(self.query):
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
        with Wire(self.admin_socket) as wire:
            return wire.call(*words)

    def create_tenant(self, name, retention="395d"):
        self.control("TENANT", "CREATE", name, "RETENTION", retention)

    def shred(self, tenant, person):
        """Erases a person; returns the plan and the receipt."""
        act = ["SHRED", "DATASUBJECT", tenant, person, "REASON", "art17"]
        with Wire(self.admin_socket) as wire:
            plan = wire.call(*act, "DRYRUN")
            return plan, wire.call(*act, "CONFIRM", plan["confirm"])


SECOND_UID = 65_533


class Daemon(Store):
    """A store with one or two root holders and, if asked for, a second user who approves.

    Its clients are redis-py's, which answer with bytes.
    """

    def __init__(self, build="release", holders=1, second_user=False, variant=None):
        super().__init__(build, variant=variant)
        self.roots = [str(self.root.parent / f"root-{number}") for number in range(holders)]
        self.has_second_user = second_user
        self.clients = {}

    def arguments(self, verb):
        roots = [word for path in self.roots for word in ("--root", path)]
        return [binary("lethed", self.configuration), verb, "--data", str(self.data), *roots,
                *self.weak]

    def init(self):
        super().init()
        if not self.has_second_user:
            return
        check(os.geteuid() == 0, "a second user needs root")
        everything = ["writer", "reader", "exporter", "officer", "operator", "approver", "auditor"]
        access = {"unseparated": True, "peers": [
            {"uid": os.geteuid(), "tenants": "*", "roles": everything},
            {"uid": SECOND_UID, "tenants": "*", "roles": ["operator", "approver"]}]}
        path = self.folder / "access.json"
        path.write_text(json.dumps(access))
        path.chmod(0o600)
        # The second user comes in by the group of the sockets, and only there.
        self.folder.chmod(0o711)
        self.sockets.chmod(0o711)
        self.options = ["--access", str(path)]

    def restart(self):
        self.drop_clients()
        check(self.stop() == 0, "the daemon does not end in order")
        self.start()

    def drop_clients(self):
        for client in self.clients.values():
            client.close()
        self.clients = {}

    def close(self, keep=False):
        self.drop_clients()
        super().close(keep)

    def client(self, tenant=None, socket_path=None):
        """A connection of redis-py, kept for the next time."""
        import redis
        key = (tenant, socket_path)
        if key not in self.clients:
            self.clients[key] = redis.Redis(
                unix_socket_path=str(socket_path or self.query), username=tenant)
        return self.clients[key]

    def admin(self, *words):
        return self.client(socket_path=str(self.admin_socket)).execute_command(*words)

    def feed(self, tenant):
        """All events of a tenant."""
        events = []
        while True:
            page = self.client(tenant).execute_command(
                "EVENT.RANGE", "*", events[-1][b"position"] + 1 if events else "-", "+",
                "COUNT", "1000")
            if not page:
                return events
            events += page

    def shred_person(self, tenant, person):
        act = ["SHRED", "DATASUBJECT", tenant, person, "REASON", "art17"]
        return self.confirm(act, self.admin(*act, "DRYRUN"))

    def confirm(self, act, plan):
        """Confirms a dry run, as the second user when one is needed and there is one."""
        if plan[b"approval"] == b"needed" and self.has_second_user:
            return self.as_second_user([*act, "CONFIRM", plan[b"confirm"].decode()])
        return self.admin(*act, "CONFIRM", plan[b"confirm"])

    def shred_tenant(self, tenant):
        """Plans as one user and confirms as the other, without grace."""
        self.admin("TENANT", "SET", tenant, "GRACE", "tenant", "0h")
        act = ["SHRED", "TENANT", tenant, "REASON", "offboarding"]
        self.confirm(act, self.admin(*act, "DRYRUN"))
        if (tenant, None) in self.clients:
            self.clients.pop((tenant, None)).close()

    def as_second_user(self, words):
        """Runs a command on the admin socket as another uid."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            # Nothing but this command, and no way back into the suite.
            text = "the child failed"
            try:
                os.setgroups([])
                os.setuid(SECOND_UID)
                with Wire(self.admin_socket) as wire:
                    wire.call(*words)
                text = ""
            except Exception as error:
                text = str(error) or type(error).__name__
            finally:
                os.write(writer, text.encode()[:500])
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as answer:
            problem = answer.read().decode()
        os.waitpid(child, 0)
        check(not problem, f"as the second user: {problem}")
