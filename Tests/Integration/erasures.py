"""Random erasures on one daemon, with a model of what they leave: no minima, no holds, no grace."""
import itertools
import time

import redis

import lethe_format as fmt
import lethe_held


class Scenario:
    """Random operations on one daemon, with a model of what must live and what must be dead."""

    def __init__(self, daemon, rng):
        self.daemon, self.rng = daemon, rng
        self.events = {}      # (tenant, position) -> (payload, persons, stream)
        self.tenants, self.dead_tenants = [], set()
        self.living = {}      # tenant -> set of persons
        self.dead_persons = set()
        self.days = {}        # (tenant, position) -> day
        self.today = 0
        self.killed = {"events": 0, "streams": 0, "periods": 0, "expired": 0}
        self.retention = {}   # tenant -> days
        self.dead_events = set()
        self.start = time.time()
        self.counter = itertools.count(1)

    def roots(self):
        found = []
        for path in self.daemon.roots:
            found += list(fmt.Root(path).slots.items())
        return found

    def create_tenant(self):
        name = f"t{next(self.counter)}"
        # Up to seven days are kept by the hour.
        self.retention[name] = [9, 395, 2][len(self.retention) % 3]
        self.daemon.admin("TENANT", "CREATE", name, "RETENTION", f"{self.retention[name]}d")
        self.tenants.append(name)
        self.living[name] = set()

    def shred_person(self):
        choices = [(t, p) for t in self.tenants for p in sorted(self.living[t])]
        if not choices:
            return
        tenant, person = self.rng.choice(choices)
        self.daemon.shred_person(tenant, person)
        self.living[tenant].discard(person)
        self.dead_persons.add((tenant, person))

    def shred(self, *words):
        """Plans and confirms; False when there was nothing left to be destroyed."""
        act = ["SHRED", *words, "REASON", "other"]
        try:
            plan = self.daemon.admin(*act, "DRYRUN")
        except redis.ResponseError as error:
            if str(error).startswith("NOEVENT"):
                return False
            raise
        self.daemon.confirm(act, plan)
        return True

    def kill(self, what, dead):
        self.killed[what] += 1
        self.dead_events |= dead

    def shred_events(self):
        tenant = self.rng.choice(self.tenants)
        mine = [position for name, position in self.events if name == tenant]
        if not mine:
            return
        chosen = set(self.rng.sample(mine, min(len(mine), self.rng.choice([1, 1, 2, 5]))))
        first = self.rng.choice(mine)
        chosen |= {p for p in mine if first <= p < first + self.rng.choice([1, 4, 20])}
        if self.shred("EVENTS", tenant, *map(str, sorted(chosen))):
            self.kill("events", {(tenant, position) for position in chosen})

    def shred_stream(self):
        choices = sorted({(tenant, stream) for (tenant, _), (_, _, stream) in self.events.items()
                          if tenant in self.tenants})
        if not choices:
            return
        tenant, stream = self.rng.choice(choices)
        if self.shred("STREAM", tenant, stream):
            self.kill("streams", {key for key, event in self.events.items()
                                  if key[0] == tenant and event[2] == stream})

    def shred_period(self):
        tenant = self.rng.choice(self.tenants)
        past = sorted({day for key, day in self.days.items()
                       if key[0] == tenant and day < self.today})
        if not past:
            return
        day = self.rng.choice(past)
        text = time.strftime("%Y-%m-%d", time.gmtime(self.start + 86_400 * day))
        if self.shred("PERIOD", tenant, "default", text):
            self.kill("periods", {key for key, other in self.days.items()
                                  if key[0] == tenant and other == day})

    def next_day(self):
        self.today += 1
        self.daemon.environment["LETHE_TEST_CLOCK_MS"] = str(86_400_000 * self.today)
        self.daemon.restart()

    def expire(self):
        for _ in range(self.rng.choice([1, 2, 5])):
            self.next_day()
        self.daemon.admin("CLOCK", "CONFIRM")
        self.daemon.admin("RETENTION", "RUN")
        dead = {key for key, day in self.days.items()
                if key[0] in self.tenants and self.today - day >= self.retention[key[0]]}
        if dead - self.dead_events:
            self.kill("expired", dead)

    def shred_tenant(self):
        if len(self.tenants) < 2:
            return
        tenant = self.rng.choice(self.tenants)
        self.daemon.shred_tenant(tenant)
        self.tenants.remove(tenant)
        self.dead_tenants.add(tenant)
        self.living.pop(tenant)


def opened_bodies(closure, records, variant=None):
    """The payloads of these records that keys of the closure open, saved ones included."""
    opened = set()
    held = {}
    for (tenant, kind, _), contents in closure.documents.items():
        if kind == 3:
            held.setdefault(tenant, set()).update(contents)
    for raw in records.values():
        for secret in closure.instance_secrets:
            record = fmt.Record(raw, secret)
            if not record.is_routed:
                continue
            plain = lethe_held.open_body(record, held.get(record.tenant, ()))
            if plain is not None:
                opened.add(bytes(fmt.body_fields(plain)[1]))
            for tenant in closure.tenants.get(record.tenant, ()):
                if not record.open_header(tenant):
                    continue
                needed = [record.stream, *record.subjects]
                choices = [closure.keys.get((record.tenant, slot), set()) for slot in needed]
                if variant == "rebalance" and len(choices) == 2:
                    # The person's key may lie in any slot of the tenant's.
                    choices[1] = set().union(*(
                        keys for (number, _), keys in closure.keys.items()
                        if number == record.tenant))
                for keys in itertools.product(*choices):
                    plain = record.open_body(tenant, keys[0], keys[1:])
                    if plain is not None:
                        opened.add(bytes(fmt.body_fields(plain)[1]))
    return opened
