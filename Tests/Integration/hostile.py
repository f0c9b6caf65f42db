#!/usr/bin/env python3
"""Every row of hostile.json: bytes in, exactly these bytes out, less than 1 MiB kept, and another
client's requests unharmed meanwhile.

A row: `in` and `out` are lists of parts: text (its characters are bytes), {"repeat": text, "times": n},
or a list of words (or {"words": [..], "times": n}), which is one command. `as` says who sends: nobody (no tenant yet), acme, admin, or
writer (a named socket whose peers may only write). `closed`: the daemon ends the connection after it.
"""
import json
import os
import pathlib
import socket
import struct
import threading
import time

from lib import ErrorReply, Failed, Store, Wire, check, run_suite

TABLE = pathlib.Path(__file__).with_name("hostile.json")
GROWTH_KIB = 1 << 10


def part(value):
    if isinstance(value, str):
        return value.encode("latin-1")
    if isinstance(value, dict):
        return value["repeat"].encode("latin-1") * value["times"]
    words = []
    for word in value:
        is_run = isinstance(word, dict) and "words" in word
        words += [part(one) for one in word["words"]] * word["times"] if is_run else [part(word)]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def bytes_of(parts):
    return b"".join(map(part, parts))


def rows():
    return json.loads(TABLE.read_text())


class Bystander:
    """Another client, of another tenant, whose every answer must be right."""

    def __init__(self, store):
        self.store, self.answers, self.problem, self.is_over = store, 0, None, False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            with self.store.wire("other") as wire:
                while not self.is_over:
                    version = wire.call("EVENT.APPEND", "mine", "t", "IMPERSONAL", "DATA",
                                        "right")["version"]
                    found = wire.call("EVENT.RANGE", "mine", version, "+")
                    check([event["data"] for event in found] == [b"right"], "it reads wrong data")
                    self.answers += 1
                    time.sleep(0.005)
        except Exception as problem:
            self.problem = problem

    def check_alive(self):
        before, end = self.answers, time.monotonic() + 10
        while self.answers < before + 2:
            check(self.problem is None, f"the other client is harmed: {self.problem}")
            check(time.monotonic() < end, "the other client gets no answer")
            time.sleep(0.002)

    def stop(self):
        self.is_over = True
        self.thread.join(10)


def resident(store):
    with open(f"/proc/{store.process.pid}/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))


class OpenStore(Store):
    """Two tenants, a writer's socket, a taken ID, persons erased and held, a plan that waits."""

    def init(self):
        super().init()
        roles = ["writer", "reader", "exporter", "officer", "operator", "approver", "auditor"]
        access = self.folder / "access.json"
        access.write_text(json.dumps({
            "unseparated": True,
            "peers": [{"uid": os.geteuid(), "tenants": ["acme", "other", "new"], "roles": roles}],
            "sockets": [{"name": "web-7", "tenant": "acme", "roles": ["writer"]}]}))
        access.chmod(0o600)
        self.options = ["--access", str(access)]

    def start(self, *more, **options):
        super().start(*more, **options)
        for tenant in ("acme", "other"):
            self.create_tenant(tenant)
        with self.wire("acme") as wire:
            append = ("EVENT.APPEND", "fixed", "t")
            wire.call(*append, "IMPERSONAL", "ID", "first", "DATA", "x")
            wire.call(*append, "DATASUBJECT", "ann", "DATA", "x")
            wire.call("EVENT.APPEND", "erased", "t", "DATASUBJECT", "gone", "ID", "erased",
                      "DATA", "x")
        self.shred("acme", "gone")
        with self.wire("other") as wire:
            wire.call("EVENT.APPEND", "kept", "t", "DATASUBJECT", "held", "DATA", "x")
        with Wire(self.admin_socket) as wire:
            # A plan that waits for a second user: number 1.
            plan = wire.call("SHRED", "TENANT", "acme", "REASON", "other", "DRYRUN")
            try:
                wire.call("SHRED", "TENANT", "acme", "REASON", "other", "CONFIRM", plan["confirm"])
            except ErrorReply as error:
                check(error.word == "NEEDAPPROVAL", f"a plan answers {error}")
            wire.call("HOLD", "SET", "other", "DATASUBJECT", "held", "REASON", "litigation",
                      "REVIEW", "2099-01-01")


def connect(store, who):
    path = {"admin": store.admin_socket, "writer": store.sockets / "web-7.sock"}.get(
        who, store.query)
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.settimeout(10)
    peer.connect(str(path))
    if who == "acme":
        peer.sendall(Wire.encode("AUTH", "acme", "peer"))
        check(peer.recv(5, socket.MSG_WAITALL) == b"+OK\r\n", "AUTH is refused")
    return peer


def exchange(store, row):
    """Sends a row's bytes; returns what comes back, and whether the connection was ended."""
    data = bytes_of(row["in"])
    is_closed = row.get("closed", False)
    mark = b"" if is_closed or row.get("reset") else Wire.encode("ECHO", "row-ends-here")
    last = b"$13\r\nrow-ends-here\r\n"
    with connect(store, row.get("as", "nobody")) as peer:
        sender = threading.Thread(target=send, args=(peer, data + mark, row), daemon=True)
        sender.start()
        if row.get("reset"):
            sender.join()
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return b"", False
        received = b""
        while is_closed or not received.endswith(last):
            try:
                piece = peer.recv(1 << 20)
            except ConnectionResetError:
                piece = b""
            except TimeoutError:
                return received, False
            if not piece:
                return received, True
            received += piece
    return received[: -len(last)], False


def send(peer, data, row):
    try:
        size = row.get("pieces") or len(data)
        for start in range(0, len(data), size):
            peer.sendall(data[start:start + size])
        if row.get("halfclose"):
            peer.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # The daemon has heard enough.


def judge(store, row):
    """What is wrong with the answer to a row, or nothing."""
    received, is_closed = exchange(store, row)
    expected = b"".join(map(part, row["out"]))
    if received != expected:
        return f"{received[:160]!r} instead of {expected[:160]!r}"
    if is_closed != row.get("closed", False):
        return "the connection " + ("was ended" if is_closed else "was not ended")
    return None


def every_row_gets_exactly_its_answer():
    table = rows()
    wrong = []
    with OpenStore() as store:
        bystander = Bystander(store)
        grown = {}
        try:
            # The first round warms the daemon up; what grows in the second would go on growing.
            for is_measured in (False, True):
                for row in table:
                    before = resident(store)
                    if problem := judge(store, row):
                        wrong.append(f"{row['name']}: {problem}")
                    bystander.check_alive()
                    if is_measured:
                        grown[row["name"]] = settle(store, before)
                if wrong:
                    break
        finally:
            bystander.stop()
    for line in wrong:
        print(f"        {line}", flush=True)
    check(not wrong, f"{len(wrong)} rows: {wrong[:1]}")
    large = {name: kib for name, kib in grown.items() if kib >= GROWTH_KIB}
    check(not large, f"memory grew: {large} KiB")
    return (f"{len(table)} rows twice, at most {max(grown.values())} KiB grown, "
            f"{bystander.answers} answers to another client")


def settle(store, before):
    """KiB that are kept when the row is over; the daemon gets a moment to close its connection."""
    for _ in range(100):
        kib = resident(store) - before
        if kib < GROWTH_KIB:
            return kib
        time.sleep(0.02)
    return kib


def without_limits_rows_fail():
    """The control: a daemon that does not bound strangers."""
    with OpenStore(configuration="debug", variant="limits-off") as store:
        failed = [row["name"] for row in rows() if "from nobody" in row["name"]
                  and judge(store, row)]
    if not failed:
        raise Failed("the variant limits-off was not caught")
    return f"caught by: {', '.join(failed)}"


if __name__ == "__main__":
    check(len(rows()) >= 60, "fewer than 60 rows")
    run_suite(every_row_gets_exactly_its_answer, without_limits_rows_fail)
