#!/usr/bin/env python3
"""After the answer to a shred no connection is sent anything of the person.

Readers, tailers and writers are busy with a person while it is shredded. They are all in this one
process: when the shred's answer arrives, everything that the kernel holds for them by then is taken
away, and whatever comes later must not have a byte of the person's events in it. Some of the readers
are slow, so that the daemon has a part of their replies. Without the barrier the same job must fail;
and so it must when a debug build hands answers over late and does not look whether a shred overtook
them.
LETHE_TEST_LONG=1 runs 200 rounds however long they take.
"""
import os
import random
import select
import socket
import time

from lib import Failed, Store, Wire, check, run_suite, seed

ROUNDS, SECONDS = 200, 55
UNAPPROVED_EVENTS = 1_000
EVENTS, EVENT_BYTES = 120, 6_000
# Each leaves a plan behind, of which a store keeps 256 for an hour.
MOST_CHANGED = 100
MARK = b"$10\r\nend-of-it.\r\n"
SEED = seed()
RANDOM = random.Random(SEED)


class Peer:
    """A connection that has one command under way at most."""

    def __init__(self, store, pace):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(store.query))
        self.socket.setblocking(False)
        self.pace, self.last, self.is_busy, self.after, self.replies = pace, b"", False, [], 0

    def ask(self, *words):
        self.socket.send(Wire.encode(*words) + Wire.encode("ECHO", "end-of-it."))
        self.last, self.is_busy = b"", True

    def take(self, most, is_after):
        """One piece of what the kernel has; false when there is nothing."""
        try:
            data = self.socket.recv(most)
        except BlockingIOError:
            return False
        if not data:
            raise Failed("the daemon closed a connection that reads")
        if is_after:
            self.after.append(data)
        self.last = (self.last + data)[-64:]
        if self.last.endswith(MARK):
            self.is_busy = False
            self.replies += 1
        return True


class Race:
    """One store with its clients, for many rounds."""

    def __init__(self, store):
        self.store, self.after_replies, self.changed = store, 0, 0
        self.wire = store.wire("acme")
        self.admin = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.admin.connect(str(store.admin_socket))
        self.readers = [Peer(store, pace) for pace in (1 << 20,) * 4 + (1 << 15,) * 4]
        self.tailers = [Peer(store, 1 << 20) for _ in range(2)]
        self.writers = [Peer(store, 1 << 20) for _ in range(4)]
        self.peers = [*self.readers, *self.tailers, *self.writers]
        self.poll = select.epoll()
        self.by_descriptor = {peer.socket.fileno(): peer for peer in self.peers}
        for descriptor in (*self.by_descriptor, self.admin.fileno()):
            self.poll.register(descriptor, select.EPOLLIN)

    def read_of(self, place):
        return [("EVENT.RANGE", self.stream, "-", "+", "COUNT", "500"),
                ("EVENT.READ", "COUNT", "500", "STREAMS", self.stream, "0"),
                ("EVENT.RANGE", self.stream, "+", "-", "REV", "COUNT", "500"),
                ("EVENT.RANGE", "*", "+", "-", "REV", "COUNT", "100")][place % 4]

    def begin(self, peer):
        if peer in self.readers:
            peer.ask(*self.read_of(self.readers.index(peer)))
        elif peer in self.tailers:
            peer.ask("EVENT.READ", "COUNT", "500", "BLOCK", "2000", "STREAMS", self.stream,
                     RANDOM.choice("0$"))
        else:
            # Two write about the person, from some moment on; the others about somebody else.
            is_due = time.monotonic() >= self.writing_from and self.writers.index(peer) < 2
            peer.ask("EVENT.APPEND", self.stream, "t", "DATASUBJECT",
                     self.person if is_due else "bob", "DATA", self.data if is_due else "bob's")

    def confirm(self):
        """Sends the shred; the answer comes to the loop."""
        act = ("SHRED", "DATASUBJECT", "acme", self.person, "REASON", "art17")
        self.admin.setblocking(True)
        token = None
        self.admin.sendall(Wire.encode(*act, "DRYRUN"))
        reply = self.admin.recv(4096)
        check(b"confirm" in reply, f"DRYRUN answers {reply[:200]!r}")
        token = reply.split(b"confirm\r\n$32\r\n")[1][:32]
        self.admin.sendall(Wire.encode(*act, "CONFIRM", token))
        self.admin.setblocking(False)

    def round(self, number):
        """Returns how many pieces came after the answer with something of the person."""
        self.person, self.stream = f"person-{SEED}-{number}", f"stream-{number}"
        canary = b"%08x-of-this-person." % RANDOM.getrandbits(32)
        self.data = canary * (EVENT_BYTES // len(canary))
        events = [("EVENT.APPEND", self.stream, "t", "DATASUBJECT", self.person, "DATA", self.data)]
        self.wire.pipeline(events * EVENTS)
        self.wire.call("EVENT.APPEND", self.stream, "t", "DATASUBJECT", "bob", "DATA", "bob's")
        for peer in self.peers:
            peer.after = []
        self.writing_from = float("inf")
        for peer in self.peers:
            self.begin(peer)
        self.run(time.monotonic() + RANDOM.random() * 0.02)
        return sum(canary in piece for peer in self.peers for piece in peer.after)

    def is_writing(self):
        """An append about the person is under way."""
        return self.writing_from < time.monotonic() and any(p.is_busy for p in self.writers[:2])

    def run(self, confirm_at):
        is_sent = is_answered = is_released = False
        attempts = 0
        answer = b""
        finish_at = None
        end = time.monotonic() + 20
        while True:
            now = time.monotonic()
            check(now < end, f"a round does not end: {[peer.is_busy for peer in self.peers]}")
            if not is_sent and now >= confirm_at and not self.is_writing():
                self.confirm()
                is_sent, answer = True, b""
                # What is written while the plan is looked at changes it; most come close behind.
                is_early = attempts == 0 and self.changed < MOST_CHANGED
                self.writing_from = time.monotonic() + (RANDOM.random() * 0.03 if is_early else 0.2)
                attempts += 1
            ready = dict(self.poll.poll(0.001))
            # The shred's answer first: what was taken before it does not count.
            if ready.pop(self.admin.fileno(), None):
                answer += self.admin.recv(4096)
                if answer.startswith(b"-PLANCHANGED"):
                    # A writer was faster: plan again.
                    self.changed += 1
                    is_sent, confirm_at, self.writing_from = False, now, float("inf")
                elif is_whole(answer):
                    check(not answer.startswith(b"-"), f"the shred answers {answer[:80]!r}")
                    is_answered, finish_at = True, time.monotonic() + 0.03
                    self.writing_from = min(self.writing_from, finish_at)
                    for peer in self.peers:
                        while peer.take(1 << 20, False):
                            pass
                    continue
            for descriptor in ready:
                peer = self.by_descriptor[descriptor]
                peer.take(peer.pace, is_answered)
            is_over = finish_at is not None and now > finish_at
            if is_over and not is_released:
                is_released = True
                self.wire.call("EVENT.APPEND", self.stream, "t", "DATASUBJECT", "bob", "DATA", "b")
            for peer in self.peers:
                if peer.is_busy or is_over:
                    continue
                self.begin(peer)
            if is_over and not any(peer.is_busy for peer in self.peers):
                self.after_replies += sum(bool(peer.after) for peer in self.peers)
                return


def is_whole(answer):
    """A receipt's last field is its list of weaknesses; errors are one line."""
    try:
        wire = Wire.__new__(Wire)
        wire.buffer, wire.start = bytearray(answer), 0
        wire._fill = lambda: (_ for _ in ()).throw(EOFError)
        wire.reply()
        return True
    except EOFError:
        return False


def is_long():
    return os.environ.get("LETHE_TEST_LONG") == "1"


def nothing_of_the_person_comes_after_the_answer():
    start, rounds, replies, after, changed, repeated, closed = time.monotonic(), 0, 0, 0, 0, 0, 0
    while rounds < ROUNDS and (is_long() or time.monotonic() - start < SECONDS):
        with Store() as store:
            store.create_tenant("acme")
            race = Race(store)
            # One user may erase no more than this of a tenant in a day.
            for _ in range(UNAPPROVED_EVENTS // (EVENTS + 20)):
                leaks = race.round(rounds)
                check(leaks == 0, f"round {rounds}: {leaks} pieces with events of the person")
                rounds += 1
                if rounds >= ROUNDS or not is_long() and time.monotonic() - start >= SECONDS:
                    break
            counts = info(store)
        replies += sum(peer.replies for peer in race.peers)
        after, changed = after + race.after_replies, changed + race.changed
        repeated += int(counts["reads_repeated_at_shred"])
        closed += int(counts["closed_at_shred"])
    check(after >= rounds * 10, "the clients did nothing after the answers")
    return (f"{rounds} shreds, {replies} replies, {repeated} reads repeated, {closed} closed, "
            f"{changed} plans changed")


def caught(variant, rounds=40):
    """Something of the person must come after the answer."""
    with Store(configuration="debug", variant=variant) as store:
        store.create_tenant("acme")
        race = Race(store)
        for number in range(rounds):
            if leaks := race.round(number):
                return f"{leaks} pieces in round {number}"
    raise Failed(f"the variant {variant} was not caught")


def without_the_barrier_something_does():
    return caught("barrier-off")


def answers_that_a_shred_overtakes_are_read_again():
    with Store(configuration="debug", variant="late-answers") as store:
        store.create_tenant("acme")
        race = Race(store)
        leaks = sum(race.round(number) for number in range(8))
        repeated = int(info(store)["reads_repeated_at_shred"])
    check(leaks == 0, f"{leaks} pieces with events of the person")
    check(repeated > 0, "no read was repeated")
    return f"{repeated} in 8 rounds"


def without_looking_they_are_sent():
    return caught("late-answers-unchecked")


def info(store):
    with store.wire("acme") as wire:
        lines = wire.call("INFO").decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def who_takes_nothing_is_closed_before_the_answer():
    """One of this tenant is closed in a second or so; one of another tenant is left alone."""
    with Store() as store:
        store.create_tenant("acme")
        store.create_tenant("other")
        canary = b"canary-of-the-slow." * 20_000
        idlers = {}
        for tenant in ("acme", "other"):
            with store.wire(tenant) as wire:
                for _ in range(8):
                    wire.call("EVENT.APPEND", "s", "t", "DATASUBJECT", "eve", "DATA", canary)
            idlers[tenant] = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            idlers[tenant].connect(str(store.query))
            idlers[tenant].settimeout(5)
            idlers[tenant].sendall(Wire.encode("AUTH", tenant, "peer")
                                   + Wire.encode("EVENT.RANGE", "s", "-", "+"))
        time.sleep(0.5)
        start = time.monotonic()
        store.shred("acme", "eve")
        took = time.monotonic() - start
        got = {tenant: drain(idler, len(canary) * 8) for tenant, idler in idlers.items()}
        closed = info(store)["closed_at_shred"]
    check(closed == "1", f"{closed} were closed")
    check(got["acme"] < len(canary) * 2, f"{got['acme']} bytes came after all")
    check(got["other"] > len(canary) * 8, "the other tenant's reply is not whole")
    check(0.9 < took < 5, f"the shred took {took:.1f} s")
    return f"the shred took {took:.1f} s, {got['acme'] >> 10} KiB were in the kernel"


def drain(peer, most):
    """How many bytes come until the end of the stream or of the reply."""
    count = 0
    try:
        while count <= most and (data := peer.recv(1 << 20)):
            count += len(data)
    except OSError:
        pass
    return count


if __name__ == "__main__":
    run_suite(
        nothing_of_the_person_comes_after_the_answer,
        without_the_barrier_something_does,
        answers_that_a_shred_overtakes_are_read_again,
        without_looking_they_are_sent,
        who_takes_nothing_is_closed_before_the_answer,
    )
