#!/usr/bin/env python3
"""Bundles that somebody changed who has the store's key, so that every signature is right: only what can be
recomputed, and what the auditor kept, is left. A program that checks signatures only would pass them all.
"""

import hashlib
import json
import random
import shutil

import lib
from bundles import ENTRY, LEAF, canonical, note
from forgeries import FOLDER, FOUND, OTHER_SEED, SEED, collect, judge, judge_bundle, so_many
from lib import check


def forged(what, statuses, change, *words, place=None, computed=False, before="before"):
    """A change of the signed bundle, consistently sealed; and what checking only signatures would say."""
    bundle = FOUND["signed after"].copy()
    change(bundle)
    if computed:
        bundle.sign_checkpoints(SEED, computed=True)
    bundle.seal(SEED)
    words = words or ("--from", FOLDER / f"{before}-signed" / "checkpoints.ndjson")
    judge_bundle(what, bundle, statuses, "--key", FOUND["signed key"], *words, place=place)


def put(bundle, name, rows):
    bundle.files[name] = b"".join(rows)


def edit(name, size, change):
    """Changes the list of a file's rows."""
    def edited(bundle):
        rows = bundle.rows(name, size)
        change(rows)
        put(bundle, name, rows)
    return edited


def set_byte(index, place, value=None):
    def changed(rows):
        row = bytearray(rows[index])
        row[place] = (row[place] ^ 1) if value is None else value
        rows[index] = bytes(row)
    return changed


def set_record(index, change):
    def edited(bundle):
        records = bundle.records(1)
        records[index:index + 1] = change(records[index])
        bundle.put_records(1, records)
    return edited


def flip(record):
    position, data = record
    return [(position, data[:-1] + bytes([data[-1] ^ 1]))]


def the_signed_bundle_itself_passes():
    collect()
    judge("before", FOLDER / "before-signed", {0}, "--key", FOUND["signed key"], "--first")
    forged("nothing", {0}, lambda bundle: None)
    forged("nothing, as the first", {0}, lambda bundle: None, "--first")


def records_and_leaves_are_held_against_each_other():
    collect()
    rng = random.Random(SEED_OF_RUN)
    count = len(FOUND["signed after"].leaves(1))
    for index in rng.sample(range(count), 4):
        place = f"log 1, position {index + 1}"
        forged(f"record {index + 1} edited", {2}, set_record(index, flip), place=place)
        forged(f"record {index + 1} taken out", {2}, set_record(index, lambda record: []), place=place)
        # A hash that fits the edited record, and no root that does.
        forged(f"leaf {index + 1} edited", {2}, edit("log-1.leaves", LEAF, set_byte(index, 5)), place=place)
    forged("two records exchanged", {2}, lambda bundle: bundle.put_records(
        1, [(position, bundle.records(1)[(index + 1) % count][1])
            for index, (position, _) in enumerate(bundle.records(1))]), place="position 1:")
    forged("a record twice", {2}, set_record(count - 1, lambda record: [record, record]), place="log-1.records")
    forged("a record of a gigabyte", {2}, lambda bundle: bundle.files.update(
        {"log-1.records": b"\0" * 7 + b"\1" + b"\xff" * 4 + b"x"}), place="position 1:")
    forged("the last leaf cut off", {2}, edit("log-1.leaves", LEAF, lambda rows: rows.pop()), place="log 1")
    forged("two leaves exchanged", {2},
           edit("log-1.leaves", LEAF, lambda rows: rows.insert(0, rows.pop(3))), place="log 1")
    forged("a leaf of no state", {2}, edit("log-1.leaves", LEAF, set_byte(4, 34, 99)), place="position 5")


def history_that_was_written_anew_meets_what_the_auditor_kept():
    collect()
    def rewrite(bundle):
        set_record(10, flip)(bundle)
        row = hashlib.sha256(bundle.records(1)[10][1]).digest()
        edit("log-1.leaves", LEAF, lambda rows: rows.__setitem__(10, row + rows[10][32:]))(bundle)
    forged("an edited value under a consistent root", {2}, rewrite, computed=True,
           place="log 1: the first 60 have not the root")
    # Whoever never kept anything cannot see it: so says Docs/Evidence.md.
    forged("the same, for the first audit", {0}, rewrite, "--first", computed=True)
    def shorten(bundle):
        put(bundle, "log-1.leaves", bundle.leaves(1)[:40])
        bundle.put_records(1, bundle.records(1)[:40])
        manifest = bundle.manifest
        manifest["logs"][0]["events"] = 40
        bundle.files["MANIFEST.json"] = canonical(manifest)
        bundle.files["erasures.bin"] = b"".join(
            row for row in bundle.rows("erasures.bin", 32) if int.from_bytes(row[24:32]) <= 40)
    forged("a log that is shorter than it was", {2}, shorten, computed=True, place="rolled back")
    forged("the same, for the first audit", {0}, shorten, "--first", computed=True)
    judge("an older bundle than the auditor's", FOLDER / "before-signed", {2}, "--key", FOUND["signed key"],
          "--from", FOLDER / "after-signed" / "checkpoints.ndjson")
    def without_log(bundle):
        manifest = bundle.manifest
        manifest["logs"].pop()
        bundle.files["MANIFEST.json"] = canonical(manifest)
        for name in ("log-2.leaves", "log-2.records"):
            del bundle.files[name]
        gone = json.loads(bundle.files["checkpoints.ndjson"].splitlines()[-1]).split("\n")[0]
        bundle.files["checkpoints.ndjson"] = b"".join(
            line for line in bundle.files["checkpoints.ndjson"].splitlines(keepends=True)
            if json.loads(line).split("\n")[0] != gone)
    forged("a tenant's log that is gone", {2}, without_log, place="are gone")


def the_ledger_is_contiguous_and_grows():
    collect()
    ledger = "ledger.bin"
    count = len(FOUND["signed after"].ledger())
    for index in range(count):
        forged(f"entry {index + 1} taken out", {2, 3}, edit(ledger, ENTRY, lambda rows: rows.pop(index)),
               place="the ledger")
        forged(f"entry {index + 1} emptied", {3, 2},
               edit(ledger, ENTRY, lambda rows: rows.__setitem__(index, bytes(ENTRY))),
               place=f"ledger entry {index + 1} is missing")
        forged(f"entry {index + 1} dated otherwise", {2}, edit(ledger, ENTRY, set_byte(index, 8)),
               place="the ledger")
    def drop(bundle):
        edit(ledger, ENTRY, lambda rows: rows.pop())(bundle)
        manifest = bundle.manifest
        manifest["ledger"] -= 1
        bundle.files["MANIFEST.json"] = canonical(manifest)
    forged("the last act left out everywhere", {2}, drop, computed=True)
    forged("an older root behind a newer one", {2}, edit(ledger, ENTRY, set_byte(count - 1, 60, 0)),
           computed=True, place="an older root")


def certificates_and_ledger_fit_both_ways():
    collect()
    count = len(FOUND["signed after"].certificates())
    def lines(change):
        def edited(bundle):
            documents = bundle.certificates()
            change(documents)
            bundle.files["certificates.ndjson"] = b"".join(canonical(row) + b"\n" for row in documents)
            bundle.sign_certificates(SEED)
        return edited
    for index in range(count):
        name = FOUND["signed after"].certificates()[index]["certificate"]["ledger"]
        forged(f"certificate {index} taken out", {2}, lines(lambda rows: rows.pop(index)),
               place=f"ledger entry {name} erased events, and its certificate is missing")
        for path, value in ((("scope", "events"), 1_000), (("ledger",), 1), (("ledger",), 1_000_000),
                            (("timeline", "destroyed"), "2026-01-01T00:00:00.000Z"), (("kind",), "tenant"),
                            (("store",), "0" * 32), (("tenant",), "0" * 32),
                            (("method", "root_generation"), [1, 99]), (("schema",), "x")):
            def change(rows):
                inner = rows[index]["certificate"]
                for step in path[:-1]:
                    inner = inner[step]
                inner[path[-1]] = value
            forged(f"certificate {index}: {path} = {value}", {2}, lines(change), place="certificates.ndjson")
    forged("a certificate twice", {2}, lines(lambda rows: rows.append(rows[0])), place="twice")
    strange = FOUND["signed strange"].certificates()[0]
    forged("a certificate of another store", {2}, lines(lambda rows: rows.append(strange)), place="another store")
    def unsigned(bundle):
        documents = bundle.certificates()
        documents[0]["certificate"]["scope"]["events"] = 0
        bundle.files["certificates.ndjson"] = b"".join(canonical(row) + b"\n" for row in documents)
    forged("a certificate that was edited", {2}, unsigned, place="line 1")
    forged("a line that does not end", {2}, lambda bundle: bundle.files.update(
        {"certificates.ndjson": bundle.files["certificates.ndjson"] + b"{"}), place="certificates.ndjson")


def checkpoints_are_of_this_store_and_all_there():
    collect()
    lines = FOUND["signed after"].files["checkpoints.ndjson"].splitlines(keepends=True)
    # The last of each log is that of its end; those before were kept.
    ends = {json.loads(line).split("\n")[0]: index for index, line in enumerate(lines)}
    check(len(ends) == 3, f"{ends}")
    for index in ends.values():
        # One that was kept may be of the same length.
        head = json.loads(lines[index]).split("\n")[:2]
        rest = [line for line in lines if json.loads(line).split("\n")[:2] != head]
        forged(f"checkpoint {index} taken out", {2},
               lambda bundle: bundle.files.update({"checkpoints.ndjson": b"".join(rest)}),
               place="no checkpoint of its")
    older = FOUND["signed before"].files["checkpoints.ndjson"]
    forged("checkpoints of before", {2}, lambda bundle: bundle.files.update({"checkpoints.ndjson": older}))
    forged("checkpoints of before beside", {0}, lambda bundle: bundle.files.update(
        {"checkpoints.ndjson": b"".join(lines) + older}))
    first = lines[ends[FOUND["after"].manifest["logs"][0]["origin"]]]
    head = json.loads(first).split("\n\n")[0].split("\n")
    for place, value in ((1, "1"), (1, "0"), (2, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")):
        changed = [*head[:place], value, *head[place + 1:]]
        text = note(("\n".join(changed) + "\n").encode(), FOUND["after"].name, SEED)
        forged(f"a fork: {value}", {2}, lambda bundle: bundle.files.update(
            {"checkpoints.ndjson": b"".join(lines) + canonical(text.decode()) + b"\n"}), place="log 1")
    forged("a checkpoint by a stranger", {2}, lambda bundle: bundle.files.update(
        {"checkpoints.ndjson": b"".join(lines[:-1]) + canonical(note(
            (json.loads(lines[-1]).split("\n\n")[0] + "\n").encode(), FOUND["after"].name,
            OTHER_SEED).decode()) + b"\n"}), place=f"line {len(lines)}")
    for bad in (b"x\n", b'"x"\n', b"1\n", b'"' + b"y" * (2 << 20) + b'"\n'):
        forged(f"a checkpoint {bad[:5]!r}", {2}, lambda bundle: bundle.files.update(
            {"checkpoints.ndjson": bad + b"".join(lines)}), place="checkpoints.ndjson")


def what_is_stated_is_held_against_the_ledger():
    collect()
    name = "erasures.bin"
    forged("positions of an act that erased nothing", {2}, edit(name, 32, set_byte(0, 15, 1)),
           place="erased nothing")
    forged("positions of another tenant", {2}, edit(name, 32, set_byte(0, 3, 2)), place="another tenant")
    forged("a range that runs backwards", {2}, edit(name, 32, set_byte(0, 23, 250)), place="row 1")
    forged("a range of half a row", {2}, lambda bundle: bundle.files.update(
        {name: bundle.files[name] + b"x"}), place=name)
    forged("an erased event that is said to live", {1}, edit("log-1.leaves", LEAF, set_byte(1, 34, 0)),
           place="log 1, position 2: told erased")
    forged("an event that is said to be missing", {3, 2}, edit("log-1.leaves", LEAF, set_byte(7, 34, 5)),
           place="log 1, position 8 is missing")
    forged("an event that is said to be damaged", {1}, edit("log-1.leaves", LEAF, set_byte(7, 34, 4)),
           place="log 1, position 8: the record is damaged")
    for text in (b"{}", b"", b"[", b"x" * 100):
        forged(f"tables {text[:5]!r}", {2}, lambda bundle: bundle.files.update({"tables.json": text}),
               place="tables.json")
    tables = json.loads(FOUND["signed after"].files["tables.json"])
    for path, value in ((("schema",), "x"), (("tenants",), None), (("root",), {}), (("root", "epoch"), -1),
                        (("tenants", 0, "classes"), [{}]), (("tenants", 0, "holds"), [{}]),
                        (("tenants", 0, "classes", 0, "maximum"), [{"from": 5, "periods": 1}]),
                        (("tenants", 0, "classes", 0, "maximum", 0, "periods"), 1 << 40)):
        changed = json.loads(json.dumps(tables))
        inner = changed
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value
        forged(f"tables: {path} = {value}", {2},
               lambda bundle: bundle.files.update({"tables.json": canonical(changed)}), place="tables.json")


def what_the_auditor_kept_is_checked_too():
    collect()
    key = ("--key", FOUND["signed key"])
    kept = json.loads(FOUND["signed before"].files["checkpoints.ndjson"].splitlines()[0])
    for what, text, statuses in (
            ("one note", kept, {0}), ("nothing", "", {3}), ("a line", "x\n", {3}), ("a string", '"x"\n', {3}),
            ("half a note", kept[:-10], {3}), ("an edited note", kept.replace("\ntime 1", "\ntime 2"), {2}),
            ("a stranger's", note((kept.split("\n\n")[0] + "\n").encode(), FOUND["after"].name,
                                  OTHER_SEED).decode(), {3}),
            ("another store's", FOUND["signed strange"].files["checkpoints.ndjson"].decode(), {3})):
        (FOLDER / "kept").write_text(text)
        judge(f"kept: {what}", FOLDER / "after-signed", statuses, *key, "--from", FOLDER / "kept")


def so_many_were_tried():
    return so_many(100)


SEED_OF_RUN = 0

if __name__ == "__main__":
    SEED_OF_RUN = lib.seed()
    try:
        lib.run_suite(
            the_signed_bundle_itself_passes, records_and_leaves_are_held_against_each_other,
            history_that_was_written_anew_meets_what_the_auditor_kept, the_ledger_is_contiguous_and_grows,
            certificates_and_ledger_fit_both_ways, checkpoints_are_of_this_store_and_all_there,
            what_is_stated_is_held_against_the_ledger, what_the_auditor_kept_is_checked_too,
            so_many_were_tried)
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
