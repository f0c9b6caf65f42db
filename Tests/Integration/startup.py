#!/usr/bin/env python3
"""What the daemon refuses at start, each with a plain sentence and an exit code of its own; how it
ends; and that the release binary has no test hooks. Every refusal must leave the files as they were.
"""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time

from lib import Store, Verdicts, binary, check


def digest(store):
    """What the files hold, except the lock."""
    found = hashlib.sha256()
    for base in (store.data, store.root.parent):
        for path in sorted(base.rglob("*")):
            if path.is_file() and path.name not in ("LOCK", "lock.mdb"):
                found.update(str(path.relative_to(base)).encode() + path.read_bytes())
    return found.hexdigest()


def fresh():
    """A store with two epochs behind it, and copies of each age; the daemon is down."""
    store = Store()
    store.init()
    store.start()
    store.create_tenant("acme")
    with store.wire("acme") as wire:
        for person in ("ann", "bob"):
            wire.call("EVENT.APPEND", "s", "t", "DATASUBJECT", person, "DATA", "x")
    check(store.stop() == 0, "no orderly end")
    store.old = store.folder / "old"
    shutil.copytree(store.data, store.old)
    shutil.copy(store.root, store.folder / "old-root")
    store.start()
    store.shred("acme", "ann")
    with store.wire("acme") as wire:
        wire.call("EVENT.APPEND", "s", "t", "DATASUBJECT", "carol", "DATA", "x")
    check(store.stop() == 0, "no orderly end")
    return store


def refused(verdicts, title, spoil, code, words, leaves=True):
    """Spoils a store, starts it, and expects the code and the words, with nothing changed.

    Where the root already fitted, the empty slot of its holder is overwritten anew: `leaves=False`.
    """
    store = fresh()
    try:
        more = spoil(store) or []
        before = digest(store)
        done = store.run("serve", "--sockets", str(store.sockets), *more, timeout=20)
        said = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ""
        is_right = done.returncode == code and all(word in said for word in words)
        same = not leaves or digest(store) == before
        verdicts.check(f"{title}: {code}", is_right and same,
                       f"ended {done.returncode}: {said}{'' if same else '; files changed'}")
    finally:
        store.close()


def replace(path, source):
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(source, path) if source.is_dir() else shutil.copy(source, path)


def older_root(store):
    # Written into the same file: a holder is never replaced, only overwritten.
    with open(store.root, "r+b") as file:
        file.write((store.folder / "old-root").read_bytes())


def unknown_format(store):
    (store.data / "FORMAT").write_text("lethe-store 9\nid " + "0" * 32 + "\n")


def second_daemon(verdicts):
    store = fresh()
    try:
        store.start()
        done = store.run("serve", "--sockets", str(store.sockets), timeout=20)
        verdicts.check("a second daemon: 75", done.returncode == 75 and "another" in done.stderr,
                       f"ended {done.returncode}: {done.stderr.strip()[-200:]}")
        check(store.wait() < 5, "the first daemon is disturbed")
    finally:
        store.close()


def new_root_never(verdicts):
    store = fresh()
    try:
        store.root.unlink()
        done = store.run("init", timeout=20)
        verdicts.check("init over a store without its root: 73, and no root is made",
                       done.returncode == 73 and not store.root.exists(),
                       f"ended {done.returncode}: {done.stderr.strip()}")
    finally:
        store.close()


def drains(verdicts):
    store = fresh()
    try:
        store.start()
        with store.wire("acme") as wire:
            for _ in range(200):
                wire.send(wire.encode("EVENT.APPEND", "s", "t", "IMPERSONAL", "DATA", "x" * 1000))
            start = time.monotonic()
            store.process.terminate()
            stored = sum(1 for _ in range(200) if drained(wire))
        status = store.process.wait(10)
        took = time.monotonic() - start
        verdicts.check("SIGTERM under load ends with 0 within 5 s", status == 0 and took < 5.5,
                       f"status {status} after {took:.1f} s")
        store.start()
        with store.wire("acme") as wire:
            count = wire.call("EVENT.COUNT")
        verdicts.check("what was answered before the end is there", count >= 3 + stored,
                       f"{stored} answered, {count} there")
        store.stop()
    finally:
        store.close()


def drained(wire):
    try:
        return isinstance(wire.reply(), (dict, list))
    except Exception:
        return False


def keeps_access(verdicts):
    """An invalid access file at SIGHUP: the old rules stay."""
    store = fresh()
    try:
        path = store.folder / "access.json"
        rules = {"peers": [{"uid": os.geteuid(), "tenants": ["acme"], "roles": ["writer", "reader"]}]}
        path.write_text(json.dumps(rules))
        path.chmod(0o600)
        store.start("--access", str(path))
        path.write_text("{")
        store.process.send_signal(1)
        time.sleep(0.5)
        with store.wire("acme") as wire:
            verdicts.check("SIGHUP with an invalid access file keeps the old rules",
                           wire.call("EVENT.COUNT") == 3)
        store.stop()
    finally:
        store.close()


def access(text, mode=0o600):
    def spoil(store):
        path = store.folder / "access.json"
        path.write_text(text)
        path.chmod(mode)
        return ["--access", str(path)]
    return spoil


def main():
    verdicts = Verdicts("startup", 0)
    refused(verdicts, "storage without its root", lambda s: s.root.unlink(), 80, ["root"])
    refused(verdicts, "root without its storage", lambda s: shutil.rmtree(s.data), 66, ["no store"])
    refused(verdicts, "older storage", lambda s: replace(s.data, s.old), 82, ["older", "epochs"])
    refused(verdicts, "older root", older_root, 83, ["older", "epochs"])
    refused(verdicts, "older keyring of the same epoch under newer events", older_keyring, 85,
            ["older keyring"], leaves=False)
    refused(verdicts, "unknown format", unknown_format, 86, ["format"])
    refused(verdicts, "a directory readable by others", lambda s: s.data.chmod(0o755), 77, ["0700"])
    refused(verdicts, "a root readable by others", lambda s: s.root.chmod(0o644), 81, ["0600"])
    refused(verdicts, "an access file that is not JSON", access("{"), 78,
            ["access file", "line 1"], leaves=False)
    refused(verdicts, "an access file that others may write", access("{}", 0o666), 78,
            ["access file"], leaves=False)
    refused(verdicts, "operator and reader in one hand", access(json.dumps({"peers": [
        {"uid": 7, "tenants": "*", "roles": ["operator", "reader"]}]})), 78, ["unseparated"],
            leaves=False)
    second_daemon(verdicts)
    new_root_never(verdicts)
    drains(verdicts)
    keeps_access(verdicts)
    words = subprocess.run(["strings", "-a", binary("lethed", "release")], capture_output=True,
                           text=True, timeout=60).stdout
    hooks = [word for word in ("LETHE_TEST_", "ack-before-commit", "no-rekey") if word in words]
    verdicts.check("the release binary has no test hooks", "lethe-store" in words and not hooks,
                   f"found {hooks}")
    sys.exit(verdicts.finish())


def older_keyring(store):
    """The keyring as it was before the newest person's key, in the same epoch."""
    store.start()
    store.stop()
    copy = store.folder / "keyring-before"
    shutil.copytree(store.data / "keyring", copy)
    store.start()
    with store.wire("acme") as wire:
        wire.call("EVENT.APPEND", "s", "t", "DATASUBJECT", "dora", "DATA", "x")
    store.stop()
    replace(store.data / "keyring", copy)


if __name__ == "__main__":
    main()
