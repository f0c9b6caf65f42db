#!/usr/bin/env python3
"""`lethed doctor` and `lethe health`: each fault that is planted is found, and nothing is changed."""

import hashlib
import json
import os
import socket
import subprocess

import lib
from lib import Failed, Skip, Store, binary, check
from root_ext4 import Device

STORE = None
# What this machine is like, and how temporary directories are, is no fault of the store.
GIVEN = {"memory-lock", "swap", "hibernation", "crash-kernel", "clock", "core-pattern",
         "root-single", "root-weak", "root-beside-data", "runs-as-root", "data-filling",
         "access-default"}


def doctor(*more):
    """Exit status and findings by code, beyond what is given."""
    done = STORE.run("doctor", "--sockets", str(STORE.sockets), "--json", *more)
    check(done.returncode in (0, 1, 2), f"ended with {done.returncode}: {done.stderr.strip()}")
    report = json.loads(done.stdout)
    worst = max([{"note": 0, "warning": 1, "problem": 2}[f["severity"]] for f in report["findings"]],
                default=0)
    check(done.returncode == worst, f"status {done.returncode}, worst {worst}")
    check(all(f["what"] and f["why"] and f["do"] for f in report["findings"]), "an empty sentence")
    return report, {f["code"]: f for f in report["findings"] if f["code"] not in GIVEN}


def picture():
    """Everything of the store, but for LMDB's table of readers."""
    found = {}
    for path in sorted([*STORE.folder.rglob("*")]):
        status = path.lstat()
        content = ""
        if path.is_file() and path.name not in ("lock.mdb", "lethed.log"):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path)] = (status.st_mode, status.st_uid, content)
    return found


def expect(code, severity, *more):
    _, found = doctor(*more)
    check(code in found, f"{code} was not found, but {sorted(found)}")
    check(found[code]["severity"] == severity, f"{code} is a {found[code]['severity']}")


def a_store_as_it_should_be_has_no_findings_of_its_own():
    before = picture()
    report, found = doctor()
    check(not found, f"{found}")
    check(report["running"] is True, "the daemon that runs was not seen")
    check(any("root and keyring" in sentence for sentence in report["skipped"]), "nothing skipped")
    lines = STORE.run("doctor", "--sockets", str(STORE.sockets)).stdout.splitlines()
    check(lines[-1].count(",") == 2 and any(line.startswith("  do   ") for line in lines), "table")
    check(picture() == before, "the doctor changed something")


def what_is_lost_when_the_machine_burns_comes_before_the_rest():
    report, _ = doctor()
    warnings = [f["code"] for f in report["findings"] if f["severity"] == "warning"]
    check(warnings[0] == "root-single", f"{warnings}")


def faults_of_the_root_are_found():
    expect("root-count", "problem", "--root", str(STORE.root))
    STORE.root.chmod(0o644)
    expect("root-mode", "problem")
    STORE.root.chmod(0o600)
    STORE.root.parent.chmod(0o777)
    expect("root-directory-open", "problem")
    STORE.root.parent.chmod(0o700)
    aside = STORE.root.with_name("aside")
    STORE.root.rename(aside)
    expect("root-missing", "problem")
    STORE.root.write_bytes(bytes(16_384))
    STORE.root.chmod(0o600)
    expect("root-damaged", "problem")
    STORE.root.unlink()
    aside.rename(STORE.root)


def a_root_whose_content_goes_through_a_journal_is_weak():
    with Device() as device, Store(root=device.mount / "root") as other:
        other.stop()
        try:
            Device.command("chattr", "+j", str(other.root))
        except Failed as reason:  # it needs CAP_SYS_RESOURCE
            raise Skip(f"{reason}") from None
        done = other.run("doctor", "--json")
        weak = [f for f in json.loads(done.stdout)["findings"] if f["code"] == "root-weak"]
        check(weak and weak[0]["severity"] == "problem" and "journal" in weak[0]["what"], f"{weak}")
        served = other.run("serve", "--sockets", str(other.sockets), timeout=20)
        check(served.returncode == 87, f"the daemon ended with {served.returncode}")
        Device.command("chattr", "-j", str(other.root))
        done = other.run("doctor", "--json")
        check("root-weak" not in done.stdout, "found without chattr +j")


def a_root_in_the_data_directory_is_a_problem():
    inside = STORE.data / "root"
    inside.write_bytes(STORE.root.read_bytes())
    inside.chmod(0o600)
    done = subprocess.run(
        [binary("lethed"), "doctor", "--data", str(STORE.data), "--root", str(inside),
         "--sockets", str(STORE.sockets), "--json"], capture_output=True, text=True, timeout=60)
    inside.unlink()
    check(done.returncode == 2 and "root-inside-data" in done.stdout, done.stdout)


def faults_of_the_data_are_found():
    path = STORE.data / "log" / "data.mdb"
    path.chmod(0o640)
    expect("data-open", "problem")
    path.chmod(0o600)
    aside = STORE.folder / "aside.mdb"
    path.rename(aside)
    expect("data-incomplete", "problem")
    aside.rename(path)


def faults_of_access_are_found():
    path = STORE.folder / "doctor-access.json"
    rule = {"uid": os.geteuid() or 1, "tenants": "*", "roles": ["operator", "reader"]}
    for text, code, severity in (
            ("{", "access-refused", "problem"),
            (json.dumps({"peers": [rule], "unseparated": True}), "access-unseparated", "warning"),
            (json.dumps({"peers": [dict(rule, roles=["reader"])]}), "access-no-approver", "note"),
            (json.dumps({"peers": [], "sockets": [{"name": "web-7", "tenant": "acme",
                                                   "roles": ["writer"]}]}), "socket-dead", "problem")):
        path.write_text(text)
        path.chmod(0o600)
        expect(code, severity, "--access", str(path))
    path.chmod(0o666)
    expect("access-refused", "problem", "--access", str(path))
    path.unlink()


def health_is_told_by_sentence_and_status():
    environment = dict(os.environ, LETHE_SOCKETS=str(STORE.sockets))

    def health(*more):
        return subprocess.run([binary("lethe"), "health", *more], capture_output=True, text=True,
                              timeout=30, env=environment)

    done = health("--json")
    report = json.loads(done.stdout)
    check(done.returncode == {"ok": 0, "degraded": 1}[report["state"]], f"{done.returncode} {report}")
    codes = {finding["code"] for finding in report["findings"]}
    check(codes <= {"root-weak", "root-beside-data", "memory-unlocked"}, f"{codes}")
    check(health().stdout.startswith("ok: answers in "), health().stdout)
    STORE.stop()
    check(health().returncode == 69, "a daemon that is down is not 69")


def without_a_daemon_the_keyring_is_tried():
    report, found = doctor()
    check(not found and not report["running"], f"{found}")
    check(report["skipped"] == [], f"{report['skipped']}")
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(STORE.query))
    dead.close()
    expect("socket-stale", "note")
    STORE.query.unlink()


def a_root_of_another_store_is_found():
    with Store() as other:
        other.stop()
        mine, STORE.root = STORE.root, other.root
        expect("keyring", "problem")
        STORE.root = mine


if __name__ == "__main__":
    with Store() as STORE:
        lib.run_suite(
            a_store_as_it_should_be_has_no_findings_of_its_own,
            what_is_lost_when_the_machine_burns_comes_before_the_rest,
            faults_of_the_root_are_found,
            a_root_whose_content_goes_through_a_journal_is_weak, a_root_in_the_data_directory_is_a_problem,
            faults_of_the_data_are_found, faults_of_access_are_found,
            health_is_told_by_sentence_and_status, without_a_daemon_the_keyring_is_tried,
            a_root_of_another_store_is_found)
