#!/usr/bin/env python3
"""The examples of the documents run against a real daemon, and print what the documents say.

An example is a block of code in which `$ redis-cli ..` stands; below it are its commands, behind `>`,
each with what it prints. `...` stands for anything. What nobody can know beforehand (UUIDs, times,
cursors, tokens) may be anything too, but the same again where the document says it again: a cursor
or a token that is shown in a reply can be used in the next command. Python blocks are run as well,
unless they are for another server; one that never ends, until it has kept its place. Each document has a
store of its own with a tenant `acme`. A changed expectation must be caught.
"""

import pathlib
import random
import re
import shlex
import subprocess

import lib
from clients_cli import ENVIRONMENT, Terminal
from lib import Failed, Skip, Store, binary, check

REPO = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = ["Docs/Protocol.md", "Docs/FromRedis.md", "README.md"]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SOCKETS = "/run/lethe"
# Scalars as redis-cli prints them; numbers in front of elements say nothing.
SCALAR = re.compile(r'\(error\) [^\n]*|\(integer\) -?\d+|\(\w[\w ]*\)|"(?:[^"\\]|\\.)*"|\.\.\.|[^\s"]+')
PLACE = re.compile(r"(?:(?<=\s)|^)\d+[)#~]\s", re.MULTILINE)
OPAQUE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z?|[A-Za-z0-9_-]{20,}")
# Long names of fields have no digit; a cursor that the daemon made need not have one either.
SHOWN = re.compile(r"(?=[A-Za-z_-]*\d).*")


def scalars(text):
    return SCALAR.findall(PLACE.sub(" ", text))


class Document:
    """Runs the examples of one text."""

    def __init__(self, store, text):
        self.store, self.text = store, text
        self.known = {SOCKETS: str(store.sockets)}
        self.session = None
        self.commands = self.checked = 0

    def run(self):
        names = {}
        for language, block in BLOCK.findall(self.text):
            if language == "python":
                if "load_place" in block:
                    self.consumer(block)
                elif "localhost" not in block and "redis.Redis(" not in block:
                    self.python(block, names)
            elif re.search(r"^\$ redis-cli", block, re.MULTILINE):
                self.block(block)
        self.end_session()
        return self

    def replaced(self, text):
        for shown, actual in self.known.items():
            text = text.replace(shown, actual)
        return text

    def python(self, block, names):
        exec("import redis", names)
        try:
            exec(compile(self.replaced(block), "an example", "exec"), names)
        except Exception as problem:
            raise Failed(f"{block.strip()[:60]!r}: {type(problem).__name__}: {problem}") from None
        self.commands += 1

    def consumer(self, block):
        """A loop that reads on from the place that it keeps sees each event once, in order."""
        class Enough(Exception):
            pass

        def save(place):
            raise Enough

        seen = []
        try:
            exec(compile(self.replaced(block), "an example", "exec"),
                 {"load_place": lambda: 0, "handle": seen.append, "save_place": save})
        except Enough:
            pass
        with self.store.wire("acme") as wire:
            count = wire.call("EVENT.COUNT")
        check(count and [event[b"position"] for event in seen] == list(range(1, count + 1)),
              f"the consumer saw {len(seen)} of {count} events")
        self.commands += 1

    def block(self, block):
        example, expected = None, []
        for line in [*block.splitlines(), "$"]:
            if not line.startswith(("$", ">")):
                expected.append(line)
                continue
            if example is not None:
                self.example(example, "\n".join(expected).strip())
            example, expected = line, []
        self.end_session()

    def example(self, line, expected):
        line = re.sub(r"\s{2,}#.*", "", line)
        if line.startswith("> "):
            check(self.session, f"{line}: no redis-cli was started above")
            printed = self.session.run(self.replaced(line[2:]))
        else:
            self.end_session()
            printed = self.program(self.replaced(line[1:].strip()))
            if printed is None:
                return
        self.commands += 1
        if not expected:
            # The document shows only that it works.
            check("(error)" not in printed, f"{line}: {printed.strip()[:100]}")
        else:
            self.compare(line, expected, printed)

    def program(self, line):
        """What a line of a shell prints; None when there is nothing to compare."""
        words = shlex.split(line)
        if not words or words[0] not in ("redis-cli", "lethe"):
            return None
        if words[0] == "lethe":
            return self.lethe(words[1:])
        path, options, rest = None, [], words[1:]
        while rest and rest[0].startswith("-"):
            word = rest.pop(0)
            if word == "-s":
                path = rest.pop(0)
            else:
                options += [word] + ([rest.pop(0)] if word in ("--user", "--pass", "-n") else [])
        check(path, f"{line}: -s is missing")
        if not rest:
            self.session = Terminal(path, *options)
            return None
        done = subprocess.run(["redis-cli", "-s", path, "--no-raw", *options, *rest],
                              capture_output=True, text=True, timeout=30, env=ENVIRONMENT,
                              stdin=subprocess.DEVNULL)
        return done.stdout + done.stderr

    def lethe(self, words):
        """Runs what needs neither a file nor a person at the terminal; cli.py tests the rest."""
        elsewhere = {"tail", "shred", "tenant", "import", "export", "append", "health", "--subject-prompt",
                     "<", ">", "|"}
        if not words or elsewhere & set(words):
            return None
        # What it writes goes with the store.
        done = subprocess.run(
            [pathlib.Path(binary("lethe")).resolve(), *words], capture_output=True, text=True, timeout=30,
            cwd=self.store.folder,
            env=dict(ENVIRONMENT, LETHE_SOCKETS=str(self.store.sockets), LETHE_TENANT="acme"),
            stdin=subprocess.DEVNULL)
        check(done.returncode == 0, f"lethe {' '.join(words)}: {done.stderr.strip()[:100]}")
        return done.stdout

    def end_session(self):
        if self.session:
            self.session.__exit__()
            self.session = None

    def compare(self, line, expected, printed):
        """Scalar by scalar; what is opaque in the document gets the meaning that it has here."""
        self.checked += 1
        wanted, found = scalars(expected), scalars(printed)
        if re.match(r"(?!1\))\d+\)", expected):
            # It begins in the middle of the reply.
            wanted.insert(0, "...")
        if not self.matches(wanted, found):
            raise Failed(f"{line}: expected {wanted[:24]}, printed {found[:24]}")

    def matches(self, wanted, found):
        while wanted:
            if wanted[0] == "...":
                rest = wanted[1:]
                return not rest or any(
                    self.matches(list(rest), found[at:]) for at in range(len(found) + 1))
            if not found or not self.same(wanted[0], found[0]):
                return False
            wanted, found = wanted[1:], found[1:]
        return not found

    def same(self, wanted, found):
        if wanted == found or self.replaced(wanted) == found:
            return True
        if "..." in wanted:
            pattern = ".*".join(map(re.escape, wanted.split("...")))
            return re.fullmatch(pattern, found) is not None
        shown, actual = wanted.strip('"'), found.strip('"')
        if (len(shown) == len(actual) and shown not in self.known and SHOWN.fullmatch(shown)
                and OPAQUE.fullmatch(shown) and OPAQUE.fullmatch(actual)):
            self.known[shown] = actual
            return True
        return False


def run_text(text):
    with Store() as store:
        store.create_tenant("acme")
        document = Document(store, text)
        try:
            return document.run()
        finally:
            document.end_session()


def document(name):
    path = REPO / name
    if not path.exists():
        raise Skip(f"there is no {name}")
    text = path.read_text()
    done = run_text(text)
    check(done.commands, f"{name} has no example")
    return f"{done.commands} commands, {done.checked} with their output"


def Protocol():
    return document(DOCUMENTS[0])


def FromRedis():
    return document(DOCUMENTS[1])


def README():
    return document(DOCUMENTS[2])


def every_command_has_an_example():
    text = (REPO / DOCUMENTS[0]).read_text()
    shown = re.findall(r"^(?:> |\$ redis-cli.*?\.sock[^A-Z\n]*)([A-Z.]+(?: [A-Z]+)?)", text, re.MULTILINE)
    with Store() as store:
        names = [word for path in (store.query, store.admin_socket) for word in served(path)]
    missing = [name for name in names
               if name.split()[0] not in BESIDE and not any((word + " ").startswith(name + " ") for word in shown)]
    check(len(names) > 20 and not missing, f"no example of {missing}")
    return f"{len(names)} commands"


def Operations_explains_every_line_of_INFO():
    text = (REPO / "Docs/Operations.md").read_text()
    with Store() as store, lib.Wire(store.admin_socket) as wire:
        lines = [line for line in wire.call("INFO").decode().splitlines() if line]
    names = [line if line.startswith("#") else line.split(":")[0] for line in lines]
    missing = [name for name in names if f"`{name}" not in text]
    check(len(names) > 25 and not missing, f"not explained: {missing}")
    return f"{len(names)} lines and sections"


# What Redis documents, and what is not there yet.
BESIDE = {"PING", "ECHO", "AUTH", "SELECT", "QUIT", "RESET", "CLIENT", "COMMAND", "CONFIG", "INFO", "TIME",
          "DISCARD", "WATCH", "UNWATCH"}


def served(path):
    """The commands of a socket that are there in this version; of the admin socket with their verbs."""
    with lib.Wire(path) as wire:
        for name, about in wire.call("COMMAND", "DOCS").items():
            verbs = about.get("subcommands", {})
            for known, what in (verbs or {name: about}).items():
                if b"Not available" not in what["summary"]:
                    yield known.upper().replace("|", " ")


def what_is_said_to_be_absent_is_absent():
    with Store() as store:
        store.create_tenant("acme")
        with store.wire("acme") as wire:
            for words in (("XADD", "s", "*", "f", "v"), ("GET", "s"), ("KEYS", "*"), ("FLUSHALL",),
                          ("EVAL", "x", "0"), ("XGROUP", "CREATE", "s", "g", "0")):
                try:
                    wire.call(*words)
                except lib.ErrorReply as error:
                    check("unknown command" in str(error), f"{words[0]}: {error}")
                else:
                    raise Failed(f"{words[0]} is there")


def mutations(text):
    """The text with one expected scalar changed, for each that can be."""
    found = []
    for block in BLOCK.finditer(text):
        if not re.search(r"^\$ redis-cli", block.group(2), re.MULTILINE):
            continue
        at = block.start(2)
        for line in block.group(2).splitlines(keepends=True):
            if not line.startswith(("$", ">")):
                for scalar in re.finditer(r"\(integer\) \d+|\(error\) [A-Z]+|\"[a-z]{3,}\"", line):
                    place = at + scalar.start()
                    changed = scalar.group()[:-1] + ("9" if scalar.group()[-1] != '"' else '9"')
                    found.append(text[:place] + changed + text[at + scalar.end():])
            at += len(line)
    return found


def a_changed_expectation_is_caught():
    choice = random.Random(SEED)
    caught = 0
    for name in DOCUMENTS:
        if not (REPO / name).exists():
            continue
        changed = mutations((REPO / name).read_text())
        for text in choice.sample(changed, min(4, len(changed))):
            try:
                run_text(text)
            except Failed:
                caught += 1
            else:
                raise Failed(f"{name}: a changed expectation passed")
    check(caught >= 4, f"only {caught} could be tried")
    return f"{caught} caught"


if __name__ == "__main__":
    SEED = lib.seed()
    lib.run_suite(Protocol, FromRedis, README, every_command_has_an_example,
                  Operations_explains_every_line_of_INFO,
                  what_is_said_to_be_absent_is_absent, a_changed_expectation_is_caught)
