"""An in-memory model of one tenant: what a store must answer, from Docs/Protocol.md alone.

It judges replies in the order in which they came, and learns from them what only the server knows:
ids that it made, and times. Whatever does not fit is a ``Difference``.
"""

from wire import ErrorReply


class Difference(Exception):
    """The store and the model do not agree."""


class Event:
    __slots__ = ("position", "version", "stream", "home", "persons", "fields", "id", "time",
                 "stored", "live", "forgotten")

    @property
    def key(self):
        return id_key(self.fields)


class Stream:
    """One life of a stream: a name that returns after its stream died begins at 1 again."""

    def __init__(self, name):
        self.name, self.events = name, []


class Person:
    """One life of a person."""

    def __init__(self):
        self.events = []


def id_key(fields):
    """What must not be repeated; None when the client gave no id."""
    return None if fields.get("id") is None else (fields.get("source"), fields["id"])


def same(fields, event):
    """Equal field by field; the order of attributes does not count."""
    parts = ("stream", "type", "persons", "id", "source", "cesubject", "time", "content", "schema",
             "data")
    return (all(fields.get(part) == event.fields.get(part) for part in parts)
            and dict(fields.get("attrs", ())) == dict(event.fields.get("attrs", ())))


def text(value):
    return None if value is None else value.encode()


class Model:
    def __init__(self):
        self.events, self.streams, self.persons, self.types = [], {}, {}, {}
        self.shredded, self.ids, self.erasures = set(), {}, []
        self.learned = 0

    # Writing

    def verdict(self, fields):
        """What is to be said of one append: (kind, details); `either` when only the store knows."""
        if any(person in self.shredded for person in fields["persons"]):
            return "error", "SUBJECTSHREDDED"
        known = self.ids.get(id_key(fields)) if fields.get("id") is not None else None
        if known is not None:
            if known.live:
                if same(fields, known):
                    return "duplicate", known
                return "error", f"IDCONFLICT position {known.position}"
            return ("either" if known.forgotten else "error"), f"ERASED position {known.position}"
        return "new", None

    def version(self, name):
        stream = self.streams.get(name)
        return len(stream.events) if stream else 0

    @staticmethod
    def allows(expectation, version):
        return {None: True, "any": True, "none": version == 0, "exists": version > 0}.get(
            expectation) if not str(expectation).isdigit() else int(expectation) == version

    def add(self, fields, reply):
        """Stores an event; `reply` is the answer of an append or the event as it was read back."""
        event = Event()
        event.fields, event.live, event.forgotten = fields, True, False
        stream = self.streams.get(fields["stream"])
        if stream is None:
            stream = self.streams[fields["stream"]] = Stream(fields["stream"])
        event.home, event.stream = stream, fields["stream"]
        stream.events.append(event)
        self.events.append(event)
        event.position, event.version = len(self.events), len(stream.events)
        event.persons = []
        for name in fields["persons"]:
            person = self.persons.setdefault(name, Person())
            person.events.append(event)
            event.persons.append(person)
        self.types.setdefault(fields["type"], []).append(event)
        event.id, event.time = reply["id"], reply["time"]
        event.stored = None if fields.get("time") else reply["time"]
        if event.key is not None:
            self.ids[event.key] = event
        self.check_append(event, reply, duplicate=reply.get("duplicate", 0))
        return event

    def check_append(self, event, reply, duplicate):
        if (reply["position"], reply["version"]) != (event.position, event.version):
            raise Difference(f"stored at {reply['position']}, version {reply['version']}, not "
                             f"{event.position}, {event.version}")
        for part in ("id", "time"):
            given = event.fields.get(part)
            if given is not None and reply[part] != given.encode():
                raise Difference(f"{part} {reply[part]} is not what was given")
            if reply[part] != getattr(event, part):
                raise Difference(f"{part} {reply[part]} is not {getattr(event, part)}")
        if reply.get("duplicate", 0) != duplicate:
            raise Difference(f"duplicate {reply.get('duplicate')} is not {duplicate}")

    def append(self, fields, reply):
        kind, detail = self.verdict(fields)
        version = self.version(fields["stream"])
        if kind == "either":
            kind, detail = ("error", detail) if refused(reply, "ERASED") else ("new", None)
        if kind == "new" and not self.allows(fields.get("expect"), version):
            kind, detail = "error", f"WRONGVERSION expected {fields['expect']} actual {version}"
        if kind == "error":
            expect_error(reply, detail)
            return
        if isinstance(reply, ErrorReply):
            raise Difference(f"append was refused: {reply}")
        if kind == "duplicate":
            self.check_append(detail, reply, duplicate=1)
        elif reply["duplicate"] != 0:
            raise Difference("a new event was called a duplicate")
        else:
            self.add(fields, reply)

    def fates(self, group, skips, answers=None):
        """What becomes of each event of a group, and the words that it may be refused with.

        A fate is new, duplicate or skip. A word with `?` in front may be said or not: whether the index
        still knows an erased event's id.
        """
        words, seen, fates = set(), set(), []
        for place, fields in enumerate(group):
            kind, detail = self.verdict(fields)
            word = detail.split(" ")[0] if kind in ("error", "either") else None
            key = id_key(fields)
            if word == "SUBJECTSHREDDED":
                fates.append("skip" if skips else "new")
                words |= set() if skips else {word}
                continue
            if key is not None and key in seen:
                words.add("IDCONFLICT")
            seen.add(key)
            if kind == "either":
                is_skipped = answers is not None and answers[place]["position"] is None
                fates.append("skip" if skips and is_skipped else "new")
                words |= {"?ERASED"} if not skips else {"?WRONGVERSION", "?IDCONFLICT"}
            elif word == "ERASED" and skips:
                fates.append("skip")
            else:
                fates.append("duplicate" if kind == "duplicate" else "new")
                words |= {word} if word else set()
        if "new" in fates and "duplicate" in fates:
            words.add("IDCONFLICT")
        if "new" in fates and self.expects_wrongly(group, fates):
            words.add("WRONGVERSION")
        return fates, words

    def expects_wrongly(self, group, fates):
        """Expectations count the group's own events; that of one that is left out holds as well."""
        versions = {}
        for fields, fate in zip(group, fates):
            name = fields["stream"]
            version = versions.get(name, self.version(name))
            if not self.allows(fields.get("expect"), version):
                return True
            if fate != "skip":
                versions[name] = version + 1
        return False

    def group(self, group, replies, skips=False):
        """All of a batch or transaction, whose `replies` are one error, or one for each event."""
        if isinstance(replies, ErrorReply):
            _, words = self.fates(group, skips)
            if not {replies.word, "?" + replies.word} & words:
                raise Difference(f"a group was refused with {replies}, not {sorted(words)}")
            return
        if len(replies) != len(group):
            raise Difference(f"{len(replies)} answers to {len(group)} events")
        fates, words = self.fates(group, skips, replies)
        if any(not word.startswith("?") for word in words):
            raise Difference(f"a group was stored that deserved {sorted(words)}")
        for fate, fields, reply in zip(fates, group, replies):
            if fate == "skip":
                if (reply["position"], reply["version"], reply["duplicate"]) != (None, None, 0):
                    raise Difference(f"an event to be left out was answered {reply}")
            elif fate == "duplicate":
                self.check_append(self.ids[id_key(fields)], reply, duplicate=1)
            elif reply["duplicate"] != 0:
                raise Difference("part of a new group was called a duplicate")
            else:
                self.add(fields, reply)

    # Forgetting

    def erased_by(self, name):
        """(live events that die with the person, streams that die): what the plan must count."""
        person = self.persons[name]
        erased = {event.position: event for event in person.events if event.live}
        dead = []
        for stream in {event.home for event in person.events}:
            if self.streams.get(stream.name) is not stream:
                continue
            others = any(event.live and any(other is not person for other in event.persons)
                         for event in stream.events)
            if not others:
                dead.append(stream)
                erased.update({e.position: e for e in stream.events if e.live})
        return erased, dead

    def shred(self, name):
        erased, dead = self.erased_by(name)
        for event in erased.values():
            event.live = False
        for stream in dead:
            del self.streams[stream.name]
        del self.persons[name]
        self.shredded.add(name)
        self.erasures.append(sorted(erased))

    def restarted(self):
        """What a restart may forget: ids of erased events, which nothing on disk tells any more."""
        for event in self.ids.values():
            if not event.live:
                event.forgotten = True

    def recover(self, groups, stored):
        """Goes on after a crash: `stored` are the events behind those that are known, `groups` the
        appends that were not answered; all that was stored must be a beginning of them."""
        stored = list(stored)
        for group, skips in groups:
            fates, words = self.fates(group, skips)
            if any(not word.startswith("?") for word in words) or not stored:
                continue
            taken = []
            for fate, fields in zip(fates, group):
                if fate != "new":
                    continue
                if len(taken) < len(stored) and (
                        stored[len(taken)]["data"] == fields["data"].encode()):
                    taken.append(fields)
                elif self.verdict(fields)[0] != "either":
                    if taken:
                        raise Difference("part of a group was stored before the crash")
                    break
            for fields in taken:
                event = stored.pop(0)
                self.add(fields, event).stored = event["stored"]
        if stored:
            raise Difference(f"{len(stored)} events are there that nobody sent")

    # Reading

    def slice(self, events, low, high, rev, count, live):
        """Events whose places in `events`, from 1, lie between the ends."""
        found = events[max(low, 1) - 1:max(high, 0)]
        if rev:
            found = found[::-1]
        if live:
            found = [event for event in found if event.live]
        return found[:count]

    def of_stream(self, name):
        stream = self.streams.get(name)
        return stream.events if stream else []

    def matching(self, filters, rev=False, behind=None):
        """Live events that match, in the order of the answer, from behind a position on."""
        lists = [self.events]
        if "STREAM" in filters:
            lists.append(self.of_stream(filters["STREAM"]))
        if "TYPE" in filters:
            lists.append(self.types.get(filters["TYPE"], []))
        if "DATASUBJECT" in filters:
            person = self.persons.get(filters["DATASUBJECT"])
            lists.append(person.events if person else [])
        candidates = min(lists, key=len)
        found = [event for event in candidates if event.live and self.matches(event, filters)]
        if rev:
            found.reverse()
        if behind is not None:
            found = [e for e in found if (e.position < behind if rev else e.position > behind)]
        return found

    @staticmethod
    def matches(event, filters):
        fields = event.fields
        return (("STREAM" not in filters or fields["stream"] == filters["STREAM"])
                and ("TYPE" not in filters or fields["type"] == filters["TYPE"])
                and ("SOURCE" not in filters or fields.get("source") == filters["SOURCE"])
                and ("DATASUBJECT" not in filters or filters["DATASUBJECT"] in fields["persons"])
                and ("SINCE" not in filters or event.stored >= filters["SINCE"].encode())
                and ("UNTIL" not in filters or event.stored < filters["UNTIL"].encode()))

    def check_events(self, expected, reply, stream=None):
        if isinstance(reply, ErrorReply):
            raise Difference(f"a read was refused: {reply}")
        places = [event["position"] for event in reply]
        if places != [event.position for event in expected]:
            raise Difference(
                f"positions {places[:12]} ({len(places)}), expected "
                f"{[event.position for event in expected[:12]]} ({len(expected)})")
        for event, found in zip(expected, reply):
            self.check_event(event, found, stream)

    def check_event(self, event, found, stream=None):
        fields = event.fields
        if event.stored is None:
            event.stored = found["stored"]
        persons = [text(person) for person in fields["persons"]]
        wanted = dict.fromkeys(("id", "source", "time", "datasubject", "cesubject", "content",
                                "schema", "data", "attrs"))
        wanted.update(position=event.position, version=event.version, stored=event.stored)
        if event.live:
            wanted.update(
                stream=text(fields["stream"]), type=text(fields["type"]), id=event.id,
                source=text(fields.get("source")), time=event.time, state=b"live",
                datasubject=None if not persons else persons[0] if len(persons) == 1 else persons,
                cesubject=text(fields.get("cesubject")), content=text(fields.get("content")),
                schema=text(fields.get("schema")), data=text(fields["data"]),
                attrs={name: text(value) for name, value in fields.get("attrs", ())})
        else:
            wanted.update(stream=text(stream), type=b"$erased", state=b"erased")
        if found != wanted:
            parts = [part for part in wanted.keys() | found.keys()
                     if wanted.get(part) != found.get(part)]
            raise Difference(f"event {event.position}: {[(p, found.get(p), wanted.get(p)) for p in parts]}")


def refused(reply, word):
    return isinstance(reply, ErrorReply) and reply.word == word


def expect_error(reply, wanted):
    """The word and, when `wanted` says more, the rest: other words may stand between them."""
    word, _, rest = wanted.partition(" ")
    if not refused(reply, word) or rest not in str(reply):
        shown = str(reply) if isinstance(reply, ErrorReply) else "an answer"
        raise Difference(f"{wanted} was expected, not {shown}")
