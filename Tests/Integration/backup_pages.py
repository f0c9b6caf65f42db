#!/usr/bin/env python3
"""Flipped bits in the heads of a backup's pages: each is named or harmless, and never opened.

So it is for check and the drill. Without the walk over the pages, the same flips must do harm.
"""
import json
import os
import random
import shutil

from backups import DAMAGED, PAGE, SEED, Small, counts, flip, restore
from lib import check, run_suite


def flips(path, pick, count):
    """Flips of one bit in the heads of pages that are no meta pages: (page, offset, mask)."""
    pages = os.path.getsize(path) // PAGE
    for _ in range(count):
        # The page's number, its flags, and where its entries lie.
        yield (pick.randrange(2, pages), pick.choice((0, 1, 2, 10, 11, 12, 13, 14, 15)),
               1 << pick.randrange(8))


def restores_with_flipped_heads(variant=None, count=60):
    """How many restores were refused with a page, did no harm, and ended otherwise."""
    pick = random.Random(SEED + 2)
    refused = harmless = 0
    others = []
    with Small() as small:
        store = small.store
        small.append(200)
        small.back_up()
        small.stop()
        environment = {"LETHE_TEST_VARIANT": variant} if variant else {}
        for name in ("log", "keyring"):
            path = small.target / name / "data.mdb"
            whole = path.read_bytes()
            for page, offset, mask in flips(path, pick, count // 2):
                flip(path, page, offset, mask)
                made = store.folder / "restored"
                status, report, err = restore(store, small.target, made, environment=environment)
                if status == DAMAGED and f"{name}/data.mdb is damaged, page " in err:
                    check(not any(made.iterdir()), "a refused restore leaves files behind")
                    refused += 1
                elif status == 0 and counts(report) == (206, 0, 0, 0):
                    harmless += 1
                else:
                    others.append(f"{name} page {page} byte {offset}: {status} {err.strip()[:80]}")
                shutil.rmtree(made, ignore_errors=True)
                path.write_bytes(whole)
    return refused, harmless, others


def a_flipped_bit_in_a_page_of_a_backup_is_named_and_never_opened():
    refused, harmless, others = restores_with_flipped_heads()
    check(not others, f"{len(others)}: {others[:3]}")
    check(refused > 40, f"only {refused} of 60 were refused")
    return f"{refused} refused with their page, {harmless} harmless (free pages)"


def the_variant_that_skips_the_walk_is_caught():
    refused, harmless, others = restores_with_flipped_heads("walk-skipped", 30)
    check(refused == 0 and others, f"{refused} refused, {harmless} harmless, {len(others)} others")
    died = sum(": -" in other for other in others)
    return f"{len(others)} of 30 end otherwise, {died} by a signal"


def check_and_drill_walk_before_they_open():
    with Small() as small:
        store = small.store
        small.append(100)
        small.stop()
        done = store.run("check", "--json")
        report = json.loads(done.stdout)
        check(all(report[f"{name}Pages"] > 2 for name in ("keyring", "log", "index")), done.stdout)
        old = store.folder / "old"
        shutil.copytree(store.data, old)
        for name in ("keyring", "log", "index"):
            path = store.data / name / "data.mdb"
            whole = path.read_bytes()
            faults = []
            for page in range(2, len(whole) // PAGE):
                flip(path, page, 0, 0xFF)
                done = store.run("check")
                faults.append(done.returncode == DAMAGED and f"{name}/data.mdb" in done.stderr
                              and f"page {page}" in done.stderr)
                path.write_bytes(whole)
                if any(faults):
                    break
            check(any(faults), f"no damaged page of {name} is named")
        path = old / "log" / "data.mdb"
        for page in range(2, os.path.getsize(path) // PAGE):
            flip(path, page, 0, 0xFF)
        done = store.run("drill", "--old", str(old))
        check(done.returncode == DAMAGED and "page" in done.stderr, f"{done.returncode} {done.stderr}")


if __name__ == "__main__":
    run_suite(
        a_flipped_bit_in_a_page_of_a_backup_is_named_and_never_opened,
        the_variant_that_skips_the_walk_is_caught,
        check_and_drill_walk_before_they_open,
    )
