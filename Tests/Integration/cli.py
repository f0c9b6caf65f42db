#!/usr/bin/env python3
"""The `lethe` command against the release daemon: every verb, its output and its exit status."""

import json
import os
import subprocess
import threading

import lib
from lib import Store, binary, check

STORE = None
TENANT = "acme"


def lethe(*words, status=0, text="", tenant=TENANT, descriptor=None):
    """Runs the client; `descriptor` is what file descriptor 3 gives."""
    environment = dict(os.environ, LETHE_SOCKETS=str(STORE.sockets))
    if tenant:
        environment["LETHE_TENANT"] = tenant
    command = [binary("lethe"), *words]
    if descriptor is not None:
        environment["PERSON"] = descriptor
        command = ["bash", "-c", 'exec "$0" "$@" 3<<<"$PERSON"', *command]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60,
                          env=environment, start_new_session=True)
    check(done.returncode == status,
          f"lethe {' '.join(words[:3])} ended with {done.returncode}: {done.stderr.strip()[:200]}")
    return done


def rows(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def tenants_are_created_listed_and_suspended():
    lethe("tenant", "create", TENANT, "--retention", "395d")
    lethe("tenant", "create", TENANT, "--retention", "395d", status=65)
    names = [row["name"] for row in rows(lethe("tenant", "list", "--json"))]
    check(TENANT in names, f"tenants: {names}")
    lethe("tenant", "suspend", TENANT)
    lethe("append", "s", "t", "--impersonal", text="x", status=75)
    lethe("tenant", "resume", TENANT)
    check(TENANT in lethe("tenant", "info", TENANT).stdout, "info shows no name")


def one_event_is_appended_and_read():
    done = lethe("append", "orders", "order.placed", "--subject-fd", "3", "--json",
                 text='{"total":99.9}\n', descriptor="u-42")
    reply = rows(done)[0]
    check(reply["version"] == 1 and len(reply["id"]) == 36, f"{reply}")
    event = rows(lethe("read", "orders", "--json"))[0]
    check(event["data"] == {"total": 99.9} and event["datasubject"] == "u-42", f"{event}")
    lethe("append", "orders", "t", "--impersonal", "--expect", "none", text="x", status=65)
    lethe("append", "orders", "t", text="x", status=64)  # no terminal to ask at


def many_events_go_through_a_pipeline_and_back():
    lines = "".join(json.dumps({"datasubject": f"u-{number % 7}", "data": {"n": number}}) + "\n"
                    for number in range(5_000))
    done = lethe("append", "many", "t", "--ndjson", text=lines)
    check("5000 events stored" in done.stderr, done.stderr)
    events = rows(lethe("read", "many", "--all", "--json"))
    check([event["data"]["n"] for event in events] == list(range(5_000)), "not what was appended")
    newest = rows(lethe("read", "many", "--reverse", "--count", "2", "--json"))
    check([event["version"] for event in newest] == [5_000, 4_999], f"{newest}")
    # What was read can be appended elsewhere.
    copy = "".join(json.dumps(dict(event, stream="copy")) + "\n" for event in events[:10])
    lethe("append", "--ndjson", text=copy.replace('"id"', '"cesubject"'))
    check(len(rows(lethe("read", "copy", "--json"))) == 10, "the copy is not complete")


def a_bad_line_is_named_and_ends_it():
    done = lethe("append", "bad", "t", "--ndjson", status=65,
                 text='{"impersonal":true,"data":1}\n{"datasubjekt":"secret","data":2}\n')
    check("line 2" in done.stderr and "secret" not in done.stderr, done.stderr)
    check(len(rows(lethe("read", "bad", "--json"))) == 1, "the first line was not stored")
    atomic = '{"impersonal":true,"data":1}\n{"datasubject":"null","data":2}\n'
    lethe("append", "atomic", "t", "--ndjson", "--atomic", text=atomic, status=65)
    check(rows(lethe("read", "atomic", "--json")) == [], "half a batch was stored")


def tail_follows_a_stream():
    found = []
    thread = threading.Thread(target=lambda: found.extend(
        rows(lethe("tail", "followed", "--after", "0", "--count", "2", "--json"))))
    thread.start()
    for number in range(2):
        lethe("append", "followed", "t", "--impersonal", text=str(number))
    thread.join(30)
    check([event["data"] for event in found] == [0, 1], f"{found}")


def a_person_is_shredded_after_a_look():
    for number in range(3):
        lethe("append", "orders", "t", "--subject-fd", "3", text=str(number), descriptor="u-gone")
    act = ("shred", "subject", "--reason", "art17", "--json")
    plan = rows(lethe(*act, "--dry-run", text="u-gone\n"))[0]
    check(plan["events"] == 3, f"{plan}")
    lethe("shred", "subject", "--reason", "art17", text="u-gone\n", status=64)  # no terminal
    receipt = rows(lethe(*act, "--confirm", plan["confirm"], text="u-gone\n"))[0]
    check(receipt["events"] == 3, f"{receipt}")
    states = [event["state"] for event in rows(lethe("read", "orders", "--json"))]
    check(states.count("erased") == 3, f"{states}")
    lethe("append", "orders", "t", "--subject-fd", "3", text="x", descriptor="u-gone", status=65)
    lethe("subject", "enrol", text="u-gone\n")
    lethe("append", "orders", "t", "--subject-fd", "3", text="x", descriptor="u-gone")
    lethe(*act, "--dry-run", text="u-nobody\n", status=65)


def what_is_known_of_keys_access_and_limits_is_shown():
    lethe("key", "status")
    lethe("access", "list", "--json")
    check(rows(lethe("limits", "--json"))[0]["event"] == 1 << 20, "limits")
    check(lethe("count").stdout.strip().isdigit(), "count")
    check(rows(lethe("count", "orders", "--json"))[0]["version"] > 0, "count of a stream")


def failures_have_their_statuses():
    lethe("frobnicate", status=64)
    lethe("count", tenant="nobody", status=77)
    lethe("count", "--socket", "/nonexistent/query.sock", status=69)
    lethe("count", "--socket", "/" + "x" * 200, status=78)
    lethe("read", "--position", "99999999", status=65)


if __name__ == "__main__":
    with Store() as STORE:
        lib.run_suite(
            tenants_are_created_listed_and_suspended, one_event_is_appended_and_read,
            many_events_go_through_a_pipeline_and_back, a_bad_line_is_named_and_ends_it,
            tail_follows_a_stream, a_person_is_shredded_after_a_look,
            what_is_known_of_keys_access_and_limits_is_shown, failures_have_their_statuses)
