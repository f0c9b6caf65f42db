#!/usr/bin/env python3
"""The root is erased on a real file system: 50 rotations on a loop-mounted ext4, then the whole
device is searched for every root that ever was. Writing by rename must be caught by the same search.
"""

import os
import pathlib
import subprocess
import tempfile

import lib
from lib import Failed, Skip, Store, check

ROTATIONS = 50
DEVICE_BYTES = 64 << 20
SLOTS = (4_096, 8_192)
TENANT = "acme"


class Device:
    """An ext4 of its own on a loop device."""

    def __enter__(self):
        if os.geteuid() != 0:
            raise Skip("mounting needs root")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lethe-ext4-"))
        self.image, self.mount = self.folder / "image", self.folder / "mount"
        self.mount.mkdir(mode=0o700)
        self.is_mounted = False
        with open(self.image, "wb") as image:
            image.truncate(DEVICE_BYTES)
        self.command("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0", str(self.image))
        try:
            self.command("mount", "-o", "loop", str(self.image), str(self.mount))
        except Failed as reason:
            self.__exit__()
            raise Skip(f"loop mounts are impossible here: {reason}") from None
        self.is_mounted = True
        os.chmod(self.mount, 0o700)
        return self

    @staticmethod
    def command(*words):
        path = os.environ["PATH"] + ":/usr/sbin:/sbin"
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=60, env=dict(os.environ, PATH=path))
        check(done.returncode == 0, f"{words[0]}: {done.stderr.strip()}")

    def bytes(self):
        """The device as it is after unmounting."""
        self.command("umount", str(self.mount))
        self.is_mounted = False
        return self.image.read_bytes()

    def __exit__(self, *_):
        if self.is_mounted:
            subprocess.run(["umount", str(self.mount)], timeout=60, check=False)
        for path in (self.image,):
            path.unlink(missing_ok=True)
        for path in (self.mount, self.folder):
            if path.is_dir() and not os.path.ismount(path):
                path.rmdir()


def current_root(path):
    """The root that the holder has now (Docs/Format.md, section 2)."""
    data = path.read_bytes()
    roots = {}
    for place in SLOTS:
        slot = data[place:place + 512]
        if slot.startswith(b"LTSLOT1\0"):
            roots[int.from_bytes(slot[8:16], "big")] = slot[24:56]
    check(roots, "the holder has no root")
    check(len(roots) == 1, f"the holder has the roots of {len(roots)} epochs")
    epoch = max(roots)
    return epoch, roots[epoch]


def rotate(configuration, variant, rotations):
    """Shreds one person after the other; returns how many old roots the device still shows, and
    whether it shows the current one."""
    with Device() as device:
        root = device.mount / "root"
        roots = []
        with Store(configuration, variant=variant, root=root) as store:
            store.create_tenant(TENANT)
            roots.append(current_root(root))
            with store.wire(TENANT) as wire:
                for number in range(rotations):
                    wire.call("EVENT.APPEND", "s", "t", "DATASUBJECT", f"u-{number}", "DATA", "x")
                    store.shred(TENANT, f"u-{number}")
                    roots.append(current_root(root))
            store.stop()
        epochs = [epoch for epoch, _ in roots]
        check(len(set(epochs)) == rotations + 1, f"{len(set(epochs))} epochs")
        check(len({value for _, value in roots}) == rotations + 1, "a root was used twice")
        data = device.bytes()
    old = sum(value in data for _, value in roots[:-1])
    return old, roots[-1][1] in data


def no_old_root_is_left_on_the_device():
    old, has_current = rotate("release", None, ROTATIONS)
    check(has_current, "the current root was not found: the search is wrong")
    check(old == 0, f"{old} of {ROTATIONS} old roots are still on the device")
    return f"{ROTATIONS} rotations, {DEVICE_BYTES >> 20} MiB searched, 0 old roots"


def writing_by_rename_is_caught():
    old, _ = rotate("debug", "rename", 20)
    check(old > 0, "this suite would not see an old root")
    return f"caught: {old} of 20 old roots found"


if __name__ == "__main__":
    lib.run_suite(no_old_root_is_left_on_the_device, writing_by_rename_is_caught)
