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


def settings(tenant):
    environment = dict(os.environ, LETHE_SOCKETS=str(STORE.sockets))
    if tenant:
        environment["LETHE_TENANT"] = tenant
    return environment


def lethe(*words, status=0, text="", tenant=TENANT, descriptor=None):
    """Runs the client; `descriptor` is what file descriptor 3 gives."""
    environment = settings(tenant)
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


def a_hold_is_set_listed_and_released_after_a_look():
    lethe("append", "disputed", "t", "--subject-fd", "3", text="x", descriptor="u-held")
    terms = ("--reason", "litigation", "--review", "2099-06-30")
    hold = rows(lethe("hold", "set", "subject", *terms, "--json", text="u-held\n"))[0]
    check((hold["scope"], hold["review"], hold["overdue"]) == ("datasubject", "2099-06-30", 0),
          f"{hold}")
    stream = rows(lethe("hold", "set", "stream", "disputed", *terms, "--json"))[0]
    check(stream["id"] != hold["id"], f"{stream}")
    lethe("hold", "set", "subject", *terms, text="u-nobody\n", status=65)
    lethe("hold", "set", "subject", "u-held", *terms, status=64)  # a person on the command line
    found = lethe("hold", "list")
    check("u-held" not in found.stdout and "disputed" not in found.stdout, "a hold shows a name")
    check([row["id"] for row in rows(lethe("hold", "list", "--json"))]
          == [hold["id"], stream["id"]], "hold list differs")
    act = ("shred", "subject", "--reason", "art17", "--dry-run")
    check(hold["id"] in lethe(*act, text="u-held\n", status=65).stderr, "HELD names no hold")
    lethe("hold", "release", hold["id"], status=64)  # no terminal
    lethe("hold", "release", hold["id"], "--confirm", "0" * 32, status=65)
    exported = rows(lethe("hold", "export", hold["id"]))
    check([event["stream"] for event in exported] == ["disputed"], f"{exported}")
    lethe("hold", "export", "1-99", status=65)
    for one in (hold, stream):
        plan = rows(lethe("hold", "release", one["id"], "--dry-run", "--json"))[0]
        done = rows(lethe("hold", "release", one["id"], "--confirm", plan["confirm"], "--json"))[0]
        check(done["id"] == one["id"] and done["ends"] > done["set"], f"{done}")
    # Until its end it holds.
    lethe(*act, text="u-held\n", status=65)


def what_is_known_of_keys_access_and_limits_is_shown():
    lethe("key", "status")
    lethe("access", "list", "--json")
    check(rows(lethe("limits", "--json"))[0]["event"] == 1 << 20, "limits")
    check(lethe("count").stdout.strip().isdigit(), "count")
    check(rows(lethe("count", "orders", "--json"))[0]["version"] > 0, "count of a stream")


def events_are_found_by_person_type_source_and_time():
    lines = "".join(json.dumps(
        {"datasubject": f"f-{number % 3}", "type": f"kind.{number % 2}", "id": f"found-{number}",
         "source": f"https://shop-{number % 5}.example", "data": {"n": number}}) + "\n"
        for number in range(2_500))
    lethe("append", "found", "--ndjson", text=lines)
    mine = rows(lethe("query", "--subject-prompt", "--all", "--json", text="f-1\n"))
    check([event["data"]["n"] for event in mine] == list(range(1, 2_500, 3)), "by person")
    both = rows(lethe("query", "found", "--type", "kind.1", "--subject-fd", "3", "--all", "--json",
                      descriptor="f-2"))
    check([event["data"]["n"] for event in both] == list(range(5, 2_500, 6)), "by type and person")
    newest = rows(lethe("query", "--source", "https://shop-4.example", "--reverse", "--count", "2",
                        "--since", "1h", "--json"))
    check([event["data"]["n"] for event in newest] == [2_499, 2_494], f"{newest}")
    count = rows(lethe("count", "found", "--type", "kind.0", "--json"))[0]["count"]
    check(count == 1_250, f"{count} of 1250")
    check(lethe("count", "found", "--live").stdout.strip() == "2500", "live ones of a stream")
    check(lethe("count", "--until", "2020-01-01", "found").stdout.strip() == "0", "before all")


def a_query_goes_on_with_its_cursor():
    first = lethe("query", "found", "--count", "10", "--json")
    cursor = first.stderr.split("--cursor ")[1].strip()
    second = rows(lethe("query", "found", "--count", "10", "--json", "--cursor", cursor))
    check([event["version"] for event in rows(first) + second] == list(range(1, 21)), "pages")
    lethe("query", "many", "--cursor", cursor, status=65)
    lethe("query", "found", "--cursor", "made-up", status=65)


def one_event_is_got_by_position_and_by_id():
    event = rows(lethe("get", "--id", "found-7", "--source", "https://shop-2.example", "--json"))[0]
    check(event["data"] == {"n": 7}, f"{event}")
    same = rows(lethe("get", str(event["position"]), "--json"))[0]
    check(same == event, "not the same by its position")
    ce = rows(lethe("get", str(event["position"]), "--format", "ce"))[0]
    check(ce["specversion"] == "1.0" and ce["id"] == "found-7" and ce["data"] == {"n": 7}, f"{ce}")
    lethe("get", "--id", "found-7", "--source", "https://elsewhere.example", status=65)


def streams_are_listed():
    listed = {row["stream"]: row["version"] for row in rows(lethe("streams", "--json"))}
    check(listed["found"] == 2_500 and listed["many"] == 5_000, f"{listed}")
    table = lethe("streams").stdout.splitlines()
    check(table[0].split() == ["VERSION", "STORED", "STREAM"] and len(table) > 3, f"{table[:2]}")


def a_repeated_append_is_stored_once():
    words = ("append", "once", "t", "--impersonal", "--id", "the-same", "--json")
    first, second = rows(lethe(*words, text="x"))[0], rows(lethe(*words, text="x"))[0]
    check(first["duplicate"] == 0 and second["duplicate"] == 1, f"{first} {second}")
    check(first["position"] == second["position"], "two positions")
    lethe(*words, text="y", status=65)


def a_tenant_may_demand_ids():
    lethe("tenant", "set", TENANT, "--ids", "required")
    with STORE.wire(TENANT) as wire:
        try:
            wire.call("EVENT.APPEND", "s", "t", "IMPERSONAL", "DATA", "x")
            check(False, "an event without an id was taken")
        except lib.ErrorReply as error:
            check("ID" in str(error), str(error))
    lethe("append", "s", "t", "--impersonal", text="x")  # it always sends an id
    lethe("tenant", "set", TENANT, "--ids", "optional")


def what_was_exported_can_be_imported():
    """Everything of the tenant goes to another one and comes out the same, positions aside."""
    odd = [{"impersonal": True, "data": "a string"}, {"impersonal": True, "data_text": "no JSON"},
           {"impersonal": True, "data_text": "no JSON", "content": "application/json"},
           {"impersonal": True, "data_base64": "/wD+"},
           {"datasubject": ["p", "q"], "data": [1, 2.50, "\u00e9"], "attrs": {"region": "eu"}},
           {"datasubject": "p", "data_text": "<a/>", "content": "text/xml", "schema": "urn:s",
            "source": "urn:x", "cesubject": "c", "time": "2026-01-01T00:00:00+01:00"}]
    lethe("append", "odd", "t", "--ndjson", text="".join(json.dumps(e) + "\n" for e in odd))
    path = STORE.folder / "all.ndjson"
    lethe("export", "range", "*", "--output", str(path))
    check(path.stat().st_mode & 0o777 == 0o600, "an export is open to others")
    lethe("export", "range", "*", "--output", str(path), status=73)
    lethe("tenant", "create", "copy", "--retention", "395d")
    take = ("import", str(path), "--impersonal-types", "*", "--json")
    summary = rows(lethe(*take, tenant="copy"))[0]
    mine = rows(lethe("export", "range", "*", "--live"))
    check(summary["appended"] == len(mine) and summary["refused"] == 0, f"{summary}")
    check(summary["erased"] == 3, f"{summary['erased']} markers of 3 erased events")
    again = rows(lethe(*take, tenant="copy"))[0]
    check(again["appended"] == 0 and again["duplicates"] == len(mine), f"{again}")
    theirs = rows(lethe("export", "range", "*", tenant="copy"))

    def content(event):
        given = {name: value for name, value in event.items()
                 if name not in ("position", "sequence", "storedtime")}
        return dict(given, source=given["source"].replace("urn:lethe:copy", f"urn:lethe:{TENANT}"))

    check([content(event) for event in theirs] == [content(event) for event in mine],
          "the copy is not what was exported")
    odd = [(e.get("data"), e.get("data_text"), e.get("data_base64"))
           for e in rows(lethe("read", "odd", "--json"))]
    copied = [(e.get("data"), e.get("data_text"), e.get("data_base64"))
              for e in rows(lethe("read", "odd", "--json", tenant="copy"))]
    check(odd == copied, f"{odd} became {copied}")


def an_export_goes_on_where_it_was_cut():
    whole = lethe("export", "range", "many").stdout
    path = STORE.folder / "cut.ndjson"
    path.write_bytes(whole.encode()[:len(whole) // 2])
    lethe("export", "range", "many", "--output", str(path), "--resume")
    check(path.read_text() == whole, "not the same as in one piece")


def refused_lines_are_told_by_reason_and_number():
    event = {"specversion": "1.0", "id": "1", "source": "urn:y", "type": "t", "stream": "imp",
             "datasubject": "p", "data": 1}
    lines = [event, dict(event, data=2), dict(event, id="2", datasubject="null"), {"secret": 1},
             dict(event, id="3")]
    done = lethe("import", "--json", text="".join(json.dumps(e) + "\n" for e in lines), status=65)
    summary = rows(done)[0]
    reasons = {reason["reason"]: reason["lines"] for reason in summary["reasons"]}
    check(summary["appended"] == 2 and reasons.get("IDCONFLICT") == [2], f"{summary}")
    check(reasons.get("BADSUBJECT") == [3], f"{reasons}")
    check("secret" not in done.stdout + done.stderr, "a value was told")


def a_tail_survives_a_restart():
    lethe("append", "survived", "t", "--impersonal", text="0")
    tail = subprocess.Popen(
        [binary("lethe"), "tail", "survived", "--after", "0", "--count", "2", "--json"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=settings(TENANT),
        start_new_session=True)
    try:
        # A first event: it is connected. One that never was gives up at once.
        found = [json.loads(tail.stdout.readline())]
        STORE.kill()
        STORE.start()
        lethe("append", "survived", "t", "--impersonal", text="1")
        rest, _ = tail.communicate(timeout=60)
    finally:
        tail.kill()
    found += [json.loads(line) for line in rest.splitlines()]
    check([event["data"] for event in found] == [0, 1], f"{found}")


def an_import_survives_a_restart():
    event = {"specversion": "1.0", "source": "urn:z", "type": "t", "stream": "restarted",
             "datasubject": "p"}
    lines = "".join(json.dumps(dict(event, id=str(n), data=n)) + "\n" for n in range(60_000))
    found = []
    thread = threading.Thread(target=lambda: found.extend(
        rows(lethe("import", "--json", text=lines))))
    thread.start()
    reached = 0
    while reached < 1_000 and thread.is_alive():
        reached = rows(lethe("count", "restarted", "--json"))[0]["version"]
    STORE.kill()
    check(0 < reached < 60_000, f"killed at {reached}: not within the import")
    STORE.start()
    thread.join(120)
    check(found and found[0]["appended"] + found[0]["duplicates"] == 60_000, f"{found}")
    check(lethe("count", "restarted", "--live").stdout.strip() == "60000", "events twice or missing")
    return f"killed behind event {reached}; {found[0]['duplicates']} came as duplicates"


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
            events_are_found_by_person_type_source_and_time, a_query_goes_on_with_its_cursor,
            one_event_is_got_by_position_and_by_id, streams_are_listed,
            a_repeated_append_is_stored_once, a_tenant_may_demand_ids, what_was_exported_can_be_imported,
            an_export_goes_on_where_it_was_cut, refused_lines_are_told_by_reason_and_number,
            a_tail_survives_a_restart, an_import_survives_a_restart,
            a_hold_is_set_listed_and_released_after_a_look,
            what_is_known_of_keys_access_and_limits_is_shown, failures_have_their_statuses)
