#!/usr/bin/env python3
"""What was done, and what was refused, stands in the ledger, whoever is killed meanwhile.

Users of several roles try what they may and what they may not; the ledger must have each act and each
refusal before its answer, with who and what, in lines without gaps; a peer that is refused all day
must not fill it. Broken variants: `refusals-unnoted`, `refusals-unbounded`.
"""

import lib
from lib import ErrorReply, Store, check
from peers import as_user, open_to

OPERATOR, OFFICER, READER, AUDITOR, FLOOD = 4_001, 4_002, 4_003, 4_004, 4_005
CANARY = "canary-person-77"


def opened(variant=None):
    store = Store("debug", variant=variant)
    open_to(store, [
        {"uid": 0, "tenants": "*", "roles": ["operator", "auditor"]},
        {"uid": OPERATOR, "tenants": ["acme"], "roles": ["operator"]},
        {"uid": OFFICER, "tenants": ["acme"], "roles": ["officer", "writer"]},
        {"uid": READER, "tenants": ["acme"], "roles": ["reader"]},
        {"uid": AUDITOR, "tenants": ["zeta"], "roles": ["auditor"]},
        {"uid": FLOOD, "tenants": ["acme"], "roles": ["approver"]}])
    return store


def lines(store):
    """The ledger, page by page."""
    found = []
    while True:
        page = store.control("AUDIT", "LOG", "COUNT", 7, "AFTER", found[-1]["index"] if found else 0)
        if not page:
            break
        found += page
    check([line["index"] for line in found] == list(range(1, len(found) + 1)), "the ledger has a gap")
    return found


def shown(line):
    return " ".join(line[name].decode() for name in ("act", "result", "actor", "tenant")
                    ) + (" " + line["verb"].decode() if "verb" in line else "")


def refused(uid, path, *words):
    answer, = as_user(uid, path, words)
    check(isinstance(answer, ErrorReply), f"{words}: {answer}")
    return answer.word


def acts_and_refusals_are_in_the_ledger():
    with opened() as store:
        for tenant in ("acme", "zeta"):
            store.create_tenant(tenant)
        append = ("EVENT.APPEND", "s", "t", "DATASUBJECT", CANARY, "DATA", "x")
        as_user(OFFICER, store.query, append, append, tenant="acme")
        before = len(lines(store))
        admin = store.admin_socket
        shred = ["SHRED", "DATASUBJECT", "acme", CANARY, "REASON", "art17"]
        check(refused(READER, admin, "TENANT", "CREATE", "other", "RETENTION", "30d") == "NOPERM", "word")
        check(refused(OPERATOR, admin, "TENANT", "SUSPEND", "zeta") == "NOTENANT", "word")
        check(refused(OPERATOR, admin, "TENANT", "SUSPEND", "nowhere") == "NOTENANT", "word")
        check(refused(OFFICER, admin, *shred, "CONFIRM", CANARY) == "CONFIRM", "word")
        # Neither a dry run that finds nobody nor what cannot be read is an act.
        check(refused(OFFICER, admin, *shred[:3], "nobody", "REASON", "art17", "DRYRUN") == "NOSUBJECT", "")
        check(refused(OFFICER, admin, "SHRED", "DATASUBJECT", "acme") == "ERR", "word")
        store.kill()
        store.start()
        check(store.stop() == 0, "no orderly end")
        store.start()
        found = lines(store)
        told = [shown(line) for line in found[before:]]
        check(told == [
            f"refused no-permission uid:{READER}  tenant|create",
            f"refused no-tenant uid:{OPERATOR}  tenant|suspend",
            f"refused no-tenant uid:{OPERATOR}  tenant|suspend",
            f"refused unconfirmed uid:{OFFICER} acme shred|datasubject",
            "daemon-started done daemon ", "daemon-stopped done daemon ",
            "daemon-started done daemon "], f"{told}")
        check(found[before + 4]["count"] == 2, "the newest record at the start")
        check(CANARY.encode() not in repr(found).encode(), "a person's identifier is in the ledger")
        # Others see what concerns their tenants.
        seen, = as_user(AUDITOR, admin, ("AUDIT", "LOG"))
        check([shown(line) for line in seen] == ["tenant-created done uid:0 zeta"], f"{seen}")
        check(refused(READER, admin, "AUDIT", "LOG") == "NOPERM", "a reader sees the ledger")
        return f"{len(found)} lines"


def flood(variant=None, count=400):
    """(lines, refusals that they stand for) after a peer was refused `count` times."""
    with opened(variant) as store:
        answers = as_user(FLOOD, store.admin_socket, *[["KEY", "ROTATE", "ROOT"]] * count)
        check(all(answer.word == "NOPERM" for answer in answers), "not all were refused")
        check(store.stop() == 0, "no orderly end")
        store.start()
        found = [line for line in lines(store) if line["act"] == b"refused"]
        return len(found), sum(line["count"] for line in found)


def nobody_fills_the_ledger():
    count, total = flood()
    check(count <= 17, f"{count} lines for one peer")
    check(total == 400, f"{total} refusals of 400 are accounted for")
    return f"{count} lines for 400 refusals"


def a_ledger_without_bounds_is_caught():
    count, _ = flood("refusals-unbounded")
    check(count >= 400, f"only {count} lines")
    return f"{count} lines"


def a_daemon_that_does_not_note_refusals_is_caught():
    with opened("refusals-unnoted") as store:
        before = len(lines(store))
        refused(READER, store.admin_socket, "TENANT", "LIST")
        store.kill()
        store.start()
        told = [shown(line) for line in lines(store)[before:]]
        check(not any(line.startswith("refused") for line in told), f"{told}")


if __name__ == "__main__":
    lib.run_suite(
        acts_and_refusals_are_in_the_ledger, nobody_fills_the_ledger,
        a_ledger_without_bounds_is_caught, a_daemon_that_does_not_note_refusals_is_caught)
