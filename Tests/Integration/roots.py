#!/usr/bin/env python3
"""The root's holders: one missing, all missing, added, removed and lost, and a crash at every step."""
import json
import os
import shutil
import subprocess
import time

import lethe_format as fmt
from lib import Daemon, binary, check, run_suite

MISSING, DONE_BUT_PENDING, WRONG = 80, 75, 64


class Rooted(Daemon):
    """A store with a tenant, three persons and a debug daemon."""

    def __init__(self, holders=2, **more):
        super().__init__("debug", holders=holders, **more)

    def __enter__(self):
        super().__enter__()
        self.admin("TENANT", "CREATE", "acme", "RETENTION", "395d")
        for person in ("ann@x", "bob@x", "eve@x"):
            self.append(person)
        return self

    def append(self, person):
        return self.client("acme").execute_command(
            "EVENT.APPEND", "orders", "test.event", "DATASUBJECT", person, "DATA", f"of {person}")

    def states(self):
        return [event[b"state"] for event in self.feed("acme")]

    def info(self):
        with self.wire("acme") as wire:
            text = wire.call("INFO")
        text = text if isinstance(text, str) else text.decode()
        return dict(line.split(":", 1) for line in text.split() if ":" in line)

    def refused(self, person):
        try:
            self.shred_person("acme", person)
        except Exception as error:  # redis-py has classes of its own for some words
            return str(error).split()[0].strip(":")
        return None

    def root_verb(self, *words, roots=None, environment=None):
        named = [word for path in self.roots if roots is None for word in ("--root", path)]
        named += [word for path in roots or () for word in ("--root", path)]
        done = subprocess.run(
            [binary("lethed", "debug"), "root", *words, "--data", str(self.data), *named, *self.weak,
             "--json"], capture_output=True, text=True, timeout=60,
            env=dict(self.environment, **(environment or {})))
        report = json.loads(done.stdout) if done.stdout.startswith("{") else None
        return done.returncode, report, done.stderr


def epochs(path):
    return sorted(fmt.Root(path).slots)


def wait_for(what, holds, seconds=10):
    end = time.monotonic() + seconds
    while not holds():
        check(time.monotonic() < end, f"{what} within {seconds} s")
        time.sleep(0.05)


def a_shred_with_a_holder_missing_is_pending_until_it_is_back():
    with Rooted() as store:
        aside = store.roots[1] + ".aside"
        os.rename(store.roots[1], aside)
        wait_for("the missing holder is seen", lambda: store.info()["root_holders_missing"] == "1")
        check(store.info()["erasure_pending"] == "0", "pending before anything was erased")
        check(store.refused("ann@x") == "PENDING", "a shred was called done")
        check(store.refused("bob@x") == "PENDING", "the next one was held up")
        check(store.states() == [b"erased", b"erased", b"live"], f"{store.states()}")
        store.append("eve@x")
        check(store.info()["erasure_pending"] == "1", "not pending")
        check(epochs(store.roots[0]) == [3] and epochs(aside) == [1], "the wrong roots")
        # A restart changes nothing of that, nor does it need the holder.
        store.restart()
        check(store.info()["erasure_pending"] == "1", "forgotten by a restart")
        old = set(fmt.Root(aside).slots.values())
        os.rename(aside, store.roots[1])
        wait_for("confirmed", lambda: store.info()["erasure_pending"] == "0")
        check(store.info()["root_holders_missing"] == "0", "still missing")
        check(epochs(store.roots[1]) == [3], f"{epochs(store.roots[1])}")
        raw = b"".join(open(path, "rb").read() for path in store.roots)
        check(not any(root in raw for root in old), "an old root is still in a holder")
        check(store.refused("eve@x") is None, "a shred with all holders")


def without_any_holder_a_shred_destroys_nothing():
    with Rooted(1) as store:
        os.rename(store.roots[0], store.roots[0] + ".aside")
        wait_for("the missing holder is seen", lambda: store.info()["root_holders_missing"] == "1")
        answer = store.refused("ann@x")
        # Its plan waits, the person restricted; or nothing was begun.
        check(answer in ("PENDING", "KEYUNAVAILABLE"), f"no holder, and a shred: {answer}")
        check(b"erased" not in store.states(), "something was destroyed")
        store.append("new@x")
        os.rename(store.roots[0] + ".aside", store.roots[0])
        if answer == "KEYUNAVAILABLE":
            check(store.refused("ann@x") is None, "the holder is back")
        else:
            check(epochs(store.roots[0]) == [1], "a root without a holder")


def a_missing_holder_that_counts_as_confirmed_would_be_caught():
    with Rooted(variant="missing-confirmed") as store:
        os.rename(store.roots[1], store.roots[1] + ".aside")
        check(store.refused("ann@x") is None, "the variant is not there")


def a_daemon_starts_with_one_of_two_and_is_told_of_both():
    with Rooted() as store:
        store.stop()
        both = store.roots
        store.roots = both[:1]
        check(store.run("check").returncode == WRONG, "one holder was left out")
        store.roots = both
        os.rename(both[0], both[0] + ".aside")
        store.start()
        check(store.states() == [b"live"] * 3, "not with the second alone")
        store.stop()
        os.rename(both[1], both[1] + ".aside")
        check(store.run("check").returncode == MISSING, "without any")


def holders_are_added_removed_and_lost():
    with Rooted(1) as store:
        more = store.roots[0] + "-more"
        status, _, _ = store.root_verb("add", more)
        check(status == 75, "beside the daemon")
        status, report, _ = store.root_verb("status")
        check((status, report["holders"], report["pending"]) == (0, 1, False), f"{report}")
        store.drop_clients()
        store.stop()
        status, report, text = store.root_verb("add", more)
        check((status, report["holders"], report["present"]) == (0, 2, 2), f"{report} {text}")
        check(store.root_verb("add", more, roots=[store.roots[0], more])[0] == 73, "twice")
        store.roots.append(more)
        status, report, _ = store.root_verb("rotate")
        check((status, report["epoch"]) == (0, 2), f"{report}")
        check(epochs(store.roots[0]) == epochs(more) == [2], "the roots")
        # Lost: the daemon goes on with one, and then without it.
        os.rename(more, more + ".lost")
        check(store.root_verb("rotate")[0] == DONE_BUT_PENDING, "with one missing")
        status, report, _ = store.root_verb("remove", "--lost", "1", roots=store.roots[:1])
        check((status, report["holders"], report["pending"]) == (0, 1, False), f"{report}")
        os.rename(more + ".lost", more)
        check(store.root_verb("status")[0] == WRONG, "a lost holder was taken again")
        store.roots.pop()
        third = store.roots[0] + "-third"
        check(store.root_verb("add", third)[0] == 0, "a third")
        check(store.root_verb("remove", store.roots[0], roots=[store.roots[0], third])[0] == 0, "remove")
        check(epochs(store.roots[0]) == [], "a removed holder has a root")
        check(store.root_verb("remove", third, roots=[third])[0] == WRONG, "the last one went")
        store.roots = [third]
        store.start()
        check(store.states() == [b"live"] * 3, "what was there")


def crash_at_each_step(holders, words, judge):
    """Runs a verb of `lethed root` in copies of a store, crashing at each durable step."""
    with Rooted(holders) as store:
        store.drop_clients()
        store.stop()
        folder = store.folder
        keep = folder / "keep"
        keep.mkdir()
        shutil.copytree(store.data, keep / "data")
        shutil.copytree(store.root.parent, keep / "roots")

        def reset():
            for target, source in ((store.data, "data"), (store.root.parent, "roots")):
                shutil.rmtree(target)
                shutil.copytree(keep / source, target)

        log = folder / "points"
        words = words(store)
        status, _, text = store.root_verb(
            *words, environment={"LETHE_TEST_CRASH_AT": str(10**9), "LETHE_TEST_CRASH_LOG": str(log)})
        check(status == 0, f"{words}: {status} {text}")
        names = log.read_text().split()
        for number in range(1, len(names) + 1):
            reset()
            status, _, _ = store.root_verb(*words, environment={"LETHE_TEST_CRASH_AT": str(number)})
            check(status != 0, f"no crash at {names[number - 1]}")
            try:
                judge(store)
            except Exception as error:
                raise type(error)(f"at {number} ({names[number - 1]}): {error}") from None
        return len(names)


def soundly_rotated(store, paths):
    """Every file is a holder of the store, and after a rotation has the new root alone."""
    status, before, text = store.root_verb("status", roots=paths)
    check(status == 0, f"status {status} {text}")
    status, report, text = store.root_verb("rotate", roots=paths)
    check(status == 0 and not report["pending"], f"rotate {status} {text}")
    check(report["epoch"] == before["epoch"] + 1, f"{before} {report}")
    check(all(epochs(path) == [report["epoch"]] for path in paths), "an old root")


def adding_a_holder_crashes_safely_at_every_step():
    def judge(store):
        more = store.roots[0] + "-more"
        status, _, text = store.root_verb("status")
        check(status == 0, f"does not open: {status} {text}")
        # Again, unless it was done.
        status, _, text = store.root_verb("add", more)
        if status != 0:
            status, report, text = store.root_verb("status", roots=[store.roots[0], more])
            check(status == 0 and report["holders"] == 2, f"neither added nor not: {status} {text}")
        soundly_rotated(store, [store.roots[0], more])

    steps = crash_at_each_step(1, lambda store: ("add", store.roots[0] + "-more"), judge)
    check(steps >= 8, f"{steps} steps")


def removing_a_holder_crashes_safely_at_every_step():
    def judge(store):
        status, report, text = store.root_verb("status")
        if status == WRONG:
            # Done: the file is no holder any more, and has no root.
            check(epochs(store.roots[1]) == [], "removed with a root")
            return soundly_rotated(store, store.roots[:1])
        check(status == 0 and report["holders"] == 2, f"{status} {text}")
        soundly_rotated(store, store.roots)

    steps = crash_at_each_step(2, lambda store: ("remove", store.roots[1]), judge)
    check(steps >= 6, f"{steps} steps")


def rotating_crashes_safely_at_every_step():
    steps = crash_at_each_step(
        2, lambda store: ("rotate",), lambda store: soundly_rotated(store, store.roots))
    check(steps >= 10, f"{steps} steps")


def secret_file(store, name, content):
    path = store.folder / name
    path.write_bytes(content)
    path.chmod(0o600)
    return str(path)


NEEDS_FACTOR = 88


def a_root_is_sealed_under_a_factor_and_opens_with_it_alone():
    with Rooted(1) as store:
        store.drop_clients()
        store.stop()
        plain = set(fmt.Root(store.roots[0]).slots.values())
        words = secret_file(store, "words", b"correct horse\n")
        other = secret_file(store, "other", b"wrong horse\n")
        key = secret_file(store, "key", bytes(range(32)))
        status, report, text = store.root_verb("rewrap", store.roots[0], "--new-passphrase-file", words)
        check((status, report["epoch"]) == (0, 2), f"{status} {text}")
        raw = open(store.roots[0], "rb").read()
        check(not any(root in raw for root in plain), "the unsealed root is still there")
        check(store.root_verb("status")[0] == NEEDS_FACTOR, "without the factor")
        check(store.root_verb("status", "--passphrase-file", other)[0] == NEEDS_FACTOR, "the wrong one")
        check(store.root_verb("status", "--passphrase-file", words)[0] == 0, "the right one")
        sealed = raw
        # From one factor to the next: what the old one opened is overwritten.
        status, report, text = store.root_verb(
            "rewrap", store.roots[0], "--passphrase-file", words, "--new-key-file", key)
        check((status, report["epoch"]) == (0, 3), f"{status} {text}")
        check(store.root_verb("status", "--passphrase-file", words)[0] == NEEDS_FACTOR, "the old one")
        check(fmt.Root(store.roots[0]).slots == {3: None}, "opened without a key")
        root = fmt.Root(store.roots[0], bytes(range(32))).slots[3]
        check(root is not None and root not in open(store.roots[0], "rb").read(), "the format's way")
        os.chmod(key, 0o644)
        check(store.root_verb("status", "--key-file", key)[0] == NEEDS_FACTOR, "a key open to others")
        os.chmod(key, 0o600)
        check(sealed[4096:4160] != open(store.roots[0], "rb").read()[4096:4160], "slot A is as it was")
        store.options = ["--key-file", key]
        store.start()
        check(store.refused("ann@x") is None, "a shred")
        check(store.states() == [b"erased", b"live", b"live"], f"{store.states()}")
        store.drop_clients()
        store.stop()
        credentials = store.folder / "credentials"
        credentials.mkdir()
        shutil.copy(key, credentials / "root")
        with_them = {"CREDENTIALS_DIRECTORY": str(credentials)}
        status, _, text = store.root_verb(
            "rewrap", store.roots[0], "--key-file", key, "--new-credential", "root", environment=with_them)
        check(status == 0, f"{status} {text}")
        status, _, _ = store.root_verb("status", "--credential", "root", environment=with_them)
        check(status == 0, "with the credential")
        check(store.root_verb("status", "--credential", "root")[0] == 66, "without systemd")
        status, report, text = store.root_verb(
            "rewrap", store.roots[0], "--no-factor", "--credential", "root", environment=with_them)
        check(status == 0 and store.root_verb("status")[0] == 0, f"none again: {status} {text}")


def a_holder_whose_factor_is_not_given_is_missing():
    with Rooted(2) as store:
        store.drop_clients()
        store.stop()
        key = secret_file(store, "key", os.urandom(32))
        status, _, text = store.root_verb("rewrap", store.roots[1], "--new-key-file", key)
        check(status == 0, f"{status} {text}")
        store.start()
        check(store.info()["root_holders_missing"] == "1", "not missing")
        check(store.refused("ann@x") == "PENDING", "confirmed without it")
        store.drop_clients()
        store.stop()
        store.options = ["--key-file", key]
        store.start()
        check(store.info()["erasure_pending"] == "0", "with the factor")
        check(len(fmt.Root(store.roots[1]).slots) == 1, "an old root")
        check(all(root is None for root in fmt.Root(store.roots[1]).slots.values()), "unsealed")


def rewrapping_crashes_safely_at_every_step():
    def judge(store):
        key = str(store.folder / "key")
        status, report, text = store.root_verb("status", "--key-file", key)
        check(status == 0, f"{status} {text}")
        status, after, text = store.root_verb("rotate", "--key-file", key)
        check(status == 0 and after["epoch"] == report["epoch"] + 1, f"{status} {text}")
        check(len(fmt.Root(store.roots[0]).slots) == 1, "an old root")

    def words(store):
        return ("rewrap", store.roots[0], "--new-key-file", secret_file(store, "key", bytes(32)))

    steps = crash_at_each_step(1, words, judge)
    check(steps >= 6, f"{steps} steps")


if __name__ == "__main__":
    run_suite(
        a_shred_with_a_holder_missing_is_pending_until_it_is_back,
        without_any_holder_a_shred_destroys_nothing,
        a_missing_holder_that_counts_as_confirmed_would_be_caught,
        a_daemon_starts_with_one_of_two_and_is_told_of_both,
        holders_are_added_removed_and_lost,
        adding_a_holder_crashes_safely_at_every_step,
        removing_a_holder_crashes_safely_at_every_step,
        rotating_crashes_safely_at_every_step,
        a_root_is_sealed_under_a_factor_and_opens_with_it_alone,
        a_holder_whose_factor_is_not_given_is_missing,
        rewrapping_crashes_safely_at_every_step,
    )
