#!/usr/bin/env python3
"""P1, P2, P3: SIGKILL at random moments under four writers with batches.

What was acknowledged is written down here, outside the daemon. After each restart the whole store
is compared with it: no acknowledged event lost or changed, positions and versions dense and used
once, no torn batch. Positions that were verified once are compared by the bytes of their pages.
The same checker must catch a daemon that acknowledges before it commits.
"""

import hashlib
import os
import random
import threading
import time

import lib
from lib import Closed, ErrorReply, Failed, Store, check

KILLS = int(os.environ.get("LETHE_KILLS", "200"))
STORES = 10  # the kills are spread over several stores, so that each stays short to verify
WRITERS = 4
STREAMS = [f"stream-{number}" for number in range(12)]
PAGE = 1_000
TENANT = "acme"


class Model:
    """What the clients know: the events that they sent, and what was acknowledged of them."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent = {}          # token -> (stream, batch)
        self.batches = {}       # batch -> number of its events
        self.acknowledged = {}  # token -> (position, version)
        # What the store was seen to hold.
        self.tokens = []        # position - 1 -> token
        self.places = {}        # token -> position
        self.streams = {name: [] for name in STREAMS}  # version - 1 -> token
        self.pages = []         # digests of full pages of the feed

    def adopt(self, position, version, stream, token):
        """A position that is seen for the first time."""
        check(position == len(self.tokens) + 1, f"position {position} after {len(self.tokens)}")
        check(token in self.sent, f"position {position} holds what nobody sent")
        check(token not in self.places, f"{token} is stored twice")
        check(stream == self.sent[token][0], f"{token} is in another stream")
        versions = self.streams[stream]
        check(version == len(versions) + 1, f"{stream}: version {version} after {len(versions)}")
        versions.append(token)
        self.tokens.append(token)
        self.places[token] = position


class Writer(threading.Thread):
    """Appends until its connection ends: single events, pipelines and batches across streams."""

    def __init__(self, store, model, name, seed):
        super().__init__(daemon=True)
        self.store, self.model, self.prefix = store, model, name
        self.random = random.Random(seed)
        self.count = 0
        self.problem = None

    def event(self, batch):
        self.count += 1
        token = f"{self.prefix}-{self.count}"
        stream = self.random.choice(STREAMS)
        person = ("DATASUBJECT", f"u-{self.random.randrange(50)}")
        if self.random.random() < 0.1:
            person = ("IMPERSONAL",)
        with self.model.lock:
            self.model.sent[token] = (stream, batch)
            self.model.batches[batch] = self.model.batches.get(batch, 0) + 1
        filling = "x" * self.random.choice((0, 40, 300, 2_000))
        return token, stream, ("t", *person, "DATA", f"{token}|{filling}")

    def acknowledge(self, events, replies):
        with self.model.lock:
            for (token, _, _), reply in zip(events, replies):
                self.model.acknowledged[token] = (reply["position"], reply["version"])

    def run(self):
        try:
            with self.store.wire(TENANT) as wire:
                while True:
                    self.step(wire)
        except Closed:
            pass
        except (ErrorReply, Failed) as error:
            # The daemon may still answer while it is being killed, but it may not refuse.
            self.problem = str(error)

    def step(self, wire):
        count = self.random.choice((1, 1, 5, 20, 50))
        batch = f"{self.prefix}/{self.count}"
        if self.random.random() < 0.5:
            events = [self.event(batch) for _ in range(count)]
            words = ["EVENT.BATCH"]
            for _, stream, options in events:
                words += ["STREAM", stream, "EVENT", *options]
            self.acknowledge(events, wire.call(*words))
            return
        # A pipeline: each event stands for itself.
        events = [self.event(f"{batch}+{index}") for index in range(count)]
        wire.send(b"".join(
            wire.encode("EVENT.APPEND", stream, *options) for _, stream, options in events))
        for event in events:
            reply = wire.reply()
            if isinstance(reply, ErrorReply):
                raise reply
            self.acknowledge([event], [reply])


def verify(store, model):
    """Compares the whole store with the model."""
    with store.wire(TENANT) as wire:
        count = wire.call("EVENT.COUNT")
        check(count >= len(model.tokens), f"{len(model.tokens) - count} seen events are gone")
        for index in range(-(-count // PAGE)):
            read_page(wire, model, index, count)
        for stream, tokens in model.streams.items():
            verify_stream(wire, stream, tokens)
    for token, (position, version) in model.acknowledged.items():
        check(model.places.get(token) == position,
              f"{token} was acknowledged at {position} and is at {model.places.get(token)}")
        stream = model.sent[token][0]
        check(model.streams[stream][version - 1] == token,
              f"{token} was acknowledged as version {version} of {stream}")
    counts = {}
    for token in model.tokens:
        batch = model.sent[token][1]
        counts[batch] = counts.get(batch, 0) + 1
    for batch, found in counts.items():
        check(found == model.batches[batch], f"batch torn: {found} of {model.batches[batch]}")


def read_page(wire, model, index, count):
    first, last = index * PAGE + 1, min(count, (index + 1) * PAGE)
    mark = hashlib.sha256(os.urandom(16)).hexdigest().encode()
    wire.send(wire.encode("EVENT.RANGE", "*", first, last, "COUNT", PAGE)
              + wire.encode("ECHO", mark))
    data = wire.raw_until(b"$%d\r\n%s\r\n" % (len(mark), mark))
    digest = hashlib.sha256(data).digest()
    if index < len(model.pages):
        check(digest == model.pages[index], f"positions {first} to {last} have changed")
        return
    events = lib.parse_replies(data)[0]
    if isinstance(events, ErrorReply):
        raise Failed(f"reading {first} to {last}: {events}")
    check([event["position"] for event in events] == list(range(first, last + 1)),
          f"positions {first} to {last} are not dense: {len(events)} events")
    for event in events:
        token = event["data"].split(b"|", 1)[0].decode()
        stream, position = event["stream"].decode(), event["position"]
        if position <= len(model.tokens):
            check(model.tokens[position - 1] == token, f"position {position} has changed")
        else:
            model.adopt(position, event["version"], stream, token)
    if last == (index + 1) * PAGE:
        model.pages.append(digest)


def verify_stream(wire, stream, tokens):
    summary = wire.call("EVENT.STREAM", stream)
    check(summary["version"] == len(tokens), f"{stream} has version {summary['version']}")
    # The newest are read by version: what the index says must be what the feed says.
    low = max(1, len(tokens) - 50)
    events = wire.call("EVENT.RANGE", stream, low, "+", "COUNT", 1_000)
    found = [event["data"].split(b"|", 1)[0].decode() for event in events]
    check(found == tokens[low - 1:], f"{stream} from version {low} on is not what the feed holds")


def crash(store, model, kills, choice, first=0):
    """Kills the daemon again and again; returns the longest restart in seconds."""
    slowest = 0.0
    for kill in range(first, first + kills):
        writers = [Writer(store, model, f"k{kill}w{number}", choice.getrandbits(64))
                   for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        time.sleep(choice.choice((0.01, 0.03, 0.06, 0.12)) * choice.random() * 2)
        store.kill()
        for writer in writers:
            writer.join(30)
            check(not writer.is_alive(), "a writer hangs")
            check(writer.problem is None, f"a writer was refused: {writer.problem}")
        if choice.random() < 0.15:  # a second crash, while it recovers
            store.spawn()
            time.sleep(choice.random() * 0.03)
            store.kill()
        slowest = max(slowest, store.start())
        try:
            verify(store, model)
        except Failed as reason:
            raise Failed(f"kill {kill + 1}: {reason}") from None
    return slowest


SEED = 0


def no_acknowledged_event_is_lost_in_kills():
    choice = random.Random(SEED)
    events = acknowledged = 0
    slowest = 0.0
    start = time.monotonic()
    for number in range(STORES):
        model = Model()
        with Store() as store:
            store.create_tenant(TENANT)
            kills = KILLS // STORES + (1 if number < KILLS % STORES else 0)
            slowest = max(slowest, crash(store, model, kills, choice))
            check(store.stop() == 0, "the daemon does not end in order")
            report = store.run("check")
            check(report.returncode == 0, f"lethed check: {report.stderr.strip()}")
        events += len(model.tokens)
        acknowledged += len(model.acknowledged)
    return (f"{KILLS} kills, {acknowledged} acknowledged of {events} stored events, 0 lost, "
            f"slowest restart {slowest * 1000:.0f} ms, {time.monotonic() - start:.0f} s")


def acknowledging_before_the_commit_is_caught():
    choice = random.Random(SEED + 1)
    model = Model()
    with Store("debug", variant="ack-before-commit") as store:
        store.create_tenant(TENANT)
        for kill in range(40):
            try:
                crash(store, model, 1, choice, first=kill)
            except Failed as reason:
                return f"caught: {reason}"
    raise Failed("40 kills did not show it: this suite would not see a lost event")


if __name__ == "__main__":
    SEED = lib.seed()
    lib.run_suite(no_acknowledged_event_is_lost_in_kills,
                  acknowledging_before_the_commit_is_caught)
