#!/usr/bin/env python3
"""Nothing of another tenant comes back, and what is forbidden looks like what does not exist.

Every command of the server's own list is sent twice by a peer of tenant `mine`: once with names,
positions, cursors and tokens of tenant `theirs`, once with such that exist nowhere. Both answers must
be the same bytes, without any mark of the other tenant. A command that has no row here fails the
suite. Control: a server that does not ask for the right to a tenant (debug builds) is caught.
"""

import json
import math
import os
import random
import re
import statistics
import time

import lib
from lib import Closed, ErrorReply, Store, Wire, check

MARK = "zebra"
FOREIGN = {
    "tenant": f"{MARK}-1", "stream": f"{MARK}-stream", "type": f"{MARK}-type",
    "id": f"{MARK}-id", "person": f"{MARK}-person", "source": f"urn:{MARK}", "position": "77"}
ABSENT = {
    "tenant": "quagga", "stream": "quagga-stream", "type": "quagga-type",
    "id": "quagga-id", "person": "quagga-person", "source": "urn:quagga", "position": "9977",
    "cursor": "quagga-cursor", "token": "quagga-token",
    "certificate": "999999"}

# Commands by name; a row is one exchange or, with ` ; ` between them, several in a row.
APPEND = "EVENT.APPEND {stream} {type} DATASUBJECT {person} EXPECT none SOURCE {source} ID {id} DATA x"
QUERY = {
    "ping": ["PING", "PING {stream}"], "echo": ["ECHO x"], "quit": ["QUIT"],
    "hello": ["HELLO 3 AUTH {tenant} peer", "HELLO 2 AUTH {tenant} wrong", "HELLO 3"],
    "auth": ["AUTH {tenant} peer", "AUTH {tenant}", "AUTH {tenant} wrong", "AUTH peer",
             "AUTH {tenant} peer ; EVENT.RANGE * - +", "AUTH {tenant} peer ; EVENT.COUNT",
             "AUTH default peer ; EVENT.RANGE {stream} - +"],
    "select": ["SELECT 0", "SELECT 1"],
    "reset": ["RESET ; EVENT.RANGE {stream} - +", "RESET ; AUTH {tenant} peer ; EVENT.COUNT"],
    "client": ["CLIENT LIST", "CLIENT INFO", "CLIENT GETNAME", "CLIENT ID", "CLIENT KILL 1",
               "CLIENT SETNAME a", "CLIENT SETINFO lib-name a", "CLIENT NO-EVICT on",
               "CLIENT NO-TOUCH on", "CLIENT TRACKING on", "CLIENT LIST ID 1 2 3 4 5"],
    "command": ["COMMAND LIST", "COMMAND DOCS", "COMMAND COUNT", "COMMAND INFO event.append"],
    "config": ["CONFIG GET *", "CONFIG GET {stream}"], "info": ["INFO", "INFO {tenant}"],
    "time": ["TIME"],
    "event.append": [
        APPEND, APPEND + " ; " + APPEND,
        "AUTH {tenant} peer ; EVENT.APPEND {stream} {type} IMPERSONAL DATA x"],
    "event.batch": [
        "EVENT.BATCH STREAM {stream}-2 EXPECT none EVENT {type} DATASUBJECT {person} ID {id}-2 DATA x "
        "EVENT t IMPERSONAL DATA y",
        "EVENT.BATCH ONERASED skip STREAM {stream}-3 EXPECT none EVENT t DATASUBJECT {person} DATA x"],
    "multi": ["MULTI ; EVENT.APPEND {stream}-4 t IMPERSONAL EXPECT none ID {id}-4 DATA x ; "
              "EVENT.RANGE {stream}-5 - + ; EVENT.GET POSITION {position} ; EXEC",
              "MULTI ; AUTH {tenant} peer ; EVENT.COUNT ; EXEC"],
    "exec": ["EXEC", "MULTI ; EVENT.GET ID {id}-6 SOURCE {source} ; EXEC"],
    "discard": ["DISCARD", "MULTI ; DISCARD ; EVENT.RANGE {stream}-7 - +"],
    "watch": ["WATCH {stream}"], "unwatch": ["UNWATCH"],
    "event.get": ["EVENT.GET POSITION {position}", "EVENT.GET ID {id}-8",
                  "EVENT.GET ID {id}-8 SOURCE {source}",
                  "EVENT.GET ID {id} SOURCE {source} FORMAT ce",
                  "EVENT.GET POSITION {position} FORMAT ce"],
    "event.range": ["EVENT.RANGE {stream}-9 - +", "EVENT.RANGE {stream}-9 + - REV",
                    "EVENT.RANGE * {position} +", "EVENT.RANGE {stream}-9 - + FORMAT ce LIVEONLY"],
    "event.read": ["EVENT.READ STREAMS {stream}-9 0", "EVENT.READ STREAMS * {position}",
                   "EVENT.READ BLOCK 20 STREAMS {stream}-9 * 0 {position}",
                   "EVENT.READ BLOCK 20 STREAMS {stream}-9 $"],
    "event.stream": ["EVENT.STREAM {stream}-9"],
    "event.count": ["EVENT.COUNT STREAM {stream}-9", "EVENT.COUNT TYPE {type}-9",
                    "EVENT.COUNT DATASUBJECT {person}-9", "EVENT.COUNT SOURCE {source}-9"],
    "event.query": ["EVENT.QUERY STREAM {stream}-9", "EVENT.QUERY TYPE {type}-9",
                    "EVENT.QUERY DATASUBJECT {person}-9", "EVENT.QUERY SOURCE {source}-9",
                    "EVENT.QUERY CURSOR {cursor}", "EVENT.QUERY STREAM {stream} CURSOR {cursor}",
                    "EVENT.QUERY REV CURSOR {cursor}", "EVENT.QUERY FORMAT ce CURSOR {cursor}"],
    "event.streams": ["EVENT.STREAMS CURSOR {cursor}", "EVENT.STREAMS COUNT 1 CURSOR {cursor}"],
    "event.proof": ["EVENT.PROOF POSITION {position}", "EVENT.PROOF POSITION {position} SIZE {position}",
                    "EVENT.PROOF CONSISTENCY {position} {position}"],
    "event.checkpoint": ["EVENT.CHECKPOINT {tenant}"],
    "event.export": ["EVENT.EXPORT 0", "EVENT.EXPORT {position}"],
    "event.purpose": ["EVENT.PURPOSE {id}"],
    "event.erasures": ["EVENT.ERASURES 0", "EVENT.ERASURES $", "EVENT.ERASURES 0 BLOCK 20"],
}
SHRED = "REASON art17"
ADMIN = {
    **{name: QUERY[name] for name in (
        "ping", "echo", "quit", "hello", "auth", "select", "reset", "client", "command", "config",
        "info", "time", "multi", "exec", "discard", "watch", "unwatch")},
    "tenant": ["TENANT LIST", "TENANT INFO {tenant}", "TENANT SUSPEND {tenant}",
               "TENANT RESUME {tenant}", "TENANT CREATE {tenant} RETENTION 30d",
               "TENANT SET {tenant} ids required", "TENANT SET {tenant} strict on",
               "TENANT SET {tenant} accesslog 30d", "TENANT SET {tenant} grace tenant 1d",
               "TENANT OFFBOARD {tenant} " + SHRED + " DRYRUN",
               "TENANT OFFBOARD {tenant} " + SHRED + " CONFIRM {token}",
               "TENANT ENROLKEY {tenant} " + 64 * "0"],
    "shred": ["SHRED DATASUBJECT {tenant} {person} " + SHRED + " DRYRUN",
              "SHRED DATASUBJECT mine {person}-9 " + SHRED + " DRYRUN",
              "SHRED DATASUBJECT {tenant} {person} " + SHRED + " CONFIRM {token}",
              "SHRED DATASUBJECT mine me " + SHRED + " CONFIRM {token}",
              "SHRED DATASUBJECT mine me DATASUBJECT {person}-9 " + SHRED + " DRYRUN",
              "SHRED TENANT {tenant} " + SHRED + " DRYRUN",
              "SHRED TENANT {tenant} " + SHRED + " CONFIRM {token}",
              "SHRED EVENTS {tenant} {position} " + SHRED + " DRYRUN",
              "SHRED STREAM {tenant} {stream} " + SHRED + " DRYRUN",
              "SHRED PERIOD {tenant} default 2026-01-01 " + SHRED + " DRYRUN"],
    "subject": [f"SUBJECT {verb} {{tenant}} {{person}}"
                for verb in ("ENROL", "RESTRICT", "UNRESTRICT", "OBJECT")]
               + [f"SUBJECT {verb} mine {{person}}-9"
                  for verb in ("ENROL", "RESTRICT", "UNRESTRICT", "OBJECT")],
    "hold": ["HOLD LIST", "HOLD SET {tenant} TENANT REASON audit REVIEW 2099-01-01",
             "HOLD SET {tenant} DATASUBJECT {person} REASON audit REVIEW 2099-01-01",
             "HOLD EXPORT 1-1", "HOLD EXPORT 1-1 AFTER 1 COUNT 1",
             "HOLD RELEASE 1-1 DRYRUN", "HOLD RELEASE 1-1 CONFIRM {token}"],
    "retention": ["RETENTION RUN DRYRUN", "RETENTION STATUS", "RETENTION LIST {tenant}",
                  "RETENTION MAP {tenant} {type} default",
                  "RETENTION SET {tenant} invoices MAX 30d",
                  "RETENTION SET {tenant} default MAX 10d DRYRUN",
                  "RETENTION SET {tenant} default MAX 10d CONFIRM {token}"],
    "key": ["KEY STATUS", "KEY STATUS {tenant}", "KEY ROTATE TENANT {tenant}", "KEY REWRAP TENANT {tenant}"],
    "plan": ["PLAN LIST", "PLAN STATUS 1", "PLAN APPROVE 1", "PLAN CANCEL 1"],
    "access": ["ACCESS LIST", "ACCESS LOG {tenant}", "ACCESS LOG {tenant} AFTER 0 COUNT 10"],
    # The first certificate of the store is the other tenant's.
    "audit": ["AUDIT CERTIFICATES", "AUDIT CERTIFICATE {certificate}", "AUDIT LOG COUNT 1000", "AUDIT LOG {tenant}",
              "AUDIT COPIES", "AUDIT RETIRE {token}", "AUDIT BUNDLE BEGIN", "AUDIT BUNDLE NEXT {token}",
              "AUDIT CHECKPOINT", "AUDIT CHECKPOINT {tenant}", "AUDIT CHECKPOINTS {tenant}", "AUDIT KEY"],
    "clock": ["CLOCK CONFIRM"],
    "incident": [f"INCIDENT {verb} {rest} FROM 2026-01-01T00:00:00Z TO 2099-01-01T00:00:00Z "
                 "AWARE 2026-01-01T00:00:00Z"
                 for verb in ("SCOPE", "REPORT")
                 for rest in ("TENANT {tenant}", "EXPOSED storage", "TENANT {tenant} EXPOSED peer")]
                + ["INCIDENT PACKAGE 0123456789abcdef {tenant} 1"],
    "export": ["EXPORT DATASUBJECT {tenant} {person}", "EXPORT DATASUBJECT mine {person}-9",
               "EXPORT DATASUBJECT mine me CURSOR {cursor}"],
    "grant": ["GRANT LIST", "GRANT SET {tenant} UID 12345 UNTIL 2026-12-31", "GRANT APPROVE 1-1",
              "GRANT REVOKE 1-1"],
}
END = "<<the end>>"
# What may differ between two answers: times, and how often the connection was used.
UUIDS = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NUMBERS = re.compile(rb"\d+")


def prepare(store):
    """Fills `theirs` through a socket of its own, `mine` with one event; returns what is foreign."""
    store.create_tenant(FOREIGN["tenant"])
    store.create_tenant("mine")
    foreign = dict(FOREIGN)
    with store.wire(FOREIGN["tenant"]) as wire:
        words = [word.format(**foreign) for word in APPEND.split()]
        wire.call(*words)
        for number in range(80):
            wire.call("EVENT.APPEND", f"{foreign['stream']}-{number % 10}", f"{foreign['type']}-9",
                      "DATASUBJECT", f"{foreign['person']}-9", "SOURCE", f"{foreign['source']}-9",
                      "ID", f"{foreign['id']}-{number}", "DATA", MARK)
        wire.call("EVENT.APPEND", "s", "t", "DATASUBJECT", "leaves", "DATA", MARK)
        for words in (("EVENT.QUERY", "COUNT", 1), ("EVENT.STREAMS", "COUNT", 1)):
            reply = wire.pipeline([words])[0]
            foreign["cursor"] = foreign.get("cursor") or (
                "" if isinstance(reply, ErrorReply) else reply[0].decode())
        check(foreign["cursor"] not in ("", "0"), "a query of one of 82 events gave no cursor")
    foreign["certificate"] = store.shred(FOREIGN["tenant"], "leaves")[1]["certificate"]
    foreign["token"] = store.control(
        "SHRED", "DATASUBJECT", FOREIGN["tenant"], foreign["person"], "REASON", "art17",
        "DRYRUN")["confirm"]
    foreign = {name: value.decode() if isinstance(value, bytes) else value
               for name, value in foreign.items()}
    with store.wire("mine") as wire:
        wire.call("EVENT.APPEND", "s", "t", "DATASUBJECT", "me", "DATA", "x")
    return foreign


def restrict(store):
    """From now on this user may see `mine` only; plans are in memory and stay."""
    roles = ["writer", "reader", "exporter", "officer", "operator", "approver", "auditor"]
    access = {"unseparated": True,
              "peers": [{"uid": os.geteuid(), "tenants": ["mine"], "roles": roles},
                        {"uid": 12345, "tenants": [FOREIGN["tenant"]], "roles": roles}],
              "sockets": [{"name": "them", "tenant": FOREIGN["tenant"], "roles": ["reader"]}]}
    path = store.folder / "access.json"
    path.write_text(json.dumps(access))
    path.chmod(0o600)


def open_store(**settings):
    store = Store(**settings)
    access = store.folder / "access.json"
    access.write_text(json.dumps({"unseparated": True, "peers": [
        {"uid": os.geteuid(), "tenants": "*", "roles": [
            "writer", "reader", "exporter", "officer", "operator", "approver", "auditor"]}]}))
    access.chmod(0o600)
    store.options = ["--access", str(access)]
    return store


def exchange(path, row, values):
    """The bytes of the answers to a row on a connection of its own."""
    with Wire(path) as wire:
        commands = [[word.format(**values) for word in command.split()]
                    for command in row.split(" ; ")]
        mark = wire.encode("ECHO", END)
        wire.send(b"".join(wire.encode(*words) for words in commands) + mark)
        try:
            return wire.raw_until(f"${len(END)}\r\n{END}\r\n".encode())
        except Closed:
            return bytes(wire.buffer[wire.start:])


def listed(path):
    with Wire(path) as wire:
        return [name.decode() for name in wire.call("COMMAND", "LIST")]


def compare(path, rows, foreign):
    """What is wrong with a socket's commands: unknown ones, different answers, marks."""
    wrong = []
    for name in listed(path):
        if name not in rows:
            wrong.append(f"{name}: this suite has no row for it")
    for name, lines in rows.items():
        for row in lines:
            first, second = (neutral(exchange(path, row, values), values)
                             for values in (foreign, ABSENT))
            if MARK.encode() in first + second:
                wrong.append(f"{row}: {MARK} in the answer {first[:90]}")
            elif first != second:
                wrong.append(f"{row}: {first[:90]} beside {second[:90]}")
    return wrong


def neutral(answer, values):
    """An answer without the values that were sent, made ids, and numbers that count up."""
    for name, value in sorted(values.items(), key=lambda pair: -len(pair[1])):
        if value.isdigit():
            continue
        answer = answer.replace(value.encode(), b"<" + name.encode() + b">")
    return NUMBERS.sub(b"#", UUIDS.sub(b"UUID", answer))


FOUND = {}


def matrix(**settings):
    """(what is wrong on the query socket, on the admin socket), in one store."""
    with open_store(**settings) as store:
        foreign = prepare(store)
        restrict(store)
        store.process.send_signal(1)
        time.sleep(0.3)
        with Wire(store.sockets / "query.sock") as wire:
            reply = wire.pipeline([("AUTH", "mine", "peer")])[0]
            check(reply == "OK", f"the access file was not read again: {reply}")
        wrong = compare(store.query, QUERY, foreign), compare(store.admin_socket, ADMIN, foreign)
        FOUND["timing"] = timing(store) if settings == {} else None
        return wrong


def timing(store):
    """Welch's t of the times that AUTH takes for a forbidden and for an absent tenant."""
    rounds = 10_000 if os.environ.get("LETHE_TEST_LONG") == "1" else 2_000
    times = ([], [])
    choice = random.Random(SEED)
    with Wire(store.query) as wire:
        lines = [wire.encode("AUTH", name, "peer") for name in (FOREIGN["tenant"], ABSENT["tenant"])]
        for _ in range(2 * rounds):
            kind = choice.randrange(2)
            start = time.perf_counter_ns()
            wire.send(lines[kind])
            wire.reply()
            times[kind].append(time.perf_counter_ns() - start)
    # Beyond the 90th percentile there is only the scheduler.
    kept = [sorted(each)[:len(each) * 9 // 10] for each in times]
    means = [statistics.fmean(each) for each in kept]
    spread = math.sqrt(sum(statistics.variance(each) / len(each) for each in kept))
    return (means[0] - means[1]) / spread, means


WRONG = []


def no_command_tells_of_another_tenant_on_the_query_socket():
    WRONG.extend(matrix())
    check(not WRONG[0], f"{len(WRONG[0])}: {WRONG[0][:4]}")
    return f"{sum(map(len, QUERY.values()))} rows for {len(QUERY)} commands"


def nor_on_the_admin_socket():
    check(WRONG, "there was no matrix")
    check(not WRONG[1], f"{len(WRONG[1])}: {WRONG[1][:4]}")
    return f"{sum(map(len, ADMIN.values()))} rows for {len(ADMIN)} commands"


def the_time_of_AUTH_does_not_tell_forbidden_from_absent():
    check(FOUND.get("timing"), "there was no matrix")
    t, means = FOUND["timing"]
    check(abs(t) < 4.5, f"t = {t:.1f}: {means[0]:.0f} ns and {means[1]:.0f} ns")
    return f"t = {t:.1f}: {means[0]:.0f} ns and {means[1]:.0f} ns"


def a_server_that_does_not_check_the_tenant_is_caught():
    wrong, _ = matrix(configuration="debug", variant="tenant-unchecked")
    check(any(row.startswith("AUTH") for row in wrong), f"only this was seen: {wrong[:3]}")
    return f"caught in {len(wrong)} rows: {wrong[0][:100]}"


SEED = 0

if __name__ == "__main__":
    SEED = lib.seed()
    lib.run_suite(
        no_command_tells_of_another_tenant_on_the_query_socket, nor_on_the_admin_socket,
        the_time_of_AUTH_does_not_tell_forbidden_from_absent,
        a_server_that_does_not_check_the_tenant_is_caught)
