#!/usr/bin/env python3
"""What has lost its keys leaves the disk: bodies within minutes, hashes never.

A program that has only Docs/Format.md looks into the files: of a shredded event a bare record is left, of an
expired one a trace, of everything else all; and the tenants' logs follow from what is left. A purge is
killed at each of its steps, beside appends, and a backup of before and after is restored. The broken variant
that purges what lives is caught.
"""
import os
import random
import shutil
import time

import lethe_format as fmt
from backups import SEED, backup, restore
from lethe_traces import open_traces
from lib import Closed, Daemon, Failed, check, run_suite

DAY = 86_400_000
LONG = os.environ.get("LETHE_TEST_LONG") == "1"
COUNT = 6_000 if LONG else 1_500


def purging(variant=None, delay=1):
    daemon = Daemon("debug", variant=variant)
    daemon.environment["LETHE_TEST_PURGE_MS"] = str(delay)
    return daemon


def status(daemon):
    return daemon.control("RETENTION", "STATUS")


def settle(daemon, seconds=30):
    """Waits until nothing is outstanding; how many records were purged in all."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = status(daemon)
        if found["purge-acts"] == 0:
            return found["purged-events"]
        time.sleep(0.02)
    raise Failed(f"the purge does not end: {status(daemon)}")


def fill(daemon, tenant, count, rng, words=()):
    """Events of nobody to four persons; the persons of each, by position."""
    pipeline = daemon.client(tenant).pipeline(transaction=False)
    named = {}
    for number in range(1, count + 1):
        persons = rng.sample([f"p{n}" for n in range(12)], rng.choice((0, 1, 1, 2, 3, 4)))
        named[number] = set(persons)
        subjects = [word for person in persons for word in ("DATASUBJECT", person)] or ["IMPERSONAL"]
        size = rng.choice((20, 300, 300, 5_000))
        pipeline.execute_command("EVENT.APPEND", f"s{number % 5}", "test.event", *subjects, *words,
                                 "DATA", f"{tenant} {number} canary ".encode() + b"x" * size)
    for position, reply in enumerate(pipeline.execute(), 1):
        check(int(reply[1] if isinstance(reply, list) else reply[b"position"]) == position, "positions")
    return named


class Files:
    """Records and traces of a store that is not running, with today's root."""

    def __init__(self, daemon, data=None, roots=None):
        root = fmt.Root((roots or daemon.roots)[0])
        data = data or daemon.data
        nodes, = fmt.tables(data, "keyring", "nodes")
        closure = fmt.Closure([nodes], list(root.slots.items()), root.store_id)
        self.secret, = closure.instance_secrets
        records, groups = fmt.tables(data, "log", "records", "traces")
        self.records = {fmt.u(key): fmt.Record(raw, self.secret) for key, raw in records.items()}
        self.traces = open_traces(groups, self.secret)
        self.numbers = {tenant[0].name.decode(): number for number, tenant in closure.tenants.items()}
        check(all(record.is_routed for record in self.records.values()), "a routing tag is wrong")
        check(self.traces is not None, "a group of traces does not open")

    def of(self, tenant):
        """What is left of a tenant's events, by position: whole, bare or trace, and the hash."""
        number, found = self.numbers[tenant], {}
        for sequence, trace in self.traces.items():
            if trace.tenant == number and sequence not in self.records:
                found[trace.position] = ("trace", trace.hash)
        for record in self.records.values():
            if record.tenant == number:
                found[record.position] = ("bare" if record.is_bare else "whole", record.hash)
        return found

    def hashes(self, tenant):
        return {position: digest for position, (_, digest) in self.of(tenant).items()}

    def kinds(self, tenant):
        return {position: kind for position, (kind, _) in self.of(tenant).items()}


def stopped(daemon):
    daemon.drop_clients()
    check(daemon.stop() == 0, "no orderly end")
    return Files(daemon)


def what_is_dead_leaves_and_what_lives_stays():
    rng = random.Random(SEED)
    with purging() as daemon:
        daemon.create_tenant("acme", "30d")
        daemon.create_tenant("long", "395d")
        named = fill(daemon, "acme", COUNT, rng)
        fill(daemon, "long", COUNT // 5, rng)
        before = stopped(daemon)
        daemon.start()
        for person in ("p1", "p7"):
            daemon.shred_person("acme", person)
        purged = settle(daemon)
        dead = {position for position, persons in named.items() if persons & {"p1", "p7"}}
        check(purged == len(dead), f"{purged} records purged of {len(dead)}")
        after = stopped(daemon)
        kinds = after.kinds("acme")
        check(kinds == {position: "bare" if position in dead else "whole" for position in named},
              "not exactly what is dead is bare")
        check(after.hashes("acme") == before.hashes("acme"), "a hash has changed")
        # A month later the whole tenant is over, the other one is not.
        for days in (20, 40):
            daemon.environment["LETHE_TEST_CLOCK_MS"] = str(days * DAY)
            daemon.start()
            daemon.control("CLOCK", "CONFIRM")
            daemon.control("RETENTION", "RUN")
            if days == 40:
                purged = settle(daemon)
                check(daemon.feed("acme") == [], "expired events are shown")
                check(len(daemon.feed("long")) == COUNT // 5, "living events are gone")
            last = stopped(daemon)
        kinds = list(last.kinds("acme").values())
        check(kinds == ["trace"] * COUNT, f"of the expired {kinds.count('trace')} are traces")
        check(last.hashes("acme") == before.hashes("acme"), "a hash has changed")
        check(set(last.kinds("long").values()) == {"whole"}, "a living record is not whole")
        check(purged == COUNT, f"{purged} records purged")
        shutil.rmtree(daemon.data / "index")
        daemon.start()
        reply = daemon.wire("acme").call("EVENT.APPEND", "s1", "t", "IMPERSONAL", "DATA", "x")
        check((reply["position"], reply["version"]) == (COUNT + 1, COUNT // 5 + 1), f"next is {reply}")
        checked(daemon)
        return f"{len(dead)} bare, then {COUNT} traces; hashes of all {COUNT} as before"


def checked(daemon):
    daemon.drop_clients()
    check(daemon.stop() == 0, "no orderly end")
    done = daemon.run("check")
    check(done.returncode == 0, f"check ended {done.returncode}: {done.stdout[-300:]} {done.stderr[-200:]}")


def the_space_is_used_again():
    rng = random.Random(SEED)
    with purging() as daemon:
        daemon.create_tenant("acme", "1h")
        sizes = []
        for hour in (0, 3, 6, 9):
            if hour:
                daemon.drop_clients()
                check(daemon.stop() == 0, "no orderly end")
                daemon.environment["LETHE_TEST_CLOCK_MS"] = str(hour * 3_600_000)
                daemon.start()
                daemon.control("RETENTION", "RUN")
                settle(daemon)
            pipeline = daemon.client("acme").pipeline(transaction=False)
            for _ in range(COUNT):
                pipeline.execute_command("EVENT.APPEND", "s", "t", "IMPERSONAL", "DATA",
                                         bytes(rng.choice((20, 300, 300, 2_500))))
            pipeline.execute()
            sizes.append(os.stat(daemon.data / "log" / "data.mdb").st_size)
        check(sizes[3] < 1.6 * sizes[0], f"the log grows: {sizes}")
        return "the log after 1, 2, 3 and 4 such hours: " + ", ".join(
            f"{size / sizes[0]:.2f}" for size in sizes)


def a_purge_that_is_killed_goes_on():
    """At each durable step, before and after."""
    rng = random.Random(SEED)
    with purging(delay=10**9) as daemon:
        daemon.has_second_user = False
        daemon.create_tenant("acme", "30d")
        fill(daemon, "acme", 600, rng)
        daemon.shred_person("acme", "p3")
        daemon.environment["LETHE_TEST_CLOCK_MS"] = "0"
        model = daemon.feed("acme")
        before = stopped(daemon)
        kept = daemon.folder / "kept"
        shutil.copytree(daemon.data, kept)
        daemon.environment["LETHE_TEST_PURGE_MS"] = "1"
        points = 0
        while True:
            points += 1
            shutil.rmtree(daemon.data)
            shutil.copytree(kept, daemon.data)
            log = daemon.folder / "points"
            log.write_text("")
            try:
                daemon.start(environment={"LETHE_TEST_CRASH_AT": str(points),
                                          "LETHE_TEST_CRASH_LOG": str(log)})
                settle(daemon)
                survived = True
            except (Failed, Closed, ConnectionError, OSError):
                survived = False
            daemon.kill()
            names = log.read_text().split()
            if survived or not any(name.startswith("purge.") for name in names):
                if survived:
                    break
                continue
            daemon.start()
            settle(daemon)
            check(daemon.feed("acme") == model, f"after {names[-1]} events differ")
            found = stopped(daemon)
            check(found.hashes("acme") == before.hashes("acme"), f"after {names[-1]} a hash differs")
            checked(daemon)
        return f"{points - 1} crash points passed"


def appends_go_on_beside_it():
    """No append waits for more than a few commits, however much there is to purge."""
    rng = random.Random(SEED)
    with purging(delay=10**9) as daemon:
        daemon.create_tenant("acme", "1h")
        daemon.create_tenant("other", "395d")
        for _ in range(4):
            pipeline = daemon.client("acme").pipeline(transaction=False)
            for _ in range(5_000):
                pipeline.execute_command("EVENT.APPEND", "s", "t", "IMPERSONAL", "DATA", b"x" * 200)
            pipeline.execute()
        daemon.environment["LETHE_TEST_CLOCK_MS"] = "10800000"
        daemon.environment["LETHE_TEST_PURGE_MS"] = "1"
        daemon.restart()
        waits = {}
        with daemon.wire("other") as wire:
            def measure(name, until):
                waits[name] = []
                while not until():
                    start = time.monotonic()
                    wire.call("EVENT.APPEND", "s", "t", "IMPERSONAL", "DATA", "x" * rng.randint(1, 300))
                    waits[name].append(time.monotonic() - start)
            measure("alone", lambda: len(waits["alone"]) >= 100)
            daemon.control("RETENTION", "RUN")
            measure("beside", lambda: len(waits["beside"]) % 20 == 19
                    and status(daemon)["purge-acts"] == 0)
        check(status(daemon)["purged-events"] == 20_000, f"{status(daemon)}")
        middle = {name: sorted(found)[len(found) // 2] for name, found in waits.items()}
        check(middle["beside"] < 10 * middle["alone"] + 0.05, f"appends wait: {middle}")
        return (f"20,000 records in {sum(waits['beside']):.1f} s; the median append takes "
                f"{middle['beside'] / middle['alone']:.1f} times as long meanwhile")


def copies_of_before_and_after_are_restored():
    rng = random.Random(SEED)
    with purging() as daemon:
        daemon.create_tenant("acme", "30d")
        named = fill(daemon, "acme", 700, rng)
        target, late = daemon.folder / "old", daemon.folder / "new"
        check(backup(daemon, target)[0] == 0, "no backup")
        daemon.shred_person("acme", "p1")
        settle(daemon)
        model = daemon.feed("acme")
        # One that goes on from before, and one that has never seen what was purged.
        for path in (target, late):
            check(backup(daemon, path, "--keyring")[0] == 0, "no backup")
        purged = status(daemon)["purged-events"]
        before = stopped(daemon)
        found = []
        for number, path in enumerate((target, late)):
            data = daemon.folder / f"restored-{number}"
            roots = daemon.folder / f"roots-{number}"
            shutil.copytree(daemon.root.parent, roots)
            code, report, err = restore(daemon, path, data)
            check(code == 0 and report["damaged"] == report["gaps"] == 0, f"restore: {code} {report} {err}")
            found.append(report["purged"])
            shutil.rmtree(daemon.root.parent)
            shutil.copytree(roots, daemon.root.parent)
        check(found == [0, purged] and purged > 0, f"purged in the copies: {found} of {purged}")
        check(len(named) == len(before.of("acme")) == len(model), "events are missing")
        return f"a copy with all {len(named)} records, one with {purged} bare"


def what_lives_is_not_purged():
    """The variant purge-live asks no record for its keys."""
    try:
        with purging("purge-live") as daemon:
            daemon.create_tenant("acme", "30d")
            named = fill(daemon, "acme", 300, random.Random(SEED))
            daemon.shred("acme", "p1")
            settle(daemon)
            live = [event for event in daemon.feed("acme") if event[b"state"] == b"live"]
            wanted = sum("p1" not in persons for persons in named.values())
            check(len(live) == wanted, f"{len(live)} events live of {wanted}")
            checked(daemon)
    except OSError:
        raise
    except Exception as error:  # whichever check sees it first
        return str(error)[:60]
    raise Failed("nobody noticed")


if __name__ == "__main__":
    run_suite(what_is_dead_leaves_and_what_lives_stays, the_space_is_used_again,
              a_purge_that_is_killed_goes_on, appends_go_on_beside_it,
              copies_of_before_and_after_are_restored, what_lives_is_not_purged)
