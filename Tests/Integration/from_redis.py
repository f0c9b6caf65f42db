#!/usr/bin/env python3
"""The examples of Docs/FromRedis.md, run as they are printed there, against a daemon."""

import pathlib
import re
import shlex
import shutil
import subprocess

import lib
from lib import Skip, Store, check

STORE = None
DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "Docs" / "FromRedis.md"
SOCKET = "/run/lethe/query.sock"


def blocks():
    """Language and text of each block of code."""
    return re.findall(r"^```(\w*)\n(.*?)^```", DOCUMENT.read_text(), re.S | re.M)


def typed_commands_answer_what_is_printed():
    if not shutil.which("redis-cli"):
        raise Skip("no redis-cli")
    count = 0
    for language, text in blocks():
        if language or "redis-cli" not in text:
            continue
        for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
            command, *printed = part.splitlines()
            words = [word.replace(SOCKET, str(STORE.query)) for word in shlex.split(command)]
            done = subprocess.run([words[0], "--no-raw", *words[1:]], capture_output=True, text=True,
                                  timeout=30)
            answer = " ".join(done.stdout.split())
            count += 1
            for line in printed:
                check(" ".join(line.split()) in answer, f"{command}: {answer[:300]}")
            if not printed:
                check("(error)" not in answer, f"{command}: {answer[:300]}")
    check(count >= 7, f"only {count} commands were found")
    return f"{count} commands"


def the_consumer_sees_every_event_once():
    program = next(text for language, text in blocks() if language == "python" and "load_place" in text)
    program = program.replace(f"@{SOCKET}", f"@{STORE.query}").replace("30000", "200")
    seen = []

    class Enough(Exception):
        pass

    def save(place):
        raise Enough

    try:
        exec(compile(program, "FromRedis.md", "exec"),  # noqa: S102: it is our own document
             {"load_place": lambda: 0, "handle": seen.append, "save_place": save})
    except Enough:
        pass
    with STORE.wire("acme") as wire:
        check(len(seen) == wire.call("EVENT.COUNT"), f"{len(seen)} events")
    check([event[b"position"] for event in seen] == list(range(1, len(seen) + 1)), "order")


def what_is_said_to_be_absent_is_absent():
    with STORE.wire("acme") as wire:
        for words in (("XADD", "s", "*", "f", "v"), ("GET", "s"), ("KEYS", "*"), ("FLUSHALL",),
                      ("EVAL", "x", "0"), ("XGROUP", "CREATE", "s", "g", "0")):
            try:
                wire.call(*words)
                check(False, f"{words[0]} is there")
            except lib.ErrorReply as error:
                check("unknown command" in str(error), f"{words[0]}: {error}")


if __name__ == "__main__":
    with Store() as STORE:
        STORE.create_tenant("acme")
        lib.run_suite(typed_commands_answer_what_is_printed, the_consumer_sees_every_event_once,
                      what_is_said_to_be_absent_is_absent)
