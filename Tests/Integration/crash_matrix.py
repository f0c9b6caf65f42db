#!/usr/bin/env python3
"""Crashes at every durable step of init, the first append, shreds of every kind, a person's with one
and two holders, of plans that wait, are cancelled and carried out, of holds and their release, of
the lapse of a key that only a minimum kept, of a shorter maximum, and of root and tenant keys renewed.

A debug daemon kills itself before and after each of them (LETHE_TEST_CRASH_AT); which there are it
says itself (LETHE_TEST_CRASH_LOG). After a restart the state is before or after, never between: an
acknowledged event is there, an acknowledged shred stays done, its old root is in no holder, and
positions have no gap. The broken variants of the root's order must be caught by the same checks.
"""
import sys
import time

from crash_points import (
    PERSONS, Run, append, check_no_old_root, control, each_point, expire, first_append,
    judge_append, judge_shred, judge_target, on_the_next_day, prepared, shred, shred_day,
    shred_target, two_hours_later, with_events)
from lib import Closed, ErrorReply, Failed, Verdicts, check


def with_grace(run):
    with_events(run)
    run.daemon.start()
    control(run, "TENANT", "SET", "acme", "GRACE", "datasubject", "24h")
    check(run.daemon.stop() == 0, "no orderly end")


def with_grace_only(run):
    """A plan that waits has destroyed nothing: its root stays."""
    with_grace(run)
    del run.before


def with_waiting_plan(run):
    with_grace(run)
    run.daemon.start()
    shred(run)
    check(run.daemon.stop() == 0, "no orderly end")


def with_due_plan(run):
    with_waiting_plan(run)
    run.daemon.environment["LETHE_TEST_CLOCK_MS"] = str(2 * 86_400_000)


def carried_out(run):
    """The plan's state, when the daemon has carried it out by itself."""
    for _ in range(200):
        state = control(run, "PLAN", "STATUS", "1")["state"].decode()
        if state == "done":
            return state
        time.sleep(0.02)
    raise Failed(f"the plan is not carried out: {state}")


def judge_wait(run, answer):
    """Restricted with a plan, or neither."""
    states = [event[b"state"] for event in run.daemon.feed("acme")]
    plans = [plan["state"].decode() for plan in control(run, "PLAN", "LIST")]
    check((states, plans) in (([b"live"] * 4, []), ([b"restricted", b"live"] * 2, ["waiting"])),
          f"between: {states} {plans}")
    check(answer is None or plans, "an acknowledged plan is gone")
    reply = attempt_append(run, PERSONS[0])
    check(reply == ("RESTRICTED" if plans else 5), f"an append answers {reply}")


def judge_cancel(run, answer):
    states = [event[b"state"] for event in run.daemon.feed("acme")]
    plans = [plan["state"].decode() for plan in control(run, "PLAN", "LIST")]
    check((states, plans) in (([b"live"] * 4, ["cancelled"]),
                              ([b"restricted", b"live"] * 2, ["waiting"])),
          f"between: {states} {plans}")
    if plans == ["cancelled"]:
        check_no_old_root(run)
    check(answer is None or plans == ["cancelled"], "an acknowledged cancellation is undone")
    reply = attempt_append(run, PERSONS[0])
    check(reply == (5 if plans == ["cancelled"] else "RESTRICTED"), f"an append answers {reply}")


def judge_carried_out(run, answer):
    """Whatever was interrupted, the daemon that starts brings it to its end."""
    carried_out(run)
    judge_shred(run, answer)
    check(attempt_append(run, PERSONS[0]) == "SUBJECTSHREDDED", "an erased person is taken")


def judge_all_live(run, before, after, answer):
    """`before` and `after` say which of the two it is; every event is there either way."""
    check(before != after, "between: it is both or neither")
    check(after or answer is None, "an acknowledged act is undone")
    states = [event[b"state"] for event in run.daemon.feed("acme")]
    check(states == [b"live"] * 4, f"events are {states}")
    check(append(run.daemon, PERSONS[1]) == 5, "positions have a gap")


def set_hold(run):
    return control(run, "HOLD", "SET", "acme", "DATASUBJECT", PERSONS[0], "REASON", "litigation",
                   "REVIEW", "2099-01-01")


def is_held(run):
    """True when the hold is listed and refuses a shred; both or neither."""
    listed = len(control(run, "HOLD", "LIST"))
    try:
        control(run, "SHRED", "DATASUBJECT", "acme", PERSONS[0], "REASON", "art17", "DRYRUN")
        refused = 0
    except ErrorReply as error:
        check(error.word == "HELD", f"a shred answers {error}")
        refused = 1
    check(listed == refused, f"between: {listed} holds, and a shred is refused {refused} times")
    return bool(listed)


def judge_hold(run, answer):
    held = is_held(run)
    judge_all_live(run, not held, held, answer)


def with_events_only(run):
    """The act to come replaces no root."""
    with_events(run)
    del run.before


def with_hold(run):
    with_events(run)
    run.daemon.start()
    set_hold(run)
    check(run.daemon.stop() == 0, "no orderly end")


def with_hold_and_approver(run):
    run.daemon.has_second_user = True
    with_hold(run)


def with_hold_only(run):
    with_hold(run)
    del run.before


def release_hold(run):
    plan = control(run, "HOLD", "RELEASE", "1-1", "DRYRUN")
    return control(run, "HOLD", "RELEASE", "1-1", "CONFIRM", plan["confirm"])


def judge_release_planned(run, answer):
    """Held until its end either way, and once that was confirmed the end is known."""
    check(is_held(run), "it is not held any more")
    ends = control(run, "HOLD", "LIST")[0].get("ends")
    judge_all_live(run, ends is None, ends is not None, answer)


def release_hold_as_approver(run):
    """Planned by one user and confirmed by another: out of the tree at once."""
    plan = control(run, "HOLD", "RELEASE", "1-1", "DRYRUN")
    as_second_user(run, "HOLD", "RELEASE", "1-1", "CONFIRM", plan["confirm"].decode())
    return True


def as_second_user(run, *words):
    try:
        run.daemon.as_second_user(words)
    except Failed as failure:
        # A daemon that died under it is what each point is about.
        if run.daemon.process.poll() is None:
            time.sleep(0.2)
        if run.daemon.process.poll() is None:
            raise
        raise Closed(str(failure)) from failure


def judge_released(run, answer):
    held = is_held(run)
    if not held:
        check_no_old_root(run)
    judge_all_live(run, held, not held, answer)


def rotate_root(run):
    return control(run, "KEY", "ROTATE", "ROOT")


def rewrap_tenant(run):
    return control(run, "KEY", "REWRAP", "TENANT", "acme")


def begin_generation(run):
    return control(run, "KEY", "ROTATE", "TENANT", "acme")


def judge_rotated(run, answer):
    """Every event is readable, from the old root or from the new one."""
    is_new = run.roots() != run.before
    if is_new:
        check_no_old_root(run)
    judge_all_live(run, not is_new, is_new, answer)


def shorten(run):
    words = ("RETENTION", "SET", "acme", "default", "MAX", "8d")
    return control(run, *words, "CONFIRM", control(run, *words, "DRYRUN")["confirm"])


def judge_shortened(run, answer):
    """The old maximum with or without the new one planned, whole."""
    found = control(run, "RETENTION", "LIST", "acme")[0]
    planned = (found.get("next-max"), "next-max-in-force" in found)
    check(planned in ((None, False), (b"8d", True)), f"between: {planned}")
    check(found["max"] != b"8d", "a shorter maximum is in force at once")
    judge_all_live(run, planned[0] is None, planned[0] is not None, answer)


def with_lapse(run):
    """A person erased but for events with a minimum, which ends on the morrow of their day's."""
    run.daemon.init()
    run.daemon.start()
    run.daemon.create_tenant("acme")
    control(run, "RETENTION", "SET", "acme", "invoices", "MAX", "30d", "MIN", "1d")
    for person in (*PERSONS, *PERSONS):
        run.daemon.wire("acme").call("EVENT.APPEND", "orders", "test.event", "DATASUBJECT", person,
                                     "CLASS", "invoices", "DATA", "payload-" + person)
    shred(run)
    check(run.daemon.stop() == 0, "no orderly end")
    run.before = run.roots()
    run.daemon.environment["LETHE_TEST_CLOCK_MS"] = str(4 * 86_400_000)


def judge_lapse(run, answer):
    states = [event[b"state"] for event in run.daemon.feed("acme")]
    check(states in ([b"restricted", b"live"] * 2, [b"erased", b"live"] * 2), f"between: {states}")
    if states[0] == b"erased":
        check_no_old_root(run)
    else:
        check(answer is None, "an acknowledged run is undone")
    check(append(run.daemon, PERSONS[1]) == 5, "positions have a gap")


def attempt_append(run, person):
    try:
        return append(run.daemon, person)
    except ErrorReply as error:
        return error.word


def init_points(verdicts):
    """init: afterwards there is a store, or a refusal that names what is missing; never a mixture."""
    number, refused, ready = 1, 0, 0
    while True:
        with Run(2) as run:
            run.daemon.environment.update(run.crashing(number))
            done = run.daemon.run("init")
            for name in ("LETHE_TEST_CRASH_AT",):
                run.daemon.environment.pop(name)
            if done.returncode == 0:
                break
            served = run.daemon.run("check")
            check(served.returncode in (0, 66, 80, 81, 86), f"check ended {served.returncode}")
            again = run.daemon.run("init")
            check(again.returncode == 73, f"init again ended {again.returncode}, not 73")
            refused += served.returncode != 0
            ready += served.returncode == 0
        number += 1
    verdicts.check(f"init: {number - 1} crash points: {ready} times a store, {refused} times a plain"
                   " refusal, never a new root over what is there", number > 4)


def main():
    verdicts = Verdicts("crash_matrix", 0)
    init_points(verdicts)
    each_point("first append", verdicts, prepared, first_append, judge_append, 1)
    each_point("shred, one holder", verdicts, with_events, shred, judge_shred, 1)
    each_point("shred, two holders", verdicts, with_events, shred, judge_shred, 2)
    each_point("a plan that waits", verdicts, with_grace_only, shred, judge_wait, 1)
    each_point("a plan cancelled", verdicts, with_waiting_plan,
               lambda run: control(run, "PLAN", "CANCEL", "1"), judge_cancel, 1)
    each_point("a plan carried out", verdicts, with_due_plan, carried_out, judge_carried_out, 2)
    for title, prepare, act, after, version in (
            ("events", with_events, shred_target("EVENTS", "acme", "1", "4"),
             [b"erased", b"live", b"live", b"erased"], 5),
            ("a stream", with_events, shred_target("STREAM", "acme", "orders"), [b"erased"] * 4, 1),
            ("a day", on_the_next_day, shred_day, [], 5)):
        each_point(f"shred of {title}", verdicts, prepare, act, judge_target(after, version), 1)
    for holders in (1, 2):
        each_point(f"expiry, holders: {holders}", verdicts, two_hours_later, expire,
                   judge_target([], 5), holders)
    for title, prepare, act, judge, holders in (
            ("a hold", with_events_only, set_hold, judge_hold, 1),
            ("a hold's release planned", with_hold_only, release_hold, judge_release_planned, 1),
            ("a hold's release approved", with_hold_and_approver, release_hold_as_approver,
             judge_released, 2),
            ("a condemned key's lapse", with_lapse, expire, judge_lapse, 2),
            ("a shorter maximum", with_events_only, shorten, judge_shortened, 1),
            ("a root rotated", with_events, rotate_root, judge_rotated, 2),
            ("a tenant's keys wrapped anew", with_events, rewrap_tenant, judge_rotated, 2),
            ("a tenant's new keys", with_events, begin_generation, judge_rotated, 2)):
        each_point(title, verdicts, prepare, act, judge, holders)
    for variant in ("erase-before-commit", "commit-before-stage", "ack-before-erase"):
        faults = each_point(variant, verdicts, with_events, shred, judge_shred, 1, variant)
        verdicts.check(f"the variant {variant} is caught", bool(faults))
        faults = each_point(variant, verdicts, with_events, rotate_root, judge_rotated, 1, variant)
        verdicts.check(f"the variant {variant} of a root's rotation is caught", bool(faults))
    faults = each_point("hold-ignored", verdicts, with_events_only, set_hold, judge_hold, 1,
                        "hold-ignored")
    verdicts.check("the variant hold-ignored is caught", bool(faults))
    sys.exit(verdicts.finish())


if __name__ == "__main__":
    main()
