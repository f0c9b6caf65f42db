#!/usr/bin/env python3
"""An auditor who has neither keys nor the daemon: `lethe bundle` writes what `lethe-audit` checks.

What the daemon gives passes; the roots are computed here once more from Docs/Format.md; what somebody
changed, with or without the store's key, does not pass, and the exit code says why.
"""

import base64
import json
import os
import pathlib
import random
import shutil
import tempfile

import lib
from bundles import Bundle, audit, make
from lib import Daemon, ErrorReply, Failed, Wire, check

FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="lethe-audit-", dir=os.environ.get("LETHE_TMP")))
NAMES = ["zebra-acme", "zebra-other", "zebra-type", *(f"zebra-person-{n}" for n in range(6)),
         *(f"zebra-stream-{n}" for n in range(6)), "zebra-data"]
FOUND = {}


def shred(daemon, *words):
    with Wire(daemon.admin_socket) as wire:
        token = wire.call("SHRED", *words, "REASON", "art17", "DRYRUN")["confirm"]
        return wire.call("SHRED", *words, "REASON", "art17", "TICKET", "DPO-17", "CONFIRM", token)


def fill(daemon, tenant, count):
    with daemon.wire(tenant) as wire:
        for number in range(count):
            wire.call("EVENT.APPEND", f"zebra-stream-{number % 6}", "zebra-type", "DATASUBJECT",
                      f"zebra-person-{number % 6}", "DATA", "zebra-data" * (number % 40))


def collect():
    """A store in which something of everything happened, and its bundles: two moments, and a sample."""
    if FOUND:
        return
    with Daemon("debug") as daemon:
        daemon.create_tenant("zebra-acme")
        daemon.create_tenant("zebra-other")
        fill(daemon, "zebra-acme", 240)
        fill(daemon, "zebra-other", 20)
        done = make(daemon, FOLDER / "before")
        check(done.returncode == 0, done.stderr)
        shred(daemon, "DATASUBJECT", "zebra-acme", "zebra-person-0")
        shred(daemon, "EVENTS", "zebra-acme", "2", "3")
        shred(daemon, "STREAM", "zebra-acme", "zebra-stream-4")
        daemon.control("SUBJECT", "RESTRICT", "zebra-acme", "zebra-person-1")
        fill(daemon, "zebra-other", 13)
        check(make(daemon, FOLDER / "after").returncode == 0, "no second bundle")
        check(make(daemon, FOLDER / "sample", "--challenge", "dice-1", "--sample", "30").returncode == 0,
              "no sample")
        FOUND["again"] = make(daemon, FOLDER / "after").returncode
        FOUND["key"] = daemon.control("KEY", "STATUS")["signing-key"].decode()
        FOUND["counts"] = daemon.control("AUDIT", "CERTIFICATES")
    (FOLDER / "key").write_text(Bundle(FOLDER / "after").manifest["key"] + "\n")


def verify(name, *words, status=0):
    done = audit("verify", FOLDER / name, *words)
    check(done.returncode == status,
          f"{name} {words}: {done.returncode}, not {status}: {done.stdout} {done.stderr}")
    return done.stdout


def a_bundle_passes_with_a_key_and_what_was_before():
    collect()
    verify("before", "--key", FOUND["key"], "--first")
    verify("before", "--key", FOLDER / "key", "--first")
    verify("after", "--key", FOLDER / "key", "--first")
    rows = verify("after", "--key", FOUND["key"], "--from", FOLDER / "before" / "checkpoints.ndjson")
    check("3 acts in the ledger erased events" in rows and "273 records hashed again" in rows, rows)
    check(FOUND["again"] == 73, f"a bundle over another ended with {FOUND['again']}")


def the_roots_are_those_of_the_rfc_over_rows_as_the_format_has_them():
    collect()
    for name in ("before", "after", "sample"):
        bundle = Bundle(FOLDER / name)
        roots = bundle.roots()
        heads = {head[0]: head for head, _ in bundle.checkpoints()}
        check(set(heads) == set(roots), f"{set(heads)}")
        for origin, root in roots.items():
            check(heads[origin][2] == base64.b64encode(root).decode(), f"{origin}: another root")


def what_is_stated_is_what_happened():
    collect()
    bundle = Bundle(FOLDER / "after")
    states = bundle.states(1)
    ranges = {(first, last) for tenant, _, first, last in bundle.ranges() if tenant == 1}
    told = {position for first, last in ranges for position in range(first, last + 1)}
    for position, state in enumerate(states, 1):
        gone = (position - 1) % 6 in (0, 4) or position in (2, 3)
        wanted = "erased" if gone else "restricted" if (position - 1) % 6 == 1 else "live"
        check(state == wanted, f"position {position} is {state}, not {wanted}")
        check((position in told) == gone, f"position {position}: told {position in told}")
    check(bundle.states(2) == ["live"] * 33, "of the other tenant not everything is live")
    named = [row["certificate"].decode() for row in FOUND["counts"]]
    check([document["certificate"]["certificate"] for document in bundle.certificates()] == named,
          "other certificates than AUDIT CERTIFICATES has")
    return f"{len(states)} events"


def a_sample_has_the_records_that_the_seed_draws():
    collect()
    whole, sample = Bundle(FOLDER / "after"), Bundle(FOLDER / "sample")
    check(sample.leaves(1) == whole.leaves(1), "the sample has other leaves")
    drawn = [position for position, _ in sample.records(1)]
    check(10 < len(drawn) <= 30 and set(sample.records(1)) <= set(whole.records(1)), f"{drawn}")
    rows = verify("sample", "--key", FOUND["key"], "--first")
    check(f"{240 + 33 - len(drawn) - len(sample.records(2))} were not drawn" in rows, rows)


def without_a_key_or_a_past_nothing_is_concluded():
    collect()
    other = Bundle(FOLDER / "after").manifest["key"].replace("+", "+0", 1)
    for words in ((), ("--key", FOUND["key"]), ("--first",), ("--key", "0" * 64, "--first"),
                  ("--key", FOUND["key"][:-1], "--first"), ("--key", other, "--first"),
                  ("--key", FOUND["key"], "--from", FOLDER / "none"),
                  ("--key", FOUND["key"], "--from", FOLDER / "key")):
        verify("after", *words, status=3)
    verify("nothing", status=3)
    verify("after", "--first", "--from", "x", status=64)
    (FOLDER / "empty").mkdir()
    verify("empty", "--key", FOUND["key"], "--first", status=3)


def rows_say_how_they_are_known():
    collect()
    document = json.loads(verify("after", "--key", FOUND["key"], "--first", "--json"))
    check(document["verdict"] == "pass" and document["schema"] == "lethe.audit/1", f"{document}")
    bases = {row["code"]: row["basis"] for row in document["rows"]}
    check(bases["LOG-2"] == "recomputed" and bases["KEY-1"] == "attested", f"{bases}")


def no_name_and_no_plaintext_is_in_a_bundle():
    collect()
    for name in ("before", "after", "sample"):
        for file, data in Bundle(FOLDER / name).files.items():
            for mark in NAMES:
                check(mark.encode() not in data, f"{mark} stands in {file}")


def bad_requests_are_refused():
    with Daemon("debug") as daemon:
        for words, error in (
                (("BEGIN", "CHALLENGE", "x"), "ERR"), (("BEGIN", "CHALLENGE", "x", "SAMPLE", "0"), "BADARG"),
                (("BEGIN", "CHALLENGE", "x", "SAMPLE", "1001"), "BADARG"),
                (("BEGIN", "CHALLENGE", "", "SAMPLE", "1"), "BADARG"),
                (("BEGIN", "CHALLENGE", "a/b", "SAMPLE", "1"), "BADARG"),
                (("BEGIN", "CHALLENGE", "x" * 65, "SAMPLE", "1"), "BADARG"), (("NEXT",), "ERR"),
                (("NEXT", "x"), "BADARG"), (("END",), "ERR")):
            try:
                daemon.control("AUDIT", "BUNDLE", *words)
                raise Failed(f"{words} was answered")
            except ErrorReply as refusal:
                check(refusal.word == error, f"{words}: {refusal.word}")
        # Two at most are under way, and one that is done is gone.
        tokens = [daemon.control("AUDIT", "BUNDLE", "BEGIN")["bundle"] for _ in range(3)]
        try:
            daemon.control("AUDIT", "BUNDLE", "NEXT", tokens[0])
            raise Failed("three bundles at the same time")
        except ErrorReply as refusal:
            check(refusal.word == "BADARG", refusal.word)
        while daemon.control("AUDIT", "BUNDLE", "NEXT", tokens[2]):
            pass
        try:
            daemon.control("AUDIT", "BUNDLE", "NEXT", tokens[2])
            raise Failed("a bundle goes on behind its end")
        except ErrorReply as refusal:
            check(refusal.word == "BADARG", refusal.word)


RNG = random.Random(0)

if __name__ == "__main__":
    RNG = random.Random(lib.seed())
    try:
        lib.run_suite(
            a_bundle_passes_with_a_key_and_what_was_before,
            the_roots_are_those_of_the_rfc_over_rows_as_the_format_has_them,
            what_is_stated_is_what_happened, a_sample_has_the_records_that_the_seed_draws,
            without_a_key_or_a_past_nothing_is_concluded, rows_say_how_they_are_known,
            no_name_and_no_plaintext_is_in_a_bundle, bad_requests_are_refused)
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
