#!/usr/bin/env python3
"""A bundle is of one moment, whatever happens while it is made; and what was signed before a restore or a
rotation of keys is still held against what came after.
"""

import os
import pathlib
import shutil
import tempfile
import threading
import time

import lib
from backups import backup, restore
from bundles import Bundle, audit, make
from lib import Daemon, ErrorReply, Failed, Skip, check

FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="lethe-moments-", dir=os.environ.get("LETHE_TMP")))


def fill(daemon, tenant, count, size=10):
    with daemon.wire(tenant) as wire:
        answers = wire.pipeline([
            ("EVENT.APPEND", f"stream-{number % 6}", "type", "DATASUBJECT", f"person-{number % 6}",
             "DATA", "x" * size) for number in range(count)])
    check(not any(isinstance(answer, ErrorReply) for answer in answers), "an append was refused")


def key_of(daemon):
    return daemon.control("KEY", "STATUS")["signing-key"].decode()


def verify(folder, key, *words, status=0):
    done = audit("verify", folder, "--key", key, *words)
    check(done.returncode == status, f"{done.returncode}, not {status}: {done.stdout} {done.stderr}")
    return done.stdout


def write_beside(variant=None):
    """Makes bundles while others write; the store's key, and how many events came."""
    with Daemon("debug", variant=variant) as daemon:
        daemon.create_tenant("acme")
        daemon.create_tenant("other")
        fill(daemon, "acme", 1_500, 1_500)
        fill(daemon, "other", 300)
        is_over, written = threading.Event(), []

        def write():
            while not is_over.is_set():
                fill(daemon, "acme", 20)
                fill(daemon, "other", 5)
                written.append(25)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(2):
                done = make(daemon, FOLDER / f"beside-{number}-{variant}")
                check(done.returncode == 0, done.stderr)
        finally:
            is_over.set()
            writer.join()
        return key_of(daemon), sum(written)


def a_bundle_is_of_one_moment_while_others_write():
    key, written = write_beside()
    events = [sum(log["events"] for log in Bundle(FOLDER / f"beside-{number}-None").manifest["logs"])
              for number in range(2)]
    check(1_800 <= events[0] < events[1], f"{events}")
    verify(FOLDER / "beside-0-None", key, "--first")
    verify(FOLDER / "beside-1-None", key, "--from", FOLDER / "beside-0-None" / "checkpoints.ndjson")
    return f"{written} events written meanwhile"


def a_daemon_that_adds_to_a_bundle_what_came_later_is_caught():
    key, _ = write_beside("bundle-moving")
    done = audit("verify", FOLDER / "beside-1-bundle-moving", "--key", key, "--first")
    check(done.returncode == 2 and "in the manifest" in done.stdout, f"{done.returncode}: {done.stdout}")


def a_tenant_that_goes_meanwhile_ends_the_bundle():
    if os.geteuid() != 0:
        raise Skip("a second user needs root")
    with Daemon("debug", second_user=True) as daemon:
        daemon.create_tenant("acme")
        daemon.create_tenant("other")
        fill(daemon, "acme", 50)
        fill(daemon, "other", 50)
        check(make(daemon, FOLDER / "both").returncode == 0, "no bundle")
        token = daemon.control("AUDIT", "BUNDLE", "BEGIN")["bundle"]
        daemon.shred_tenant("acme")
        try:
            while daemon.control("AUDIT", "BUNDLE", "NEXT", token):
                pass
            raise Failed("the bundle ended as if nothing had happened")
        except ErrorReply as refusal:
            check(refusal.word == "TRYAGAIN", refusal.word)
        check(make(daemon, FOLDER / "one").returncode == 0, "no bundle")
        key = key_of(daemon)
    rows = verify(FOLDER / "one", key, "--from", FOLDER / "both" / "checkpoints.ndjson", status=1)
    check("1 logs of earlier checkpoints are gone; the ledger has 1 shredded tenants" in rows, rows)


def a_rotation_of_keys_goes_on_with_the_log():
    with Daemon("debug") as daemon:
        daemon.create_tenant("acme")
        fill(daemon, "acme", 40)
        check(make(daemon, FOLDER / "old-keys").returncode == 0, "no bundle")
        daemon.control("KEY", "ROTATE", "TENANT", "acme")
        fill(daemon, "acme", 40)
        check(make(daemon, FOLDER / "new-keys").returncode == 0, "no bundle")
        key = key_of(daemon)
    check(Bundle(FOLDER / "new-keys").states(1) == ["live"] * 80, "not everything is live")
    verify(FOLDER / "new-keys", key, "--from", FOLDER / "old-keys" / "checkpoints.ndjson")


def purged(daemon):
    """Waits until nothing is left to be purged."""
    end = time.monotonic() + 30
    while daemon.control("RETENTION", "STATUS")["purge-acts"] != 0:
        check(time.monotonic() < end, "the purge does not end")
        time.sleep(0.02)


def what_was_shredded_expired_and_purged_still_has_its_proof():
    with Daemon("debug") as daemon:
        daemon.environment["LETHE_TEST_PURGE_MS"] = "1"
        check(daemon.stop() == 0, "no orderly end")
        daemon.start()
        daemon.create_tenant("acme")
        daemon.create_tenant("brief", "36h")
        fill(daemon, "acme", 60)
        fill(daemon, "brief", 30)
        check(make(daemon, FOLDER / "unpurged").returncode == 0, "no bundle")
        daemon.shred("acme", "person-1")
        check(daemon.stop() == 0, "no orderly end")
        daemon.environment["LETHE_TEST_CLOCK_MS"] = str(3 * 86_400_000)
        daemon.start()
        daemon.control("CLOCK", "CONFIRM")
        daemon.control("RETENTION", "RUN")
        purged(daemon)
        check(make(daemon, FOLDER / "purged").returncode == 0, "no bundle")
        key = key_of(daemon)
    bundle = Bundle(FOLDER / "purged")
    rows = verify(FOLDER / "purged", key, "--from", FOLDER / "unpurged" / "checkpoints.ndjson")
    check("40 were purged, their hashes are left" in rows, rows)
    check(bundle.states(1).count("erased") == 10 and bundle.states(2) == ["expired"] * 30, "other states")
    check([row[35] for row in bundle.leaves(1)].count(1) == 10, "other rows are purged")
    check(len(bundle.records(1)) == 50 and not bundle.records(2), "ciphertext that was purged is there")


def a_restore_begins_a_log_that_the_old_one_began():
    with Daemon("debug") as daemon:
        daemon.create_tenant("acme")
        fill(daemon, "acme", 40)
        check(make(daemon, FOLDER / "early").returncode == 0, "no bundle")
        copy = daemon.folder / "copy"
        status, _, error = backup(daemon, copy)
        check(status == 0, error)
        fill(daemon, "acme", 20)
        check(make(daemon, FOLDER / "late").returncode == 0, "no bundle")
        check(daemon.stop() == 0, "no orderly end")
        target = daemon.folder / "restored"
        status, _, error = restore(daemon, copy, target, "--keyring", str(daemon.data))
        check(status == 0, error)
        daemon.data = target
        daemon.start()
        fill(daemon, "acme", 30)
        check(make(daemon, FOLDER / "restored").returncode == 0, "no bundle")
        key = key_of(daemon)
    bundle = Bundle(FOLDER / "restored")
    check(bundle.manifest["logs"][0]["origin"].endswith("/2"), f"{bundle.manifest['logs']}")
    verify(FOLDER / "restored", key, "--from", FOLDER / "early" / "checkpoints.ndjson")
    rows = verify(FOLDER / "restored", key, "--from", FOLDER / "late" / "checkpoints.ndjson", status=1)
    check("positions 41 to 60 that were signed" in rows and "were lost by a restore" in rows, rows)


if __name__ == "__main__":
    try:
        lib.run_suite(
            a_bundle_is_of_one_moment_while_others_write,
            a_daemon_that_adds_to_a_bundle_what_came_later_is_caught, a_tenant_that_goes_meanwhile_ends_the_bundle,
            a_rotation_of_keys_goes_on_with_the_log,
            what_was_shredded_expired_and_purged_still_has_its_proof, a_restore_begins_a_log_that_the_old_one_began)
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
