"""The scenario that every client runs: append, batch, expect conflict, duplicate, range, query with
a cursor, transaction, blocking read, erased event.

A driver takes commands and gives back the scalars of each reply in order, as text; an error reply is
a text that begins with its word. Each phase may use what the phase before it answered, and may come
through a connection of its own.
"""

import itertools
import threading
import time

from verdicts import check

TENANT = "acme"
DATA = '{"total":99.9}'
RUNS = itertools.count(1)


def writing(stream, person):
    """Commands, and what their replies must hold: in any order, or the error's first word."""
    order = ("EVENT.APPEND", stream, "order.placed")
    first = (*order, "DATASUBJECT", "u-42", "EXPECT", "none", "ID", f"{stream}-1", "DATA", DATA)
    return [
        (("ECHO", "hello"), ["hello"]),
        (("SELECT", "0"), ["OK"]),
        (first, ["position", "version", "1", "id", f"{stream}-1", "duplicate", "0"]),
        (first, ["version", "1", "id", f"{stream}-1", "duplicate", "1"]),
        ((*first[:-1], "other"), "IDCONFLICT"),
        ((*order, "DATASUBJECT", "u-42", "EXPECT", "none", "DATA", "x"), "WRONGVERSION"),
        ((*order, "DATA", "x"), "NODATASUBJECT"),
        ((*order, "DATASUBJECT", "null", "DATA", "x"), "BADSUBJECT"),
        ((*order, "IMPERSONAL", "DATA", "two"), ["version", "2"]),
        (("EVENT.BATCH", "STREAM", stream, "EXPECT", "2", "EVENT", "a", "DATASUBJECT", person,
          "DATA", "three", "EVENT", "b", "IMPERSONAL", "DATA", "four"), ["3", "4"]),
        (("EVENT.BATCH", "STREAM", stream, "EXPECT", "2", "EVENT", "a", "IMPERSONAL", "DATA",
          "x"), "WRONGVERSION"),
        (("EVENT.RANGE", stream, "-", "+"),
         [DATA, "u-42", "live", "order.placed", "two", "three", "four", person]),
        (("EVENT.RANGE", stream, "(2", "4"), ["three", "four", person]),
        (("EVENT.RANGE", stream, "+", "-", "REV", "COUNT", "1"), ["four"]),
        (("EVENT.RANGE", stream + "-unknown", "-", "+"), []),
        (("EVENT.READ", "COUNT", "1", "STREAMS", stream, "1"), [stream, "two"]),
        (("EVENT.READ", "BLOCK", "10", "STREAMS", stream, "99"), []),
        (("EVENT.STREAM", stream), ["version", "4"]),
        (("EVENT.COUNT", "STREAM", stream), ["4"]),
        (("EVENT.GET", "ID", f"{stream}-1"), [DATA, "u-42"]),
        (("EVENT.GET", "POSITION", "999999999"), "NOEVENT"),
        (("FLUSHALL",), "ERR"),
        (("EVENT.RANGE", stream, "-", "+", "COUNT", "x"), "ERR"),
        (("EVENT.QUERY", "STREAM", stream, "COUNT", "3"), [DATA, "two", "three"]),
    ]


def transaction(stream):
    return [
        (("MULTI",), ["OK"]),
        (("EVENT.APPEND", stream, "t", "IMPERSONAL", "EXPECT", "4", "DATA", "five"), ["QUEUED"]),
        (("EVENT.APPEND", stream, "t", "IMPERSONAL", "EXPECT", "5", "DATA", "six"), ["QUEUED"]),
        (("EXEC",), ["version", "5", "6"]),
        (("MULTI",), ["OK"]),
        (("EVENT.APPEND", stream, "t", "IMPERSONAL", "DATA", "no"), ["QUEUED"]),
        (("DISCARD",), ["OK"]),
        (("EVENT.STREAM", stream), ["version", "6"]),
    ]


def judge(command, expected, reply):
    shown = " ".join(command[:3])
    if isinstance(expected, str):
        check(len(reply) == 1 and reply[0].startswith(expected),
              f"{shown}: {expected} was expected, not {reply[:4]}")
        return
    missing = [part for part in expected if part not in reply]
    check(not missing, f"{shown}: {missing} not in {reply[:12]}")
    if not expected:
        check(reply in ([], [""]), f"{shown}: nothing was expected, not {reply[:4]}")


def flatten(reply):
    if reply is None:
        return []
    if isinstance(reply, dict):
        return [text for pair in reply.items() for part in pair for text in flatten(part)]
    if isinstance(reply, (list, tuple, set)):
        return [text for part in reply for text in flatten(part)]
    if isinstance(reply, bytes):
        return [reply.decode("utf-8", "replace")]
    return ["OK" if reply is True else str(reply)]  # redis-py makes True of OK


def phase(driver, steps):
    replies = driver([words for words, _ in steps])
    check(len(replies) == len(steps), f"{len(replies)} replies to {len(steps)} commands")
    for (command, expected), reply in zip(steps, replies):
        judge(command, expected, reply)
    return replies


def later(store, stream):
    """Appends to the stream when a client waits for it."""
    def append():
        time.sleep(0.3)
        with store.wire(TENANT) as wire:
            wire.call("EVENT.APPEND", stream, "t", "IMPERSONAL", "DATA", "awaited")
    thread = threading.Thread(target=append)
    thread.start()
    return thread


def run(store, driver, keeps_connection=True):
    """The whole scenario, on a stream and with a person of its own."""
    number = next(RUNS)
    stream, person = f"stream-{number}", f"person-{number}"
    steps = writing(stream, person)
    cursor = phase(driver, steps)[-1][0]
    check(cursor != "0", "a query of four events ended after three")
    steps += rest(driver, stream, cursor)
    if keeps_connection:
        steps += (more := transaction(stream))
        phase(driver, more)
    version = "6" if keeps_connection else "4"
    thread = later(store, stream)
    waiting = [(("EVENT.READ", "BLOCK", "10000", "STREAMS", stream, version), ["awaited", stream])]
    phase(driver, waiting)
    thread.join()
    store.shred(TENANT, person)
    erased = [
        (("EVENT.RANGE", stream, "3", "3"), ["$erased", "erased", stream]),
        (("EVENT.QUERY", "DATASUBJECT", person), ["0"]),
        (("EVENT.APPEND", stream, "t", "DATASUBJECT", person, "DATA", "x"), "SUBJECTSHREDDED"),
        (("EVENT.ERASURES", "0"), ["number", "positions"]),
    ]
    phase(driver, erased)
    return f"{len(steps) + len(waiting) + len(erased)} commands"


def rest(driver, stream, cursor):
    """Goes on with the cursor, and sees it refused for another query."""
    steps = [
        (("EVENT.QUERY", "STREAM", stream, "COUNT", "3", "CURSOR", cursor), ["four"]),
        (("EVENT.QUERY", "STREAM", stream, "TYPE", "a", "CURSOR", cursor), "BADCURSOR"),
    ]
    phase(driver, steps)
    return steps
