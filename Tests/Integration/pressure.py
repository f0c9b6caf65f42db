"""What the suites about slow and many clients have in common."""

import os
import socket
import time

from lib import check


def status(pid, field):
    with open(f"/proc/{pid}/status") as lines:
        for line in lines:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    raise AssertionError(field)


def resident(store):
    """KiB that the daemon has in memory, without what it maps of its files."""
    return status(store.process.pid, "RssAnon")


def descriptors(store):
    return len(os.listdir(f"/proc/{store.process.pid}/fd"))


def cpu_seconds(store):
    with open(f"/proc/{store.process.pid}/stat") as text:
        fields = text.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def info(store):
    with store.wire("acme") as wire:
        lines = wire.call("INFO").decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def number(store, name):
    return int(info(store)[name])


def connected(store):
    """Connections besides the one that asks."""
    return number(store, "connected_clients") - 1


def until(condition, seconds, text):
    end = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < end, text)
        time.sleep(0.05)


def plain(store):
    """A connection that says nothing by itself; the store's only tenant is bound to it."""
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.settimeout(20)
    peer.connect(str(store.query))
    return peer


def receive_all(peer, seconds):
    """What comes until the end of the stream."""
    peer.settimeout(seconds)
    data = b""
    while piece := peer.recv(1 << 20):
        data += piece
    return data


def append(wire, stream="s", data=b"x", person="ann"):
    return wire.call("EVENT.APPEND", stream, "t", "DATASUBJECT", person, "DATA", data)
