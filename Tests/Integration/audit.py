#!/usr/bin/env python3
"""An auditor who has neither keys nor the daemon: `lethe bundle` writes what `lethe-audit` checks.

What the daemon gives passes; the roots are computed here once more from Docs/Format.md; what somebody
changed, with or without the store's key, does not pass, and the exit code says why.
"""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import lmdb

import lib
from bundles import Bundle, audit, make
from lib import Daemon, ErrorReply, Failed, Skip, Wire, binary, check

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
        for words in ((), ("zebra-acme",), ("zebra-other",)):
            daemon.control("AUDIT", "CHECKPOINT", *words)
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
        # The last of each log is that of its end; those before were kept by AUDIT CHECKPOINT.
        heads = {head[0]: head for head, _ in bundle.checkpoints()}
        check(len(bundle.checkpoints()) >= 6, f"{len(bundle.checkpoints())} checkpoints")
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


def expired_events_are_told_and_certified():
    with Daemon("debug") as daemon:
        daemon.create_tenant("zebra-brief", "36h")
        fill(daemon, "zebra-brief", 30)
        check(make(daemon, FOLDER / "brief").returncode == 0, "no bundle")
        shred(daemon, "EVENTS", "zebra-brief", "2", "3")
        check(daemon.stop() == 0, "no orderly end")
        daemon.environment["LETHE_TEST_CLOCK_MS"] = str(3 * 86_400_000)
        daemon.start()
        daemon.control("CLOCK", "CONFIRM")
        daemon.control("RETENTION", "RUN")
        fill(daemon, "zebra-brief", 7)
        check(make(daemon, FOLDER / "briefer").returncode == 0, "no second bundle")
        key = daemon.control("KEY", "STATUS")["signing-key"].decode()
    rows = verify("briefer", "--key", key, "--from", FOLDER / "brief" / "checkpoints.ndjson")
    check("2 acts in the ledger erased events" in rows, rows)
    states = Bundle(FOLDER / "briefer").states(1)
    check(states == ["expired"] * 30 + ["live"] * 7, f"{states}")


def ask(verb, *words, status=0):
    done = audit(verb, *words)
    check(done.returncode == status,
          f"{verb} {words}: {done.returncode}, not {status}: {done.stdout} {done.stderr}")
    return done.stdout


def erasures_are_listed_and_held_against_tickets():
    collect()
    words = (FOLDER / "after", "--key", FOUND["key"], "--first")
    rows = ask("erasures", *words)
    for wanted in ("subject  tenant 1  40 events", "events  tenant 1  2 events", "stream  tenant 1  40 events",
                   "ticket DPO-17", "3 acts that erased"):
        check(wanted in rows, f"{wanted!r} is not in {rows}")
    tickets = FOLDER / "tickets"
    tickets.write_text("DPO-17\n")
    check("1 of 1 requests" in ask("erasures", *words, "--tickets", tickets), "the ticket is not found")
    tickets.write_text("DPO-17\nDPO-18\n")
    check("ticket DPO-18: no act" in ask("erasures", *words, "--tickets", tickets, status=1), "DPO-18")
    tickets.write_text("")
    check("no such request" in ask("erasures", *words, "--tickets", tickets, status=1), "DPO-17")
    ask("erasures", *words, "--tickets", FOLDER / "none", status=3)
    ask("erasures", FOLDER / "after", "--key", FOUND["key"], status=3)


def what_lives_past_its_maximum_is_told():
    with Daemon("debug") as daemon:
        daemon.create_tenant("zebra-acme", "30d")
        fill(daemon, "zebra-acme", 12)
        check(make(daemon, FOLDER / "plain").returncode == 0, "no bundle")
        daemon.control("HOLD", "SET", "zebra-acme", "TENANT", "REASON", "audit", "REVIEW", "2099-01-01")
        check(make(daemon, FOLDER / "held").returncode == 0, "no bundle")
        key = daemon.control("KEY", "STATUS")["signing-key"].decode()
    words = ("--key", key, "--first")
    rows = ask("retention", FOLDER / "plain", *words)
    check("maximum 30d  12 live" in rows, rows)
    late = ("--at", "2098-01-01T00:00:00Z")
    rows = ask("retention", FOLDER / "plain", *words, *late, status=1)
    check("12 events live past their maximum, the oldest of" in rows, rows)
    rows = ask("retention", FOLDER / "held", *words, *late)
    check("12 events live past their maximum under a hold" in rows, rows)
    rows = ask("retention", FOLDER / "held", *words, "--at", "2099-01-02T00:00:00Z", status=1)
    check("review was due 2099-01-01" in rows, rows)
    ask("retention", FOLDER / "plain", *words, "--at", "soon", status=64)


def ages_of_keys_are_counted_from_the_ledger():
    collect()
    words = (FOLDER / "after", "--key", FOUND["key"], "--first")
    bundle = Bundle(FOLDER / "after")
    epochs = [int.from_bytes(row[53:61], "big") for row in bundle.ledger()]
    rows = audit("rotation", *words).stdout
    check(f"root of generation {epochs[-1]}," in rows and f"replaced {len(set(epochs)) - 1} times" in rows,
          f"{epochs}: {rows}")
    check("tenant 2  generation 1" in rows, rows)


def the_conditions_of_a_cryptographic_erase_are_gone_through():
    collect()
    path = FOLDER / "certificate"
    document = Bundle(FOLDER / "after").files["certificates.ndjson"].splitlines()[0]
    for end in (b"", b"\n"):
        path.write_bytes(document + end)
        rows = ask("cert", path, "--key", FOUND["key"])
        check("40 events, subject" in rows, rows)
    rows = audit("ce", path, "--key", FOLDER / "key").stdout
    for code in range(1, 11):
        check(f"CE-{code} " in rows, f"CE-{code} is not in {rows}")
    check("attested" in rows and "32 opened before, 0 after" in rows, rows)
    changed = document.replace(b'"events":40', b'"events":41')
    check(changed != document, "nothing was changed")
    path.write_bytes(changed)
    for verb in ("cert", "ce"):
        ask(verb, path, "--key", FOUND["key"], status=2)
        ask(verb, path, "--key", "0" * 64, status=3)
        ask(verb, FOLDER / "key", "--key", FOUND["key"], status=3)
        ask(verb, path, status=64)


def remove(folder, environment, table, key):
    """Takes one value out of a store's files."""
    opened = lmdb.open(str(folder / environment), max_dbs=8, map_size=1 << 40, subdir=True)
    with opened.begin(write=True) as transaction:
        handle = opened.open_db(table, txn=transaction, create=False)
        check(transaction.delete(key, db=handle), f"no such value in {table}")
    opened.close()


def what_was_taken_out_of_the_store_is_found():
    """One entry of the ledger, one certificate, one record."""
    notes = []
    for environment, table in (("keyring", b"ledger"), ("keyring", b"certificates"), ("log", b"records")):
        with Daemon("debug") as daemon:
            daemon.create_tenant("zebra-acme")
            fill(daemon, "zebra-acme", 30)
            receipt = shred(daemon, "EVENTS", "zebra-acme", "2", "3")
            act = int(receipt["certificate"].split(b"-")[1])
            number = 5 if table == b"records" else act
            fill(daemon, "zebra-acme", 3)
            name = f"store-{table.decode()}"
            check(make(daemon, FOLDER / name).returncode == 0, "no bundle")
            key = daemon.control("KEY", "STATUS")["signing-key"].decode()
            check(daemon.stop() == 0, "no orderly end")
            remove(daemon.data, environment, table, number.to_bytes(8, "big"))
            try:
                daemon.start()
            except Failed as failure:
                notes.append(f"{table.decode()}: {failure}")
                continue
            done = make(daemon, FOLDER / f"{name}-less")
            if done.returncode != 0:
                notes.append(f"{table.decode()}: {done.stderr.strip()}")
                continue
            done = audit("verify", FOLDER / f"{name}-less", "--key", key, "--from",
                         FOLDER / name / "checkpoints.ndjson")
            check(done.returncode in (2, 3), f"{table}: {done.returncode} {done.stdout}")
            notes.append(f"{table.decode()}: {done.returncode}")
    return "; ".join(notes)


def it_runs_without_network_as_somebody_else():
    if os.geteuid() != 0:
        raise Skip("another user needs root")
    collect()
    program = FOLDER / "lethe-audit"
    shutil.copy(binary("lethe-audit", "debug"), program)
    program.chmod(0o755)
    for path in [FOLDER, *FOLDER.rglob("*")]:
        path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    command = ["unshare", "-n", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
               "--no-new-privs", "env", "-i", str(program), "verify", str(FOLDER / "after"), "--key",
               FOUND["key"], "--from", str(FOLDER / "before" / "checkpoints.ndjson")]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", stdin=subprocess.DEVNULL)
    if done.returncode == 1 and "unshare" in done.stderr:
        raise Skip("no namespaces here")
    check(done.returncode == 0, f"{done.returncode}: {done.stdout} {done.stderr}")


def the_program_has_neither_keys_nor_tables():
    """Of the modules of the daemon it has those that hash and read, and no library that seals."""
    program = binary("lethe-audit", "debug")
    symbols = subprocess.run(["nm", program], capture_output=True, text=True).stdout
    libraries = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    # A module's name stands in its symbols, with its length in front.
    for module in ("Keyring", "Storage", "LMDB", "Sodium", "EventStore", "Server", "Client"):
        check(f"$s{len(module)}{module}" not in symbols, f"{module} is linked")
    for module in ("TransparencyLog", "EventModel"):
        check(f"$s{len(module)}{module}" in symbols, f"{module} is not found: this test sees nothing")
    for library in ("lmdb", "sodium"):
        check(library not in libraries, f"{library} is linked")
    for name in ("mdb_env_open", "crypto_aead", "randombytes_buf"):
        check(name not in symbols, f"{name} is linked")
    daemon = subprocess.run(["nm", binary("lethed", "debug")], capture_output=True, text=True).stdout
    check("$s7Keyring" in daemon, "not even in the daemon: this test sees nothing")


if __name__ == "__main__":
    try:
        lib.run_suite(
            a_bundle_passes_with_a_key_and_what_was_before,
            the_roots_are_those_of_the_rfc_over_rows_as_the_format_has_them,
            what_is_stated_is_what_happened, a_sample_has_the_records_that_the_seed_draws,
            without_a_key_or_a_past_nothing_is_concluded, rows_say_how_they_are_known,
            no_name_and_no_plaintext_is_in_a_bundle, bad_requests_are_refused,
            expired_events_are_told_and_certified, erasures_are_listed_and_held_against_tickets,
            what_lives_past_its_maximum_is_told, ages_of_keys_are_counted_from_the_ledger,
            the_conditions_of_a_cryptographic_erase_are_gone_through, what_was_taken_out_of_the_store_is_found,
            it_runs_without_network_as_somebody_else, the_program_has_neither_keys_nor_tables)
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
