#!/usr/bin/env python3
"""Clients that are slow or half gone cost bounded memory and time, and harm nobody else.

Clients and daemon are separate processes. Figures are printed; what is demanded holds on any machine.
"""
import os
import select
import socket
import struct
import threading
import time

from lib import Store, Wire, check, run_suite
from pressure import (append, connected, cpu_seconds, descriptors, number, plain, receive_all,
                      resident, until)

# `Limits.commandSecondsMax` and `outputSecondsMax`, with time for the sweep and a slow machine.
DEADLINE, SLACK = 30, 15


class Background:
    """The tests that only wait go on while the others run."""

    def __init__(self, body):
        self.problem = self.note = None

        def run():
            try:
                self.note = body()
            except Exception as problem:
                self.problem = problem

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def result(self):
        self.thread.join(DEADLINE + SLACK + 30)
        check(not self.thread.is_alive(), "it does not end")
        if self.problem:
            raise self.problem
        return self.note


# What waits for a deadline, started first

def trickle():
    """One byte a second in the middle of a command."""
    peer = plain(STORE)
    command = Wire.encode("EVENT.APPEND", "s", "t", "IMPERSONAL", "DATA", b"y" * 500)
    start = time.monotonic()
    with peer:
        for byte in command:
            peer.send(bytes([byte]))
            if select.select([peer], [], [], 1.0)[0]:
                break
        took = time.monotonic() - start
        answer = receive_all(peer, 5)
    check(answer == b"-ERR Protocol error: a command did not end within 30 seconds\r\n",
          f"the last line is {answer[:80]!r}")
    check(DEADLINE - 2 < took < DEADLINE + SLACK, f"cut after {took:.0f} s")
    return f"cut after {took:.0f} s"


def hoarder():
    """Asks for far more than a socket holds and takes nothing."""
    peer = plain(STORE)
    with peer:
        peer.sendall(Wire.encode("EVENT.RANGE", "large", "-", "+") * 50)
        start = time.monotonic()
        until(lambda: number(STORE, "closed_unfetched_replies") >= 1, DEADLINE + SLACK,
              "a client that takes nothing is never cut")
        took = time.monotonic() - start
        time.sleep(1.5)
        answer = b""
        try:
            answer = receive_all(peer, 5)
        except OSError:
            pass
    check(len(answer) < 8 << 20, f"{len(answer)} bytes were kept for it")
    return f"cut after {took:.0f} s"


def unbounded():
    """The control: a debug build without limits lets a slow sender go on."""
    with Store(configuration="debug", variant="limits-off") as store:
        store.create_tenant("acme")
        with plain(store) as peer:
            peer.sendall(b"*2\r\n$4\r\nECHO\r\n$100\r\nslow")
            ended = select.select([peer], [], [], DEADLINE + 5)[0]
    check(not ended, "the variant limits-off was not caught")
    return f"not cut in {DEADLINE + 5} s"


WAITING = []


def deadlines_begin():
    with STORE.wire("acme") as wire:
        for _ in range(8):
            append(wire, "large", os.urandom(1 << 19).hex().encode())
    WAITING.extend([Background(trickle), Background(hoarder), Background(unbounded)])
    return "a slow sender and a client that takes nothing, judged at the end"


def a_command_has_a_deadline():
    return WAITING[0].result()


def replies_have_a_deadline():
    return WAITING[1].result()


def without_limits_there_is_none():
    return WAITING[2].result()


# Peers that are half gone

def half_closed_peers_get_their_answers_and_go():
    with plain(STORE) as peer:
        peer.sendall(Wire.encode("PING") + Wire.encode("EVENT.READ", "BLOCK", "300", "STREAMS",
                                                       "half", "$"))
        peer.shutdown(socket.SHUT_WR)
        before = cpu_seconds(STORE)
        answer = receive_all(peer, 10)
        spent = cpu_seconds(STORE) - before
    check(answer == b"+PONG\r\n*-1\r\n", f"it got {answer!r}")
    check(spent < 0.25, f"{spent:.2f} s of CPU while it waited 0.3 s")


def peers_that_vanish_are_forgotten():
    before, fds = connected(STORE), descriptors(STORE)
    peers = [plain(STORE) for _ in range(200)]
    for number_, peer in enumerate(peers):
        if number_ % 4 == 0:
            peer.sendall(Wire.encode("EVENT.READ", "BLOCK", "30000", "STREAMS", "gone", "$"))
        elif number_ % 4 == 1:
            peer.sendall(b"*3\r\n$4\r\nPI")
        elif number_ % 4 == 2:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.sendall(Wire.encode("EVENT.RANGE", "large", "-", "+"))
    until(lambda: connected(STORE) >= before + 200, 10, "200 connections do not show")
    for peer in peers:
        peer.close()
    until(lambda: connected(STORE) <= before, 10,
          f"{connected(STORE) - before} of 200 vanished peers are kept")
    until(lambda: descriptors(STORE) <= fds + 4, 5, "descriptors are kept")


def a_million_commands_in_one_pipeline():
    """Nothing is read while they are sent, then everything."""
    count, piece = 1_000_000, Wire.encode("PING") * 10_000
    base = resident(STORE)
    most = 0
    with plain(STORE) as peer:
        peer.setblocking(False)
        sent = got = 0
        pending = b""
        idle = time.monotonic()
        while got < count * 7:
            check(time.monotonic() - idle < 20, f"stuck at {sent} sent, {got} received")
            if sent < count and not pending:
                pending, sent = piece, sent + 10_000
            try:
                if pending:
                    pending = pending[peer.send(pending):]
                    idle = time.monotonic()
                    continue
            except BlockingIOError:
                most = max(most, resident(STORE) - base)
            try:
                got += len(peer.recv(1 << 20))
                idle = time.monotonic()
            except BlockingIOError:
                select.select([peer], [peer] if pending else [], [], 1)
    check(got == count * 7, f"{got} bytes of replies")
    check(most < 32 << 10, f"the daemon grew by {most} KiB")
    return f"the daemon grew by {most} KiB"


def peers_that_never_read_are_bounded():
    """Forty of them hold what the socket takes and 1 MiB, not all that they asked for."""
    base = resident(STORE)
    peers = [plain(STORE) for _ in range(40)]
    for peer in peers:
        peer.setblocking(False)
        try:
            while True:
                peer.send(Wire.encode("PING") * 2_000)
        except BlockingIOError:
            pass
    with STORE.wire("acme") as wire:
        append(wire)
    grown = resident(STORE) - base
    check(grown < 40 * 3 << 10, f"{grown} KiB for 40 peers")
    for peer in peers:
        peer.close()
    return f"{grown // 40} KiB each"


def replies_of_one_user_are_bounded():
    """Sixty connections ask for 8 MiB each and take nothing; the daemon keeps 128 MiB, not 480."""
    base = resident(STORE)
    peers = [plain(STORE) for _ in range(60)]
    for peer in peers:
        peer.sendall(Wire.encode("EVENT.RANGE", "large", "-", "+"))
    most = 0
    end = time.monotonic() + 20
    while number(STORE, "closed_user_memory") == 0 and time.monotonic() < end:
        most = max(most, resident(STORE) - base)
        time.sleep(0.02)
    time.sleep(1.5)
    kept = resident(STORE) - base
    cut = number(STORE, "closed_user_memory")
    with STORE.wire("acme") as wire:
        append(wire)
    for peer in peers:
        peer.close()
    check(cut > 0, "none of them was cut")
    check(most < 400 << 10 and kept < 192 << 10, f"{most >> 10} MiB, then {kept >> 10}")
    return f"{cut} cut, the daemon grew by {most >> 10} MiB and kept {kept >> 10}"


# Other ways in

def descriptors_sent_along_are_not_kept():
    before = descriptors(STORE)
    with plain(STORE) as peer:
        for _ in range(4):
            socket.send_fds(peer, [Wire.encode("PING")], [0] * 253)
        time.sleep(0.2)
        check(peer.recv(100) == b"+PONG\r\n" * 4, "the commands beside them are not answered")
        check(descriptors(STORE) <= before + 2, f"{descriptors(STORE) - before} more descriptors")


def other_kinds_of_sockets_do_not_connect():
    for kind in (socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        with socket.socket(socket.AF_UNIX, kind) as peer:
            try:
                peer.connect(str(STORE.query))
            except OSError:
                continue
        check(False, f"a socket of kind {kind} was let in")


if __name__ == "__main__":
    with Store() as STORE:
        STORE.create_tenant("acme")
        run_suite(
            deadlines_begin,
            half_closed_peers_get_their_answers_and_go,
            peers_that_vanish_are_forgotten,
            a_million_commands_in_one_pipeline,
            peers_that_never_read_are_bounded,
            descriptors_sent_along_are_not_kept,
            other_kinds_of_sockets_do_not_connect,
            a_command_has_a_deadline,
            replies_have_a_deadline,
            without_limits_there_is_none,
            replies_of_one_user_are_bounded,
        )
