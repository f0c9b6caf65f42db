#!/usr/bin/env python3
"""Nothing readable is on disk, and nothing that tells two stores of the same size apart.

Canary test: 10,000 events whose tenant, stream, type, subject, id, source, attributes and payload
carry a mark; no file of the store, no log line and no error reply shows it, raw or encoded.
Shape test: two stores with as many events, persons, streams and tenants, spread differently.
"""

import base64
import collections
import random

import lmdb

import lib
from lib import ErrorReply, Failed, Store, check

EVENTS = 10_000
TENANTS = 10
FIELDS = "tenant stream type subject id source attribute payload".split()


def needles(mark):
    """How a mark looks on a disk: raw, hexadecimal, UTF-16, Base64 at each of three places."""
    found = {
        "raw": mark, "upper case": mark.upper(),
        "hex": mark.hex().encode(), "upper case hex": mark.hex().upper().encode(),
        "UTF-16LE": mark.decode().encode("utf-16-le"),
        "UTF-16BE": mark.decode().encode("utf-16-be"),
    }
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + mark)
        first = -(-shift * 8 // 6)
        last = (shift + len(mark)) * 8 // 6
        found[f"Base64 at {shift}"] = text[first:last]
        found[f"URL Base64 at {shift}"] = base64.urlsafe_b64encode(b"\0" * shift + mark)[first:last]
    return found


class Canaries:
    """Marks of 12 small letters and digits a field, the same in all of a run's events."""

    def __init__(self, choice):
        letters = "abcdefghijklmnopqrstuvwxyz0123456789"
        self.marks = {
            field: "c" + "".join(choice.choice(letters) for _ in range(11)) for field in FIELDS}
        self.needles = {
            (field, form): needle for field, mark in self.marks.items()
            for form, needle in needles(mark.encode()).items()}

    def value(self, field, number):
        return f"{self.marks[field]}-{number}"

    def find(self, data, where):
        return [f"{field} as {form} in {where}"
                for (field, form), needle in self.needles.items() if needle in data]


def fill(store, canaries, events=EVENTS, reads=True):
    """Appends the events through pipelines; returns the error replies of provoked errors."""
    errors = []
    tenants = [canaries.value("tenant", number) for number in range(TENANTS)]
    for name in tenants:
        store.create_tenant(name)
    for index, name in enumerate(tenants):
        with store.wire(name) as wire:
            numbers = range(index, events, TENANTS)
            for start in range(0, len(numbers), 500):
                replies = wire.pipeline(
                    [append(canaries, number) for number in numbers[start:start + 500]])
                for reply in replies:
                    if isinstance(reply, ErrorReply):
                        raise Failed(f"append: {reply.word}")
            count = wire.call("EVENT.COUNT")
            check(count == len(numbers), f"{count} events of {len(numbers)}")
            if not reads:  # what is stored in clear cannot be opened
                continue
            events_back = wire.call("EVENT.RANGE", "*", "-", "+", "COUNT", 100)
            check(all(canaries.marks["payload"].encode() in event["data"]
                      for event in events_back), "what was read is not what was written")
            errors += provoke(wire, canaries, name)
    return errors


def append(canaries, number):
    return ("EVENT.APPEND", canaries.value("stream", number % 200), canaries.value("type", number),
            "DATASUBJECT", canaries.value("subject", number % 2_000),
            "ID", canaries.value("id", number), "SOURCE", canaries.value("source", number),
            "ATTR", canaries.value("attribute", number), canaries.value("attribute", number),
            "DATA", canaries.value("payload", number))


def provoke(wire, canaries, tenant):
    """Error replies to commands full of marks."""
    stream, payload = canaries.value("stream", 0), canaries.value("payload", 0)
    person = canaries.value("subject", 0)
    commands = [
        ("EVENT.APPEND", stream, "t", "DATASUBJECT", person, "EXPECT", "99999", "DATA", payload),
        ("EVENT.APPEND", stream, "t", "DATASUBJECT", person, "EXPECT", payload, "DATA", payload),
        ("EVENT.APPEND", stream, "t", "DATA", payload),
        ("EVENT.APPEND", stream, "t", "DATASUBJECT", person + "\x01", "DATA", payload),
        ("EVENT.APPEND", stream, "t", "DATASUBJECT", person, "TIME", payload, "DATA", payload),
        ("EVENT.APPEND", stream, "t", "DATASUBJECT", person, "CLASS", payload[:20], "DATA", payload),
        ("EVENT.APPEND", stream, "t", "DATASUBJECT", person, payload, "DATA", payload),
        ("EVENT.RANGE", stream, payload, "+"), ("EVENT.GET", payload, payload),
        (payload, person), ("SELECT", payload), ("AUTH", tenant, payload), ("CLIENT", payload),
        ("EVENT.READ", "BLOCK", payload, "STREAMS", stream, "0"), ("HELLO", payload),
    ]
    replies = [(words, reply) for words, reply in zip(commands, wire.pipeline(commands))]
    for words, reply in replies:
        check(isinstance(reply, ErrorReply), f"{words[0][:5]}.. was not refused")
    # Redis's own sentence names the unknown command; it is a name, so it may be repeated.
    return [str(reply) for words, reply in replies if words[0] not in (payload,)]


def scan(folder, canaries, errors):
    hits = []
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    total = 0
    for path in files:
        data = path.read_bytes()
        total += len(data)
        hits += canaries.find(data, path.relative_to(folder))
        hits += canaries.find(str(path.relative_to(folder)).encode(), "a file's name")
    for error in errors:
        hits += canaries.find(error.encode(), f"the reply {error.split(' ', 1)[0]}")
    return hits, len(files), total


SEED = 0


def no_field_of_an_event_can_be_found_on_disk():
    canaries = Canaries(random.Random(SEED))
    with Store() as store:
        errors = fill(store, canaries)
        while_running, _, _ = scan(store.folder, canaries, errors)
        check(not while_running, f"{len(while_running)} hits: {while_running[:3]}")
        check(store.stop() == 0, "the daemon does not end in order")
        hits, files, total = scan(store.folder, canaries, errors)
        check(not hits, f"{len(hits)} hits: {hits[:3]}")
    return (f"{EVENTS} events, {len(errors)} error replies, {files} files, "
            f"{total / 1e6:.1f} MB, {len(canaries.needles)} needles, 0 hits")


def a_field_stored_in_clear_is_found():
    canaries = Canaries(random.Random(SEED + 1))
    with Store("debug", variant="record-clear") as store:
        fill(store, canaries, events=200, reads=False)
        store.stop()
        hits, _, _ = scan(store.folder, canaries, [])
    check(hits, "this suite would not see a field in clear")
    return f"caught: {hits[0]}"


def build(counts):
    """A store whose tenants' persons and streams have events as `counts` says; its shape."""
    with Store() as store:
        for tenant in range(len(counts)):
            store.create_tenant(f"tenant-{tenant}")
        for tenant, rows in enumerate(counts):
            with store.wire(f"tenant-{tenant}") as wire:
                commands = [
                    ("EVENT.APPEND", f"stream-{stream:04}", "t", "DATASUBJECT",
                     f"person-{person:04}", "ID", f"{tenant:04}-{stream:04}-{person:04}-{one:06}",
                     "DATA", "x" * 100)
                    for (stream, person), count in rows.items() for one in range(count)]
                for start in range(0, len(commands), 500):
                    for reply in wire.pipeline(commands[start:start + 500]):
                        check(not isinstance(reply, ErrorReply), f"append: {reply}")
        check(store.stop() == 0, "the daemon does not end in order")
        return shape(store.data)


def shape(data):
    """For each table: how many entries of which key size and value size."""
    found = {}
    for name in ("keyring", "log", "index"):
        environment = lmdb.open(
            str(data / name), readonly=True, lock=False, max_dbs=16, map_size=1 << 40)
        with environment.begin() as transaction:
            with transaction.cursor() as cursor:
                tables = [bytes(key) for key, _ in cursor]
            for table in tables:
                handle = environment.open_db(table, txn=transaction, create=False)
                with transaction.cursor(handle) as cursor:
                    found[f"{name}/{table.decode()}"] = collections.Counter(
                        (len(key), len(value)) for key, value in cursor)
        environment.close()
    return found


def distributions(choice):
    """Two ways to spread 4,000 events over the same tenants, streams and persons."""
    pairs = [(stream, person) for stream in range(10) for person in range(20)]
    even = [{pair: 4 for pair in pairs} for _ in range(5)]
    skewed = [{pair: 1 for pair in pairs} for _ in range(5)]
    rest = 4_000 - 5 * len(pairs)
    skewed[0][(0, 0)] += rest * 3 // 4
    for _ in range(rest - rest * 3 // 4):
        skewed[choice.choice((0, 0, 0, 1))][choice.choice(pairs[:20])] += 1
    return even, skewed


def two_stores_of_one_size_look_alike():
    even, skewed = distributions(random.Random(SEED + 2))
    first, second = build(even), build(skewed)
    check(first.keys() == second.keys(), "the tables differ")
    # The leakage table has it: a tenant's last tiles are not full.
    tiles = [found.pop("index/tiles") for found in (first, second)]
    check(tiles[0].keys() == tiles[1].keys() and len(tiles[0]) == 1, "tiles differ in size")
    counts = [sum(found.values()) for found in tiles]
    check(abs(counts[0] - counts[1]) <= 2 * 5, f"{counts} tiles")
    for table, entries in first.items():
        check(entries == second[table],
              f"{table}: {dict(entries)} beside {dict(second[table])}")
    return ", ".join(f"{table} {sum(entries.values())}" for table, entries in first.items())


if __name__ == "__main__":
    SEED = lib.seed()
    lib.run_suite(no_field_of_an_event_can_be_found_on_disk, a_field_stored_in_clear_is_found,
                  two_stores_of_one_size_look_alike)
