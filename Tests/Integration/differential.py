#!/usr/bin/env python3
"""Random operations against an in-memory model: not one answer may differ.

Appends with EXPECT and ids (new, repeated, changed, several in flight), batches, transactions,
shreds, enrolments, ranges, reads, queries with cursors that are followed while events come and go,
filtered counts, streams, erasures; restarts by SIGTERM and SIGKILL, with appends in flight, and with
the index deleted. Control: a store whose ranges end one too early is caught.

LETHE_TEST_SEED replays a run; LETHE_TEST_LONG=1 does 100,000 operations, otherwise as many as fit
into the time; LETHE_TEST_OPERATIONS says how many.
"""

import collections
import os
import random
import shutil
import time

import lib
from lib import Closed, Store, check
from model import Difference, Model
from operations import Operations

SECONDS = 75
TENANT_OPERATIONS = 4_000
WRITES = "append append append append append batch transaction".split()
READS = "range range read query query query wrong_cursor count get summary".split()


class Run:
    """A store, two tenants at a time, and the dice."""

    def __init__(self, store, rng):
        self.store, self.rng = store, rng
        self.done = collections.Counter()
        self.places, self.wires, self.tenants = [], {}, 0

    def play(self, operations, seconds):
        """Until so many operations are done or the time is over; raises ``Difference``.

        An error where the model has an answer is one too, whoever asked.
        """
        try:
            self.play_on(operations, seconds)
        except lib.ErrorReply as error:
            raise Difference(f"an error instead of an answer: {error}") from None

    def play_on(self, operations, seconds):
        start = time.monotonic()
        self.places = [self.new_tenant(), self.new_tenant()]
        while sum(self.done.values()) < operations and time.monotonic() - start < seconds:
            place = self.rng.randrange(2)
            if self.places[place].counts.total() > TENANT_OPERATIONS:
                self.finish_tenant(self.places[place])
                self.places[place] = self.new_tenant()
            self.step(self.places[place])
        for tenant in self.places:
            self.finish_tenant(tenant)

    def new_tenant(self):
        self.tenants += 1
        name = f"tenant-{self.tenants}"
        self.store.create_tenant(name)
        return Operations(name, Model(), self.rng)

    def wire(self, tenant):
        if tenant not in self.wires:
            self.wires[tenant] = self.store.wire(tenant, timeout=60)
        return self.wires[tenant]

    def note(self, tenant, kind, count=1):
        self.done[kind] += count
        tenant.counts[kind] += count

    def step(self, tenant):
        pick = self.rng.random()
        if pick < 0.40:
            self.burst(tenant, WRITES, self.rng.randint(1, 60))
        elif pick < 0.80:
            self.burst(tenant, READS, self.rng.randint(1, 50))
        elif pick < 0.84:
            tenant.gives_times = False
            self.burst(tenant, WRITES + READS, self.rng.randint(1, 12))
            tenant.gives_times = True
        elif pick < 0.93:
            self.shred(tenant)
        elif pick < 0.95:
            self.enrol(tenant)
        elif pick < 0.97:
            self.list_streams(tenant)
        elif pick < 0.99:
            self.follow_erasures(tenant)
        else:
            self.restart(tenant)

    def burst(self, tenant, kinds, count):
        chosen = [self.rng.choice(kinds) for _ in range(count)]
        self.learn(tenant)
        operations = [getattr(tenant, kind)() for kind in chosen]
        replies = self.wire(tenant.tenant).pipeline(
            [words for operation in operations for words in operation.commands])
        place = 0
        for kind, operation in zip(chosen, operations):
            count = len(operation.commands)
            try:
                operation.check(replies[place:place + count])
            except Difference as difference:
                shown = [[str(word)[:60] for word in words] for words in operation.commands[:8]]
                raise Difference(f"{kind} {shown}: {difference}") from None
            place += count
            self.note(tenant, kind)

    def learn(self, tenant):
        """Asks when events were stored that have a time of their own."""
        model = tenant.model
        unknown = [event for event in model.events[model.learned:] if event.stored is None]
        model.learned = len(model.events)
        if not unknown:
            return
        replies = self.wire(tenant.tenant).pipeline(
            [("EVENT.GET", "POSITION", event.position) for event in unknown])
        for event, reply in zip(unknown, replies):
            model.check_event(event, reply)

    def shred(self, tenant):
        model = tenant.model
        if self.rng.random() < 0.05:
            try:
                self.store.control("SHRED", "DATASUBJECT", tenant.tenant, "nobody", "REASON",
                                   "art17", "DRYRUN")
            except lib.ErrorReply as error:
                check(error.word == "NOSUBJECT", f"an unknown person: {error}")
            return self.note(tenant, "shred of nobody")
        names = sorted(name for name, person in model.persons.items()
                       if any(event.live for event in person.events))
        if not names:
            return None
        name = self.rng.choice(names)
        erased, dead = model.erased_by(name)
        plan, _ = self.store.shred(tenant.tenant, name)
        if (plan["events"], plan["streams"]) != (len(erased), len(dead)):
            raise Difference(f"the plan of {name} counts {plan['events']} events and "
                             f"{plan['streams']} streams, not {len(erased)} and {len(dead)}")
        model.shred(name)
        return self.note(tenant, "shred")

    def enrol(self, tenant):
        if tenant.model.shredded:
            name = self.rng.choice(sorted(tenant.model.shredded))
            self.store.control("SUBJECT", "ENROL", tenant.tenant, name)
            tenant.model.shredded.discard(name)
            self.note(tenant, "enrol")

    def list_streams(self, tenant):
        wire, cursor, found = self.wire(tenant.tenant), "0", []
        while True:
            cursor, page = wire.call("EVENT.STREAMS", "CURSOR", cursor, "COUNT",
                                     self.rng.choice((3, 10, 100)))
            found += page
            if cursor == b"0":
                break
        model = tenant.model
        wanted, nameless = {}, collections.Counter()
        for name, stream in model.streams.items():
            if any(event.live for event in stream.events):
                wanted[name.encode()] = len(stream.events)
            else:
                nameless[len(stream.events)] += 1
        named = [(row["stream"], row["version"]) for row in found if row["stream"] is not None]
        if dict(named) != wanted or len(named) != len(wanted):
            wrong = set(named) ^ set(wanted.items())
            raise Difference(f"STREAMS: {len(named)} of {len(wanted)}, wrong {sorted(wrong)[:5]}")
        others = collections.Counter(row["version"] for row in found if row["stream"] is None)
        if nameless - others:
            raise Difference(f"STREAMS: nameless {others}, expected {nameless}")
        self.note(tenant, "streams")

    def follow_erasures(self, tenant):
        """What a projection does that wants to forget along: reads on behind what it has seen."""
        wire, seen = self.wire(tenant.tenant), 0
        found = []
        while True:
            page = wire.call("EVENT.ERASURES", seen, "COUNT", 10)
            if not page:
                break
            for row in page:
                if row["number"] != seen + 1:
                    raise Difference(f"erasure {row['number']} follows {seen}")
                seen = row["number"]
                found.append([position for low, high in row["positions"]
                              for position in range(low, high + 1)])
        if found != tenant.model.erasures:
            raise Difference(f"ERASURES: {len(found)} acts of {len(tenant.model.erasures)}, or "
                             "other positions")
        self.note(tenant, "erasures")

    def restart(self, tenant):
        kind = self.rng.choice(("SIGTERM", "SIGKILL", "SIGKILL", "index deleted"))
        in_flight = []
        if kind == "SIGKILL" and self.rng.random() < 0.7:
            self.learn(tenant)
            operations = [getattr(tenant, self.rng.choice(WRITES))() for _ in range(40)]
            in_flight = [stores for operation in operations for stores in operation.stores]
            wire = self.wire(tenant.tenant)
            data = b"".join(wire.encode(*words) for operation in operations
                            for words in operation.commands)
            try:
                wire.send(data)
                time.sleep(self.rng.random() * 0.01)
            except Closed:
                pass
        if kind == "SIGKILL":
            self.store.kill()
        else:
            check(self.store.stop() == 0, "the daemon does not end in order")
        if kind == "index deleted":
            shutil.rmtree(self.store.data / "index")
        for wire in self.wires.values():
            wire.close()
        self.wires = {}
        self.store.start()
        if kind != "SIGTERM":
            for other in self.places:
                other.model.restarted()
        if in_flight:
            known = len(tenant.model.events)
            stored = self.wire(tenant.tenant).call(
                "EVENT.RANGE", "*", known + 1, "+", "COUNT", 10_000)
            tenant.model.recover(in_flight, stored)
        self.note(tenant, kind)

    def finish_tenant(self, tenant):
        """Everything is read once more, both ways."""
        model, wire = tenant.model, self.wire(tenant.tenant)
        self.learn(tenant)
        found = []
        while len(found) < len(model.events):
            page = wire.call("EVENT.RANGE", "*", len(found) + 1, "+", "COUNT", 1_000)
            check(page, f"the feed ends at {len(found)} of {len(model.events)}")
            found += page
        model.check_events(model.events, found)
        live, cursor = [], "0"
        while True:
            cursor, page = wire.call("EVENT.QUERY", "COUNT", 1_000, "CURSOR", cursor)
            live += page
            if cursor == b"0":
                break
        model.check_events(model.matching({}), live)
        self.list_streams(tenant)
        self.follow_erasures(tenant)


def no_answer_differs_from_the_model():
    is_long = os.environ.get("LETHE_TEST_LONG") == "1"
    wanted = int(os.environ.get("LETHE_TEST_OPERATIONS", 100_000))
    is_bounded = not is_long and "LETHE_TEST_OPERATIONS" not in os.environ
    with Store() as store:
        run = Run(store, random.Random(SEED))
        try:
            run.play(wanted, SECONDS if is_bounded else 3_600)
        except Difference as difference:
            raise lib.Failed(f"after {sum(run.done.values())} operations: {difference}") from None
    kinds = ", ".join(f"{count} {kind}" for kind, count in run.done.most_common())
    return f"{sum(run.done.values())} operations, {run.tenants} tenants, 0 differences: {kinds}"


def a_range_that_ends_one_too_early_is_caught():
    with Store("debug", variant="range-end") as store:
        run = Run(store, random.Random(SEED))
        try:
            run.play(2_000, 60)
        except Difference as difference:
            return f"after {sum(run.done.values())} operations: {str(difference)[:100]}"
    raise lib.Failed("the model did not notice it")


if __name__ == "__main__":
    SEED = lib.seed()
    lib.run_suite(no_answer_differs_from_the_model, a_range_that_ends_one_too_early_is_caught)
