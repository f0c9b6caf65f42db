#!/usr/bin/env python3
"""A wrong clock on a real daemon: a year ahead, a weekend ahead, across 2038, a year back.

Nothing expires before its time, nothing comes back, and what is over goes by itself within seconds of a start whose
clock is believed. The broken variant `clock-blind`, which believes every clock, must be caught.
"""
import sys
import time

from lib import Daemon, ErrorReply, Verdicts, check

DAY = 86_400_000


def events(daemon):
    return len(daemon.feed("acme"))


def prepared(daemon, retention):
    daemon.create_tenant("acme", retention)
    daemon.wire("acme").call("EVENT.APPEND", "s", "t", "IMPERSONAL", "DATA", "x")
    # The first hour's mark is what later starts are held against.
    wait(lambda: daemon.control("CLOCK", "STATUS")["mark"] is not None)


def wait(is_true, seconds=20):
    end = time.monotonic() + seconds
    while not is_true():
        check(time.monotonic() < end, "it does not happen")
        time.sleep(0.1)


def at(daemon, milliseconds):
    """Starts the daemon again at so many milliseconds from now."""
    check(daemon.stop() == 0, "no orderly end")
    daemon.environment["LETHE_TEST_CLOCK_MS"] = str(milliseconds)
    daemon.start()


def refused(daemon, *words):
    try:
        daemon.control(*words)
        return ""
    except ErrorReply as error:
        return str(error)


def leap(verdicts, title, milliseconds, retention="30d"):
    with Daemon(build="debug") as daemon:
        prepared(daemon, retention)
        at(daemon, milliseconds)
        time.sleep(2.5)
        status = daemon.control("CLOCK", "STATUS")
        verdicts.check(f"{title}: nothing expires by itself", events(daemon) == 1
                       and status["state"] in (b"paused", b"waiting"), str(status))
        error = refused(daemon, "RETENTION", "RUN")
        verdicts.check(f"{title}: a run is refused", error.startswith("CLOCK "), error)
        at(daemon, 0)
        verdicts.check(f"{title}: the clock returns, and all goes on",
                       daemon.control("RETENTION", "RUN")["events"] == 0 and events(daemon) == 1)
        at(daemon, milliseconds)
        daemon.control("CLOCK", "CONFIRM")
        wait(lambda: events(daemon) == 0)
        at(daemon, -365 * DAY)
        verdicts.check(f"{title}: confirmed, it expires by itself; a year back brings nothing back",
                       events(daemon) == 0 and daemon.control("RETENTION", "RUN")["events"] == 0)


def main():
    verdicts = Verdicts("clock", 0)
    leap(verdicts, "a year ahead", 365 * DAY)
    leap(verdicts, "a weekend ahead", 3 * DAY, "2d")
    to_2038 = 2_147_483_647_000 - int(time.time() * 1_000) + 5_000
    leap(verdicts, "across 2038", to_2038)
    with Daemon(build="debug") as daemon:
        prepared(daemon, "1h")
        at(daemon, 7_200_000)
        wait(lambda: events(daemon) == 0)
        verdicts.check("two hours later what is over goes by itself", True)
    with Daemon(build="debug", variant="clock-blind") as daemon:
        prepared(daemon, "30d")
        at(daemon, 365 * DAY)
        wait(lambda: events(daemon) == 0)
        verdicts.check("the variant clock-blind is caught", events(daemon) == 0)
    sys.exit(verdicts.finish())


if __name__ == "__main__":
    main()
