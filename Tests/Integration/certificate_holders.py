#!/usr/bin/env python3
"""A certificate waits until every root holder has overwritten the old root, and says so when one never will."""

import os
import subprocess
import time

from certificate_verifier import verify
from certificates import PERSONS, documents, fill, shred
from lib import Daemon, ErrorReply, Failed, binary, check, run_suite


def wait_for(what, holds, seconds=15):
    end = time.monotonic() + seconds
    while not holds():
        check(time.monotonic() < end, f"{what} within {seconds} s")
        time.sleep(0.05)


def pending(daemon, person):
    """Shreds while a holder is missing; the states of the certificates then."""
    aside = daemon.roots[1] + ".aside"
    os.rename(daemon.roots[1], aside)

    def missing():
        with daemon.wire("acme") as wire:
            return b"root_holders_missing:1" in wire.call("INFO")

    wait_for("the missing holder is seen", missing)
    try:
        shred(daemon, "DATASUBJECT", "acme", person)
        raise Failed("a shred was called done")
    except ErrorReply as error:
        check(error.word == "PENDING", error.word)
    return aside, [row["state"] for row in daemon.control("AUDIT", "CERTIFICATES")]


def a_certificate_waits_for_every_holder():
    with Daemon("debug", holders=2) as daemon:
        daemon.create_tenant("acme")
        fill(daemon)
        aside, states = pending(daemon, PERSONS[0])
        check(states == [b"pending"], f"{states}")
        name = daemon.control("AUDIT", "CERTIFICATES")[0]["certificate"]
        try:
            daemon.control("AUDIT", "CERTIFICATE", name)
            raise Failed("a certificate was given out")
        except ErrorReply as error:
            check(error.word == "PENDING", error.word)
        os.rename(aside, daemon.roots[1])
        wait_for("the erasure is confirmed", lambda: not daemon.control("KEY", "STATUS")["erasure-pending"])
        key, found, rows = documents(daemon)
        check([row["state"] for row in rows] == [b"complete"], f"{rows}")
        certificate = verify(found[name.decode()], key)
        check(len(certificate["method"]["media"]) == 2, f"{certificate['method']}")
        check(certificate["timeline"]["confirmed"] > certificate["timeline"]["destroyed"], "no wait")
        # The second time nobody can bring it any more.
        _, states = pending(daemon, PERSONS[1])
        check(states == [b"complete", b"pending"], f"{states}")
        check(daemon.stop() == 0, "no orderly end")
        lost = subprocess.run(
            [binary("lethed", "debug"), "root", "remove", "--lost", "1", "--data", str(daemon.data), "--root",
             daemon.roots[0], *daemon.weak], capture_output=True, text=True, env=daemon.environment)
        check(lost.returncode == 0, lost.stderr)
        daemon.roots.pop()
        daemon.start()
        shred(daemon, "DATASUBJECT", "acme", PERSONS[2])
        key, found, rows = documents(daemon)
        checked = [verify(document, key) for document in found.values()]
        check([each["copies"]["root_holders_lost"] for each in checked] == [0, 1, 1], "lost holders")
        check(checked[1]["title"] == "deletion record" and checked[1]["method"]["class"] == "E0",
              "a claim though nobody overwrote the root of the holder that was lost")


def a_certificate_before_its_time_is_caught():
    with Daemon("debug", holders=2, variant="certificate-unconfirmed") as daemon:
        daemon.create_tenant("acme")
        fill(daemon)
        _, states = pending(daemon, PERSONS[0])
        check(states == [b"complete"], f"the variant does nothing: {states}")


if __name__ == "__main__":
    run_suite(a_certificate_waits_for_every_holder, a_certificate_before_its_time_is_caught)
