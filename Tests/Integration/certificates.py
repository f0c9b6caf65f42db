#!/usr/bin/env python3
"""Every act that erases events is certified, and a program that has nothing of the store's but its public
key tells a certificate from a forgery.

The certificates are fetched with redis and with `lethe certificate`, checked in plain Python
(certificate_verifier.py), changed in every way a forger may think of, and searched for what must not stand
in them. A daemon that is killed after the receipt owes the certificate all the same.
"""

import copy
import hashlib
import itertools
import json
import os
import random
import subprocess

import certificate_verifier as verifier
import lib
from certificate_verifier import Forged, canonical, sign, verify
from lib import Daemon, ErrorReply, Failed, Skip, Wire, binary, check

PERSONS = [f"person-{number}@zebra.example" for number in range(6)]
FOUND = {}


def fill(daemon):
    with daemon.wire("acme") as wire:
        for number in range(240):
            wire.call("EVENT.APPEND", f"zebra-stream-{number % 6}", "zebra-type", "DATASUBJECT",
                      PERSONS[number % 6], "ID", f"zebra-id-{number}", "DATA", "zebra-data")


def shred(daemon, *words):
    with Wire(daemon.admin_socket) as wire:
        token = wire.call("SHRED", *words, "REASON", "art17", "DRYRUN")["confirm"]
        return wire.call("SHRED", *words, "REASON", "art17", "TICKET", "DPO-17", "CONFIRM", token)


def documents(daemon):
    """Every certificate by its name, and the store's key."""
    with Wire(daemon.admin_socket) as wire:
        key = bytes.fromhex(wire.call("KEY", "STATUS")["signing-key"].decode())
        rows = wire.call("AUDIT", "CERTIFICATES")
        return key, {row["certificate"].decode(): wire.call("AUDIT", "CERTIFICATE", row["certificate"])
                     for row in rows}, rows


def collect():
    """A store in which everything was shredded once; its certificates."""
    if FOUND:
        return
    with Daemon(second_user=os.geteuid() == 0) as daemon:
        daemon.create_tenant("acme")
        fill(daemon)
        receipts = [shred(daemon, "DATASUBJECT", "acme", PERSONS[0]),
                    shred(daemon, "EVENTS", "acme", "2", "3"),
                    shred(daemon, "STREAM", "acme", "zebra-stream-4")]
        if daemon.has_second_user:
            daemon.shred_tenant("acme")
        key, found, rows = documents(daemon)
        FOUND.update(receipts=receipts, key=key, documents=found, rows=rows)
        name = rows[0]["certificate"].decode()
        command = [binary("lethe", daemon.configuration), "certificate"]
        options = ["--sockets", str(daemon.sockets)]
        FOUND["shown"] = subprocess.run([*command, "show", name, *options], capture_output=True).stdout
        FOUND["listed"] = subprocess.run(
            [*command, "list", "--json", *options], capture_output=True, text=True).stdout
        FOUND["printed key"] = subprocess.run(
            [*command, "key", *options], capture_output=True, text=True).stdout.strip()


def every_shred_has_a_certificate_that_stands():
    collect()
    kinds = [row["kind"].decode() for row in FOUND["rows"]]
    check(kinds[:3] == ["subject", "events", "stream"], f"{kinds}")
    for receipt, row in zip(FOUND["receipts"], FOUND["rows"]):
        check(receipt["certificate"] == row["certificate"], "the receipt names another certificate")
        found = verify(FOUND["documents"][row["certificate"].decode()], FOUND["key"])
        check(found["scope"]["events"] == receipt["events"], "other counts than in the receipt")
        check(found["method"]["root_generation"][1] == receipt["epoch"], "another epoch")
        sampled = min(32, receipt["events"])
        check(found["verification"] == {"sampled": sampled, "opened_before": sampled, "opened_after": 0},
              f"{found['verification']}")
    for document in FOUND["documents"].values():
        verify(document, FOUND["key"])
    return f"{len(kinds)} certificates"


def a_tenant_has_one_too():
    collect()
    if len(FOUND["rows"]) < 4:
        raise Skip("a second user needs root")
    row = FOUND["rows"][3]
    found = verify(FOUND["documents"][row["certificate"].decode()], FOUND["key"])
    check(found["kind"] == "tenant" and found["scope"]["events"] == 240, f"{found['scope']}")
    check(found["approval"]["requested_by"] != "" and row["tenant"] == b"", "its name survived")


def lethe_writes_what_redis_answers():
    collect()
    name = FOUND["rows"][0]["certificate"].decode()
    check(FOUND["shown"] == FOUND["documents"][name] + b"\n", "lethe certificate show differs")
    names = [json.loads(line)["certificate"] for line in FOUND["listed"].splitlines()]
    check(names == list(FOUND["documents"]), f"{names}")
    check(FOUND["printed key"] == FOUND["key"].hex(), "lethe certificate key differs")


def no_name_and_no_hash_of_one_stands_in_a_certificate():
    collect()
    names = [*PERSONS, "acme", "zebra-type"] + [f"zebra-stream-{number}" for number in range(6)]
    marks = {name: name for name in ["zebra", *names]}
    for name in names:
        for digest in ("md5", "sha1", "sha256", "sha512", "blake2b", "blake2s", "sha3_256"):
            marks[hashlib.new(digest, name.encode()).hexdigest()[:16]] = f"{digest} of {name}"
        marks[hashlib.blake2b(name.encode(), digest_size=32).hexdigest()[:16]] = f"blake2b of {name}"
    for document in FOUND["documents"].values():
        for mark, meaning in marks.items():
            check(mark.encode() not in document, f"{meaning} stands in a certificate")
    return f"{len(marks)} marks"


def forgeries(document, rng):
    """The document changed by somebody without the seed, and what was done."""
    for place in rng.sample(range(len(document)), min(300, len(document))):
        changed = bytearray(document)
        changed[place] ^= 1 << rng.randrange(8)
        yield "a bit", bytes(changed)
    yield "cut", document[:-1]
    yield "nothing", b""
    yield "twice", document + document
    yield "a line end", document + b"\n"
    yield "white space", document.replace(b'":', b'": ', 1)
    yield "an escape that is not needed", document.replace(b"uid", b"\\u0075id", 1)
    yield "a number spelled otherwise", document.replace(b'"key_bits":256', b'"key_bits":256.0')
    yield "a name twice", document.replace(b'{"certificate":', b'{"certificate":1,"certificate":', 1)
    outer = json.loads(document)
    yield "members in another order", json.dumps(
        dict(reversed(outer.items())), separators=(",", ":")).encode()
    for path in paths(outer):
        for value in (None, 0, 1, 10**9, "", "x", True, [], {}):
            changed = copy.deepcopy(outer)
            inner = changed
            for step in path[:-1]:
                inner = inner[step]
            if inner[path[-1]] == value and type(inner[path[-1]]) is type(value):
                continue
            inner[path[-1]] = value
            yield f"{path} = {value!r}", canonical(changed).encode()
    # Signatures that a careless verifier takes.
    signature = bytes.fromhex(outer["signature"])
    s = int.from_bytes(signature[32:], "little")
    for name, value in (
            ("s + L", signature[:32] + (s + verifier.L).to_bytes(32, "little")),
            ("zeroes", bytes(64)), ("-R", bytes([*signature[:31], signature[31] ^ 0x80]) + signature[32:]),
            ("another message's", sign(b"{}", rng.randbytes(32))[1])):
        yield name, canonical({**outer, "signature": value.hex()}).encode()
    key, value = sign(canonical(outer["certificate"]).encode(), rng.randbytes(32))
    yield "another key", canonical({**outer, "key": key.hex(), "signature": value.hex()}).encode()
    yield "another key's signature", canonical({**outer, "signature": value.hex()}).encode()


def paths(value, path=()):
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        yield (*path, name)
        yield from paths(inner, (*path, name))


def every_forgery_is_refused():
    collect()
    rng = random.Random(SEED)
    reasons = {}
    for document in itertools.islice(FOUND["documents"].values(), 2):
        for name, forged in forgeries(document, rng):
            try:
                verify(forged, FOUND["key"])
            except Forged as reason:
                reasons[str(reason)] = reasons.get(str(reason), 0) + 1
                continue
            raise Failed(f"taken for genuine: {name}")
    first, second = itertools.islice(FOUND["documents"].values(), 2)
    mixed = {**json.loads(first), "signature": json.loads(second)["signature"]}
    try:
        verify(canonical(mixed).encode(), FOUND["key"])
        raise Failed("a signature of another certificate was taken")
    except Forged:
        pass
    return f"{sum(reasons.values())} forgeries, {len(reasons)} reasons"


def what_does_not_fit_together_is_refused_whoever_signed_it():
    collect()
    good = json.loads(next(iter(FOUND["documents"].values())))["certificate"]
    seed = random.Random(SEED).randbytes(32)

    def signed(change):
        changed = copy.deepcopy(good)
        change(changed)
        key, signature = sign(canonical(changed).encode(), seed)
        return canonical({"certificate": changed, "key": key.hex(), "signature": signature.hex()}).encode(), key

    verify(*signed(lambda found: None))
    changes = {
        "a better class": lambda c: (c["method"].update({"class": "E1"}),
                                     c["method"]["media"][0].update(weakness="network file system")),
        "a better title": lambda c: (c.update(title="erasure certificate"),
                                     c["method"]["media"][0].update(weakness="unknown file system"),
                                     c["method"].update({"class": "E0"})),
        "a sample that opened": lambda c: c["verification"].update(opened_after=1),
        "more opened than sampled": lambda c: c["verification"].update(opened_before=99),
        "no limits": lambda c: c.update(limits=[]),
        "no medium": lambda c: c["method"].update(media=[]),
        "no key": lambda c: c["method"]["destroyed"].update(keys=0),
        "an epoch left out": lambda c: c["method"].update(root_generation=[1, 3]),
        "confirmed before destroyed": lambda c: c["timeline"].update(confirmed="2001-01-01T00:00:00.000Z"),
        "another name": lambda c: c.update(certificate="00000000-1"),
        "a member more": lambda c: c.update(subject="ann"),
        "a member less": lambda c: c.pop("copies"),
        "another schema": lambda c: c.update(schema="lethe.erasure/2"),
    }
    for name, change in changes.items():
        try:
            verify(*signed(change))
        except Forged:
            continue
        raise Failed(f"taken for a certificate: {name}")
    return f"{len(changes)} changes"


def a_daemon_that_is_killed_owes_its_certificates():
    """Killed at every durable step of a shred and behind it: the ledger's act and a certificate, or neither."""
    with Daemon("debug") as daemon:
        daemon.create_tenant("acme")
        with daemon.wire("acme") as wire:
            for number in range(200):
                wire.call("EVENT.APPEND", "s", "t", "DATASUBJECT", f"p{number % 40}", "DATA", "x")
        log = daemon.folder / "points"

        def points():
            return log.read_text().split() if log.exists() else []

        daemon.kill()
        daemon.start(environment={"LETHE_TEST_CRASH_LOG": str(log)})
        before = len(points())
        shred(daemon, "DATASUBJECT", "acme", "p0")
        documents(daemon)
        steps = points()[before:]
        came, key = 1, None
        for place, step in enumerate(steps, 1):
            daemon.kill()
            daemon.start(environment={"LETHE_TEST_CRASH_AT": str(before + place)})
            try:
                shred(daemon, "DATASUBJECT", "acme", f"p{place}")
                documents(daemon)
            except (lib.Closed, OSError):
                pass
            daemon.kill()
            daemon.start()
            key, found, rows = documents(daemon)
            for document in found.values():
                certificate = verify(document, key)
                check(certificate["verification"]["opened_after"] == 0,
                      f"{step}: {certificate['verification']}")
            gone = daemon.control("KEY", "STATUS")["epoch"] - 1
            check(len(rows) == gone, f"{step}: {gone} rotations, {len(rows)} certificates")
            check(all(row["state"] == b"complete" for row in rows), f"{step}: one is not finished")
            came = len(rows)
        check(1 < came <= len(steps), f"{came} of {len(steps)} acts came to be")
        return f"{len(steps)} steps, {came - 1} acts came to be"


def certificates_name_the_backups_that_are_older():
    with Daemon() as daemon:
        daemon.create_tenant("acme")
        fill(daemon)
        lethed = binary("lethed", daemon.configuration)

        def backup(name, *more):
            done = subprocess.run(
                [lethed, "backup", "--data", str(daemon.data), "--to", str(daemon.folder / name), "--json",
                 *more], capture_output=True, text=True, env=daemon.environment)
            check(done.returncode == 0 and json.loads(done.stdout)["registered"], done.stderr)

        def named():
            key, found, rows = documents(daemon)
            return [copy["keyring"] for copy in
                    verify(found[rows[-1]["certificate"].decode()], key)["copies"]["backups"]]

        shred(daemon, "DATASUBJECT", "acme", PERSONS[0])
        check(named() == [], "a backup before the first")
        backup("one", "--keyring")
        backup("two")
        check(named() == [], "a certificate names a backup that is newer")
        shred(daemon, "DATASUBJECT", "acme", PERSONS[1])
        check(named() == [False, True], f"{named()}")
        check(not list(daemon.data.glob("backup-*")), "a notice was left")
        backup("one")
        daemon.kill()
        daemon.start()
        copies = daemon.control("AUDIT", "COPIES")
        check(len(copies) == 2 and copies[1]["first"] < copies[1]["last"], f"{copies}")
        check(not list(daemon.data.glob("backup-*")), "a notice was left")
        # A notice that was taken in and not removed, as after a crash.
        known = copies[1]["copy"].decode()
        (daemon.data / f"backup-{known}-{1:016x}-{2:016x}-0").touch(0o600)
        check(daemon.control("AUDIT", "COPIES") == copies, "taken in twice")
        (daemon.data / "backup-of-somebody").touch(0o600)
        daemon.control("AUDIT", "RETIRE", known)
        shred(daemon, "DATASUBJECT", "acme", PERSONS[2])
        check(named() == [False], f"{named()}")
        check(len(daemon.control("AUDIT", "COPIES")) == 1, "the retired copy is listed")


def what_is_not_there_is_said():
    with Daemon() as daemon:
        daemon.create_tenant("acme")
        for name in ("1", "x", "", "00000000-1", "99999999999999999999", "-1", "+1"):
            try:
                daemon.control("AUDIT", "CERTIFICATE", name)
                raise Failed(f"an answer for {name!r}")
            except ErrorReply as error:
                check(error.word == "NOCERTIFICATE", f"{name!r}: {error.word}")
        for copy in ("", "0f61c5b4", "x" * 32, "0" * 33, "A" * 32):
            try:
                daemon.control("AUDIT", "RETIRE", copy)
                raise Failed(f"{copy!r} was retired")
            except ErrorReply as error:
                check(error.word == "BADARG", f"{copy!r}: {error.word}")
        check(daemon.control("AUDIT", "CERTIFICATES") == [], "there is a certificate of nothing")


SEED = 0

if __name__ == "__main__":
    SEED = lib.seed()
    lib.run_suite(
        every_shred_has_a_certificate_that_stands, a_tenant_has_one_too, lethe_writes_what_redis_answers,
        no_name_and_no_hash_of_one_stands_in_a_certificate, every_forgery_is_refused,
        what_does_not_fit_together_is_refused_whoever_signed_it,
        a_daemon_that_is_killed_owes_its_certificates,
        certificates_name_the_backups_that_are_older, what_is_not_there_is_said)
