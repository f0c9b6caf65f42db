#!/usr/bin/env python3
"""The closure attacker on real files: every snapshot ever taken plus today's root.

A daemon runs random appends (some with a minimum), shreds of persons, events, streams, days and
tenants, with and without grace, holds, enrolments, expiry runs, rotations of keys and restarts, some of
them on later days (closure_model.py). After every change the keyring is copied. Then an attacker
(lethe_format.py, written from Docs/Format.md) takes all copies, the newest log and today's root holders
and decrypts all that can be reached:
  0 events, keys or names of what is dead; 100 % of the rest, what is restricted or held included.
Controls, in the same run: an old root with the copies of its age opens what was shredded later, and
each broken variant of the rules (debug builds only) is caught.

usage: closure.py [--seed N] [--operations N]
"""
import argparse
import random
import sys
import time

import lethe_format as fmt
from closure_model import PERSONS, Scenario
from erasures import opened_bodies
from lib import Daemon, Verdicts, seed_from


def attack(scenario, snapshots, roots, variant=None):
    """Payloads that open, dead names that are found, and the closure."""
    store_id = fmt.Root(scenario.daemon.roots[0]).store_id
    closure = fmt.Closure(snapshots, roots, store_id)
    records, = fmt.tables(scenario.daemon.data, "log", "records")
    opened = opened_bodies(closure, records, variant)
    names = set()
    for number, tenants in closure.tenants.items():
        for tenant in tenants:
            for name, person in scenario.dead_persons:
                if tenant.name.decode() != name:
                    continue
                for number_of_class in range(2):
                    tag = fmt.name_tag(tenant.map_key, 1, number_of_class, person.encode())
                    former = fmt.name_tag(tenant.map_key, 5, 0, tag)
                    found = closure.tags.get(number, {})
                    is_waiting = not has_lapsed(scenario, name, person)
                    if tag in found or former in found and not is_waiting:
                        names.add((name, person))
    if variant == "derive":
        opened |= attack_derived(scenario, closure, records)
    return opened, names, closure


def has_lapsed(scenario, tenant, person):
    """Whether no key of the person waits for its last day any more."""
    return all(key in scenario.dead for key, event in scenario.events.items()
               if key[0] == tenant and person in event.persons and key in scenario.lapses)


def attack_derived(scenario, closure, records):
    """Guesses that persons' keys are derived from the map key, as the variant `derive` does."""
    opened = set()
    for raw in records.values():
        for secret in closure.instance_secrets:
            record = fmt.Record(raw, secret)
            for tenant in closure.tenants.get(record.tenant, ()):
                if not record.is_routed or not record.open_header(tenant):
                    continue
                if len(record.subjects) != 1:
                    continue
                for _, person in scenario.dead_persons:
                    tag = fmt.name_tag(tenant.map_key, 1, 0, person.encode())
                    key = fmt.blake2b(256, tenant.map_key, b"LT1.test.derive",
                                      tag[7::-1] + tag[:7:-1])
                    for stream in closure.keys.get((record.tenant, record.stream), ()):
                        plain = record.open_body(tenant, stream, [key])
                        if plain is not None:
                            opened.add(bytes(fmt.body_fields(plain)[1]))
    return opened


def attack_quiet(scenario):
    """The same with the daemon's word of that moment: it may expire something by itself meanwhile."""
    while True:
        states = scenario.states()
        scenario.snapshot()
        found = attack(scenario, scenario.snapshots, scenario.roots())
        if scenario.states() == states:
            return states, *found


def judge(scenario, opened, states):
    """(dead ones that opened, living ones that did not), by the daemon's word and by the model's."""
    dead, lost = set(), set()
    for key, event in scenario.events.items():
        if states.get(key) in ("live", "restricted"):
            if event.payload not in opened:
                lost.add(key)
        elif event.payload in opened:
            dead.add(key)
    by_model = judge_by_model(scenario, opened)
    return dead | by_model[0], lost | by_model[1]


def judge_by_model(scenario, opened):
    """The same without the daemon's word, which counts for nothing when it is broken."""
    payloads = scenario.events
    return ({key for key in scenario.dead if payloads[key].payload in opened},
            {key for key in scenario.alive() if payloads[key].payload not in opened})


def run_whole(verdicts, seed, operations):
    with Daemon(build="debug", holders=2, second_user=True) as daemon:
        scenario = Scenario(daemon, random.Random(seed))
        start = time.monotonic()
        scenario.run(operations)
        scenario.complete()
        ran = time.monotonic() - start
        states, opened, names, closure = attack_quiet(scenario)
        dead, lost = judge(scenario, opened, states)
        states = list(states.values())
        live, restricted = states.count("live"), states.count("restricted")
        print(f"{operations} operations in {ran:.0f} s, {len(scenario.snapshots)} snapshots,"
              f" {len(scenario.events)} events, {live} live, {restricted} restricted, by the model"
              f" {len(scenario.alive())} live and {len(scenario.dead)} dead,"
              f" {len(closure.blobs)} nodes ever, {closure.opened} opened", flush=True)
        verdicts.check("no dead event opens", not dead, f"{len(dead)} opened {sorted(dead)[:5]}")
        verdicts.check("no shredded name is found", not names, f"{len(names)} found")
        verdicts.check("every other event opens", not lost and live > 0,
                       f"{len(lost)} lost {sorted(lost)[:5]}")
        verdicts.check("there were events to erase", len(scenario.events) > live)
        verdicts.check("holds and plans were respected", not scenario.violations,
                       "; ".join(sorted(set(scenario.violations))[:3]))
        verdicts.check(f"all kinds of acts were carried out: {scenario.counts}",
                       all(scenario.counts.values()))
        roots, count, (tenant, person) = scenario.old
        opened, _, _ = attack(scenario, scenario.snapshots[:count], roots)
        wanted = {event.payload for key, event in scenario.events.items()
                  if key[0] == tenant and person in event.persons}
        verdicts.check("control: an old root and old copies do open what was shredded later",
                       bool(wanted & opened))


# Variant -> (operations, weights, days of an expiry).
VARIANTS = {
    "no-rekey": (60, None, (1, 2, 5)), "leaf-only": (60, None, (1, 2, 5)),
    "root-kept": (60, None, (1, 2, 5)), "derive": (60, None, (1, 2, 5)),
    # It leaks only now and then, and what opens bodies would notice a key in a dead slot.
    "rebalance": (200, PERSONS, (1,)),
    "retired-kept": (60, {"create_tenant": 1, "append": 12, "begin_generation": 4, "shred_events": 3},
                     (1,)),
    "minimum-ignored": (60, {"append": 6, "shred_person": 4}, (1,)),
    "hold-ignored": (60, {"append": 6, "shred_person": 4, "hold": 3, "shred_events": 1}, (1,)),
    "held-unsaved": (60, {"append": 6, "shred_person": 4, "shred_stream": 1, "hold": 3}, (1,)),
    "held-kept": (60, {"append": 6, "shred_person": 4, "shred_stream": 1, "hold": 3, "release": 2},
                  (1,)),
    "expiry-early": (60, {"create_tenant": 1, "append": 6, "expire": 3}, (1,)),
}


def run_variant(variant, seed):
    """(what the attacker saw of it, by what the run ended)"""
    operations, weights, days = VARIANTS[variant]
    with Daemon(build="debug", holders=1, second_user=True, variant=variant) as daemon:
        scenario = Scenario(daemon, random.Random(seed), weights, days)
        scenario.run(operations, variant)
        opened, names, _ = attack(scenario, scenario.snapshots, scenario.roots(), variant)
        dead, lost = judge_by_model(scenario, opened)
        if variant in ("minimum-ignored", "hold-ignored", "held-unsaved", "expiry-early"):
            return lost, scenario.ended
        return dead or names, scenario.ended


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--operations", type=int, default=500)
    parser.add_argument("--no-variants", action="store_true")
    options = parser.parse_args()
    seed = seed_from(options.seed)
    verdicts = Verdicts("closure", seed)
    run_whole(verdicts, seed, options.operations)
    for variant in [] if options.no_variants else VARIANTS:
        for attempt in range(12):
            caught, ended = run_variant(variant, seed + attempt)
            if caught:
                break
        verdicts.check(f"the variant {variant} is caught", caught,
                       f"{len(caught)} in run {attempt + 1}" + (f", {ended}" if ended else ""))
    sys.exit(verdicts.finish())


if __name__ == "__main__":
    main()
