"""How suites say what they found: a line a claim, `N passed, N failed` at the end."""

import os
import random
import sys
import time

SKIPPED = 77


class Failed(Exception):
    """A claim that does not hold; its text is the verdict."""


def check(condition, text):
    if not condition:
        raise Failed(text)


def seed():
    """The seed of this run, printed, so that a run can be replayed: LETHE_TEST_SEED (or LETHE_SEED,
    as the oldest suites say), or a new one."""
    given = os.environ.get("LETHE_TEST_SEED") or os.environ.get("LETHE_SEED")
    value = int(given or random.SystemRandom().randrange(1 << 32))
    print(f"seed {value} (replay with LETHE_TEST_SEED={value})", flush=True)
    return value


def seed_from(value):
    """The seed given on the command line, or ``seed()``."""
    if value is not None:
        os.environ["LETHE_TEST_SEED"] = str(value)
    return seed()


class Verdicts:
    """For suites that are one long run: claims one by one, then `N passed, N failed`."""

    def __init__(self, name, seed):
        self.name, self.seed = name, seed
        self.passed = self.failed = 0

    def check(self, claim, holds, note=""):
        self.passed += bool(holds)
        self.failed += not holds
        print(f"{'ok     ' if holds else 'FAILED '} {claim}" + (f": {note}" if note else ""),
              flush=True)

    def finish(self):
        """Prints the verdict; returns the exit status."""
        print(f"{self.name}: {self.passed} passed, {self.failed} failed (seed {self.seed})")
        return 1 if self.failed else 0


def run_suite(*tests):
    """Runs test functions in order; prints a verdict each and `N passed, N failed`."""
    passed = failed = skipped = 0
    wanted = sys.argv[1:]
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        name = test.__name__.replace("_", " ")
        start = time.monotonic()
        try:
            note = test() or ""
            passed += 1
            print(f"ok      {name} ({time.monotonic() - start:.1f} s) {note}".rstrip(), flush=True)
        except Skip as reason:
            skipped += 1
            print(f"SKIPPED {name}: {reason}", flush=True)
        except Failed as reason:
            failed += 1
            print(f"FAILED  {name}: {reason}", flush=True)
        except Exception as problem:
            failed += 1
            print(f"FAILED  {name}: {type(problem).__name__}: {problem}", flush=True)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(1 if failed else SKIPPED if skipped and not passed else 0)


class Skip(Exception):
    """The machine cannot run this test."""
