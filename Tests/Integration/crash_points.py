"""A daemon that dies at a numbered crash point, and what its restart is held against."""

import os
import time

import lethe_format as fmt
from lib import Closed, Daemon, Failed, Wire, check

PERSONS = ("ann@example.org", "bob@example.org")


class Run:
    """One daemon that may die at a numbered crash point."""

    def __init__(self, holders, variant=None):
        self.daemon = Daemon(build="debug", holders=holders, variant=variant)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.daemon.close()

    def crashing(self, number, log=None):
        environment = {"LETHE_TEST_CRASH_AT": str(number)}
        if log:
            environment["LETHE_TEST_CRASH_LOG"] = str(log)
        return environment

    def start(self, environment):
        """True when the daemon came up."""
        try:
            self.daemon.start(environment=environment)
            return True
        except Failed:
            return False

    def roots(self):
        return [fmt.Root(path).slots for path in self.daemon.roots if os.path.exists(path)]


def append(daemon, person):
    reply = daemon.wire("acme").call(
        "EVENT.APPEND", "orders", "test.event", "DATASUBJECT", person, "DATA", "payload-" + person)
    return reply["position"]


def attempt(act):
    """The act's answer, or None when the daemon died under it."""
    try:
        return act()
    except (Closed, ConnectionError, OSError):
        return None


def points(prepare, act, holders):
    """The crash points that a start and an act pass."""
    with Run(holders) as run:
        prepare(run)
        log = run.daemon.folder / "points"
        check(run.start(run.crashing(10**9, log)), "the daemon does not start")
        check(attempt(lambda: act(run)) is not None, "the act fails without a crash")
        run.daemon.kill()
        return log.read_text().split()


def each_point(title, verdicts, prepare, act, judge, holders, variant=None):
    """Runs the act once for each crash point; the number of faults."""
    names = points(prepare, act, holders)
    faults = []
    for number in range(1, len(names) + 2):
        with Run(holders, variant) as run:
            prepare(run)
            answer = None
            # One point more than there are: the act is answered, and the daemon is killed then.
            if run.start(run.crashing(number)):
                answer = attempt(lambda: act(run))
            run.daemon.kill()
            try:
                if answer is not None and hasattr(run, "before"):
                    # Acknowledged means erased now, not only after the next start.
                    check_no_old_root(run)
                run.daemon.start()
                judge(run, answer)
            except (Failed, AssertionError, Closed) as error:
                where = names[number - 1] if number <= len(names) else "after the answer"
                faults.append(f"{where} ({number}): {error}")
    if variant is None:
        verdicts.check(f"{title}: {len(names)} crash points, before or after each time",
                       not faults and len(names) > 3, "; ".join(faults[:4]))
    return faults


def prepared(run):
    run.daemon.init()
    run.daemon.start()
    run.daemon.create_tenant("acme")
    check(run.daemon.stop() == 0, "no orderly end")


def first_append(run):
    return append(run.daemon, PERSONS[0])


def judge_append(run, answer):
    events = run.daemon.feed("acme")
    check(len(events) in (0, 1), f"{len(events)} events")
    check(answer is None or len(events) == 1, "an acknowledged event is lost")
    check(append(run.daemon, PERSONS[1]) == len(events) + 1, "positions have a gap")


def with_events(run):
    prepared(run)
    run.daemon.start()
    for person in (*PERSONS, *PERSONS):
        append(run.daemon, person)
    check(run.daemon.stop() == 0, "no orderly end")
    run.before = run.roots()


def shred(run):
    return run.daemon.shred("acme", PERSONS[0])


def shred_target(*words):
    """Shreds something else than a person."""
    def act(run):
        with Wire(run.daemon.admin_socket) as wire:
            plan = wire.call("SHRED", *words, "REASON", "other", "DRYRUN")
            return wire.call("SHRED", *words, "REASON", "other", "CONFIRM", plan["confirm"])
    return act


def on_the_next_day(run):
    with_events(run)
    run.day = time.strftime("%Y-%m-%d", time.gmtime())
    run.daemon.environment["LETHE_TEST_CLOCK_MS"] = "86400000"


def shred_day(run):
    return shred_target("PERIOD", "acme", "default", run.day)(run)


def two_hours_later(run):
    run.daemon.init()
    run.daemon.start()
    run.daemon.create_tenant("acme", "1h")
    for person in (*PERSONS, *PERSONS):
        append(run.daemon, person)
    check(run.daemon.stop() == 0, "no orderly end")
    run.before = run.roots()
    run.daemon.environment["LETHE_TEST_CLOCK_MS"] = "7200000"


def expire(run):
    with Wire(run.daemon.admin_socket) as wire:
        return wire.call("RETENTION", "RUN")


def judge_target(states_after, next_version):
    """All or nothing of it; the next position and version are those that follow."""
    def judge(run, answer):
        states = [event[b"state"] for event in run.daemon.feed("acme")]
        check(states in ([b"live"] * 4, states_after), f"between: {states}")
        if states == states_after:
            check_no_old_root(run)
        else:
            check(answer is None, "an acknowledged shred is undone")
        reply = run.daemon.wire("acme").call(
            "EVENT.APPEND", "orders", "test.event", "IMPERSONAL", "DATA", "next")
        wanted = next_version if states == states_after else 5
        check((reply["position"], reply["version"]) == (5, wanted), f"next is {reply}")
    return judge


def check_no_old_root(run):
    old = set().union(*(set(found.values()) for found in run.before))
    for path in run.daemon.roots:
        raw = open(path, "rb").read()
        check(not any(root in raw for root in old), "an old root is still in a holder")


def judge_shred(run, answer):
    states = [event[b"state"] for event in run.daemon.feed("acme")]
    check(states in ([b"live"] * 4, [b"erased", b"live"] * 2), f"between: {states}")
    slots = run.roots()
    check(all(len(found) == 1 for found in slots), "a holder has not exactly one root")
    check(all(found == slots[0] for found in slots), "the holders differ")
    if states[0] == b"erased":
        check_no_old_root(run)
    else:
        check(answer is None, "an acknowledged shred is undone")


def control(run, *words):
    with Wire(run.daemon.admin_socket) as wire:
        return wire.call(*words)
