"""Holds and plans with grace in the scenario of closure_model.py."""
import time

import redis


def concerns(scope, name, event):
    """Whether an event is under a hold."""
    return {"DATASUBJECT": name in event.persons, "STREAM": event.stream == name,
            "CLASS": event.is_kept == (name == "kept"), "TENANT": True}[scope]


class HoldsAndPlans:
    # Holds.

    def hold(self):
        choices = sorted(key for key in self.alive() if key[0] not in
                         {tenant for tenant, _, _ in self.plans.values()})
        # Too many, and nothing would end any more.
        if not choices or len(self.held) >= 3:
            return
        waiting = [key for key in choices if key in self.lapses]
        key = self.rng.choice(waiting if waiting and self.rng.random() < 0.5 else choices)
        tenant, event = key[0], self.events[key]
        scope = self.rng.choice(["DATASUBJECT", "DATASUBJECT", "STREAM", "CLASS", "TENANT"])
        name = {"DATASUBJECT": min(event.persons, default=None), "STREAM": event.stream,
                "CLASS": "kept" if event.is_kept else "default", "TENANT": None}[scope]
        if name is None and scope != "TENANT":
            return
        words = [scope] if scope == "TENANT" else [scope, name]
        try:
            reply = self.daemon.admin(
                "HOLD", "SET", tenant, *words, "REASON", "audit", "REVIEW", "2099-06-30")
        except redis.ResponseError as error:
            if str(error).split()[0] in ("NOSUBJECT", "NOEVENT"):
                return
            raise
        concerned = self.of(tenant, lambda event: concerns(scope, name, event))
        keys = concerned - self.unsure
        if scope != "TENANT" and scope != "CLASS":
            # A name may have been another key's before the one that waits.
            seen = {self.lapses[k] for k in keys & set(self.lapses)}
            if len(seen) > 1:
                keys -= set(self.lapses)
        hold = reply[b"id"].decode()
        self.held[hold] = (tenant, scope, name, keys)
        self.maybe_held[hold] = concerned - keys
        self.counts["holds"] += 1

    def release(self):
        if not self.held:
            return
        hold = self.rng.choice(sorted(self.held))
        act = ["HOLD", "RELEASE", hold]
        token = self.daemon.admin(*act, "DRYRUN")[b"confirm"].decode()
        # Another user confirms: it ends at once.
        self.daemon.as_second_user([*act, "CONFIRM", token])
        tenant, _, _, keys = self.held.pop(hold)
        del self.maybe_held[hold]
        self.counts["released"] += 1
        free = keys - self.held_keys(tenant)
        gone = free & self.saved - self.dead - set().union(*self.maybe_held.values())
        self.counts["forgotten"] += bool(gone)
        self.dead |= gone
        self.unsure |= free & self.saved_unsure - gone
        self.doubt({key for key in free if self.is_due(key)})

    # Plans.

    def plan(self):
        if (picked := self.pick_person()) is None or len(self.plans) > 2:
            return
        tenant, person = picked
        mine = self.of(tenant, lambda event: person in event.persons)
        grace = self.rng.choice([1, 2, 3])
        self.daemon.admin("TENANT", "SET", tenant, "GRACE", "datasubject", f"{grace}d")
        done = self.attempt(tenant, mine, lambda: self.daemon.shred_person(tenant, person),
                            lambda scope, name: (scope, name) == ("DATASUBJECT", person))
        self.daemon.admin("TENANT", "SET", tenant, "GRACE", "datasubject", "0h")
        if not done:
            return
        number = max(plan[b"plan"] for plan in self.daemon.admin("PLAN", "LIST"))
        self.plans[number] = (tenant, person, self.today + grace)
        self.counts["planned"] += 1
        for key in sorted(mine & self.alive())[:1]:
            shown = self.daemon.client(tenant).execute_command("EVENT.GET", "POSITION", key[1])
            if shown[b"state"] != b"restricted":
                self.violations.append("what is planned is shown")

    def end_plan(self):
        if not self.plans:
            return
        number = self.rng.choice(sorted(self.plans))
        self.daemon.admin("PLAN", "CANCEL", number)
        del self.plans[number]
        self.counts["cancelled"] += 1

    def wait_for_plans(self):
        """Until the plans that are due are carried out."""
        for number in [n for n, plan in self.plans.items() if plan[2] <= self.today]:
            tenant, person, _ = self.plans[number]
            for _ in range(100):
                status = self.daemon.admin("PLAN", "STATUS", number)
                if status[b"state"] == b"done" or status.get(b"obstacle"):
                    break
                time.sleep(0.1)
            if status[b"state"] == b"done":
                self.counts["carried-out"] += 1
                self.person_dies(tenant, person)
            elif not self.has_hold(tenant):
                self.violations.append(f"plan {number} is due and waits: {status}")
            if status[b"state"] == b"done":
                del self.plans[number]
