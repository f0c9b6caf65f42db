#!/usr/bin/env python3
"""Five scripted breaches, one for each class of what was exposed, with the numbers that a report must say.

Three tenants with known events and persons; a peer of its own uid and named socket reads known sets, others
read others, some events are erased before, others after. The report must equal the sets exactly, name no
person to the operator, give each tenant what is its own and nobody else's, and be the same byte for byte
when it is made again.
"""
import datetime
import json
import os
import random
import sys

from access_log import Peers
from lethe_primitives import box_keypair, open_sealed_box
from lib import Failed, Verdicts, Wire, check, seed

EVENTS, PERSONS = 600, 40
TENANTS = {"acme": "web-7", "loose": "web-8", "quiet": None}


def text(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def now():
    return datetime.datetime.now(datetime.timezone.utc)


class Breach:
    """The store, what was read of it, and what is expected of a report."""

    def __init__(self, store, rng):
        self.store, self.rng = store, rng
        self.persons, self.types = {}, {}      # (tenant, position) -> name
        self.keys = {"acme": box_keypair(), "loose": box_keypair()}
        self.served = {tenant: set() for tenant in TENANTS}
        self.dead = {tenant: set() for tenant in TENANTS}

    def fill(self):
        for tenant in TENANTS:
            self.store.create_tenant(tenant)
            self.store.control("TENANT", "SET", tenant, "STRICT", "ON")
            if tenant in self.keys:
                self.store.control("TENANT", "ENROLKEY", tenant, self.keys[tenant][0].hex())
            with self.store.wire(tenant) as wire:
                commands = []
                for number in range(EVENTS):
                    person = f"{tenant}-person-{self.rng.randrange(PERSONS)}"
                    self.persons[tenant, number + 1] = person
                    self.types[tenant, number + 1] = f"{tenant}.type.{number % 5}"
                    commands.append(("EVENT.APPEND", f"s{number % 9}", f"{tenant}.type.{number % 5}",
                                     "DATASUBJECT", person, "DATA", "secret" * 8))
                for reply in wire.pipeline(commands):
                    check(isinstance(reply, dict), f"{reply}")

    def erase(self, tenant, person):
        self.store.shred(tenant, person)
        gone = {place for (of, place), name in self.persons.items() if (of, name) == (tenant, person)}
        self.dead[tenant] |= gone
        return gone

    def read_by_socket(self, tenant):
        """The thief: a peer behind a named socket reads known sets in four ways."""
        got = set()
        with Wire(self.store.sockets / f"{TENANTS[tenant]}.sock", tenant) as wire:
            got |= {event["position"] for event in wire.call("EVENT.RANGE", "*", 20, 79)
                    if event["state"] == b"live"}
            got |= {event["position"] for event in wire.call("EVENT.RANGE", "s3", "-", "+", "REV", "COUNT", 20)
                    if event["state"] == b"live"}
            _, found = wire.call("EVENT.QUERY", "TYPE", f"{tenant}.type.2", "COUNT", 15)
            got |= {event["position"] for event in found}
            got |= {event["position"] for event in wire.call("EVENT.RANGE", "*", 300, "+", "COUNT", 290)
                    if event["state"] == b"live"}
        self.served[tenant] |= got

    def read_by_others(self):
        for tenant in TENANTS:
            with self.store.wire(tenant) as wire:
                wire.call("EVENT.RANGE", "*", 590, "+")

    def command(self, verb, exposed, window, *more):
        start, end = window
        return ["INCIDENT", verb, "EXPOSED", exposed, "FROM", text(start), "TO", text(end), "AWARE",
                text(end), *more]

    def call(self, *words):
        with Wire(self.store.admin_socket) as wire:
            return wire.call(*words)

    def live(self, tenant):
        return {place for (of, place) in self.persons if of == tenant} - self.dead[tenant]

    def persons_of(self, tenant, places):
        return {self.persons[tenant, place] for place in places}


def section(report, name):
    return next(part for part in json.loads(report["summary"])["exposed"] if part["class"] == name)


def positions(served):
    return {place for first, last in served["positions"] for place in range(first, last + 1)}


def peer_breach(verdicts, breach, window):
    report = breach.call(*breach.command("REPORT", "peer", window, "SOCKET", "web-7"))
    part = section(report, "peer")
    found = [row for row in part["tenants"] if row["served"]["events"]]
    wanted = breach.served["acme"]
    check(len(found) == 1, f"{len(found)} tenants were served through the socket")
    served = found[0]["served"]
    gone = wanted & breach.dead["acme"]
    verdicts.check(
        "what a peer was served equals the set exactly",
        positions(served) == wanted and served["events"] == len(wanted)
        and part["events_served"] == len(wanted), f"{served['events']} events")
    verdicts.check(
        "persons, types and what was erased since are counted",
        served["subjects"] == len(breach.persons_of("acme", wanted))
        and served["events_erased_since"] == len(gone)
        and served["events_live"] == len(wanted) - len(gone)
        and served["types"] == len({breach.types["acme", place] for place in wanted - gone})
        and served["classes"] == [{"class": "default", "events": len(wanted)}]
        and served["unlogged_events_max"] == 0,
        f"{served['subjects']} persons, {len(gone)} erased since")
    could = found[0]["could_have"]
    verdicts.check(
        "and what it could have had, by the access file",
        could["events"] == len(breach.live("acme"))
        and could["subjects"] == len(breach.persons_of("acme", breach.live("acme"))), f"{could}")
    peers = served["peers"]
    check(len(peers) == 1 and peers[0]["socket"] == "web-7" and peers[0]["uid"] == os.geteuid()
          and peers[0]["connections"] == 1, f"{peers}")
    return report


def package_of(breach, report, tenant):
    counts = dict(text.decode().split("=") for text in report["packages"])
    plain = b""
    for part in range(1, int(counts[tenant]) + 1):
        sealed = breach.call("INCIDENT", "PACKAGE", report["incident"], tenant, part)
        opened = open_sealed_box(sealed, *breach.keys[tenant])
        check(opened is not None, "a package does not open with the tenant's key")
        other = "loose" if tenant == "acme" else "acme"
        check(open_sealed_box(sealed, *breach.keys[other]) is None, "another tenant's key opens it")
        plain += opened
    return plain


def packages(verdicts, breach, report):
    names = [name.encode() for name in set(breach.persons.values()) | set(breach.types.values())]
    verdicts.check("an operator's summary names no person and no type",
                   not any(name in report["summary"] for name in names) and b"-person-" not in report["summary"],
                   f"{len(report['summary'])} bytes")
    plain = package_of(breach, report, "acme")
    package = json.loads(plain)
    wanted = breach.served["acme"] - breach.dead["acme"]
    subjects = {row["datasubject"]: row["events"] for row in package["subjects"]}
    verdicts.check(
        "the tenant's package names its persons, and exactly the positions",
        set(subjects) == breach.persons_of("acme", wanted) and sum(subjects.values()) == len(wanted)
        and positions(package) == breach.served["acme"] and package["tenant"] == "acme"
        and sum(row["events"] for row in package["types"]) == len(wanted),
        f"{len(subjects)} persons")
    return plain


def again(verdicts, breach, window, report, plain):
    command = breach.command("REPORT", "peer", window, "SOCKET", "web-7")
    second = breach.call(*command)
    same = second["summary"] == report["summary"] and package_of(breach, second, "acme") == plain
    breach.store.kill()
    breach.store.start()
    third = breach.call(*command)
    verdicts.check("a second run gives the same bytes, after a crash too",
                   same and third["summary"] == report["summary"] and third["version"] == 1)
    wanted = breach.served["acme"] - breach.dead["acme"]
    breach.erase("acme", breach.persons["acme", min(wanted)])
    fourth = breach.call(*command)
    summary = json.loads(fourth["summary"])
    verdicts.check("when more is erased, a new version supersedes the last",
                   fourth["version"] == 2 and summary["supersedes"] == 1
                   and fourth["incident"] == report["incident"])


def other_breaches(verdicts, breach, window):
    live = {tenant: breach.live(tenant) for tenant in TENANTS}
    events = sum(len(places) for places in live.values())
    persons = sum(len(breach.persons_of(tenant, places)) for tenant, places in live.items())
    gone = sum(len(places) for places in breach.dead.values())
    part = section(breach.call(*breach.command("SCOPE", "storage", window)), "storage")
    verdicts.check("files without their root: nothing is readable",
                   part["events_readable"] == 0 and part["subjects_readable"] == 0, f"{part['says']}")
    for name in ("storage+root", "memory"):
        part = section(breach.call(*breach.command("SCOPE", name, window)), name)
        verdicts.check(
            f"{name}: what is live, and nothing that was erased",
            (part["events_readable"], part["subjects_readable"], part["events_erased_or_expired"])
            == (events, persons, gone), f"{events} events, {gone} erased")
    part = section(breach.call(*breach.command("SCOPE", "operator", window)), "operator")
    acts = {act["act"]: act["count"] for act in part["acts"]}
    verdicts.check("an administrator's account: no event, and every act in the window",
                   part["events_readable"] == 0 and acts.get(6) == 1 and acts.get(66, 0) == 0, f"{acts}")
    whole = breach.call("INCIDENT", "SCOPE", "FROM", text(window[0]), "TO", text(window[1]), "AWARE",
                        text(window[1]))
    classes = [part["class"] for part in json.loads(whole["summary"])["exposed"]]
    verdicts.check("without a class all five are said",
                   classes == ["storage", "storage+root", "peer", "operator", "memory"]
                   and 71 * 60 <= int(whole["minutes-left"]) <= 72 * 60, f"{classes}")
    summary = json.loads(whole["summary"])
    verdicts.check("fields of Art. 33(3) are filled in",
                   summary["article_33_3"]["a_records_at_most"] == events
                   and summary["article_33_3"]["a_subjects_at_most"] == persons
                   and "b_contact" in summary["article_33_3"])


def whoever_counts_everybody_is_caught(verdicts, rng):
    with Peers("debug", variant="incident-anybody") as store:
        breach = Breach(store, rng)
        breach.fill()
        start = now()
        breach.read_by_socket("acme")
        breach.read_by_others()
        report = breach.call(*breach.command("SCOPE", "peer", (start, now()), "SOCKET", "web-7"))
        served = {place for row in section(report, "peer")["tenants"] for place in positions(row["served"])}
        verdicts.check("a report that counts what others got is caught", served != breach.served["acme"])


def main():
    number = seed()
    rng = random.Random(number)
    verdicts = Verdicts("incidents", number)
    with Peers("debug") as store:
        breach = Breach(store, rng)
        breach.fill()
        breach.erase("acme", breach.persons["acme", 30])
        # Lines are of whole minutes: what is outside is of another minute, or of another peer.
        start = now()
        breach.read_by_socket("acme")
        breach.read_by_others()
        before = breach.persons["acme", min(breach.served["acme"])]
        breach.erase("acme", before)
        end = now()
        window = (start, end)
        report = peer_breach(verdicts, breach, window)
        plain = packages(verdicts, breach, report)
        other_breaches(verdicts, breach, window)
        again(verdicts, breach, window, report, plain)
        far = (start - datetime.timedelta(days=3), start - datetime.timedelta(days=2))
        part = section(breach.call(*breach.command("SCOPE", "peer", far)), "peer")
        verdicts.check("of another time nothing is said", part["events_served"] == 0)
    whoever_counts_everybody_is_caught(verdicts, rng)
    sys.exit(verdicts.finish())


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        print(f"FAILED {failure}")
        sys.exit(1)
