#!/usr/bin/env python3
"""Who may do what: every verb with every role, as roles.json has it, and how events leave in bulk.

A row is a socket, a verb, a line, the roles that may say it, and what these are answered: no error, the
word of `answer`, or anything but NOPERM (`*`). The others are answered NOPERM. A verb that the daemon
lists and the table has not fails the suite. Operator, approver and auditor never receive a byte of an
event. Broken variants: `export-ungranted`, `others-unmasked`, `grant-self-approved`.
"""

import json
import pathlib

import lib
from lib import ErrorReply, Store, check
from peers import ROLES, as_user, open_to

TABLE = pathlib.Path(__file__).with_name("roles.json")
UIDS = {role: 4_101 + number for number, role in enumerate(ROLES)}
BLIND = ("operator", "approver", "auditor")
CANARY = "canarium"
SECOND = 4_120


def opened(variant=None):
    store = Store("debug", variant=variant)
    peers = [{"uid": uid, "tenants": "*", "roles": [role]} for role, uid in UIDS.items()]
    peers += [{"uid": SECOND, "tenants": "*", "roles": ["approver", "officer"]},
              {"uid": 0, "tenants": "*", "roles": ROLES}]
    open_to(store, peers, unseparated=True)
    return store


def prepare(store):
    store.create_tenant("acme")
    with store.wire("acme") as wire:
        for number in range(5):
            wire.call("EVENT.APPEND", f"{CANARY}-stream", f"{CANARY}-type", "DATASUBJECT", "u-1",
                      "DATASUBJECT", f"{CANARY}-person", "ID", f"{CANARY}-{number}",
                      "ATTR", "note", f"{CANARY}-attribute", "DATA", f"{CANARY}-data-{number}")


def listed(path, tenant):
    """Every verb of a socket; subcommands as `container|name`."""
    docs, = as_user(UIDS["operator"], path, ("COMMAND", "DOCS"), tenant=tenant)
    found = set()
    for name, doc in docs.items():
        inner = doc.get("subcommands")
        found.update([key if isinstance(key, str) else key.decode() for key in inner] if inner else [name])
    return found


def judge(role, row, answer):
    word = answer.word if isinstance(answer, ErrorReply) else ""
    if row["may"] != "all" and role not in row["may"]:
        return word == "NOPERM"
    wanted = row.get("answer", "")
    return wanted == "*" and word != "NOPERM" or word == wanted


def every_verb_with_every_role():
    table = json.loads(TABLE.read_text())
    wrong, count = [], 0
    with opened() as store:
        prepare(store)
        for socket, path, tenant in (("query", store.query, "acme"), ("admin", store.admin_socket, None)):
            rows = [row for row in table if row["socket"] == socket]
            known = {row["verb"] for row in rows}
            wrong += [f"{socket}: {verb} is not in the table"
                      for verb in sorted(listed(path, tenant)) if verb not in known]
            for role, uid in UIDS.items():
                answers = as_user(uid, path, *[row["line"].split() for row in rows], tenant=tenant)
                for row, answer in zip(rows, answers):
                    count += 1
                    if not judge(role, row, answer):
                        wrong.append(f"{role}: {row['line']}: {str(answer)[:60]}")
                if role in BLIND and CANARY in repr(answers):
                    wrong.append(f"{role} received a part of an event on {socket}.sock")
    check(not wrong, f"{len(wrong)}: {wrong[:12]}")
    return f"{count} answers of {len(table)} rows"


def export(store, tenant="acme"):
    answer, = as_user(UIDS["exporter"], store.query, ("EVENT.EXPORT", 0), tenant=tenant)
    return answer


def events_leave_in_bulk_under_a_grant_only():
    with opened() as store:
        prepare(store)
        admin, officer = store.admin_socket, UIDS["officer"]
        grant = ("GRANT", "SET", "acme", "UID", UIDS["exporter"], "UNTIL", "2026-12-31")
        check(export(store).word == "NOGRANT", "without a grant")
        made, = as_user(officer, admin, grant)
        check(not isinstance(made, ErrorReply) and made["state"] == b"granted", f"{made}")
        check(len(export(store)) == 5 and CANARY in repr(export(store)), "under a grant")
        as_user(officer, admin, ("GRANT", "REVOKE", made["id"]))
        check(export(store).word == "NOGRANT", "after it was revoked")
        as_user(UIDS["operator"], admin, ("TENANT", "SET", "acme", "EXPORTAPPROVAL", "required"))
        made, own = as_user(SECOND, admin, grant, ("GRANT", "APPROVE", "1-2"))
        check(made["state"] == b"approval" and own.word == "NEEDAPPROVAL", f"{made} {own}")
        check(export(store).word == "NOGRANT", "before it was approved")
        approved, = as_user(UIDS["approver"], admin, ("GRANT", "APPROVE", made["id"]))
        check(approved["state"] == b"granted" and len(export(store)) == 5, f"{approved}")
        told, = as_user(UIDS["auditor"], admin, ("AUDIT", "LOG", "COUNT", 1000))
        acts = [line["act"].decode() for line in told if line["act"].startswith(b"grant")]
        check(acts == ["grant-set", "grant-revoked", "grant-set", "grant-approved"], f"{acts}")
        refused = [line for line in told if line["result"] == b"no-grant"]
        check(len(refused) == 3 and refused[0]["verb"] == b"event.export", f"{refused}")
        seen = repr(as_user(UIDS["auditor"], admin, ("ACCESS", "LOG", "acme")))
        check("EVENT.EXPORT" in seen, f"the access log has no export: {seen[:200]}")


def subject_export(store):
    (cursor, events), = as_user(
        UIDS["officer"], store.admin_socket, ("EXPORT", "DATASUBJECT", "acme", "u-1"))
    return [json.loads(event) for event in events]


def a_person_gets_what_is_theirs_and_others_are_masked():
    with opened() as store:
        prepare(store)
        events = subject_export(store)
        check(len(events) == 5, f"{len(events)} events")
        check(all(event["datasubject"] == "u-1" and event["datasubject2"] == "masked"
                  for event in events), f"{events[0]}")
        unknown, foreign = as_user(
            UIDS["officer"], store.admin_socket, ("EXPORT", "DATASUBJECT", "acme", "nobody"),
            ("EXPORT", "DATASUBJECT", "nowhere", "u-1"))
        check(unknown.word == "NOSUBJECT" and foreign.word == "NOTENANT", f"{unknown} {foreign}")
        told = [line for line in store.control("AUDIT", "LOG", "COUNT", 1000)
                if line["act"] == b"subject-exported"]
        check(len(told) == 1 and told[0]["count"] == 5, f"{told}")
        store.shred("acme", "u-1")
        gone, = as_user(
            UIDS["officer"], store.admin_socket, ("EXPORT", "DATASUBJECT", "acme", "u-1"))
        check(isinstance(gone, ErrorReply), f"after the shred: {gone}")


def a_daemon_that_asks_for_no_grant_is_caught():
    with opened("export-ungranted") as store:
        prepare(store)
        check(len(export(store)) == 5, "the variant does nothing")


def a_daemon_that_does_not_mask_others_is_caught():
    with opened("others-unmasked") as store:
        prepare(store)
        check(subject_export(store)[0]["datasubject2"] == f"{CANARY}-person", "the variant does nothing")


def an_officer_who_approves_alone_is_caught():
    with opened("grant-self-approved") as store:
        prepare(store)
        store.control("TENANT", "SET", "acme", "EXPORTAPPROVAL", "required")
        grant = ("GRANT", "SET", "acme", "UID", UIDS["exporter"], "UNTIL", "2026-12-31")
        made, own = as_user(SECOND, store.admin_socket, grant, ("GRANT", "APPROVE", "1-1"))
        check(made["state"] == b"approval" and own["state"] == b"granted", f"{made} {own}")


if __name__ == "__main__":
    lib.run_suite(
        every_verb_with_every_role, events_leave_in_bulk_under_a_grant_only,
        a_person_gets_what_is_theirs_and_others_are_masked,
        a_daemon_that_asks_for_no_grant_is_caught, a_daemon_that_does_not_mask_others_is_caught,
        an_officer_who_approves_alone_is_caught)
