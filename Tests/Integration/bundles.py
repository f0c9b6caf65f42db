"""Bundles for auditors (Docs/Format.md, section 8.3), read and written in plain Python: what a forger does
to one who has the store's key, and who has not.
"""

import base64
import hashlib
import json
import pathlib
import struct
import subprocess

from certificate_verifier import sign
from daemon import binary

LEAF, ENTRY, RANGE = 40, 256, 32
STATES = ["live", "restricted", "erased", "expired", "damaged", "missing"]


def canonical(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


def note(text, name, seed):
    """A signed note (C2SP)."""
    key, signature = sign(text, seed)
    identity = hashlib.sha256(name.encode() + b"\n\x01" + key).digest()[:4]
    line = base64.b64encode(identity + signature).decode()
    return text + f"\n— {name} {line}\n".encode()


def verifier_key(name, seed):
    key, _ = sign(b"", seed)
    identity = hashlib.sha256(name.encode() + b"\n\x01" + key).hexdigest()[:8]
    typed = base64.b64encode(b"\x01" + key).decode()
    return f"{name}+{identity}+{typed}"


def root_of(leaves):
    """MTH of RFC 6962, over the hashes of leaves."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = list(leaves)
    while len(level) > 1:
        # Pairs from the left; what is left over goes up as it is.
        pairs = [hashlib.sha256(b"\x01" + level[index] + level[index + 1]).digest()
                 for index in range(0, len(level) - 1, 2)]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0]


def leaf_hash(entry):
    return hashlib.sha256(b"\x00" + entry).digest()


class Bundle:
    """The files of a bundle in memory."""

    def __init__(self, folder):
        self.files = {path.name: path.read_bytes() for path in sorted(pathlib.Path(folder).iterdir())}

    def copy(self):
        other = object.__new__(Bundle)
        other.files = dict(self.files)
        return other

    def save(self, folder):
        folder = pathlib.Path(folder)
        folder.mkdir()
        for name, data in self.files.items():
            (folder / name).write_bytes(data)
        return folder

    @property
    def manifest(self):
        return json.loads(self.files["MANIFEST.json"])

    @property
    def name(self):
        return "lethe-" + self.manifest["store"][:8]

    def rows(self, name, size):
        data = self.files.get(name, b"")
        return [data[index:index + size] for index in range(0, len(data), size)]

    def ledger(self):
        return self.rows("ledger.bin", ENTRY)

    def leaves(self, log):
        return self.rows(f"log-{log}.leaves", LEAF)

    def states(self, log):
        return [STATES[row[34]] for row in self.leaves(log)]

    def records(self, log):
        data, found, index = self.files.get(f"log-{log}.records", b""), [], 0
        while index < len(data):
            position, count = struct.unpack_from(">QI", data, index)
            found.append((position, data[index + 12:index + 12 + count]))
            index += 12 + count
        return found

    def put_records(self, log, records):
        self.files[f"log-{log}.records"] = b"".join(
            struct.pack(">QI", position, len(record)) + record for position, record in records)

    def ranges(self):
        return [struct.unpack(">I4xQQQ", row) for row in self.rows("erasures.bin", RANGE)]

    def certificates(self):
        return [json.loads(line) for line in self.files.get("certificates.ndjson", b"").splitlines()]

    def checkpoints(self):
        """(text's lines, whole note) of each."""
        notes = [json.loads(line) for line in self.files["checkpoints.ndjson"].splitlines()]
        return [(text.split("\n\n")[0].split("\n"), text) for text in notes]

    def roots(self):
        """What the checkpoints should say, computed from the rows."""
        manifest = self.manifest
        store = manifest["store"]
        found = {f"lethe/{store}/ledger": root_of([leaf_hash(row) for row in self.ledger()])}
        for index, log in enumerate(manifest["logs"], 1):
            found[log["origin"]] = root_of([
                leaf_hash(struct.pack(">Q", position) + row[:32])
                for position, row in enumerate(self.leaves(index), 1)])
        return found

    # What a forger does who has a key (`seed`).

    def sign_certificates(self, seed):
        key, _ = sign(b"", seed)
        lines = []
        for document in self.certificates():
            text = canonical(document["certificate"])
            lines.append(canonical({"certificate": document["certificate"], "key": key.hex(),
                                    "signature": sign(text, seed)[1].hex()}) + b"\n")
        self.files["certificates.ndjson"] = b"".join(lines)

    def sign_checkpoints(self, seed, computed=False):
        """Signs the checkpoints again, as they are or as the rows now have it."""
        roots, lines = self.roots(), []
        sizes = {log["origin"]: log["events"] for log in self.manifest["logs"]}
        for head, _ in self.checkpoints():
            if computed:
                head[1] = str(sizes.get(head[0], self.manifest["ledger"]))
                head[2] = base64.b64encode(roots[head[0]]).decode()
            text = note(("\n".join(head) + "\n").encode(), self.name, seed)
            lines.append(canonical(text.decode()) + b"\n")
        self.files["checkpoints.ndjson"] = b"".join(lines)

    def seal(self, seed, **changes):
        """Makes the manifest fit the files, and signs it."""
        manifest = self.manifest
        manifest.update(changes)
        manifest["key"] = verifier_key(self.name, seed)
        manifest["files"] = [
            {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in sorted(self.files.items()) if data and not name.startswith("MANIFEST")]
        self.files["MANIFEST.json"] = canonical(manifest)
        digest = hashlib.sha256(self.files["MANIFEST.json"]).hexdigest()
        text = f"lethe.bundle/1\n{manifest['store']}\n{digest}\n".encode()
        self.files["MANIFEST.note"] = note(text, self.name, seed)
        return self

    def resign(self, seed):
        """The same bundle, as if the store had the key of `seed`."""
        self.sign_certificates(seed)
        self.sign_checkpoints(seed)
        return self.seal(seed)


def audit(*words, configuration="debug", prefix=(), **options):
    """Runs lethe-audit."""
    return subprocess.run([*prefix, binary("lethe-audit", configuration), *map(str, words)],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=60, **options)


def make(daemon, folder, *words):
    """Has the daemon write a bundle; what lethe printed."""
    return subprocess.run(
        [binary("lethe", daemon.configuration), "bundle", str(folder), "--json",
         "--sockets", str(daemon.sockets), *words], capture_output=True, text=True)
