#!/usr/bin/env python3
"""Backups of twenty ages, restored with today's keyring and root after erasures of all kinds.

Between random appends, shreds of persons, events, streams, days and tenants, expiry runs on later days and rotations
of the root, twenty backups are taken: into one directory by new records only, or fresh. Each of them then gives
exactly what a model says: so many live, erased and expired events, and to a reader of the restored files, who has
every key that today's root opens there, the bodies of the live ones and no other. Controls: a keyring or a root of
before is refused, and both of before, which is what must not be kept, open what was shredded since.
"""
import random
import shutil
import time

import erasures
import lethe_format as fmt
from backups import OLD_KEYRING, OLD_ROOT, SEED, backup, restore
from lib import Daemon, check, run_suite

AGES = 20


class Scenario(erasures.Scenario):
    """Random erasures, with what is dead for which reason."""

    def __init__(self, daemon, rng):
        super().__init__(daemon, rng)
        self.expired = set()
        self.steps = [
            (self.shred_person, 8), (self.shred_events, 3), (self.shred_stream, 1), (self.shred_period, 1),
            (self.next_day, 2), (self.expire, 2), (self.shred_tenant, 1), (self.create_tenant, 2),
            (lambda: daemon.admin("KEY", "ROTATE", "ROOT"), 3),
            (lambda: daemon.admin("KEY", "ROTATE", "TENANT", rng.choice(self.tenants)), 2)]
        self.rotations = 0

    def append(self):
        tenant = self.rng.choice(self.tenants)
        wire = self.daemon.client(tenant).pipeline(transaction=False)
        sent = []
        for _ in range(self.rng.randint(4, 20)):
            persons = {f"person-{self.rng.randint(1, 60)}@{tenant}" for _ in range(self.rng.choice([0, 1, 1, 1, 2, 4]))}
            persons = {p for p in persons if (tenant, p) not in self.dead_persons}
            # What names nobody has a stream of its own: one that only names one person dies with the person.
            stream = f"s{self.rng.randint(1, 5)}" if persons else "plain"
            payload = f"payload-{next(self.counter)}".encode()
            words = [word for person in sorted(persons) for word in ("DATASUBJECT", person)] or ["IMPERSONAL"]
            wire.execute_command("EVENT.APPEND", stream, "test.event", *words, "DATA", payload)
            sent.append((payload, persons, stream))
        for event, reply in zip(sent, wire.execute()):
            self.events[(tenant, reply[b"position"])] = event
            self.days[(tenant, reply[b"position"])] = self.today
            self.living[tenant] |= event[1]

    def kill(self, what, dead):
        super().kill(what, dead)
        if what in ("periods", "expired"):
            self.expired |= dead

    def step(self):
        for _ in range(self.rng.randint(1, 3)):
            self.append()
        kinds, weights = zip(*self.steps)
        self.rng.choices(kinds, weights)[0]()

    def fate(self, key):
        tenant, _ = key
        if tenant in self.dead_tenants:
            return "erased"
        if key in self.expired:
            return "expired"
        is_dead = key in self.dead_events or any((tenant, p) in self.dead_persons for p in self.events[key][1])
        return "erased" if is_dead else "live"

    def expected(self, count):
        """How many of the first events are live, erased and expired, and the bodies of the live ones."""
        keys = list(self.events)[:count]
        fates = [self.fate(key) for key in keys]
        bodies = {self.events[key][0] for key, fate in zip(keys, fates) if fate == "live"}
        return tuple(map(fates.count, ("live", "erased", "expired"))), bodies


def take(scenario, rolling, number):
    """A backup, and how many events it has."""
    daemon, age = scenario.daemon, scenario.daemon.folder / f"age-{number}"
    is_fresh = scenario.rng.random() < 0.3
    target = age if is_fresh else rolling
    status, report, err = backup(daemon, target, "--keyring")
    check(status == 0, f"backup {number} ended {status}: {err}")
    check(report["lastSequence"] == len(scenario.events), f"the backup ends at {report['lastSequence']}")
    if not is_fresh:
        shutil.copytree(rolling, age)
    root = daemon.folder / f"root-{number}"
    shutil.copy2(daemon.roots[0], root)
    return age, len(scenario.events), root, is_fresh


def readable(scenario, made, roots):
    """The bodies that the roots open in the files of a store."""
    nodes, = fmt.tables(made, "keyring", "nodes")
    records, = fmt.tables(made, "log", "records")
    store_id = fmt.Root(scenario.daemon.roots[0]).store_id
    return erasures.opened_bodies(fmt.Closure([nodes], roots, store_id), records)


def found(report):
    check(report["damaged"] == report["gaps"] == 0, f"damage: {report}")
    return report["opened"], report["erased"], report["expired"]


def check_restored(scenario, age, count, number):
    made = scenario.daemon.folder / "restored"
    status, report, err = restore(scenario.daemon, age, made, "--keyring", str(scenario.daemon.data))
    check(status == 0, f"restore {number} ended {status}: {err}")
    wanted, bodies = scenario.expected(count)
    check(found(report) == wanted, f"restore {number} of {count} events: {found(report)} instead of {wanted}")
    check(report["lost"] == len(scenario.events) - count, f"restore {number}: lost {report['lost']}")
    opened = readable(scenario, made, scenario.roots())
    check(opened == bodies, f"restore {number}: {len(opened - bodies)} dead bodies open, {len(bodies - opened)} do not")
    shutil.rmtree(made)


def check_old_keys(scenario, age, count, root):
    """What the keys of before are answered, one by one and together."""
    daemon, made = scenario.daemon, scenario.daemon.folder / "restored"
    status, _, err = restore(daemon, age, made)
    check(status == OLD_KEYRING, f"a keyring of before: {status} {err}")
    status, _, err = restore(daemon, age, made, "--keyring", str(daemon.data), roots=[root])
    check(status == OLD_ROOT, f"a root of before: {status} {err}")
    check(not any(made.iterdir()), "a refused restore leaves files behind")
    _, bodies = scenario.expected(count)
    slots = list(fmt.Root(root).slots.items())
    opened = readable(scenario, age, slots)
    check(opened > bodies, "the control: a keyring and a root of before open nothing that was erased since")
    return len(opened - bodies)


def backups_of_twenty_ages_restore_to_exact_counts():
    with Daemon("debug", second_user=True) as daemon:
        scenario = Scenario(daemon, random.Random(SEED))
        for _ in range(3):
            scenario.create_tenant()
        rolling, ages = daemon.folder / "backup", []
        while len(ages) < AGES:
            for _ in range(scenario.rng.randint(1, 5)):
                scenario.step()
            ages.append(take(scenario, rolling, len(ages)))
        # Every kind once more behind the last backup.
        for act, _ in scenario.steps:
            scenario.append()
            act()
        scenario.expire()
        daemon.drop_clients()
        check(daemon.stop() == 0, "no orderly end")
        for number, (age, count, _, _) in enumerate(ages):
            check_restored(scenario, age, count, number)
        extra = [check_old_keys(scenario, age, count, root) for age, count, root, _ in (ages[0], ages[9], ages[-1])]
        live, erased, expired = scenario.expected(len(scenario.events))[0]
        fresh = sum(age[3] for age in ages)
        check(live and erased and expired, "nothing was erased, or nothing is left")
        return (f"{len(scenario.events)} events in the end {live} live, {erased} erased, {expired} expired;"
                f" {AGES} restores exact, {fresh} of fresh backups; keys of before open {extra} more")


if __name__ == "__main__":
    run_suite(backups_of_twenty_ages_restore_to_exact_counts)
