#!/usr/bin/env python3
"""A full data device: appends answer NOSPACE, nothing acknowledged is lost, reads go on, and appends too
as soon as there is room, without a restart. Also: a store that was full starts again.

The data lies on a small memory file system, which needs root and mounts; without them, 77.
"""
import os
import pathlib
import subprocess
import sys

from lib import SKIPPED, Store, Verdicts, Wire, check

MEBIBYTES = 24


class SmallStore(Store):
    """A store whose data directory lies on a file system of a few MiB."""

    def init(self):
        self.mount = self.folder / "small"
        self.mount.mkdir(mode=0o700)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEBIBYTES}m,mode=0700",
                               "tmpfs", str(self.mount)], capture_output=True, text=True)
        if done.returncode != 0:
            print(f"SKIPPED no mounts here: {done.stderr.strip()}")
            self.close()
            sys.exit(SKIPPED)
        self.data = self.mount / "data"
        super().init()

    def close(self, keep=False):
        self.kill()
        subprocess.run(["umount", str(self.mount)], capture_output=True)
        super().close(keep)


def fill(wire, prefix):
    """Appends until the store refuses; the number of acknowledged events and the refusal's word."""
    for count in range(100_000):
        wire.send(wire.encode("EVENT.APPEND", "s", "t", "DATASUBJECT", f"{prefix}{count % 50}",
                              "DATA", "x" * 4_000))
        reply = wire.reply()
        if not isinstance(reply, dict):
            return count, reply.word
    return count, None


def main():
    if os.geteuid() != 0:
        print("SKIPPED mounting needs root")
        sys.exit(SKIPPED)
    verdicts = Verdicts("disk_full", 0)
    with SmallStore() as store:
        store.create_tenant("acme")
        ballast = pathlib.Path(store.mount, "ballast")
        ballast.write_bytes(bytes(6 << 20))
        with store.wire("acme") as wire:
            count, word = fill(wire, "p")
            verdicts.check("appends to a full device answer NOSPACE", word == "NOSPACE" and count > 100,
                           f"{word} after {count} events")
            found = []
            while True:
                page = wire.call("EVENT.RANGE", "*", len(found) + 1, "+", "COUNT", "500")
                found += page
                if not page:
                    break
            verdicts.check("everything acknowledged is read while the device is full",
                           [event["position"] for event in found] == list(range(1, count + 1)),
                           f"{len(found)} of {count}")
            plan, _ = store.shred("acme", "p7")
            states = [event["state"] for event in wire.call("EVENT.RANGE", "*", "-", "+", "COUNT", "50")]
            verdicts.check("a shred succeeds on the full device",
                           plan["events"] > 0 and states.count(b"erased") == 1,
                           f"{plan['events']} planned")
            with Wire(store.admin_socket) as admin:
                certificate = admin.call("AUDIT", "CERTIFICATES")
                verdicts.check("and is certified there", [row["state"] for row in certificate] == [b"complete"],
                               f"{certificate}")
                # Not even the reserve is left: nothing is done, and what was planned holds.
                everything = pathlib.Path(store.mount, "everything")
                free = os.statvfs(store.mount)
                everything.write_bytes(bytes(free.f_bavail * free.f_frsize))
                act = ["SHRED", "DATASUBJECT", "acme", "p8", "REASON", "art17"]
                token = admin.call(*act, "DRYRUN")["confirm"]
                admin.send(admin.encode(*act, "CONFIRM", token))
                refused = admin.reply()
                states = [event["state"] for event in wire.call("EVENT.RANGE", "*", "-", "+", "COUNT", "50")]
                verdicts.check("without any room a shred answers NOSPACE, and nothing is half done",
                               getattr(refused, "word", None) == "NOSPACE" and states.count(b"erased") == 1
                               and len(admin.call("AUDIT", "CERTIFICATES")) == 1, f"{refused}")
                everything.unlink()
                receipt = admin.call(*act, "CONFIRM", token)
                states = [event["state"] for event in wire.call("EVENT.RANGE", "*", "-", "+", "COUNT", "50")]
                verdicts.check("and is done with the same token when the reserve is there again",
                               receipt["events"] > 0 and states.count(b"erased") == 2, f"{receipt}")
            ballast.unlink()
            reply = wire.call("EVENT.APPEND", "s", "t", "DATASUBJECT", "p1", "DATA", "after")
            verdicts.check("appends go on when there is room, without a restart or a gap",
                           reply["position"] == count + 1, f"{reply}")
            count, word = fill(wire, "q")
            check(word == "NOSPACE", f"the device is not full again: {word}")
        store.kill()
        took = store.start()
        with store.wire("acme") as wire:
            last = wire.call("EVENT.COUNT")
            event = wire.call("EVENT.GET", "POSITION", str(last))
        verdicts.check("a store on a full device starts again and serves",
                       event["position"] == last and took < 30, f"{last} events in {took:.1f} s")
    sys.exit(verdicts.finish())


if __name__ == "__main__":
    main()
