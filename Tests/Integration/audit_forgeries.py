#!/usr/bin/env python3
"""Bundles that somebody changed who has not the store's key: each gets its exit code and a sentence that names
the place; none passes, none crashes the auditor's program or makes it grow.
"""

import os
import random
import shutil

import lib
from bundles import canonical, verifier_key
from forgeries import FOLDER, FOUND, OTHER_SEED, SEED, collect, judge, judge_bundle, reseal, so_many


def flipped(rng, bundle):
    names = sorted(bundle.files)
    for _ in range(30):
        name = rng.choice(names)
        data = bytearray(bundle.files[name])
        place = rng.randrange(len(data))
        data[place] ^= 1 << rng.randrange(8)
        yield f"{name}, byte {place}", name, bytes(data)


def every_flipped_bit_is_tampering():
    collect()
    rng = random.Random(SEED_OF_RUN)
    for what, name, data in flipped(rng, FOUND["after"]):
        bundle = FOUND["after"].copy()
        bundle.files[name] = data
        judge_bundle(what, bundle, {2}, "--key", FOUND["key"], "--first")


def what_is_cut_added_mixed_or_gone_is_found():
    collect()
    strange = FOUND["strange"]
    for name, data in FOUND["after"].files.items():
        status = {3} if name.startswith("MANIFEST") else {2}
        cases = {"cut": data[:-1], "half": data[:len(data) // 2], "longer": data + b"\0",
                 "twice": data + data, "empty": b"",
                 "of another store": strange.files[name], "of before": FOUND["before"].files[name]}
        # Of a log to which nothing came, the file is what it was.
        for what, changed in ((what, changed) for what, changed in cases.items() if changed != data):
            bundle = FOUND["after"].copy()
            bundle.files[name] = changed
            judge_bundle(f"{name}, {what}", bundle, {2}, "--key", FOUND["key"], "--first")
        bundle = FOUND["after"].copy()
        del bundle.files[name]
        judge_bundle(f"{name} is gone", bundle, status, "--key", FOUND["key"], "--first")
    bundle = FOUND["after"].copy()
    bundle.files["log-9.leaves"] = b"x"
    judge_bundle("a file too many", bundle, {1}, "--key", FOUND["key"], "--first", place="log-9.leaves")


def what_is_no_file_is_not_read():
    collect()
    source = FOLDER / "after-whole"
    kinds = ("link", "fifo", "folder", "device")
    for number, name in enumerate(sorted(FOUND["after"].files)):
        for kind in (kinds[number % 4], kinds[(number + 1) % 4]):
            folder = FOLDER / f"case-{FOUND['count']}"
            shutil.copytree(source, folder)
            path = folder / name
            path.unlink()
            if kind == "link":
                path.symlink_to(source / name)
            elif kind == "fifo":
                os.mkfifo(path)
            elif kind == "folder":
                path.mkdir()
            else:
                path.symlink_to("/dev/zero")
            judge(f"{name} is a {kind}", folder, {2, 3}, "--key", FOUND["key"], "--first")
            shutil.rmtree(folder)


def gigabytes_cost_no_memory():
    collect()
    for name in sorted(FOUND["after"].files):
        folder = FOLDER / f"case-{FOUND['count']}"
        shutil.copytree(FOLDER / "after-whole", folder)
        with open(folder / name, "r+b") as file:
            file.truncate(8 << 30)
        judge(f"{name} of 8 GiB", folder, {2, 3}, "--key", FOUND["key"], "--first")
        shutil.rmtree(folder)


def names_lead_nowhere_else():
    collect()
    (FOLDER / "outside").write_bytes(b"outside")
    for name in ("../outside", "/etc/passwd", "..", ".", "", "log-1.leaves/", "log-0.leaves", "log-01.leaves",
                 "log-3.records", "LEDGER.BIN", "ledger.bin\0", "a" * 100_000, "MANIFEST.json"):
        bundle = FOUND["signed after"].copy()
        manifest = bundle.manifest
        bundle.seal(SEED)
        files = bundle.manifest["files"]
        files[0]["name"] = name
        manifest["files"] = files
        reseal(bundle, manifest)
        judge_bundle(f"a file of the name {name[:20]!r}", bundle, {2}, "--key", FOUND["signed key"], "--first",
                     place="MANIFEST.json")


def manifests_that_make_no_sense_are_refused():
    collect()
    good = FOUND["signed after"].manifest
    wrong = [("store", None), ("store", "00"), ("key", ""), ("key", verifier_key("lethe-00000000", SEED)),
             ("made", 0), ("made", "yesterday"), ("ledger", -1), ("ledger", 1 << 60), ("ledger", 1.5),
             ("logs", None), ("logs", [{}]), ("logs", good["logs"] * 2), ("files", None), ("files", [{}]),
             ("files", good["files"] * 2), ("kind", "sample"), ("kind", None), ("challenge", {}),
             ("challenge", {"seed": "", "sample": 1}), ("challenge", {"seed": "x", "sample": 1 << 40})]
    for member, value in wrong:
        bundle = FOUND["signed after"].copy()
        reseal(bundle, good | {member: value})
        judge_bundle(f"{member} = {str(value)[:40]}", bundle, {2}, "--key", FOUND["signed key"], "--first",
                     place="MANIFEST")
    for value in ("lethe.bundle/2", None, 1):
        bundle = FOUND["signed after"].copy()
        reseal(bundle, good | {"schema": value})
        judge_bundle(f"schema = {value}", bundle, {2, 3}, "--key", FOUND["signed key"], "--first")
    for text in (b"", b"{", b"[]", b"[" * 100_000, b'{"store":1,"store":2}', b"\xff", b"1e999"):
        bundle = FOUND["signed after"].copy()
        bundle.files["MANIFEST.json"] = text
        judge_bundle(f"a manifest {text[:10]!r}", bundle, {2}, "--key", FOUND["signed key"], "--first")


def another_key_concludes_nothing():
    collect()
    forged = FOUND["after"].copy().resign(OTHER_SEED)
    judge_bundle("signed by a stranger", forged, {3}, "--key", FOUND["key"], "--first", place="another key")
    judge_bundle("signed by a stranger, without a key", forged, {3}, "--first", place="no key")


def so_many_were_tried():
    return so_many(150)


SEED_OF_RUN = 0

if __name__ == "__main__":
    SEED_OF_RUN = lib.seed()
    try:
        lib.run_suite(
            every_flipped_bit_is_tampering, what_is_cut_added_mixed_or_gone_is_found,
            what_is_no_file_is_not_read, gigabytes_cost_no_memory, names_lead_nowhere_else,
            manifests_that_make_no_sense_are_refused, another_key_concludes_nothing, so_many_were_tried)
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
