#!/usr/bin/env python3
"""The memory of a running daemon after acknowledged shreds holds no key that they destroyed.

lethe_format.py, which knows only Docs/Format.md, reads the keys from the files before they are destroyed: of persons,
streams, days, positions and all seeds above them, of single events, of a tenant, of the tree's nodes, and the roots.
Then every page of the process that can be written is searched for each of their words of eight bytes, since what is
freed is overwritten only in part. Keys that live are found, else the search would prove nothing, and the broken
variants `leaf-kept` and `scratch-kept`, which keep what they have opened, are caught. Needs to be allowed to read another process's memory.
"""
import os
import re
import signal
import time

import lethe_format as fmt
from lib import Daemon, Skip, check, run_suite, seed

EVENTS, PERSONS, STREAMS = 420, 30, 7
BLOCK, PAGE = 1 << 20, 4096
ZEROES = bytes(PAGE)
DAY = 86_400_000


def regions(pid):
    for line in open(f"/proc/{pid}/maps"):
        found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
        if found:
            yield int(found[1], 16), int(found[2], 16)


def pieces(pid):
    """What can be written and was: without pages of zeroes."""
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for start, end in regions(pid):
            tail = b""
            for at in range(start, end, BLOCK):
                try:
                    memory.seek(at)
                    block = memory.read(min(BLOCK, end - at))
                except OSError:  # guard pages
                    block = b""
                piece = bytearray(tail)
                for page in range(0, len(block), PAGE):
                    text = block[page:page + PAGE]
                    if text != ZEROES:
                        piece += text
                    elif piece:
                        yield bytes(piece)
                        piece = bytearray()
                tail = bytes(piece[-7:])
                yield bytes(piece)


def count(pid, keys):
    """How many words of each named key stand in the process's memory, and how many bytes were searched."""
    words = {}
    for name, key in keys:
        for at in range(0, 32, 8):
            words.setdefault(int.from_bytes(key[at:at + 8], "little"), set()).add(name)
    found, searched = {}, 0
    os.kill(pid, signal.SIGSTOP)
    try:
        for piece in pieces(pid):
            searched += len(piece)
            for shift in range(min(8, len(piece))):
                whole = (len(piece) - shift) // 8 * 8
                view = memoryview(piece)[shift:shift + whole].cast("Q")
                for word in filter(words.__contains__, view):
                    for name in words[word]:
                        found[name] = found.get(name, 0) + 1
    except PermissionError:
        raise Skip("this process may not read the daemon's memory") from None
    finally:
        os.kill(pid, signal.SIGCONT)
    return found, searched


class Reading:
    """All keys that today's root opens, each with a name that says whose it is."""

    def __init__(self, daemon):
        root = fmt.Root(daemon.roots[0])
        nodes, = fmt.tables(daemon.data, "keyring", "nodes")
        self.closure = closure = fmt.Closure([nodes], list(root.slots.items()), root.store_id)
        self.keys = {("root", epoch, key) for epoch, key in root.slots.items()}
        self.keys |= {("node", memo[0], memo[1]) for memo in closure.tried}
        for (tenant, slot), keys in closure.keys.items():
            self.keys |= {("name", (tenant, slot), key) for key in keys}
        for number, (tenant,) in closure.tenants.items():
            self.keys |= {("map", number, tenant.map_key),
                          ("impersonal", number, tenant.impersonal_key)}
            for generation in tenant.generations.values():
                self.keys.add(("data", number, generation.data_secret))
                for held in generation.seeds.values():
                    self.keys |= {("position", number, one) for one in held}
                for own in generation.covers.values():
                    self.keys |= {("period", number, one) for _, _, one in own}

    def tenant(self, name):
        return next((number, tenants[0]) for number, tenants in self.closure.tenants.items()
                    if tenants[0].name == name.encode())

    def events(self, daemon):
        """(tenant's number, position) -> the keys from which an event's body opens, and all seeds above its leaf."""
        records, = fmt.tables(daemon.data, "log", "records")
        secret, = self.closure.instance_secrets
        found = {}
        for raw in records.values():
            record = fmt.Record(raw, secret)
            if record.tenant not in self.closure.tenants:
                continue
            tenant, = self.closure.tenants[record.tenant]
            slots = []
            if record.open_header(tenant):
                slots = [self.closure.keys.get((record.tenant, slot))
                         for slot in [record.stream, *record.subjects]]
            leaves = list(record.keys.position_leaves(record.position)) if slots else []
            if leaves and slots and all(slots):
                keys = [next(iter(one)) for one in slots]
                found[(record.tenant, record.position)] = self.chain(tenant, record, leaves[0], keys)
        return found

    @staticmethod
    def chain(tenant, record, leaf, keys):
        joined = b"".join(keys[1:]) or tenant.impersonal_key
        base = fmt.blake2b(256, record.period_key, b"LT1.ev.base",
                           bytes([len(keys) - 1]) + keys[0] + joined + record.keys.data_secret)
        derived = fmt.blake2b(512, base, b"LT1.ev.key",
                              leaf + record.nonce + tenant.id + record.position.to_bytes(8, "big"))
        check(derived[32:] == record.raw[80:112], "the reader finds another key than the event's")
        return {"base": base, "event": derived[:32], "leaf": leaf, "day": record.period_key}


def fill(daemon):
    """Two tenants with events of yesterday and today, all of them read once: what can be cached is."""
    daemon.environment["LETHE_TEST_CLOCK_MS"] = str(-DAY)
    daemon.restart()
    for tenant in ("acme", "zeta"):
        daemon.admin("TENANT", "CREATE", tenant, "RETENTION", "395d")
    append(daemon)
    daemon.environment["LETHE_TEST_CLOCK_MS"] = "0"
    daemon.restart()
    append(daemon)
    for person in range(PERSONS):
        daemon.client("acme").execute_command("EVENT.QUERY", "DATASUBJECT", f"p{person}@x")
    for tenant in ("acme", "zeta"):
        daemon.feed(tenant)


def append(daemon):
    for tenant, events in (("acme", EVENTS), ("zeta", 40)):
        pipeline = daemon.client(tenant).pipeline(transaction=False)
        for number in range(events):
            pipeline.execute_command(
                "EVENT.APPEND", f"s{number % STREAMS}", "t", "DATASUBJECT", f"p{number % PERSONS}@x",
                "DATA", b"payload " * 20)
        pipeline.execute()


def shred(daemon, *words):
    act = ["SHRED", *words, "REASON", "other"]
    daemon.confirm(act, daemon.admin(*act, "DRYRUN"))


def yesterday():
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - DAY / 1000))


ACTS = {
    "persons": lambda daemon: [shred(daemon, "DATASUBJECT", "acme", f"p{one}@x") for one in (3, 8, 21)],
    "events": lambda daemon: shred(daemon, "EVENTS", "acme", "500", "501", "777"),
    "stream": lambda daemon: shred(daemon, "STREAM", "acme", "s4"),
    "day": lambda daemon: shred(daemon, "PERIOD", "acme", "default", yesterday()),
    "tenant": lambda daemon: daemon.shred_tenant("zeta"),
    "root": lambda daemon: daemon.admin("KEY", "ROTATE", "ROOT"),
}


def named(keys):
    return [((kind, name), key) for kind, name, key in keys]


def scan(acts, variant=None):
    """(what is found of destroyed keys, of living ones; how many were destroyed; bytes searched)."""
    with Daemon("debug", second_user=True, variant=variant) as daemon:
        fill(daemon)
        pid = daemon.process.pid
        reading = Reading(daemon)
        known, events = set(reading.keys), reading.events(daemon)
        check(len(events) == 2 * (EVENTS + 40), f"the reader opens {len(events)} events")
        early, _ = count(pid, named(known | {
            (kind, place, key) for place, chain in events.items() for kind, key in chain.items()}))
        for kind in ("root", "node", "data", "map", "period", "position", "base"):
            check(any(one == kind for one, _ in early), f"the search does not find any {kind} key before")
        # What was read before is read again between the acts, so that caches are full when keys die.
        for act in acts:
            ACTS[act](daemon)
            known |= Reading(daemon).keys
            daemon.feed("acme")
        now = Reading(daemon)
        left = now.events(daemon)
        living = {key for _, _, key in now.keys} | {key for one in left.values() for key in one.values()}
        dead = {(kind, name, key) for kind, name, key in known if key not in living}
        for (number, position), chain in events.items():
            # A leaf that still follows from a seed was not destroyed; what it opens with was.
            generations = now.closure.generations.get(number, {}).values()
            leaves = {leaf for keys in generations for leaf in keys.position_leaves(position)}
            dead |= {(kind, (number, position), key) for kind, key in chain.items()
                     if key not in living and key not in leaves}
        found, searched = count(pid, named(dead))
        again, _ = count(pid, named(now.keys))
        return found, again, dead, len(events) - len(left), searched


def summary(found):
    kinds = {}
    for (kind, _), words in found.items():
        kinds[kind] = kinds.get(kind, 0) + words
    return ", ".join(f"{kind} {words}" for kind, words in sorted(kinds.items())) or "nothing"


def no_word_of_a_destroyed_key_is_left_in_memory():
    found, living, dead, events, searched = scan(list(ACTS))
    kinds = {kind for kind, _, _ in dead}
    missing = {"root", "node", "name", "data", "map", "period", "position", "base", "event", "leaf", "day"} - kinds
    check(not missing, f"nothing was destroyed of {missing}")
    check(not found, f"words of destroyed keys: {summary(found)}")
    check(living, "the control: no living key was found")
    return (f"{len(dead)} keys of {events} events and what is above them: 0 words in {searched >> 20} MiB;"
            f" of living keys: {summary(living)}")


def caught(act, variant):
    found = scan([act], variant)[0]
    check(found, "nothing is found")
    return summary(found)


def the_variant_that_keeps_opened_keys_is_caught():
    return caught("events", "leaf-kept")


def the_variant_that_keeps_what_the_last_append_needed_is_caught():
    return caught("tenant", "scratch-kept")


if __name__ == "__main__":
    seed()
    run_suite(
        no_word_of_a_destroyed_key_is_left_in_memory,
        the_variant_that_keeps_opened_keys_is_caught,
        the_variant_that_keeps_what_the_last_append_needed_is_caught,
    )
