#!/usr/bin/env python3
"""A program that has only Docs/Format.md reads a store with its root, and finds what was written.

Tenants kept by days and by hours, events of nobody to four persons, with ids and sources; then
persons, events, streams and a day are shredded. Every record is opened or has lost its keys, as the
daemon says; every posting of the index, every name of the map, every line of the ledger, every
erasure and every Merkle leaf is computed anew. Controls: a reader that derives one thing otherwise
finds it, for each derivation.
"""

import random

import lethe_format as fmt
import lethe_held
import lethe_index as index
from lib import Daemon, check, run_suite, seed
from verdicts import Failed

EVENTS = 900


class Scenario:
    """What was written, in the words of its writer."""

    def __init__(self, daemon, rng):
        self.daemon, self.rng = daemon, rng
        self.events = {}
        for tenant, retention in (("days", "395d"), ("hours", "36h")):
            daemon.admin("TENANT", "CREATE", tenant, "RETENTION", retention)
            self.write(tenant)
        # New keys; what comes behind them is sealed under these.
        daemon.admin("KEY", "ROTATE", "TENANT", "days")
        self.write("days", EVENTS)
        for tenant in ("days", "hours"):
            for person in ("p1", "p7"):
                daemon.shred_person(tenant, person)
            live = [int(event[b"position"]) for event in daemon.feed(tenant)
                    if event[b"state"] == b"live"]
            self.shred("EVENTS", tenant, *rng.sample(live, 5))
            self.shred("EVENTS", tenant, *rng.sample(live, 5))
            # What is held of a stream is not lost with it.
            self.daemon.admin("HOLD", "SET", tenant, "DATASUBJECT", "p2", "REASON", "audit",
                              "REVIEW", "2099-01-01")
            self.shred("STREAM", tenant, "s3")

    def write(self, tenant, first=0):
        pipeline = self.daemon.client(tenant).pipeline(transaction=False)
        for number in range(first, first + EVENTS):
            persons = self.rng.sample([f"p{n}" for n in range(30)],
                                      self.rng.choice((0, 1, 1, 2, 3, 4)))
            event = {"stream": f"s{self.rng.randrange(8)}", "type": f"t{self.rng.randrange(4)}",
                     "persons": set(persons), "id": None, "source": None,
                     "data": f"payload {tenant} {number} ".encode() * self.rng.randint(1, 9)}
            words = ["EVENT.APPEND", event["stream"], event["type"]]
            words += [word for person in persons for word in ("DATASUBJECT", person)]
            words += [] if persons else ["IMPERSONAL"]
            if self.rng.random() < 0.5:
                event["id"] = (f"id-{number}" if self.rng.random() < 0.5 else
                               "0b4de0cc-9a3c-4d57-8f4f-%012d" % number)
                words += ["ID", event["id"]]
                if self.rng.random() < 0.5:
                    event["source"] = "urn:test"
                    words += ["SOURCE", event["source"]]
            pipeline.execute_command(*words, "DATA", event["data"])
            self.events[(tenant, number + 1)] = event
        pipeline.execute()

    def shred(self, kind, tenant, *names):
        act = ["SHRED", kind, tenant, *map(str, names), "REASON", "other"]
        token = self.daemon.admin(*act, "DRYRUN")[b"confirm"]
        self.daemon.admin(*act, "CONFIRM", token)

    def states(self):
        return {(tenant, int(event[b"position"])): event[b"state"].decode()
                for tenant in ("days", "hours") for event in self.daemon.feed(tenant)}


class Reader:
    """Holds what was read; each method checks one part and says how much there was."""

    def __init__(self, scenario, states):
        self.scenario, self.states = scenario, states
        daemon = scenario.daemon
        root = fmt.Root(daemon.roots[0])
        self.data = daemon.data
        nodes, = fmt.tables(daemon.data, "keyring", "nodes")
        self.closure = fmt.Closure([nodes], list(root.slots.items()), root.store_id)
        self.store_id = root.store_id
        self.secret, = self.closure.instance_secrets
        self.tenants = {number: found[0] for number, found in self.closure.tenants.items()}
        self.records, self.saved = [], 0
        raw_records, = fmt.tables(daemon.data, "log", "records")
        for key, raw in sorted(raw_records.items()):
            record = fmt.Record(raw, self.secret)
            index.expect(record.is_routed, "a routing tag is wrong")
            index.expect(record.open_header(self.tenants[record.tenant]), "a header does not open")
            record.sequence = fmt.u(key)
            record.fields = self.open(record)
            self.records.append(record)

    def keys(self, tenant):
        found = {}
        for (number, slot), keys in self.closure.keys.items():
            if number == tenant:
                found[slot], = keys
        return found

    def held(self, tenant):
        """Section 4.9: the documents with the keys that holds have saved."""
        return [content for (number, kind, _), contents in self.closure.documents.items()
                for content in contents if (number, kind) == (tenant, 3)]

    def open(self, record):
        record.is_saved = False
        plain = lethe_held.open_body(record, self.held(record.tenant))
        if plain is not None:
            self.saved, record.is_saved = self.saved + 1, True
            return self.fields_of(record, plain)
        needed = [record.stream, *record.subjects]
        keys = [self.closure.keys.get((record.tenant, slot)) for slot in needed]
        if not all(keys):
            return None
        opened = [next(iter(found)) for found in keys]
        plain = record.open_body(self.tenants[record.tenant], opened[0], opened[1:])
        return None if plain is None else self.fields_of(record, plain)

    @staticmethod
    def fields_of(record, plain):
        fields, record.payload = fmt.body_fields(plain)
        return fields

    def bodies(self):
        """Event keys: what lives opens and is what was written, all else does not open."""
        live = 0
        for record in self.records:
            place = (self.tenants[record.tenant].name.decode(), record.position)
            state = self.states[place]
            index.expect((record.fields is not None) == (state in ("live", "restricted")),
                         f"an event is {state} and opens: {record.fields is not None}")
            if record.fields is None:
                continue
            live += 1
            wrote, values = self.scenario.events[place], dict(record.fields)
            persons = {value.decode() for tag, value in record.fields if tag == 3}
            index.expect((values[1].decode(), values[2].decode(), persons, bytes(record.payload))
                         == (wrote["stream"], wrote["type"], wrote["persons"], wrote["data"]),
                         "an event is not what was written")
        index.expect(self.saved > 0, "no hold has saved an event")
        index.expect(self.saved == list(self.states.values()).count("restricted"), "saved events")
        return f"{live} of {len(self.records)} events open, {self.saved} by a key that was saved"

    def postings(self):
        """Tags: every posting that must be there is, and what is left belongs to dead terms."""
        found = index.Index(self.data, self.secret, self.closure.buckets)
        by_sequence = {}
        for bucket, tag, sequence, ordinal in found.postings:
            by_sequence.setdefault(sequence, []).append((bucket, tag, ordinal))
        total = 0
        for record in self.records:
            tenant = self.tenants[record.tenant]
            wanted = index.terms(tenant, record, self.keys(record.tenant), record.fields)
            there = by_sequence.pop(record.sequence, [])
            for posting in wanted:
                index.expect(posting in there, "a posting is missing")
                there.remove(posting)
                total += 1
            wrote = self.scenario.events[(tenant.name.decode(), record.position)]
            everything = 3 + len(record.subjects) + (2 if wrote["id"] else 0)
            index.expect(len(wanted) + len(there) == everything, "postings of nothing")
        index.expect(not by_sequence, "postings of records that are not there")
        sequence, digest = found.flush_state()
        last = self.records[-1]
        index.expect((sequence, digest) ==
                     (last.sequence, index.hashlib.sha256(last.raw).digest()), "flush state")
        self.index = found
        return f"{total} of {len(found.postings)} postings recomputed, the others' terms are dead"

    def merkle(self):
        """Merkle leaves, frontiers and tiles."""
        tiles = 0
        for number in self.tenants:
            mine = [record for record in self.records if record.tenant == number]
            leaves = [index.leaf(record.position, record.raw) for record in mine]
            position, stored, count, hashes = self.index.tenant_state(number)
            index.expect((position, stored, count, hashes) ==
                         (mine[-1].position, mine[-1].stored, len(mine), index.frontier(leaves)),
                         "a tenant's frontier")
            for (level, place), hashes in index.tiles(leaves).items():
                padded = hashes + [bytes(32)] * (256 - len(hashes))
                index.expect(self.index.tile(number, level, place) == padded, "a tile")
                tiles += 1
        index.expect(tiles == len(self.index.tiles), f"{len(self.index.tiles)} tiles, not {tiles}")
        return f"frontiers of {len(self.tenants)} tenants, {tiles} tiles"

    def names(self):
        """The map: living names lead to their slots, and there are no others."""
        count = 0
        for number, tenant in self.tenants.items():
            wanted, keys = set(), self.keys(number)
            for record in self.records:
                if record.tenant != number or record.fields is None or record.is_saved:
                    continue
                values = dict(record.fields)
                wanted.add((2, values[1], record.stream))
                slots = {slot for slot in record.subjects}
                for name in (value for tag, value in record.fields if tag == 3):
                    wanted.add((1, name, None))
                    slot = self.slot(number, 1, record.class_number, name)
                    index.expect(slot in slots, "a person's name leads elsewhere")
            for kind, name, slot in wanted:
                class_number = 0
                found = self.slot(number, kind, class_number, name)
                index.expect(found in keys and slot in (None, found), "a name leads nowhere")
            entries = [entry for entry in self.closure.tags[number].values() if entry[1] in (1, 2)]
            index.expect({slot for slot, _ in entries} == set(keys), "names and keys differ")
            count += len(entries)
        return f"{count} names"

    def slot(self, number, kind, class_number, name):
        found = self.closure.tags[number].get(
            fmt.name_tag(self.tenants[number].map_key, kind, class_number, name))
        index.expect(found is not None and found[1] == kind, "a living name is not in the map")
        return found[0]

    def ledger(self):
        """The ledger: contiguous, and an act for each shred."""
        lines, = fmt.tables(self.data, "keyring", "ledger")
        key = fmt.blake2b(256, self.secret, b"LT1.ledger", b"")
        acts = []
        for number, (place, sealed) in enumerate(sorted(lines.items()), 1):
            index.expect(fmt.u(place) == number, "the ledger has a gap")
            plain = fmt.open_sealed(sealed, key, b"LT1.ledger.key", self.store_id + place)
            index.expect(plain is not None, "a line of the ledger does not open")
            acts.append(plain[9])
        index.expect([acts.count(act) for act in (6, 11, 12)] == [4, 4, 2], f"acts {acts}")
        return f"{len(acts)} lines"

    def erasures(self):
        """Erased positions: numbered densely, and exactly those that are erased."""
        rows, = fmt.tables(self.data, "log", "erasures")
        total = 0
        for number, tenant in self.tenants.items():
            key = fmt.blake2b(256, tenant.map_key, b"LT1.erasures", b"")
            erased, row_number = set(), 1
            while True:
                label = fmt.siphash128(key[:16], row_number.to_bytes(8, "big"))
                if label not in rows:
                    break
                erased |= self.row(tenant, rows.pop(label), key, label, row_number)
                row_number += 1
            name = tenant.name.decode()
            wanted = {position for (of, position), state in self.states.items()
                      if of == name and state != "live"}
            index.expect(erased == wanted, f"{len(erased ^ wanted)} positions differ")
            total += len(erased)
        index.expect(not rows, "rows of nobody")
        return f"{total} positions"

    @staticmethod
    def row(tenant, sealed, key, label, number):
        plain = fmt.open_sealed(sealed, key, b"LT1.erasure.out", label)
        index.expect(plain is not None, "a row of erasures does not open")
        period = tenant.period_key(fmt.u(plain[6:8]), 0, plain[1], fmt.u(plain[2:6]))
        inner_key = fmt.blake2b(256, period, b"LT1.erased", b"")
        inner = fmt.open_sealed(plain[72:], inner_key, b"LT1.erasure.in", number.to_bytes(8, "big"))
        index.expect(inner is not None, "a row's positions do not open")
        found, count = set(), fmt.u(inner[:4])
        for at in range(4, 4 + 12 * count, 12):
            found |= set(range(fmt.u(inner[at:at + 6]), fmt.u(inner[at + 6:at + 12]) + 1))
        return found

    def access(self):
        """The access log: numbered densely, every line opens, and nothing but positions that there were."""
        rows, = fmt.tables(self.data, "log", "access")
        total, days = 0, 0
        for number, tenant in self.tenants.items():
            documents = self.closure.documents.get((number, 9, 1))
            if documents is None:
                continue
            keys, = documents
            key = fmt.blake2b(256, tenant.map_key, b"LT1.access", b"")
            block = fmt.u(keys[4:12])
            cover = [(keys[at], fmt.u(keys[at + 1:at + 5]), keys[at + 5:at + 37])
                     for at in range(12, 12 + 37 * keys[1], 37)]
            own = fmt.Generation(None)
            own.covers[0, 0] = dict.fromkeys(cover)
            last = max(record.position for record in self.records if record.tenant == number)
            while (label := fmt.siphash128(key[:16], block.to_bytes(8, "big"))) in rows:
                plain = fmt.open_sealed(rows.pop(label), key, b"LT1.access.out", label)
                index.expect(plain is not None, "a block of the access log does not open")
                day = own.period_key(0, 0, fmt.u(plain[4:8]))
                inner = fmt.open_sealed(plain[16:], fmt.blake2b(256, day, b"LT1.accessed", b""),
                                        b"LT1.access.in", block.to_bytes(8, "big"))
                index.expect(inner is not None, "lines of the access log do not open")
                for first, end in fmt.access_intervals(inner):
                    index.expect(1 <= first <= end <= last, "an interval of nothing")
                    total += 1
                block += 1
            days += 1
        index.expect(not rows, "blocks of nobody")
        index.expect(total > 0, "nothing was read")
        return f"{total} intervals that {days} tenants' readers got"

    def all(self):
        return [part() for part in (self.bodies, self.postings, self.merkle, self.names,
                                    self.ledger, self.erasures, self.access)]


def everything_in_a_store_follows_from_the_format():
    return "; ".join(READERS[0].all())


def a_reader_that_derives_one_thing_otherwise_notices():
    contexts = [b"LT1.hdr.key", b"LT1.ev.base", b"LT1.ev.key", b"LT1.route", b"LT1.route.tag",
                b"LT1.index", b"LT1.ledger", b"LT1.idx.feed", b"LT1.idx.stream",
                b"LT1.idx.subject", b"LT1.idx.type", b"LT1.idx.id", b"LT1.erasures", b"LT1.erased",
                b"LT1.access", b"LT1.accessed"]
    blake2b, scenario, states = fmt.blake2b, READERS[0].scenario, READERS[0].states
    for broken in contexts:
        def derive(bits, key, context, message):
            return blake2b(bits, key, b"LT1.wrong" if context == broken else context, message)
        fmt.blake2b = index.blake2b = derive
        try:
            Reader(scenario, states).all()
        except (index.Damage, KeyError):
            continue
        finally:
            fmt.blake2b = index.blake2b = blake2b
        raise Failed(f"nobody noticed another {broken.decode()}")
    return f"{len(contexts)} of {len(contexts)} derivations"


READERS = []

if __name__ == "__main__":
    SEED = seed()
    with Daemon(second_user=False) as DAEMON:
        SCENARIO = Scenario(DAEMON, random.Random(SEED))
        STATES = SCENARIO.states()
        DAEMON.drop_clients()
        check(DAEMON.stop() == 0, "the daemon does not end in order")
        READERS.append(Reader(SCENARIO, STATES))
        run_suite(everything_in_a_store_follows_from_the_format,
                  a_reader_that_derives_one_thing_otherwise_notices)
