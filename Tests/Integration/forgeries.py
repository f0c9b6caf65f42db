"""What somebody changed in a bundle, with or without the store's key, and what lethe-audit says of it.

A judgement is an exit code and a sentence that names the place; the program has little memory for it, and
never crashes.
"""

import hashlib
import os
import pathlib
import resource
import shutil
import tempfile

from bundles import Bundle, audit, canonical, make, note, verifier_key
from daemon import Daemon
from verdicts import check
from wire import Wire

FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="lethe-forged-", dir=os.environ.get("LETHE_TMP")))
SEED, OTHER_SEED = bytes(range(32)), bytes(range(1, 33))
FOUND = {"count": 0}
MEMORY_MAX = 256 << 20


def shred(daemon, *words):
    with Wire(daemon.admin_socket) as wire:
        token = wire.call("SHRED", *words, "REASON", "art17", "DRYRUN")["confirm"]
        return wire.call("SHRED", *words, "REASON", "art17", "TICKET", "DPO-17", "CONFIRM", token)


def fill(daemon, tenant, count):
    with daemon.wire(tenant) as wire:
        for number in range(count):
            wire.call("EVENT.APPEND", f"stream-{number % 6}", "type", "DATASUBJECT",
                      f"person-{number % 6}", "DATA", "data" * (number % 40))


def collect():
    """Bundles of a store at two moments, and of another store; the first two also under a known key."""
    if "after" in FOUND:
        return
    with Daemon("debug") as daemon:
        daemon.create_tenant("acme")
        daemon.create_tenant("other")
        fill(daemon, "acme", 60)
        fill(daemon, "other", 20)
        shred(daemon, "EVENTS", "acme", "2", "3")
        check(make(daemon, FOLDER / "before-whole").returncode == 0, "no bundle")
        shred(daemon, "DATASUBJECT", "acme", "person-0")
        shred(daemon, "STREAM", "acme", "stream-4")
        fill(daemon, "other", 30)
        check(make(daemon, FOLDER / "after-whole").returncode == 0, "no second bundle")
        FOUND["key"] = daemon.control("KEY", "STATUS")["signing-key"].decode()
    with Daemon("debug") as daemon:
        daemon.create_tenant("acme")
        daemon.create_tenant("other")
        fill(daemon, "acme", 5)
        fill(daemon, "other", 3)
        shred(daemon, "EVENTS", "acme", "2")
        check(make(daemon, FOLDER / "strange-whole").returncode == 0, "no strange bundle")
    for name in ("before", "after", "strange"):
        FOUND[name] = Bundle(FOLDER / f"{name}-whole")
        FOUND[f"signed {name}"] = FOUND[name].copy().resign(SEED)
        FOUND[f"signed {name}"].save(FOLDER / f"{name}-signed")
    FOUND["signed key"] = verifier_key(FOUND["after"].name, SEED)


def limited():
    """For the auditor's program: so much memory, no core files."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_MAX, MEMORY_MAX))


def judge(what, folder, statuses, *words):
    """Runs the program on a bundle; it must end with one of the statuses and say why."""
    done = audit("verify", folder, *words, preexec_fn=limited)
    FOUND["count"] += 1
    check(done.returncode in statuses,
          f"{what}: ended with {done.returncode}, not {statuses}: {done.stdout} {done.stderr}")
    outcome = {0: "pass", 1: "finding", 2: "tampered", 3: "cannot conclude"}[done.returncode]
    check(done.stdout.splitlines()[-1] == f"verdict: {outcome}", f"{what}: {done.stdout}")
    return done.stdout


def judge_bundle(what, bundle, statuses, *words, place=None):
    folder = bundle.save(FOLDER / f"case-{FOUND['count']}")
    rows = judge(what, folder, statuses, *words)
    check(place is None or place in rows, f"{what}: nothing names {place!r}: {rows}")
    shutil.rmtree(folder)


def reseal(bundle, manifest):
    """Signs a manifest as it is."""
    bundle.files["MANIFEST.json"] = canonical(manifest)
    digest = hashlib.sha256(bundle.files["MANIFEST.json"]).hexdigest()
    text = f"lethe.bundle/1\n{manifest.get('store')}\n{digest}\n".encode()
    bundle.files["MANIFEST.note"] = note(text, FOUND["after"].name, SEED)


def so_many(count):
    """For the last line: how many bundles were tried."""
    check(FOUND["count"] >= count, f"only {FOUND['count']} bundles")
    return f"{FOUND['count']} bundles"
