#!/usr/bin/env python3
"""Backups taken and killed under load, and restores of different ages after erasures.

What an old backup gives with today's keyring and root: exactly what was acknowledged up to its stated
end, without what was erased since. Older keyrings and roots are refused, and a restore begins a lineage.
"""
import random
import shutil
import threading
import time

from backups import NEEDS_NEWER_KEYS, OLD_KEYRING, OLD_ROOT, SEED, Small, backup, counts, restore
from lib import Closed, Daemon, ErrorReply, Failed, check, run_suite


class Load:
    """One writer, so that the n-th acknowledged event is the n-th record."""

    def __init__(self, store, tenants):
        self.store, self.tenants = store, tenants
        self.random = random.Random(SEED)
        self.events, self.erased, self.failure = [], set(), None
        self.going = threading.Event()
        self.going.set()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        wires = {}
        try:
            number = 0
            while self.going.is_set():
                number += 1
                tenant = self.random.choice(self.tenants)
                if tenant not in wires:
                    wires[tenant] = self.store.wire(tenant)
                # Mostly persons who are known, now and then a new one.
                person = f"p{self.random.randrange(12 + number // 5)}@example.org"
                data = f"{tenant} {number} " + "x" * self.random.choice((10, 300, 5000))
                try:
                    reply = wires[tenant].call(
                        "EVENT.APPEND", f"s{number % 7}", "test.event", "DATASUBJECT", person, "DATA",
                        data)
                except ErrorReply as error:
                    check(error.word == "SUBJECTSHREDDED", str(error))
                    continue
                self.events.append((tenant, person, data, reply["position"]))
        except Exception as problem:
            self.failure = problem

    def shred(self):
        # A person with events: the newest ones may still be on their way.
        tenant, person, _, _ = self.random.choice(self.events)
        if (tenant, person) in self.erased:
            return
        # The writer goes on meanwhile, and a plan holds for exactly what it counted.
        for _ in range(50):
            try:
                self.store.shred(tenant, person)
                self.erased.add((tenant, person))
                return
            except ErrorReply as error:
                check(error.word == "PLANCHANGED", str(error))
        raise Failed("the plan changes each time")

    def end(self):
        self.going.clear()
        self.thread.join(60)
        if self.failure:
            raise Failed(f"the load failed: {self.failure}")

    def expected(self, count):
        """Live and erased among the first `count` events."""
        erased = sum((tenant, person) in self.erased for tenant, person, _, _ in self.events[:count])
        return count - erased, erased


def check_counts(load, report, last):
    check(counts(report) == (*load.expected(last), 0, 0),
          f"{counts(report)} instead of {load.expected(last)} of {last}")


def check_served(load, store, data, last):
    """Every event of a restored store, by its clients."""
    before, store.data = store.data, data
    try:
        store.start()
        for tenant in load.tenants:
            wanted = [event for event in load.events[:last] if event[0] == tenant]
            found = store.feed(tenant)
            check(len(found) == len(wanted), f"{len(found)} events instead of {len(wanted)}")
            for event, (_, person, text, position) in zip(found, wanted):
                check(event[b"position"] == position, "another position")
                if (tenant, person) in load.erased:
                    check(event[b"state"] == b"erased" and not event.get(b"data"),
                          f"erased, and opens: {event}")
                else:
                    check(event[b"data"] == text.encode(), "live, and does not open")
            # The next position is given out again, in leaves of its own.
            reply = store.wire(tenant).call("EVENT.APPEND", "new", "test.event", "IMPERSONAL", "DATA", "after")
            check(reply["position"] == len(wanted) + 1, "numbering does not go on behind the last")
            check(store.feed(tenant)[-1][b"data"] == b"after", "what is new does not open")
        store.drop_clients()
        check(store.stop() == 0, "no orderly end")
        done = store.run("check", "--json")
        check(done.returncode == 0, f"check of the restored store: {done.returncode} {done.stderr}")
    finally:
        store.kill()
        store.drop_clients()
        store.data = before


def backups_under_load_of_twenty_ages_restore_to_exact_counts():
    with Daemon("debug") as store:
        for tenant in ("acme", "zeta"):
            store.create_tenant(tenant)
        load = Load(store, ["acme", "zeta"])
        load.thread.start()
        pick = random.Random(SEED + 1)
        target, ages, kills = store.folder / "backup", [], 0
        while len(load.events) < 50:
            time.sleep(0.01)
        while len(ages) < 20:
            if pick.random() < 0.5:
                status, report, _ = backup(store, target, "--keyring", kill_after=pick.uniform(0, 0.08))
                kills += status < 0
            if pick.random() < 0.7:
                load.shred()
            if pick.random() < 0.2:
                store.create_tenant(f"t{len(ages)}")
                load.tenants.append(f"t{len(ages)}")
            acknowledged = len(load.events)
            status, report, err = backup(store, target, "--keyring")
            check(status == 0, f"backup ended {status}: {err}")
            check(report["lastSequence"] >= acknowledged, "an acknowledged event is missing")
            copy = store.folder / f"age-{len(ages)}"
            shutil.copytree(target, copy)
            ages.append((copy, report["lastSequence"]))
        for _ in range(4):
            load.shred()
        load.end()
        store.drop_clients()
        check(store.stop() == 0, "no orderly end")
        check(kills > 0, "no backup was killed")
        for number, (copy, last) in enumerate(ages):
            made = store.folder / "restored"
            status, report, err = restore(store, copy, made, "--keyring", str(store.data))
            check(status == 0, f"restore {number} ended {status}: {err}")
            check_counts(load, report, last)
            check(report["lost"] == len(load.events) - last, f"lost: {report['lost']}")
            if number in (0, 9, 19):
                check_served(load, store, made, last)
            shutil.rmtree(made)
        return (f"{len(load.events)} events, {len(load.erased)} persons erased, {kills} backups killed,"
                f" 20 restores exact")


def a_backup_grows_by_new_records_only():
    with Small() as small:
        check(small.back_up()["records"] == 6, "not all records")
        check(small.back_up()["records"] == 0, "records are copied twice")
        small.append(6)
        report = small.back_up()
        check((report["records"], report["lastSequence"]) == (6, 12), str(report))


def a_lost_machine_comes_back_from_a_backup_with_its_keyring():
    with Small() as small:
        small.store.shred("acme", "p1@x")
        small.back_up()
        small.append(1)
        small.stop()
        shutil.rmtree(small.store.data)
        status, report, err = restore(small.store, small.target, small.store.data)
        check(status == 0, f"restore ended {status}: {err}")
        check(counts(report) == (4, 2, 0, 0), str(counts(report)))
        check("lost" not in report, "nothing is left that tells what was lost")
        small.store.start()
        states = [event[b"state"] for event in small.store.feed("acme")]
        check(states == [b"live", b"erased", b"live"] * 2, str(states))


def older_keyrings_and_roots_are_refused_with_what_they_would_undo():
    with Small() as small:
        store = small.store
        small.back_up()
        old_root = store.folder / "old-root"
        shutil.copy2(store.roots[0], old_root)
        store.shred("acme", "p1@x")
        store.shred("acme", "p2@x")
        small.stop()
        made = store.folder / "restored"
        status, _, err = restore(store, small.target, made)
        check(status == OLD_KEYRING and "epochs 1 and 3" in err and "undo 2 rotations" in err, err)
        check(not any(made.iterdir()), "a refused restore leaves files behind")
        status, _, err = restore(
            store, small.target, made, "--keyring", str(store.data), roots=[old_root])
        check(status == OLD_ROOT and "epochs 1 and 3" in err, err)
        status, report, err = restore(store, small.target, made, "--keyring", str(store.data))
        check(status == 0 and counts(report) == (2, 4, 0, 0), f"{status} {err}")


def a_root_that_is_ahead_of_the_keyring_is_not_set_back_unasked():
    with Small() as small:
        store = small.store
        small.back_up()
        small.stop()
        log = store.folder / "points"
        store.start(environment={"LETHE_TEST_CRASH_LOG": str(log)})
        store.shred("acme", "p0@x")
        small.stop()
        last = len(log.read_text().split()) - log.read_text().split()[::-1].index("root.erase.before")
        small.back_up()
        # A shred that ended between its commit and the erasure of the old root.
        store.start(environment={"LETHE_TEST_CRASH_AT": str(last)})
        try:
            store.shred("acme", "p1@x")
            raise Failed("the shred does not crash")
        except (Closed, OSError):
            store.kill()
        made = store.folder / "restored"
        status, _, err = restore(store, small.target, made)
        check(status == OLD_KEYRING and "epochs 2 and 3" in err, f"{status}: {err}")
        root = open(store.roots[0], "rb").read()
        status, report, err = restore(store, small.target, made, "--keyring", str(store.data))
        check(status == 0 and counts(report) == (2, 4, 0, 0), f"{status}: {err}")
        shutil.rmtree(made)
        # With both lost but the backup, the operator may say so.
        open(store.roots[0], "r+b").write(root)
        status, report, err = restore(store, small.target, made, "--abandon-rotation")
        check(status == 0 and counts(report) == (4, 2, 0, 0), f"{status}: {err}")


def lineages(variant=None):
    """What a restore of an older copy does to the numbers, cursors and backups from before it."""
    with Small() as small:
        store = small.store
        small.back_up()
        cursor = store.wire("acme").call("EVENT.QUERY", "TYPE", "test.event", "COUNT", "2")[0]
        small.append(3)
        small.stop()
        made = store.folder / "restored"
        environment = {"LETHE_TEST_VARIANT": variant} if variant else {}
        status, _, err = restore(
            store, small.target, made, "--keyring", str(store.data), environment=environment)
        check(status == 0, f"restore ended {status}: {err}")
        store.data = made
        store.start()
        small.append(6)
        faults = []
        status, _, err = backup(store, small.target)
        if status != 73 or "new backup" not in err:
            faults.append(f"a backup of another lineage is gone on with: {status} {err}")
        try:
            store.wire("acme").call("EVENT.QUERY", "TYPE", "test.event", "COUNT", "2", "CURSOR", cursor)
            faults.append("a cursor of the lineage before is taken")
        except ErrorReply as error:
            check(error.word == "BADCURSOR", str(error))
        status, report, err = backup(store, store.folder / "second", "--keyring")
        check(status == 0 and report["records"] == 12, f"{status}: {err}")
        small.stop()
        status, report, err = restore(store, store.folder / "second", store.folder / "again")
        check(status == 0 and counts(report)[:2] == (12, 0), f"{status}: {err}")
        return faults


def a_restore_begins_a_lineage_which_ends_cursors_and_backups():
    faults = lineages()
    check(not faults, f"{faults}")


def the_variant_that_keeps_the_lineage_is_caught():
    check(len(lineages("lineage-kept")) == 2, "it is not")


def a_backup_is_never_served_and_a_foreign_directory_never_written_to():
    with Small() as small:
        store = small.store
        small.back_up()
        foreign = store.folder / "foreign"
        foreign.mkdir(mode=0o700)
        (foreign / "mine").write_text("mine")
        check(backup(store, foreign)[0] == 73, "files of somebody else are taken for a backup")
        small.stop()
        status, _, err = restore(store, small.target, foreign)
        check(status == 73 and (foreign / "mine").exists(), f"{status}: {err}")
        store.data = small.target
        check(store.run("check").returncode == 86, "a backup is opened as a store")


def erasures(variant=None):
    """What a projection is told that went on reading erasures through a restore of an older copy."""
    environment = {"LETHE_TEST_VARIANT": variant} if variant else {}
    with Small(variant) as small:
        store = small.store

        def told(after):
            with store.wire("acme") as wire:
                rows = wire.call("EVENT.ERASURES", str(after))
            return [row["number"] for row in rows], sorted(
                position for row in rows for first, last in row["positions"]
                for position in range(first, last + 1))

        store.shred("acme", "p0@x")
        small.back_up()
        store.shred("acme", "p1@x")
        numbers, positions = told(0)
        check((numbers, positions) == ([1, 2], [1, 2, 4, 5]), f"{numbers} {positions}")
        small.stop()
        made = store.folder / "restored"
        status, _, err = restore(
            store, small.target, made, "--keyring", str(store.data), environment=environment)
        check(status == 0, f"restore ended {status}: {err}")
        store.data = made
        store.start()
        faults = []
        # Who was at 1 has missed the second act, which the backup does not know of.
        numbers, positions = told(1)
        if not {2, 5} <= set(positions):
            faults.append(f"behind 1 only {positions} are told")
        last = max([2, *numbers])
        store.shred("acme", "p2@x")
        numbers, positions = told(2)
        if not {3, 6} <= set(positions):
            faults.append(f"behind 2 only {positions} are told, as {numbers}")
        if told(last)[1] != [3, 6]:
            faults.append(f"behind {last} come {told(last)}")
        if told(0)[1].count(1) < 1:
            faults.append("the rows of the backup are not told any more")
        before = told(0)
        small.stop()
        store.start()
        check(told(0) == before, "another answer after a restart")
        small.stop()
        return faults


def erasures_behind_a_restore_are_told_to_whoever_goes_on():
    faults = erasures()
    check(not faults, "; ".join(faults))


def the_variant_that_numbers_erasures_anew_is_caught():
    faults = erasures("erasure-numbers-kept")
    check(faults, "nothing was missed")
    return f"caught: {faults[0]}"


def the_variant_that_copies_the_keyring_first_is_caught():
    with Daemon("debug") as store:
        store.create_tenant("acme")
        going = threading.Event()
        going.set()

        def write():
            with store.wire("acme") as wire:
                number = 0
                while going.is_set():
                    number += 1
                    wire.call("EVENT.APPEND", "s", "test.event", "DATASUBJECT", f"p{number}@x", "DATA", "x")

        thread = threading.Thread(target=write)
        thread.start()
        try:
            for number in range(6):
                target = store.folder / f"backup-{number}"
                check(backup(store, target, "--keyring",
                             environment={"LETHE_TEST_VARIANT": "keyring-first"})[0] == 0, "no backup")
        finally:
            going.clear()
            thread.join(30)
        store.drop_clients()
        check(store.stop() == 0, "no orderly end")
        ends = [restore(store, store.folder / f"backup-{number}", store.folder / "restored")[0]
                for number in range(6)]
        check(NEEDS_NEWER_KEYS in ends, f"restores ended {ends}")


if __name__ == "__main__":
    run_suite(
        backups_under_load_of_twenty_ages_restore_to_exact_counts,
        a_backup_grows_by_new_records_only,
        a_lost_machine_comes_back_from_a_backup_with_its_keyring,
        older_keyrings_and_roots_are_refused_with_what_they_would_undo,
        a_root_that_is_ahead_of_the_keyring_is_not_set_back_unasked,
        a_restore_begins_a_lineage_which_ends_cursors_and_backups,
        the_variant_that_keeps_the_lineage_is_caught,
        a_backup_is_never_served_and_a_foreign_directory_never_written_to,
        erasures_behind_a_restore_are_told_to_whoever_goes_on,
        the_variant_that_numbers_erasures_anew_is_caught,
        the_variant_that_copies_the_keyring_first_is_caught,
    )
