#!/usr/bin/env python3
"""Crashes before and after each durable step of a backup and of a restore.

What was there before can still be restored, and the next run goes on or begins anew.
"""
import json
import shutil

from backups import Small, backup, counts, restore
from lib import check, run_suite


def crash_points(small, act):
    log = small.store.folder / "points"
    log.unlink(missing_ok=True)
    check(act({"LETHE_TEST_CRASH_AT": str(10**9), "LETHE_TEST_CRASH_LOG": str(log)}) == 0,
          "it fails without a crash")
    return log.read_text().split()


def each_step_of_a_backup_may_be_its_last():
    with Small() as small:
        store = small.store
        first, points = store.folder / "first", 0
        names = crash_points(small, lambda env: backup(store, first, "--keyring", environment=env)[0])
        small.back_up()
        small.append(6)
        more = crash_points(small, lambda env: backup(
            store, shutil.copytree(small.target, store.folder / "probe"), "--keyring",
            environment=env)[0])
        small.stop()
        for start, count, known in ((None, len(names), 0), (small.target, len(more), 6)):
            for number in range(1, count + 1):
                target = store.folder / "target"
                if start:
                    shutil.copytree(start, target)
                status, _, _ = backup(
                    store, target, "--keyring", environment={"LETHE_TEST_CRASH_AT": str(number)})
                check(status == -9, f"no crash at {number}")
                points += 1
                # What was there before the run can still be restored.
                made = store.folder / "restored"
                if known:
                    status, report, err = restore(store, target, made)
                    check(status == 0 and counts(report)[0] in (6, 12), f"{number}: {status} {err}")
                    shutil.rmtree(made)
                status, report, err = backup(store, target, "--keyring")
                check(status == 0 and report["lastSequence"] == 12, f"{number}: {status} {err}")
                status, report, err = restore(store, target, made)
                check(status == 0 and counts(report) == (12, 0, 0, 0), f"{number}: {status} {err}")
                shutil.rmtree(made)
                shutil.rmtree(target)
        check(points > 12, f"only {points} points")
        return f"{points} crash points"


def each_step_of_a_restore_may_be_its_last():
    with Small() as small:
        store = small.store
        small.back_up()
        store.shred("acme", "p1@x")
        small.stop()
        made = store.folder / "restored"

        def act(environment):
            return restore(store, small.target, made, "--keyring", str(store.data),
                           environment=environment)

        names = crash_points(small, lambda env: act(env)[0])
        finished = 0
        for number in range(1, len(names) + 1):
            shutil.rmtree(made)
            status, _, _ = act({"LETHE_TEST_CRASH_AT": str(number)})
            check(status == -9, f"no crash at {number}")
            before, store.data = store.data, made
            done = store.run("check", "--json")
            store.data = before
            where = f"{names[number - 1]} ({number})"
            if done.returncode == 0:
                check(json.loads(done.stdout)["opened"] == 4, f"{where}: {done.stdout}")
                finished += 1
            else:
                check(done.returncode == 66, f"{where}: check ended {done.returncode} {done.stderr}")
                status, report, err = act({})
                check(status == 0 and counts(report) == (4, 2, 0, 0), f"{where}: {status} {err}")
            # The store that the keyring came from is as it was.
            done = store.run("check", "--json")
            check(done.returncode == 0, f"{where}: the source: {done.stderr}")
        check(len(names) > 8 and finished >= 1, f"{names}")
        return f"{len(names)} crash points"


if __name__ == "__main__":
    run_suite(
        each_step_of_a_backup_may_be_its_last,
        each_step_of_a_restore_may_be_its_last,
    )
