"""Random operations on one tenant, each with the check of its answer against the model."""

import collections
import json

from model import Difference, expect_error
from wire import ErrorReply

SOURCES = [None, None, "urn:a", "urn:b"]
TYPES = ["order.placed", "order.paid", "user.seen", "t"]

# What is sent in one go: commands, a check of their answers, and what it may store (for a crash).
Operation = collections.namedtuple("Operation", "commands check stores", defaults=((),))


def append_words(fields):
    words = ["EVENT.APPEND", fields["stream"], fields["type"], *options(fields)]
    if fields.get("expect") is not None:
        words[3:3] = ["EXPECT", fields["expect"]]
    return words + ["DATA", fields["data"]]


def options(fields):
    words = [word for person in fields["persons"] for word in ("DATASUBJECT", person)]
    words = words or ["IMPERSONAL"]
    for name, part in (("ID", "id"), ("SOURCE", "source"), ("CESUBJECT", "cesubject"),
                       ("TIME", "time"), ("CONTENT", "content"), ("SCHEMA", "schema")):
        if fields.get(part) is not None:
            words += [name, fields[part]]
    for name, value in fields.get("attrs", ()):
        words += ["ATTR", name, value]
    return words


class Operations:
    """What happens to one tenant: the dice, the model, and the cursors that are under way."""

    def __init__(self, tenant, model, rng):
        self.tenant, self.model, self.rng = tenant, model, rng
        self.cursors, self.counter, self.counts = [], 0, collections.Counter()
        self.sent = collections.deque(maxlen=400)
        # Off where a query may come before it is known when an event was stored.
        self.gives_times = True

    # Appends

    def person(self):
        return f"person-{min(self.rng.randint(1, 40), self.rng.randint(1, 60))}"

    def fields(self):
        """An event, or one that was sent before: as it was, or changed."""
        rng = self.rng
        if self.sent and rng.random() < 0.08:
            old = dict(rng.choice(self.sent))
            if not self.gives_times and old.pop("time", None):
                old["id"] += "-without-time"
            if rng.random() < 0.3:
                part = rng.choice(("data", "type", "stream", "attrs"))
                old[part] = [("a", "changed")] if part == "attrs" else "changed"
            if rng.random() < 0.5:
                old["attrs"] = list(reversed(old.get("attrs", ())))
            return old
        self.counter += 1
        persons = []
        for _ in range(rng.choice((0, 1, 1, 1, 1, 1, 2, 3, 4))):
            name = self.person()
            if name not in persons and (name not in self.model.shredded or rng.random() < 0.05):
                persons.append(name)
        own = len(persons) == 1 and rng.random() < 0.3
        fields = {
            "stream": f"user-{persons[0]}" if own else f"stream-{rng.randint(1, 12)}",
            "type": rng.choice(TYPES), "persons": persons, "data": f"{self.tenant}-{self.counter}"}
        if rng.random() < 0.4:
            fields["id"] = f"id-{self.counter}"
            fields["source"] = rng.choice(SOURCES)
            self.sent.append(fields)
        elif rng.random() < 0.2:
            fields["source"] = rng.choice(SOURCES)
        if rng.random() < 0.15:
            fields["attrs"] = [("a", str(self.counter)), ("b", "x" * rng.randint(0, 300))]
            fields["content"] = "text/plain"
        if self.gives_times and rng.random() < 0.08:
            fields.update(time="2026-01-02T03:04:05.678Z", schema="urn:schema", cesubject="about")
        return fields

    def expecting(self, fields, ahead=0):
        """The event with an expectation, mostly right."""
        if self.rng.random() < 0.6:
            return fields
        version = self.model.version(fields["stream"]) + ahead
        right = ["any", str(version), "exists" if version else "none"]
        return dict(fields, expect=self.rng.choice(right + ["none", "0", str(version + 1)]))

    def append(self):
        fields = self.expecting(self.fields())
        return Operation([append_words(fields)],
                         lambda replies: self.model.append(fields, replies[0]), [([fields], False)])

    def several(self):
        return [self.fields() for _ in range(self.rng.choice((1, 2, 3, 3, 5, 20)))]

    def batch(self):
        if self.sent and self.rng.random() < 0.1:
            # A batch is repeated whole by a client that did not see the answer.
            group = self.last_batch or self.several()
        else:
            group = self.several()
            self.last_batch = group if all(f.get("id") for f in group) else self.last_batch
        skips = self.rng.random() < 0.3
        words = ["EVENT.BATCH", *(("ONERASED", "skip" if skips else "reject")
                                  if skips or self.rng.random() < 0.3 else ())]
        flat, last = [], None
        for fields in group:
            if fields["stream"] != last:
                fields = self.expecting(dict(fields, expect=None))
                words += ["STREAM", fields["stream"]]
                words += ["EXPECT", fields["expect"]] if fields.get("expect") else []
            else:
                fields = dict(fields, expect=None)
            last = fields["stream"]
            flat.append(fields)
            words += ["EVENT", fields["type"], *options(fields), "DATA", fields["data"]]
        return Operation([words], lambda replies: self.model.group(flat, replies[0], skips),
                         [(flat, skips)])

    last_batch = None

    def transaction(self):
        """MULTI .. EXEC: appends, and reads that see what was before."""
        group, commands, checks = [], [["MULTI"]], []
        reads = []
        for _ in range(self.rng.choice((1, 2, 3, 6))):
            if self.rng.random() < 0.15:
                read = self.range()
                reads.append((len(commands) - 1, read))
                commands += read.commands
            else:
                group.append(self.expecting(self.fields(), len(group) and self.rng.randint(0, 1)))
                commands.append(append_words(group[-1]))
        is_wrong = self.rng.random() < 0.05
        if is_wrong:
            commands.append(["EVENT.APPEND", "stream-1", "t", "DATA", "nobody"])
        is_discarded = self.rng.random() < 0.1
        commands.append(["DISCARD" if is_discarded else "EXEC"])

        def check(replies):
            if replies[0] != "OK":
                raise Difference(f"MULTI answered {replies[0]}")
            queued = replies[1:-2] if is_wrong else replies[1:-1]
            if any(reply != "QUEUED" for reply in queued):
                raise Difference(f"queued: {queued}")
            if is_discarded:
                if replies[-1] != "OK":
                    raise Difference(f"DISCARD answered {replies[-1]}")
            elif is_wrong:
                expect_error(replies[-1], "EXECABORT")
            else:
                self.check_exec(group, reads, replies[-1])
        return Operation(commands, check, [] if is_wrong or is_discarded else [(group, False)])

    def check_exec(self, group, reads, replies):
        if isinstance(replies, ErrorReply):
            # All of it was refused, with the first reason.
            return self.model.group(group, replies)
        for place, read in reads:
            read.check([replies[place]])
        answers = [reply for place, reply in enumerate(replies)
                   if place not in {place for place, _ in reads}]
        return self.model.group(group, answers) if group else None

    # Reads

    def stream_name(self):
        names = list(self.model.streams)
        return self.rng.choice(names) if names and self.rng.random() < 0.95 else "unknown"

    def bound(self, last):
        number = max(0, min(last + 2, self.rng.randint(0, last + 2)))
        return number, self.rng.random() < 0.2

    def range(self):
        rng, model = self.rng, self.model
        stream = None if rng.random() < 0.4 else self.stream_name()
        last = len(model.events) if stream is None else model.version(stream)
        (low, opens_low), (high, opens_high) = sorted((self.bound(last), self.bound(last)))
        from_text = "-" if rng.random() < 0.15 else "(" * opens_low + str(low)
        to_text = "+" if rng.random() < 0.15 else "(" * opens_high + str(high)
        rev, live = rng.random() < 0.3, rng.random() < 0.3
        count = rng.choice((1, 2, 5, 10, 10, 20, 200))
        words = ["EVENT.RANGE", stream or "*",
                 *((to_text, from_text, "REV") if rev else (from_text, to_text))]
        words += ["COUNT", count] + ["LIVEONLY"] * live

        def check(replies):
            events = model.events if stream is None else model.of_stream(stream)
            lower = 1 if from_text == "-" else low + opens_low
            upper = len(events) if to_text == "+" else high - opens_high
            model.check_events(model.slice(events, lower, upper, rev, count, live), replies[0],
                               stream)
        return Operation([words], check)

    def read(self):
        rng, model = self.rng, self.model
        names = {None if rng.random() < 0.2 else self.stream_name()
                 for _ in range(rng.randint(1, 4))}
        after = {name: rng.randint(0, len(model.events) if name is None else model.version(name))
                 for name in names}
        words = ["EVENT.READ", "COUNT", 5, "STREAMS", *(name or "*" for name in names),
                 *after.values()]

        def check(replies):
            wanted = {}
            for name in names:
                events = model.events if name is None else model.of_stream(name)
                if events[after[name]:after[name] + 5]:
                    wanted[name or "*"] = name, events[after[name]:after[name] + 5]
            found = replies[0] or {}
            if isinstance(found, ErrorReply) or found.keys() != wanted.keys():
                raise Difference(f"READ answered {found}, expected {list(wanted)}")
            for shown, (name, events) in wanted.items():
                model.check_events(events, found[shown], name)
        return Operation([words], check)

    def filters(self):
        rng, filters = self.rng, {}
        if rng.random() < 0.35:
            filters["STREAM"] = self.stream_name()
        if rng.random() < 0.35:
            filters["TYPE"] = rng.choice(TYPES + ["unknown"])
        if rng.random() < 0.45:
            filters["DATASUBJECT"] = self.person()
        if rng.random() < 0.2:
            filters["SOURCE"] = rng.choice(("urn:a", "urn:b", "urn:c"))
        if rng.random() < 0.3 and self.model.events:
            filters["SINCE"] = self.time()
        if rng.random() < 0.2 and self.model.events:
            filters["UNTIL"] = self.time()
        return filters

    def time(self):
        known = None
        while known is None:
            known = self.rng.choice(self.model.events).stored
        return known.decode()

    @staticmethod
    def words(filters):
        return [word for pair in filters.items() for word in pair]

    def query(self):
        """A query's first page, or the next page of one that is under way."""
        rng = self.rng
        if self.cursors and rng.random() < 0.6:
            place = rng.randrange(len(self.cursors))
            filters, rev, behind, cursor = self.cursors.pop(place)
        else:
            filters, rev, behind, cursor = self.filters(), rng.random() < 0.3, None, "0"
        count, is_ce = rng.choice((1, 3, 10, 100)), rng.random() < 0.1
        words = ["EVENT.QUERY", *self.words(filters), *["REV"] * rev, "COUNT", count]
        if cursor != "0" or rng.random() < 0.1:
            words += ["CURSOR", cursor]
        words += ["FORMAT", "ce"] if is_ce else []

        def check(replies):
            if isinstance(replies[0], ErrorReply):
                raise Difference(f"QUERY was refused: {replies[0]}")
            after, events = replies[0]
            expected = self.model.matching(filters, rev, behind)
            page = expected[:count]
            if after != b"0" and len(events) < count:
                # A page may end early, but not leave anything out.
                page = page[:len(events)]
            if is_ce:
                self.check_cloud_events(page, events)
            else:
                self.model.check_events(page, events)
            if after != b"0":
                reached = page[-1].position if page else behind
                self.cursors.append((filters, rev, reached, after))
                del self.cursors[:-8]
        return Operation([words], check)

    def check_cloud_events(self, expected, found):
        if len(found) != len(expected):
            raise Difference(f"{len(found)} CloudEvents, expected {len(expected)}")
        for event, data in zip(expected, found):
            value = json.loads(data)
            wanted = {"specversion": "1.0", "id": event.id.decode(), "type": event.fields["type"],
                      "source": event.fields.get("source") or f"urn:lethe:{self.tenant}",
                      "position": str(event.position), "sequence": f"{event.version:020}",
                      "stream": event.fields["stream"], "data": event.fields["data"],
                      "time": event.time.decode(), "state": "live"}
            wrong = [(part, value.get(part)) for part in wanted if value.get(part) != wanted[part]]
            if wrong:
                raise Difference(f"CloudEvent {event.position}: {wrong}, expected {wanted}")

    def wrong_cursor(self):
        """A cursor of another query, or one that was tampered with."""
        if not self.cursors:
            return self.query()
        filters, rev, _, cursor = self.rng.choice(self.cursors)
        if self.rng.random() < 0.5:
            place = self.rng.randrange(len(cursor))
            letter = self.rng.choice(b"abcXYZ-_09")
            changed = bytes([letter if letter != cursor[place] else letter ^ 1])
            cursor = cursor[:place] + changed + cursor[place + 1:]
        elif self.rng.random() < 0.5:
            rev = not rev
        else:
            filters = dict(filters, TYPE="another")
        words = ["EVENT.QUERY", *self.words(filters), *["REV"] * rev, "CURSOR", cursor]
        return Operation([words], lambda replies: expect_error(replies[0], "BADCURSOR"))

    def count(self):
        filters = self.filters() if self.rng.random() < 0.8 else {}

        def check(replies):
            wanted = (len(self.model.matching(filters)) if filters else len(self.model.events))
            if replies[0] != wanted:
                raise Difference(f"COUNT {filters} answered {replies[0]}, expected {wanted}")
        return Operation([["EVENT.COUNT", *self.words(filters)]], check)

    def get(self):
        rng, model = self.rng, self.model
        if self.sent and rng.random() < 0.6:
            fields = rng.choice(self.sent)
            source = fields.get("source")
            if rng.random() < 0.1:
                source = "urn:other"
            words = ["EVENT.GET", "ID", fields["id"], *(("SOURCE", source) if source else ())]

            def find():
                event = model.ids.get((source, fields["id"]))
                return event if event is not None and event.live else None
        else:
            position = rng.randint(1, len(model.events) + 2)
            words = ["EVENT.GET", "POSITION", position]

            def find():
                return model.events[position - 1] if position <= len(model.events) else None

        def check(replies):
            event = find()
            if event is None:
                expect_error(replies[0], "NOEVENT")
            elif isinstance(replies[0], ErrorReply):
                raise Difference(f"GET was refused: {replies[0]}")
            else:
                model.check_event(event, replies[0])
        return Operation([words], check)

    def summary(self):
        name = self.stream_name()

        def check(replies):
            version = self.model.version(name)
            found = {part: replies[0].get(part) for part in ("version", "first", "expired")}
            if found != {"version": version, "first": min(1, version), "expired": 0}:
                raise Difference(f"STREAM answered {replies[0]}, expected version {version}")
        return Operation([["EVENT.STREAM", name]], check)
