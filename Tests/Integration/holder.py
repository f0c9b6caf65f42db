#!/usr/bin/env python3
"""`lethed holder`: a root and a replica of the keyring in another process, and the loss of a machine."""
import json
import os
import shutil
import signal
import socket
import subprocess
import time

import lethe_format as fmt
from lib import Failed, binary, check, run_suite
from roots import Rooted, epochs, wait_for


class Held(Rooted):
    """A store with a local root and a holder behind a socket."""

    def __init__(self, **more):
        super().__init__(1, **more)
        self.holder = None
        self.holder_dir = self.folder / "holder"
        self.socket = self.folder / "holder.sock"
        self.place = f"unix:{self.socket}"
        self.roots.append(self.place)

    def __enter__(self):
        self.start_holder()
        return super().__enter__()

    def start_holder(self, environment=None):
        self.holder = subprocess.Popen(
            [binary("lethed", "debug"), "holder", "--dir", str(self.holder_dir), "--socket",
             str(self.socket)], stdin=subprocess.DEVNULL,
            env=dict(self.environment, **(environment or {})))
        wait_for("the holder listens", lambda: self.socket.exists() or self.holder.poll() is not None)
        check(self.holder.poll() is None, "the holder ended")

    def stop_holder(self, how=signal.SIGTERM):
        if self.holder and self.holder.poll() is None:
            self.holder.send_signal(how)
        if self.holder:
            self.holder.wait(10)
        self.holder = None
        self.socket.unlink(missing_ok=True)

    def close(self, keep=False):
        self.stop_holder()
        super().close(keep)

    @property
    def holder_root(self):
        return str(self.holder_dir / "root")

    def same_keyring(self):
        """True when the replica has exactly what the keyring has."""
        names = ("nodes", "ledger", "certificates")
        own = fmt.tables(str(self.data), "keyring", *names)
        return own == fmt.tables(str(self.holder_dir / "replica"), "keyring", *names)

    def replica_epoch(self):
        """The epoch of the replica's top node, 0 when there is none."""
        nodes = fmt.tables(str(self.holder_dir / "replica"), "keyring", "nodes")[0]
        return int.from_bytes(nodes.get(bytes(8), bytes(8))[:8], "big")

    def backup(self, target):
        done = subprocess.run(
            [binary("lethed", "debug"), "backup", "--data", str(self.data), "--to", str(target)],
            capture_output=True, text=True, env=self.environment, timeout=60)
        check(done.returncode == 0, done.stderr)


def the_holder_has_the_root_and_follows_the_keyring():
    with Held() as store:
        check(epochs(store.holder_root) == [1], "no root there")
        wait_for("additions arrive", store.same_keyring)
        check(store.refused("ann@x") is None, "a shred with both holders")
        # At the acknowledgement, not later.
        check(store.replica_epoch() == 2, "the replica is behind an acknowledged shred")
        wait_for("what was written behind it arrives", store.same_keyring)
        check(epochs(store.holder_root) == epochs(store.roots[0]) == [2], "the roots")
        check(store.states() == [b"erased", b"live", b"live"], f"{store.states()}")
        status, report, text = store.root_verb("status")
        check((status, report["present"]) == (0, 2), f"beside the daemon: {status} {text}")
        store.restart()
        check(store.info()["root_holders_missing"] == "0", "missing after a restart")


def a_shred_without_the_holder_is_pending_until_it_is_back():
    with Held() as store:
        old = set(fmt.Root(store.holder_root).slots.values())
        store.stop_holder()
        wait_for("seen", lambda: store.info()["root_holders_missing"] == "1")
        check(store.refused("ann@x") == "PENDING", "a shred was called done")
        check(store.refused("bob@x") == "PENDING", "the next one was held up")
        store.append("new@x")
        check(epochs(store.holder_root) == [1], "nobody wrote there")
        store.start_holder()
        wait_for("confirmed", lambda: store.info()["erasure_pending"] == "0")
        check(epochs(store.holder_root) == [3], f"{epochs(store.holder_root)}")
        raw = open(store.holder_root, "rb").read()
        check(not any(root in raw for root in old), "an old root is still there")
        wait_for("the replica is up to date", store.same_keyring)
        # In the middle of nothing: killed and back, and a store that starts before its holder.
        store.stop_holder(signal.SIGKILL)
        store.restart()
        check(store.info()["root_holders_missing"] == "1", "it is there")
        store.start_holder()
        wait_for("back", lambda: store.info()["root_holders_missing"] == "0")
        check(store.refused("eve@x") is None, "with both again")


def only_one_daemon_may_write():
    with Held() as store:
        second = store.folder / "second"
        shutil.copytree(store.data, second)
        done = subprocess.run(
            [binary("lethed", "debug"), "root", "rotate", "--data", str(second), "--root", store.place,
             *store.weak], capture_output=True, text=True, env=store.environment, timeout=30)
        check(done.returncode == 75, f"{done.returncode} {done.stderr}")
        check(epochs(store.holder_root) == [1], "two wrote")
        store.drop_clients()
        store.kill()
        done = subprocess.run(
            [binary("lethed", "debug"), "root", "status", "--data", str(second), "--root", store.place,
             *store.weak, "--json"], capture_output=True, text=True, env=store.environment, timeout=30)
        check(done.returncode == 0 and json.loads(done.stdout)["epoch"] == 1, done.stderr)


def a_machine_is_lost_and_comes_back_but_nothing_that_was_shredded():
    with Held() as store:
        check(store.refused("ann@x") is None, "the first shred")
        copy = store.folder / "backup"
        store.backup(copy)
        # After the backup: a shred that it does not know of, and the tail that is lost.
        check(store.refused("bob@x") is None, "the second shred")
        for number in range(3):
            store.append(f"tail-{number}@x")
        wait_for("additions arrive", store.same_keyring)
        store.drop_clients()
        store.kill()
        shutil.rmtree(store.data)
        shutil.rmtree(store.root.parent)

        new = store.folder / "new-data"
        command = [binary("lethed", "debug"), "restore", "--from", str(copy), "--keyring", store.place,
                   "--data", str(new), "--root", store.place, *store.weak, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, env=store.environment, timeout=60)
        check(done.returncode == 0, f"{done.returncode} {done.stderr}")
        report = json.loads(done.stdout)
        check((report["opened"], report["erased"], report["damaged"]) == (1, 2, 0), f"{report}")
        store.data = new
        store.root.parent.mkdir(mode=0o700)
        status, _, text = store.root_verb("remove", "--lost", "0", roots=[store.place])
        check(status == 0, f"{status} {text}")
        status, _, text = store.root_verb("add", store.roots[0], roots=[store.place])
        check(status == 0, f"{status} {text}")
        store.start()
        check(store.states() == [b"erased", b"erased", b"live"], f"{store.states()}")
        check(store.append("again@x") is not None and len(store.states()) == 4, "appends")
        check(store.refused("eve@x") is None, "a shred with both holders")
        check(epochs(store.holder_root) == epochs(store.roots[0]), "the roots differ")


def garbage_on_the_socket_harms_nobody():
    with Held() as store:
        store.drop_clients()
        store.stop()
        for garbage in (b"\xff" * 5, b"\0\0\0\0\x63", b"\0\0\0\x11\x01" + b"x" * 17, b"\0\0\0\x01\x03\0",
                        b"\0\0\0\0\x02", b"\0\0\x02\x01\x04" + b"y" * 513, b"\0\0\0\0\x08", b"\0\0\0\0\x0b",
                        b"\0\0\x02\0\x05" + b"z" * 512, b"GET / HTTP/1.1\r\n\r\n"):
            with socket.socket(socket.AF_UNIX) as peer:
                peer.connect(str(store.socket))
                peer.settimeout(1)
                peer.sendall(garbage)
                peer.shutdown(socket.SHUT_WR)
                try:
                    check(b"LTSLOT1" not in peer.recv(1 << 16), "a root was given to a stranger")
                except ConnectionResetError:
                    pass
        check(store.holder.poll() is None, "the holder ended")
        check(epochs(store.holder_root) == [1], "a slot was written")
        store.start()
        check(store.refused("ann@x") is None, "a shred")


def a_replica_that_is_behind_an_acknowledged_shred_would_be_caught():
    with Held(variant="replica-late") as store:
        check(store.refused("ann@x") is None, "a shred")
        check(store.replica_epoch() < 2, "the variant is not there")


def the_holder_crashes_at_every_step_of_a_shred():
    """In its process; and the daemon at every step of its own, with the holder going on."""
    for side in ("holder", "daemon"):
        number, names = 1, None
        while names is None or number <= len(names):
            with Held() as store:
                wait_for("additions arrive", store.same_keyring)
                log = store.folder / "points"
                chosen = {"LETHE_TEST_CRASH_AT": str(number if names else 10**9),
                          "LETHE_TEST_CRASH_LOG": str(log)}
                before = {path: set(fmt.Root(path).slots.values())
                          for path in (store.roots[0], store.holder_root)}
                # The daemon starts in order, then is given its point by a restart.
                store.drop_clients()
                store.stop()
                if side == "holder":
                    store.stop_holder()
                    store.start_holder(chosen)
                try:
                    store.start(environment=chosen if side == "daemon" else None)
                    answer = store.refused("ann@x")
                except Failed:
                    answer = "crashed"
                except Exception:
                    answer = "crashed"
                if names is None:
                    check(answer is None, f"without a crash: {answer}")
                    names = log.read_text().split()
                    continue
                try:
                    judge_crash(store, answer, before)
                except Failed as failure:
                    raise Failed(f"{side} at {number} ({names[number - 1]}): {failure}") from None
            number += 1
        check(len(names) >= 8, f"{side}: {names}")
        print(f"        {side}: {len(names)} steps")


def judge_crash(store, answer, before):
    """Before or after, nothing acknowledged undone, and both sides as one again."""
    store.drop_clients()
    store.kill()
    if store.holder.poll() is not None or answer == "crashed":
        store.stop_holder(signal.SIGKILL)
        store.start_holder()
    store.start()
    wait_for("settled", lambda: store.info()["erasure_pending"] == "0"
             and store.info()["root_holders_missing"] == "0")
    states = store.states()
    check(states[0] in (b"erased", b"live") and states[1:] == [b"live"] * 2, f"between: {states}")
    check(answer is not None or states[0] == b"erased", "an acknowledged shred is undone")
    check(epochs(store.roots[0]) == epochs(store.holder_root) and len(epochs(store.roots[0])) == 1,
          "the roots differ")
    if states[0] == b"erased":
        for path, roots in before.items():
            check(not any(root in open(path, "rb").read() for root in roots), "an old root is there")
    wait_for("the replica is as the keyring", store.same_keyring)


if __name__ == "__main__":
    run_suite(
        the_holder_has_the_root_and_follows_the_keyring,
        a_shred_without_the_holder_is_pending_until_it_is_back,
        only_one_daemon_may_write,
        a_machine_is_lost_and_comes_back_but_nothing_that_was_shredded,
        garbage_on_the_socket_harms_nobody,
        a_replica_that_is_behind_an_acknowledged_shred_would_be_caught,
        the_holder_crashes_at_every_step_of_a_shred,
    )
