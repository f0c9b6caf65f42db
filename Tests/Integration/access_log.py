#!/usr/bin/env python3
"""The access log: it covers what clients received, whatever kills the daemon.

Three peers, one of them through a named socket, read known sets by ranges, queries, tails and single
events, and keep a list of every position they were given, while the daemon is killed at random. Of a strict
tenant every position must be in the log; of another one, all but the stated bound. Without kills the log
equals the sets exactly. The daemon that answers before it logs is caught.
"""
import json
import os
import random
import sys
import threading
import time

from lib import Closed, ErrorReply, Failed, Store, Verdicts, Wire, check, seed

EVENTS = 3_000
KILLS = 12 if os.environ.get("LETHE_TEST_LONG") == "1" else 4
UNLOGGED_MAX = 4_096


class Peers(Store):
    """A daemon with a named socket for one tenant beside the other peers."""

    def init(self):
        super().init()
        everything = ["writer", "reader", "exporter", "officer", "operator", "approver", "auditor"]
        path = self.folder / "access.json"
        path.write_text(json.dumps({
            "unseparated": True,
            "peers": [{"uid": os.geteuid(), "tenants": "*", "roles": everything}],
            "sockets": [{"name": "web-7", "tenant": "acme", "roles": ["reader"]},
                        {"name": "web-8", "tenant": "loose", "roles": ["reader"]}]}))
        path.chmod(0o600)
        self.options = ["--access", str(path)]

    def fill(self, tenant):
        self.create_tenant(tenant)
        with self.wire(tenant) as wire:
            for start in range(0, EVENTS, 500):
                commands = [("EVENT.APPEND", f"s{number % 7}", f"t{number % 3}", "DATASUBJECT",
                             f"p{number % 50}", "DATA", "x" * 40)
                            for number in range(start, start + 500)]
                for reply in wire.pipeline(commands):
                    check(isinstance(reply, dict), f"{reply}")

    def lines(self, tenant):
        """The whole access log of a tenant."""
        found, after = [], 0
        with Wire(self.admin_socket) as wire:
            while after is not None:
                after, page = wire.call("ACCESS", "LOG", tenant, "AFTER", after, "COUNT", 500)
                found += page
        return found


def positions(line):
    """The positions of a line, one by one."""
    for text in line["positions"]:
        first, _, last = text.decode().partition("-")
        yield from range(int(first), int(last or first) + 1)


def covered(lines, **wanted):
    """Every position that lines tell, of those whose fields are as wanted."""
    return {position for line in lines if all(line[name] == value for name, value in wanted.items())
            for position in positions(line)}


class Peer(threading.Thread):
    """Reads at random until it is told to stop; `got` is what it was given."""

    def __init__(self, store, path, tenant, rng, only=None):
        super().__init__(daemon=True)
        self.store, self.path, self.tenant, self.rng = store, path, tenant, rng
        self.only = only
        self.got, self.is_over, self.failure = set(), False, None
        self.given = 0

    def run(self):
        while not self.is_over:
            try:
                with Wire(self.path, self.tenant, timeout=10) as wire:
                    while not self.is_over:
                        self.once(wire)
            except Closed:
                time.sleep(0.005)
            except ErrorReply as error:
                if error.word not in ("LOADING", "TRYAGAIN", "WRONGPASS"):
                    self.failure = str(error)
                    return
                time.sleep(0.005)

    def once(self, wire):
        first = self.rng.randrange(1, EVENTS)
        way = self.only or self.rng.choice(("range", "bulk", "back", "query", "tail", "get", "several"))
        if way == "range":
            found = wire.call("EVENT.RANGE", "*", first, "+", "COUNT", self.rng.randrange(1, 60))
        elif way == "bulk":
            found = wire.call("EVENT.RANGE", "*", first, "+", "COUNT", 600)
        elif way == "back":
            found = wire.call("EVENT.RANGE", f"s{first % 7}", "+", "-", "REV", "COUNT", 40)
        elif way == "query":
            _, found = wire.call("EVENT.QUERY", "DATASUBJECT", f"p{first % 50}", "COUNT", 30)
        elif way == "tail":
            streams = wire.call("EVENT.READ", "COUNT", 20, "BLOCK", 50, "STREAMS", "*", first) or {}
            found = [event for events in streams.values() for event in events]
        elif way == "get":
            found = [wire.call("EVENT.GET", "POSITION", first)]
        else:
            wire.call("MULTI")
            wire.call("EVENT.GET", "POSITION", first)
            wire.call("EVENT.RANGE", "*", first, "+", "COUNT", 3)
            one, more = wire.call("EXEC")
            found = [one, *more]
        self.given += len(found)
        self.got |= {event["position"] for event in found}


def peers(store, rng, tenants):
    """Three peers of each tenant, one of them through its named socket."""
    found = []
    for tenant, socket_name in tenants.items():
        for path in (store.query, store.query, store.sockets / f"{socket_name}.sock"):
            found.append(Peer(store, path, tenant, random.Random(rng.random())))
    return found


def run(readers, seconds):
    for reader in readers:
        reader.start()
    time.sleep(seconds)
    for reader in readers:
        reader.is_over = True
    for reader in readers:
        reader.join(30)
        check(not reader.is_alive(), "a reader hangs")
        check(reader.failure is None, f"a read was refused: {reader.failure}")


def missing(store, readers, tenant):
    """Positions that peers of a tenant were given and no line of that peer tells."""
    lines = store.lines(tenant)
    by_socket = {}
    for reader in readers:
        if reader.tenant == tenant:
            name = reader.path.name.removesuffix(".sock").encode()
            name = b"" if name == b"query" else name
            by_socket.setdefault(name, set()).update(reader.got)
    return {name: got - covered(lines, socket=name) for name, got in by_socket.items()}


def without_kills(verdicts, rng):
    with Peers("debug") as store:
        store.fill("acme")
        store.fill("loose")
        readers = peers(store, rng, {"acme": "web-7", "loose": "web-8"})
        run(readers, 2)
        for tenant, socket_name in (("acme", b"web-7"), ("loose", b"web-8")):
            lines = store.lines(tenant)
            own = [reader for reader in readers if reader.tenant == tenant]
            got = set().union(*(reader.got for reader in own))
            by_name = covered(lines, socket=socket_name)
            named = next(reader for reader in own if reader.path.name.startswith("web"))
            events = sum(line["events"] for line in lines)
            verdicts.check(
                f"the log of {tenant} tells exactly what its peers were given",
                covered(lines) == got and by_name == named.got
                and events == sum(reader.given for reader in own),
                f"{events} events, {len(got)} positions, {len(lines)} lines")
        check(all(line["purpose"] == b"unstated" and line["uid"] == os.geteuid() for line in lines),
              "a line names another peer")
        # A scan is a handful of lines, and the log survives a restart.
        with store.wire("acme") as wire:
            after = 1
            while after <= EVENTS:
                after = wire.call("EVENT.RANGE", "*", after, "+", "COUNT", 100)[-1]["position"] + 1
        before = store.lines("acme")
        check(store.stop() == 0, "the daemon does not end in order")
        store.start()
        scans = [line for line in store.lines("acme") if line["positions"] == [b"1-%d" % EVENTS]]
        verdicts.check("a scan is a line or two, and lines outlive the daemon",
                       store.lines("acme") == before and 1 <= len(scans) <= 2
                       or sum(line["events"] for line in before[-3:]) >= EVENTS, f"{len(before)} lines")
        check(store.stop() == 0, "the daemon does not end in order")
        done = store.run("check")
        verdicts.check("lethed check finds the store sound", done.returncode == 0, done.stderr.strip())


def killed(rng, variant=None, kills=KILLS):
    """What is missing of a strict and of another tenant when the daemon was killed again and again."""
    with Peers("debug", variant=variant) as store:
        for tenant in ("acme", "loose"):
            store.fill(tenant)
        store.control("TENANT", "SET", "acme", "STRICT", "ON")
        readers = peers(store, rng, {"acme": "web-7", "loose": "web-8"})
        for reader in readers:
            reader.start()
        for _ in range(kills):
            time.sleep(rng.uniform(0.2, 0.9))
            store.kill()
            store.start()
        run_on = time.monotonic() + 0.3
        time.sleep(max(0, run_on - time.monotonic()))
        for reader in readers:
            reader.is_over = True
        for reader in readers:
            reader.join(30)
            check(reader.failure is None, f"a read was refused: {reader.failure}")
        found = {tenant: sum(len(rest) for rest in missing(store, readers, tenant).values())
                 for tenant in ("acme", "loose")}
        given = {tenant: sum(reader.given for reader in readers if reader.tenant == tenant)
                 for tenant in ("acme", "loose")}
        return found, given


def main():
    number = seed()
    rng = random.Random(number)
    verdicts = Verdicts("access_log", number)
    without_kills(verdicts, rng)
    found, given = killed(rng)
    verdicts.check("of a strict tenant every position that a client received is in the log",
                   found["acme"] == 0 and given["acme"] > 0, f"{given['acme']} events given")
    verdicts.check("of another tenant all but the stated bound",
                   found["loose"] <= KILLS * UNLOGGED_MAX and given["loose"] > 0,
                   f"{found['loose']} of {given['loose']} events given")
    for _ in range(3):
        found, given = killed(rng, "access-late", 2)
        if found["acme"]:
            break
    verdicts.check("a daemon that answers before it logs is caught", found["acme"] > 0,
                   f"{found['acme']} of {given['acme']} events given are unlogged")
    sys.exit(verdicts.finish())


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        print(f"FAILED {failure}")
        sys.exit(1)
