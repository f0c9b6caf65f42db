"""Random operations on one daemon, and a model of what must open and what must not.

The model knows three kinds of events: dead ones (nothing may open them), living ones (today's root
opens them, whether they are shown or restricted), and those of which it cannot say (`unsure`, such as
what lies in a stream that may have died with its only person); the daemon's word decides those.
"""
import itertools
import time

import redis

import lethe_format as fmt
from closure_holds import HoldsAndPlans, concerns

KEPT_MIN, KEPT_MAX = 4, 30
DAY_MS = 86_400_000

WEIGHTS = {
    "create_tenant": 3, "append": 55, "shred_person": 12, "shred_events": 5, "shred_stream": 3,
    "shred_period": 3, "next_day": 2, "shred_tenant": 1, "enrol": 2, "expire": 3, "restart": 1,
    "rotate_keys": 2, "begin_generation": 3, "hold": 4, "release": 2, "plan": 3, "end_plan": 2}
# What leads to the rarer kinds of acts, when chance has left one out.
WAYS = {
    "events": ["shred_events"], "streams": ["shred_stream"], "periods": ["next_day", "shred_period"],
    "expired": ["release", "expire"], "lapsing": ["append", "shred_person"],
    "lapsed": ["append", "shred_person", "release", "expire"], "holds": ["append", "hold"],
    "refused": ["append", "hold", "shred_person"], "saved": ["append", "hold", "shred_stream", "release"],
    "forgotten": ["append", "hold", "shred_stream", "release"], "released": ["hold", "release"],
    "planned": ["append", "plan"], "cancelled": ["append", "plan", "end_plan"],
    "carried-out": ["append", "plan", "next_day"], "rotations": ["rotate_keys"],
    "generations": ["begin_generation"],
    "tenants": ["create_tenant", "release", "shred_tenant"]}
# Without what opens the bodies of events.
PERSONS = {"create_tenant": 3, "append": 60, "shred_person": 30, "restart": 1, "enrol": 6}


class Event:
    def __init__(self, payload, persons, stream, is_kept, day):
        self.payload, self.persons, self.stream = payload, persons, stream
        self.is_kept, self.day = is_kept, day

    @property
    def end(self):
        """The day from which its minimum is over."""
        return self.day + 1 + KEPT_MIN if self.is_kept else 0


class Scenario(HoldsAndPlans):
    def __init__(self, daemon, rng, weights=None, days=(1, 2, 5)):
        self.daemon, self.rng, self.weights, self.days = daemon, rng, weights or WEIGHTS, days
        self.events = {}        # (tenant, position) -> Event
        self.dead, self.unsure = set(), set()
        self.lapses = {}        # key -> (day from which it may be dead, day from which it must be)
        self.tenants, self.dead_tenants = [], set()
        self.living = {}        # tenant -> persons
        self.dead_persons, self.reborn = set(), set()
        self.held = {}          # id of a hold -> (tenant, scope, name, keys)
        self.maybe_held = {}    # id of a hold -> keys of which nobody can say whether it has them
        self.saved, self.saved_unsure = set(), set()  # dead, or in doubt, but for holds
        self.plans = {}         # number -> (tenant, person, due day)
        self.retention = {}     # tenant -> days
        self.today, self.start = 0, time.time()
        self.counts = dict.fromkeys(
            "persons events streams periods tenants expired lapsing lapsed holds refused released"
            " planned cancelled carried-out rotations generations saved forgotten".split(), 0)
        self.violations, self.changed = [], 0
        self.snapshots, self.old, self.ended = [], None, None
        self.counter = itertools.count(1)

    # What the model knows.

    def alive(self, tenant=None):
        """Events that must open."""
        return {key for key in self.events
                if key not in self.dead and key not in self.unsure
                and key[0] not in self.dead_tenants and tenant in (None, key[0])}

    def held_keys(self, tenant):
        return set().union(*(keys for where, _, _, keys in self.held.values() if where == tenant))

    def has_hold(self, tenant):
        return any(where == tenant for where, _, _, _ in self.held.values())

    def planned(self):
        return {(tenant, person) for tenant, person, _ in self.plans.values()}

    def of(self, tenant, matches):
        return {key for key, event in self.events.items()
                if key[0] == tenant and key not in self.dead and matches(event)}

    def kill(self, what, keys):
        """What is held stays alive: so the attacker shows when it is lost."""
        self.counts[what] += bool(keys - self.dead)
        kept = self.kept_by_holds(keys)
        maybe = set().union(*self.maybe_held.values()) & keys - kept
        self.unsure |= maybe
        self.dead |= keys - kept - maybe
        self.counts["saved"] += bool(kept - self.saved)
        self.saved |= kept

    def kept_by_holds(self, keys):
        return set().union(*(keys & self.held_keys(tenant) for tenant in {key[0] for key in keys}))

    def doubt(self, keys):
        kept = self.kept_by_holds(keys)
        self.unsure |= keys - kept
        self.saved_unsure |= kept

    def attempt(self, tenant, affected, act, names=lambda scope, name: False):
        """Carries out an act; False when it is refused since something is held.

        Holds on a class or the tenant forbid it, and those that `names` says; of others, the keys of
        what they hold are saved.
        """
        forbidding = [keys for where, scope, name, keys in self.held.values()
                      if where == tenant and (scope in ("CLASS", "TENANT") or names(scope, name))]
        try:
            self.carry_out(act)
        except redis.ResponseError as error:
            if str(error).startswith("NOEVENT"):
                return False
            if not str(error).startswith("HELD"):
                raise
            self.counts["refused"] += 1
            if not forbidding:
                self.violations.append(f"{error} without a hold that forbids it")
            return False
        if (affected - set(self.lapses) - self.unsure - self.saved) & set().union(*forbidding):
            self.violations.append("what is held was shredded")
        return True

    def carry_out(self, act):
        """Plans anew, once, when a timer of the daemon's came between plan and confirmation."""
        try:
            act()
        except redis.ResponseError as error:
            if not str(error).startswith("PLANCHANGED"):
                raise
            self.changed += 1
            act()

    def snapshot(self):
        nodes, = fmt.tables(self.daemon.data, "keyring", "nodes")
        self.snapshots.append(nodes)

    def roots(self):
        return [slot for path in self.daemon.roots for slot in fmt.Root(path).slots.items()]

    def create_tenant(self):
        if len(self.tenants) >= 6:
            return
        name = f"t{next(self.counter)}"
        self.retention[name] = [9, 395, 2][len(self.retention) % 3]
        self.daemon.admin("TENANT", "CREATE", name, "RETENTION", f"{self.retention[name]}d")
        self.daemon.admin("RETENTION", "SET", name, "kept", "MAX", f"{KEPT_MAX}d",
                          "MIN", f"{KEPT_MIN}d", "PURPOSE", "billing")
        self.tenants.append(name)
        self.living[name] = set()

    def append(self):
        tenant = self.rng.choice(self.tenants)
        client = self.daemon.client(tenant)
        for _ in range(self.rng.randint(1, 12)):
            count = self.rng.choice([0, 1, 1, 1, 1, 2, 3, 4])
            persons = {f"person-{self.rng.randint(1, 60)}@{tenant}" for _ in range(count)}
            persons = {p for p in persons
                       if (tenant, p) not in self.dead_persons | self.planned()}
            own = self.rng.random() < 0.3 and len(persons) == 1
            stream = f"user-{next(iter(persons))}" if own else f"s{self.rng.randint(1, 5)}"
            payload = f"payload-{next(self.counter)}".encode()
            is_kept = self.rng.random() < 0.25
            words = ["EVENT.APPEND", stream, "test.event"]
            for person in sorted(persons):
                words += ["DATASUBJECT", person]
            words += [] if persons else ["IMPERSONAL"]
            words += ["CLASS", "kept"] if is_kept else []
            reply = client.execute_command(*words, "DATA", payload)
            key = (tenant, reply[b"position"])
            self.events[key] = Event(payload, persons, stream, is_kept, self.today)
            for where, scope, name, keys in self.held.values():
                if where == tenant and concerns(scope, name, self.events[key]):
                    keys.add(key)
            self.living[tenant] |= persons

    def enrol(self):
        choices = sorted(one for one in self.dead_persons if one[0] in self.tenants)
        if not choices:
            return
        tenant, person = self.rng.choice(choices)
        self.daemon.admin("SUBJECT", "ENROL", tenant, person)
        # From here on the person may get new events under a new key; the old ones stay dead.
        self.dead_persons.discard((tenant, person))
        self.reborn |= {(tenant, person)}

    def pick_person(self):
        """A living person of whom no plan is, now and then one who is held."""
        held = [(tenant, name) for tenant, scope, name, _ in self.held.values()
                if scope == "DATASUBJECT" and name in self.living.get(tenant, ())]
        choices = [(t, p) for t in self.tenants for p in sorted(self.living[t])]
        if held and self.rng.random() < 0.2:
            choices = held
        choices = [one for one in choices if one not in self.planned()]
        return self.rng.choice(choices) if choices else None

    def shred_person(self):
        if (picked := self.pick_person()) is None:
            return
        tenant, person = picked
        mine = self.of(tenant, lambda event: person in event.persons)
        if (self.old is None and len(self.snapshots) > 5 and picked not in self.reborn
                and any(not self.events[key].is_kept for key in mine & self.alive())):
            self.old = (self.roots(), len(self.snapshots), picked)
        if self.attempt(tenant, mine, lambda: self.daemon.shred_person(tenant, person),
                        lambda scope, name: (scope, name) == ("DATASUBJECT", person)):
            self.person_dies(tenant, person)

    def person_dies(self, tenant, person):
        self.counts["persons"] += 1
        self.living[tenant].discard(person)
        self.dead_persons.add((tenant, person))
        mine = self.of(tenant, lambda event: person in event.persons)
        kept = {key for key in mine if self.events[key].is_kept}
        self.keys_end(mine - kept, set())
        self.keys_end(kept, kept)
        for stream in {self.events[key].stream for key in mine}:
            others = self.of(tenant, lambda event: event.stream == stream)
            named = set().union(*(self.events[key].persons for key in others
                                  if key not in self.unsure and key not in self.lapses))
            if named <= {person}:
                self.doubt({key for key in others if person not in self.events[key].persons})

    def keys_end(self, keys, kept):
        """A key of these events is asked to go; it waits for the minimum of the newest of `kept`."""
        waiting = {key for key in kept if self.events[key].end > self.today}
        if not waiting:
            self.kill("events", keys)
            return
        self.counts["lapsing"] += 1
        last = max(self.events[key].end for key in waiting)
        is_sure = bool(waiting - self.unsure)
        for key in keys:
            first, final = self.lapses.get(key, (1 << 20, 1 << 20))
            self.lapses[key] = (min(first, self.events[key].end), min(final, last))
        self.doubt({key for key in keys if key not in waiting or not is_sure})

    def shred(self, *words):
        act = ["SHRED", *words, "REASON", "other"]
        self.daemon.confirm(act, self.daemon.admin(*act, "DRYRUN"))

    def shred_events(self):
        tenant = self.rng.choice(self.tenants)
        mine = [position for name, position in self.events if name == tenant]
        if not mine:
            return
        chosen = set(self.rng.sample(mine, min(len(mine), self.rng.choice([1, 1, 2, 5]))))
        first = self.rng.choice(mine)
        chosen |= {p for p in mine if first <= p < first + self.rng.choice([1, 4, 20])}
        keys = {(tenant, position) for position in chosen}
        if self.attempt(tenant, keys - self.dead,
                        lambda: self.shred("EVENTS", tenant, *map(str, sorted(chosen))),
                        lambda scope, name: True):
            self.doubt(keys & set(self.lapses))
            self.kill("events", keys - set(self.lapses))

    def shred_stream(self):
        choices = {(key[0], event.stream) for key, event in self.events.items()
                   if key[0] in self.tenants}
        # Now and then one with somebody in it who is held.
        held = {(tenant, self.events[key].stream) for tenant, scope, _, keys in self.held.values()
                if scope == "DATASUBJECT" for key in keys & self.alive(tenant) - self.saved}
        if held and self.rng.random() < 0.4:
            choices = held
        if not choices:
            return
        tenant, stream = self.rng.choice(sorted(choices))
        keys = self.of(tenant, lambda event: event.stream == stream)
        if not self.attempt(tenant, keys, lambda: self.shred("STREAM", tenant, stream),
                            lambda scope, name: (scope, name) == ("STREAM", stream)):
            return
        self.counts["streams"] += 1
        # What waits already may lie in an older stream of the same name.
        self.doubt({key for key in keys & set(self.lapses)
                    if self.events[key].end <= self.today})
        keys = keys - set(self.lapses)
        self.keys_end(keys, {key for key in keys if self.events[key].is_kept})

    def shred_period(self):
        tenant = self.rng.choice(self.tenants)
        past = sorted({event.day for key, event in self.events.items()
                       if key[0] == tenant and event.day < self.today})
        if not past:
            return
        day = self.rng.choice(past)
        text = time.strftime("%Y-%m-%d", time.gmtime(self.start + 86_400 * day))
        keys = self.of(tenant, lambda event: event.day == day and not event.is_kept)
        if self.attempt(tenant, keys, lambda: self.shred("PERIOD", tenant, "default", text)):
            self.kill("periods", keys)

    def shred_tenant(self):
        if len(self.tenants) < 2:
            return
        tenant = self.rng.choice(self.tenants)
        if not self.attempt(tenant, self.alive(tenant), lambda: self.daemon.shred_tenant(tenant),
                            lambda scope, name: True):
            return
        self.counts["tenants"] += 1
        self.tenants.remove(tenant)
        self.dead_tenants.add(tenant)
        self.living.pop(tenant)
        self.dead |= {key for key in self.events if key[0] == tenant}
        self.plans = {n: plan for n, plan in self.plans.items() if plan[0] != tenant}

    # Time.

    def next_day(self):
        self.today += 1
        self.daemon.environment["LETHE_TEST_CLOCK_MS"] = str(DAY_MS * self.today)
        self.daemon.restart()
        if any(due <= self.today for _, _, due in self.plans.values()):
            self.daemon.admin("CLOCK", "CONFIRM")
            self.wait_for_plans()
        # From here on the daemon may expire by itself what is due.
        self.doubt({key for key in self.alive() if self.is_due(key)})

    def is_due(self, key):
        event = self.events[key]
        end = event.day + (KEPT_MAX if event.is_kept else self.retention[key[0]])
        return min(end, self.lapses.get(key, (1 << 20, 0))[0]) <= self.today

    def expire(self):
        for _ in range(self.rng.choice(self.days)):
            self.next_day()
            self.snapshot()
        self.daemon.admin("CLOCK", "CONFIRM")
        self.daemon.admin("RETENTION", "RUN")
        for key, event in self.events.items():
            if key[0] not in self.tenants or key in self.dead:
                continue
            end = event.day + (KEPT_MAX if event.is_kept else self.retention[key[0]])
            first, last = self.lapses.get(key, (1 << 20, 1 << 20))
            if end <= self.today and not self.is_suspended(key):
                self.kill("expired", {key})
            elif last <= self.today and not self.has_hold(key[0]):
                self.kill("lapsed", {key})
            elif min(end, first) <= self.today:
                self.doubt({key})

    def is_suspended(self, key):
        """Whether a hold on its class or its tenant keeps an event's day."""
        kept = "kept" if self.events[key].is_kept else "default"
        return any(where == key[0] and (scope == "TENANT" or (scope, name) == ("CLASS", kept))
                   for where, scope, name, _ in self.held.values())

    def restart(self):
        self.daemon.restart()

    def rotate_keys(self):
        """Nothing dies of it but the old root and the keys of nodes."""
        self.counts["rotations"] += 1
        if self.rng.random() < 0.5:
            self.daemon.admin("KEY", "ROTATE", "ROOT")
        else:
            self.daemon.admin("KEY", "REWRAP", "TENANT", self.rng.choice(self.tenants))

    def begin_generation(self):
        """What the tenant has stands under the old keys and dies with them as before."""
        self.counts["generations"] += 1
        self.daemon.admin("KEY", "ROTATE", "TENANT", self.rng.choice(self.tenants))

    def run(self, operations, variant=None):
        """With a variant, what it breaks may be noticed by the daemon, which ends the run."""
        self.create_tenant()
        self.snapshot()
        names, weights = zip(*self.weights.items())
        for number in range(operations):
            operation = self.rng.choices(names, weights)[0]
            try:
                getattr(self, operation)()
            except redis.ResponseError as error:
                if variant is None or not str(error).startswith("CORRUPT"):
                    raise
                self.ended = f"{operation}: {error}"
            self.snapshot()
            if self.ended:
                return

    def complete(self):
        """Carries out what chance has left out."""
        for kind, ways in WAYS.items():
            for _ in range(30):
                if self.counts[kind]:
                    break
                for operation in ways:
                    getattr(self, operation)()
                    self.snapshot()

    def states(self):
        """What the daemon itself says of every event: 'live', 'restricted', 'erased' or nothing."""
        return {(tenant, event[b"position"]): event[b"state"].decode()
                for tenant in self.tenants for event in self.daemon.feed(tenant)}
