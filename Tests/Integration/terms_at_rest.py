#!/usr/bin/env python3
"""What the index's files tell a thief about terms: how many postings there are, and nothing else.

Stores of the same size, spread differently: one stream, person, type and source for all events; one
of each for every event; and a few that most events share. Their index files must have the same
numbers and sizes of segments and blocks, and no block may repeat bytes of another or of itself.
Controls: an index that codes runs as differences, and one whose blocks are not sealed, are caught.

LETHE_TEST_LONG=1 takes 100,000 events instead of 20,000.
"""

import collections
import datetime
import os
import random
import zlib

import lmdb

import lib
from lib import ErrorReply, Failed, Store, check

EVENTS = 100_000 if os.environ.get("LETHE_TEST_LONG") == "1" else 20_000
CONTROL_EVENTS = 3_000
CHUNK = 8


def one(_):
    return 0


def many(number):
    return number


def skewed(number):
    choice = random.Random(f"{SEED}-{number}")
    return choice.choice((0, 0, 0, choice.randrange(9), choice.randrange(900), number))


# What is spread how: all terms alike, and one kind at a time.
SPREADS = {
    "one of each": dict.fromkeys(("stream", "person", "type", "source"), one),
    "many of each": dict.fromkeys(("stream", "person", "type", "source"), many),
    "skewed": dict.fromkeys(("stream", "person", "type", "source"), skewed),
    "one stream, many persons": {"stream": one, "person": many, "type": one, "source": many},
    "many streams, one person": {"stream": many, "person": one, "type": many, "source": one},
}


def append(number, spread):
    def name(kind):
        return f"{kind}-{spread[kind](number):06}"
    return ("EVENT.APPEND", name("stream"), name("type"), "DATASUBJECT", name("person"), "ID",
            f"id-{number:06}", "SOURCE", name("source"), "DATA", "x" * 100)


def index_of(spread, events, **settings):
    """The tables of the index of a store that was filled so: lists of (key, value)."""
    for _ in range(2):
        today = datetime.datetime.now(datetime.timezone.utc).date()
        with Store(**settings) as store:
            store.create_tenant("acme")
            with store.wire("acme") as wire:
                for start in range(0, events, 1_000):
                    for reply in wire.pipeline(
                            [append(number, spread)
                             for number in range(start, min(start + 1_000, events))]):
                        check(not isinstance(reply, ErrorReply), f"append: {reply}")
            check(store.stop(timeout=60) == 0, "the daemon does not end in order")
            tables = read_tables(store.data / "index")
        if datetime.datetime.now(datetime.timezone.utc).date() == today:
            return tables
    raise Failed("two midnights in one test")


def read_tables(path):
    environment = lmdb.open(
        str(path), readonly=True, lock=False, max_dbs=16, map_size=1 << 40)
    found = {}
    with environment.begin() as transaction:
        with transaction.cursor() as cursor:
            names = [bytes(key) for key, _ in cursor]
        for name in names:
            handle = environment.open_db(name, txn=transaction, create=False)
            with transaction.cursor(handle) as cursor:
                found[name.decode()] = [(bytes(key), bytes(value)) for key, value in cursor]
    environment.close()
    return found


def shape(tables):
    """Numbers and sizes: of entries by table, and of the blocks of each segment."""
    found = {name: collections.Counter((len(key), len(value)) for key, value in rows)
             for name, rows in tables.items()}
    blocks = collections.Counter(key[:8] for key, _ in tables["blocks"])
    found["blocks of a segment"] = collections.Counter(blocks.values())
    return found


def differences(first, second):
    return [f"{name}: {dict(first.get(name, {}))} beside {dict(second.get(name, {}))}"
            for name in first.keys() | second.keys() if first.get(name) != second.get(name)]


def repetition(tables):
    """Where bytes of a block occur again, or None: any 15 of them contain an aligned chunk."""
    # Less the head, which the control leaves empty: it is caught by what it shows of postings.
    blocks = [value[50:] for _, value in tables["blocks"]]
    seen = {}
    for number, block in enumerate(blocks):
        for at in range(0, len(block) - CHUNK + 1, CHUNK):
            chunk = block[at:at + CHUNK]
            if chunk in seen:
                return f"{chunk.hex()} in block {seen[chunk][0]} and in block {number}"
            seen[chunk] = number, at
    for number, block in enumerate(blocks):
        for at in range(len(block) - CHUNK + 1):
            place = seen.get(block[at:at + CHUNK])
            if place is not None and place != (number, at):
                return f"{block[at:at + CHUNK].hex()} in block {place[0]} and in block {number}"
    return None


def disorder(tables):
    """(chi square of the bytes, 255 expected; size when compressed, as a share)."""
    data = b"".join(value for _, value in tables["blocks"])
    counts = collections.Counter(data)
    expected = len(data) / 256
    chi = sum((counts[byte] - expected) ** 2 / expected for byte in range(256))
    return chi, len(zlib.compress(data, 9)) / len(data)


INDEXES = {}


def indexes():
    if not INDEXES:
        for name, spread in SPREADS.items():
            # A store that takes longer is flushed more often: time, which files always show.
            INDEXES[name] = index_of(
                spread, EVENTS, configuration="debug", variant="flush-when-full")
    return INDEXES


def stores_of_one_size_have_the_same_segments_and_blocks():
    shapes = {name: shape(tables) for name, tables in indexes().items()}
    first = next(iter(shapes.values()))
    for name, other in shapes.items():
        wrong = differences(first, other)
        check(not wrong, f"{name}: {wrong[:3]}")
    check(sum(first["blocks"].values()) * 815 >= 6 * EVENTS, "there are too few blocks")
    return (f"{len(shapes)} stores of {EVENTS} events: "
            + ", ".join(f"{table} {sum(rows.values())}" for table, rows in first.items()))


def no_block_repeats_bytes():
    notes = []
    for name, tables in indexes().items():
        found = repetition(tables)
        check(not found, f"{name}: {found}")
        chi, share = disorder(tables)
        check(chi < 420, f"{name}: the bytes are not spread evenly: chi square {chi:.0f}")
        check(share > 0.999, f"{name}: the blocks can be compressed to {share:.3f}")
        notes.append(f"{chi:.0f}")
    return f"chi squares {' '.join(notes)}"


def runs_that_are_coded_as_differences_are_caught():
    shapes = [shape(index_of(SPREADS[name], CONTROL_EVENTS, configuration="debug",
                             variant="index-delta"))
              for name in ("one of each", "many of each")]
    wrong = differences(*shapes)
    check(wrong, "the shapes are the same")
    return f"caught: {wrong[0]}"


def blocks_that_are_not_sealed_are_caught():
    caught = []
    for name in ("one of each", "many of each"):
        tables = index_of(SPREADS[name], CONTROL_EVENTS, configuration="debug",
                          variant="unsealed-blocks")
        found, (chi, share) = repetition(tables), disorder(tables)
        check(found, f"{name}: no repetition was seen")
        check(chi > 420 and share < 0.999, f"{name}: chi square {chi:.0f}, share {share:.3f}")
        caught.append(f"{found} (compressed to {share:.2f})")
    return f"caught: {caught[0]}"


SEED = 0

if __name__ == "__main__":
    SEED = lib.seed()
    lib.run_suite(
        stores_of_one_size_have_the_same_segments_and_blocks, no_block_repeats_bytes,
        runs_that_are_coded_as_differences_are_caught, blocks_that_are_not_sealed_are_caught)
