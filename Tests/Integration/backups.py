"""Running `lethed backup` and `lethed restore`, and a small store to run them on."""
import json
import os
import subprocess

from lib import Daemon, binary, check, seed

SEED = seed()
DAMAGED, OLD_KEYRING, OLD_ROOT, NEEDS_NEWER_KEYS = 65, 82, 83, 85
PAGE = 4096


def backup(store, target, *more, environment=None, kill_after=None):
    command = [binary("lethed", "debug"), "backup", "--data", str(store.data), "--to", str(target),
               "--json", *more]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=dict(store.environment, **(environment or {})))
    if kill_after is not None:
        try:
            process.wait(kill_after)
        except subprocess.TimeoutExpired:
            process.kill()
    out, err = process.communicate(timeout=120)
    return process.returncode, json.loads(out) if process.returncode == 0 else None, err


def restore(store, source, target, *more, environment=None, roots=None):
    holders = [word for path in roots or store.roots for word in ("--root", str(path))]
    done = subprocess.run(
        [binary("lethed", "debug"), "restore", "--from", str(source), "--data", str(target), *holders,
         *store.weak, "--json", *more],
        capture_output=True, text=True, timeout=120, env=dict(store.environment, **(environment or {})))
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def counts(report):
    return report["opened"], report["erased"], report["damaged"], report["gaps"]


class Small:
    """A store with twelve events of three persons, and backups of two ages."""

    def __init__(self, variant=None):
        self.store = Daemon("debug", variant=variant)

    def __enter__(self):
        store = self.store.__enter__()
        store.create_tenant("acme")
        self.append(6)
        self.target = store.folder / "backup"
        return self

    def __exit__(self, *exit):
        self.store.__exit__(*exit)

    def append(self, count):
        with self.store.wire("acme") as wire:
            for number in range(count):
                wire.call("EVENT.APPEND", "s", "test.event", "DATASUBJECT", f"p{number % 3}@x", "DATA",
                          "payload " * 20)

    def back_up(self, *more):
        status, report, err = backup(self.store, self.target, *(more or ("--keyring",)))
        check(status == 0, f"backup ended {status}: {err}")
        return report

    def stop(self):
        self.store.drop_clients()
        check(self.store.stop() == 0, "no orderly end")


def flip(path, page, offset, mask):
    with open(path, "r+b") as file:
        file.seek(page * PAGE + offset)
        byte = file.read(1)[0]
        file.seek(page * PAGE + offset)
        file.write(bytes([byte ^ mask]))
