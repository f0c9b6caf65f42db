#!/usr/bin/env python3
"""Ten thousand waiting connections are cheap, an append wakes only those whom it concerns, and a
daemon without file descriptors waits for some without spinning.

Clients and daemon are separate processes. Figures are printed; what is demanded holds on any machine.
"""
import resource
import select
import socket
import time

from lib import Store, Wire, check, run_suite
from pressure import (append, connected, cpu_seconds, descriptors, info, number, plain, resident,
                      until)

IDLE = 10_000
KIB_EACH = 8


def set_soft_limit(count):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


# Ten thousand

def throughput(wire, seconds=1.0):
    commands = [("EVENT.APPEND", "load", "t", "IMPERSONAL", "DATA", b"z" * 256)] * 500
    count, start = 0, time.monotonic()
    while time.monotonic() - start < seconds:
        wire.pipeline(commands)
        count += len(commands)
    return count / (time.monotonic() - start)


def ten_thousand_connections_wait():
    """All in EVENT.READ BLOCK, each for a stream of its own but ten that share one."""
    set_soft_limit(20_000)
    count = min(IDLE, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 500)
    with Store() as store, Store() as other:
        for one in (store, other):
            one.create_tenant("acme")
        with store.wire("acme") as wire:
            append(wire)
            throughput(wire, 0.3)
            base = resident(store)
            peers = []
            for _ in range(count):
                peers.append(plain(store))
                peers[-1].sendall(Wire.encode("PING"))
                peers[-1].recv(64)
            idle = (resident(store) - base) / count
            for place, peer in enumerate(peers):
                stream = "shared" if place < 10 else f"own-{place}"
                peer.sendall(Wire.encode("EVENT.READ", "BLOCK", "30000", "STREAMS", stream, "0"))
            start = time.monotonic()
            # The reads before the wait are done when one that came later is answered.
            wire.call("EVENT.READ", "STREAMS", "load", "$")
            until(lambda: not busy(store), 20, "the daemon does not come to rest")
            waiting = (resident(store) - base) / count
            check(time.monotonic() - start < 20, "too slow to see anybody wait")
            before = info(store)
            append(wire, "shared")
            append(wire, f"own-{count // 2}")
            append(wire, "nobody")
            woken = [peers[place] for place in (*range(10), count // 2)]
            answers = [peer.recv(1 << 16) for peer in woken]
            after = info(store)
            wakes = int(after["tail_wakes"]) - int(before["tail_wakes"])
            reads = int(after["tail_reads"]) - int(before["tail_reads"])
            ready = select_many(peers)
            with other.wire("acme") as quiet:
                throughput(quiet, 0.3)
                rates = [(throughput(wire), throughput(quiet)) for _ in range(2)]
        for peer in peers:
            peer.close()
        until(lambda: connected(store) <= 0, 20, "connections are left")
    check(all(b"$4\r\nlive" in answer for answer in answers), "a waiting client got no event")
    check(not ready, f"{len(ready)} clients were answered whom nothing concerned")
    check(wakes == reads == 11, f"{wakes} wakes and {reads} reads for 11 clients")
    check(idle < KIB_EACH and waiting < KIB_EACH,
          f"{idle:.1f} KiB each idle, {waiting:.1f} waiting")
    ratio = sum(rate[0] for rate in rates) / sum(rate[1] for rate in rates)
    return (f"{count}: {idle:.1f} KiB each idle, {waiting:.1f} waiting; {wakes} wakes; "
            f"appends {ratio:.2f} of a daemon without them")


def without_interests_all_are_woken():
    """The control: a debug build that wakes whoever waits."""
    with Store(configuration="debug", variant="wake-everybody") as store:
        store.create_tenant("acme")
        with store.wire("acme") as wire:
            append(wire)
            peers = [plain(store) for _ in range(20)]
            for place, peer in enumerate(peers):
                peer.sendall(Wire.encode("EVENT.READ", "BLOCK", "30000", "STREAMS", f"own-{place}",
                                         "0"))
            until(lambda: not busy(store), 20, "the daemon does not come to rest")
            append(wire, "own-3")
            peers[3].recv(1 << 16)
            wakes = number(store, "tail_wakes")
    check(wakes > 1, "the variant wake-everybody was not caught")
    return f"{wakes} wakes for one client"


def busy(store):
    before = cpu_seconds(store)
    time.sleep(0.2)
    return cpu_seconds(store) - before > 0.05


def select_many(peers):
    """Those that have something to read."""
    poll = select.epoll()
    for peer in peers:
        poll.register(peer.fileno(), select.EPOLLIN)
    found = poll.poll(0.3, len(peers))
    poll.close()
    return found


# Descriptors

def descriptors_run_out_and_come_back():
    """With 256 descriptors: the rest hears why, nobody spins, and a shred still works."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    store = Store()
    try:
        store.init()
        real = store.arguments
        store.arguments = lambda verb: ["prlimit", "--nofile=256:256", *real(verb)]
        store.start()
        store.arguments = real
        store.create_tenant("acme")
        with store.wire("acme") as wire:
            append(wire, person="eve")
        peers, refused = [], 0
        for _ in range(500):
            peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            peer.setblocking(False)
            try:
                peer.connect(str(store.query))
                peers.append(peer)
            except BlockingIOError:
                peer.close()
        time.sleep(0.5)
        before, start = cpu_seconds(store), time.monotonic()
        time.sleep(2)
        share = (cpu_seconds(store) - before) / (time.monotonic() - start)
        for peer in peers:
            try:
                refused += peer.recv(100) == b"-ERR max number of clients reached\r\n"
            except OSError:
                pass
        store.shred("acme", "eve")
        for peer in peers:
            peer.close()
        until(lambda: answers(store), 10, "no service after the crowd has gone")
        check(number(store, "refused_connections") > 0, "nobody was refused")
        check(refused > 0, "nobody heard why")
        check(share < 0.05, f"{share:.0%} of a CPU while exhausted")
        return f"{refused} heard why; {share:.1%} of a CPU while exhausted"
    finally:
        store.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def accepting_fails_without_spinning():
    """The limit is lowered under the running daemon, so that the kernel refuses it descriptors."""
    waiting, share, left = crowd()
    check(waiting > 50, f"only {waiting} of 100 had to wait")
    check(share < 0.05, f"{share:.0%} of a CPU while accepting fails")
    check(left == 0, f"{left} are not served when there are descriptors again")
    return f"{waiting} of 100 waited; {share:.1%} of a CPU meanwhile"


def without_a_pause_it_spins():
    """The control: a debug build that does not look away."""
    _, share, _ = crowd(configuration="debug", variant="limits-off")
    check(share >= 0.05, "the variant limits-off was not caught")
    return f"{share:.0%} of a CPU"


def crowd(**options):
    """How many of 100 wait, the daemon's share of a CPU meanwhile, how many it never serves."""
    with Store(**options) as store:
        store.create_tenant("acme")
        limits = resource.prlimit(store.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(store.process.pid, resource.RLIMIT_NOFILE,
                         (descriptors(store) + 20, limits[1]))
        peers = []
        for _ in range(100):
            peers.append(plain(store))
        time.sleep(0.3)
        waiting = sum(is_unanswered(peer) for peer in peers)
        before, start = cpu_seconds(store), time.monotonic()
        time.sleep(2.5)
        share = (cpu_seconds(store) - before) / (time.monotonic() - start)
        for peer in peers[:90]:
            peer.close()
        until(lambda: answers(store), 10, "no service after some have gone")
        resource.prlimit(store.process.pid, resource.RLIMIT_NOFILE, limits)
        left = sum(is_unanswered(peer) for peer in peers[90:])
        for peer in peers:
            peer.close()
    return waiting, share, left


def is_unanswered(peer):
    peer.settimeout(0.02)
    try:
        peer.sendall(Wire.encode("PING"))
        return peer.recv(64) == b""
    except TimeoutError:
        return True


def answers(store):
    try:
        with store.wire("acme", timeout=2) as wire:
            return wire.call("PING") == "PONG"
    except Exception:
        return False


if __name__ == "__main__":
    run_suite(
        ten_thousand_connections_wait,
        without_interests_all_are_woken,
        descriptors_run_out_and_come_back,
        accepting_fails_without_spinning,
        without_a_pause_it_spins,
    )
