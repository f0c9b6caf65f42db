"""Reads Lethe's files from Docs/Format.md alone: an independent implementation for the tests.

Nothing here shares code with the daemon: libsodium through ctypes (lethe_primitives.py), LMDB through
the `lmdb` module.
It opens whatever it is given keys for and refuses nothing, as an attacker would.
"""
import hashlib
import os

import lmdb

from lethe_generation import Generation
from lethe_primitives import (  # others take them from here
    blake2b, hchacha, name_tag, open_aead, open_sealed, siphash128, siphash64, stream, u, xor)


class Root:
    """Section 2: a root holder's file; `slots` maps epochs to roots."""

    def __init__(self, path, key_file=None):
        raw = open(path, "rb").read()
        assert len(raw) == 16384, len(raw)
        assert raw[:8] == b"LTROOT1\0" and self.sum(raw[:480]) == raw[480:512]
        self.store_id = raw[8:24]
        self.slots = {}
        for at in (4096, 8192):
            slot = raw[at:at + 512]
            if slot[:8] == b"LTSLOT1\0" and self.sum(slot[:480]) == slot[480:]:
                root = slot[24:56] if slot[16] == 0 else self._sealed(raw, slot, key_file)
                self.slots[u(slot[8:16])] = root

    @staticmethod
    def _sealed(raw, slot, key_file):
        """Section 2: a root sealed under a key file; None without it."""
        if slot[16] == 1 or key_file is None:
            return None
        key = blake2b(256, slot[24:40], b"LT1.root.factor", key_file)
        return open_sealed(slot[40:138], key, b"LT1.root.slot", raw[8:24] + raw[24:25] + slot[8:16])

    @staticmethod
    def sum(data):
        return hashlib.blake2b(data, digest_size=32, person=b"LT1.root.sum".ljust(16, b"\0")).digest()


def tables(directory, name, *names):
    """All entries of the named tables of one environment, as dictionaries."""
    path = os.path.join(directory, name)
    environment = lmdb.open(path, readonly=True, lock=False, max_dbs=len(names), map_size=1 << 40,
                            subdir=True)
    try:
        found = []
        with environment.begin() as transaction:
            for table in names:
                handle = environment.open_db(table.encode(), transaction, create=False)
                found.append(dict(transaction.cursor(handle)))
        return found
    finally:
        environment.close()


class Reference:
    def __init__(self, raw):
        self.id, self.key, self.version = raw[:8], raw[8:40], u(raw[40:48])


class Tenant:
    """Section 4.2; `generations` are those of its number that were found anywhere."""

    def __init__(self, number, raw, generations):
        at = 0

        def take(count):
            nonlocal at
            at += count
            return raw[at - count:at]
        self.number = number
        assert take(1) == b"\x01"
        self.state = take(1)[0]
        self.id = take(16)
        self.created = u(take(8))
        length = take(1)[0]
        self.name = take(63)[:length]
        self.generation, self.lineage = u(take(2)), u(take(2))
        self.data_secret, self.position_seed = take(32), take(32)
        self.map_key, self.impersonal_key = take(32), take(32)
        self.next_slot = u(take(8))
        self.keys_height, self.keys = take(1)[0], Reference(take(48))
        self.map_height, self.map = take(1)[0], Reference(take(48))
        self.positions_height, self.positions = take(1)[0], Reference(take(48))
        self.documents_height, self.documents = take(1)[0], Reference(take(48))
        self.generations = generations
        own = generations.setdefault(self.generation, Generation(self.data_secret))
        if not self.positions_height:
            own.seeds.setdefault((0, 0), set()).add(self.position_seed)
        self.classes = {}
        count = take(1)[0]
        self.lapse_day = u(take(2))
        for _ in range(count):
            number, flags = take(1)[0], take(1)[0]
            name = take(take(1)[0])
            take(take(1)[0])  # the purpose
            minimum = u(take(4))
            steps = [(u(take(4)), u(take(4))) for _ in range(take(1)[0])]
            if flags & 8:
                take(12)  # a shorter maximum that is to come
            cover = []
            for _ in range(take(1)[0]):
                cover.append((take(1)[0], u(take(4)), take(32)))
            self.classes[number] = (name, flags & 1, steps, minimum, cover)
            own.covers.setdefault((number, flags & 1), {}).update(dict.fromkeys(cover))

    def period_key(self, generation, number, unit, index):
        found = self.generations.get(generation)
        return found and found.period_key(number, unit, index)


class Closure:
    """Everything that today's roots open in any of the keyring snapshots: the attacker.

    Every blob ever seen under a node's id is tried with every key that is found for that id, under
    every version up to the greatest known. `keys` maps (tenant number, slot) to the set of keys.
    """

    def __init__(self, snapshots, roots, store_id):
        self.store_id = store_id
        self.blobs = {}
        for nodes in snapshots:
            for node_id, blob in nodes.items():
                self.blobs.setdefault(node_id, set()).add(blob)
        self.keys, self.tags, self.tenants, self.buckets = {}, {}, {}, {}
        self.last_days = {}  # (tenant, slot) -> days on which the key ends by itself
        # (tenant, kind, number) -> contents; tenant 0 is the store.
        self.documents = {}
        self.generations = {}  # tenant -> generation -> Generation
        self.instance_secrets = set()
        self.opened, self.tried = 0, set()
        for blob in self.blobs.get(bytes(8), ()):
            for epoch, root in roots:
                self._top(blob, epoch, root)

    def _label(self, kind, node_id, version, tenant):
        return (self.store_id + bytes([kind]) + node_id + version.to_bytes(8, "big")
                + tenant.to_bytes(4, "big"))

    def _top(self, blob, epoch, root):
        stored = u(blob[:8])
        plain = open_sealed(blob[8:], root, b"LT1.node.key", self._label(1, bytes(8), stored, 0))
        if plain is None:
            return
        self.opened += 1
        self.instance_secrets.add(plain[45:77])
        at = 109
        self._array(plain[at], Reference(plain[at + 1:at + 49]), 0, "tenants")
        at += 49
        self._array(plain[at], Reference(plain[at + 1:at + 49]), 0, "buckets")
        at += 49
        self._documents(plain[at], Reference(plain[at + 1:at + 49]), 0)

    def _open(self, reference, kinds, tenant):
        """All plaintexts that the reference's key opens, of any version, with their kinds."""
        memo = (reference.id, reference.key, kinds, tenant, reference.version)
        if memo in self.tried or reference.id not in self.blobs:
            return
        self.tried.add(memo)
        for blob in self.blobs[reference.id]:
            for version in range(reference.version + 2, -1, -1):
                found = False
                for kind in kinds:
                    plain = open_sealed(blob, reference.key, b"LT1.node.key",
                                        self._label(kind, reference.id, version, tenant))
                    if plain is not None:
                        self.opened += 1
                        found = True
                        yield kind, plain
                if found:
                    break

    @staticmethod
    def _children(plain):
        bitmap, at = u(plain[:4]), 4
        for digit in range(32):
            if bitmap >> digit & 1:
                yield digit, Reference(plain[at:at + 48])
                at += 48

    def _array(self, height, reference, tenant, what, base=0):
        if height == 0:
            return
        leaf = 2 if what == "tenants" else 3
        for kind, plain in self._open(reference, (leaf,) if height == 1 else (2,), tenant):
            if height > 1 or what == "tenants":
                for digit, child in self._children(plain):
                    if height > 1:
                        self._array(height - 1, child, tenant, what, base * 32 + digit)
                    else:
                        self._tenant(base * 32 + digit, child)
                continue
            bitmap, at = u(plain[:4]), 4
            for digit in range(32):
                if bitmap >> digit & 1:
                    key, until = plain[at:at + 32], u(plain[at + 38:at + 40])
                    at += 40
                    number = base * 32 + digit
                    if what == "buckets":
                        self.buckets.setdefault(number, set()).add(key)
                    else:
                        self.keys.setdefault((tenant, number), set()).add(key)
                        if until:
                            self.last_days.setdefault((tenant, number), set()).add(until)

    def _tenant(self, number, reference):
        for _, plain in self._open(reference, (5,), number):
            generations = self.generations.setdefault(number, {})
            tenant = Tenant(number, plain, generations)
            self.tenants.setdefault(number, []).append(tenant)
            self._array(tenant.keys_height, tenant.keys, number, "keys")
            if tenant.map_height:
                self._map(tenant.map, number)
            self._documents(tenant.documents_height, tenant.documents, number)
            if tenant.positions_height:
                self._positions(tenant.positions, number, 0, 0,
                                generations[tenant.generation].seeds)

    def _documents(self, height, reference, tenant, base=0):
        if height == 0:
            return
        for _, plain in self._open(reference, (2,), tenant):
            for digit, child in self._children(plain):
                place = base * 32 + digit
                if height > 1:
                    self._documents(height - 1, child, tenant, place)
                    continue
                for _, content in self._open(child, (7,), tenant):
                    content = content[2:2 + u(content[:2])]
                    self.documents.setdefault((tenant, place & 15, place >> 4), set()).add(content)
                    if tenant and place & 15 == 5 and place >> 4:
                        self._retired(tenant, place >> 4, content)

    def _retired(self, tenant, number, content):
        """Section 4.10: a generation that takes no new events."""
        assert content[0] == 1
        found = self.generations.setdefault(tenant, {}).setdefault(
            number, Generation(content[16:48]))
        if content[80]:
            self._positions(Reference(content[81:129]), tenant, 0, 0, found.seeds)
        else:
            found.seeds.setdefault((0, 0), set()).add(content[48:80])
        at = 129
        for _ in range(content[1]):
            cover = found.covers.setdefault((content[at], content[at + 1]), {})
            count, at = content[at + 2], at + 3
            for _ in range(count):
                cover[content[at], u(content[at + 1:at + 5]), content[at + 5:at + 37]] = None
                at += 37

    def _positions(self, reference, tenant, level, prefix, seeds):
        for _, plain in self._open(reference, (6,), tenant):
            held, nodes = u(plain[1:3]), u(plain[3:5])
            for digit in range(16):
                entry, below = plain[8 + 48 * digit:56 + 48 * digit], prefix << 4 | digit
                if held >> digit & 1:
                    seeds.setdefault((level + 1, below), set()).add(entry[:32])
                elif nodes >> digit & 1:
                    self._positions(Reference(entry), tenant, level + 1, below, seeds)

    def _map(self, reference, tenant):
        for _, plain in self._open(reference, (4,), tenant):
            # The first byte of a map node says whether it is inner or a leaf.
            shape, plain = plain[0], plain[1:]
            if shape == 2:
                for _, child in self._children(plain):
                    self._map(child, tenant)
                continue
            count, at = u(plain[:2]), 2
            for _ in range(count):
                entry = plain[at:at + 32]
                at += 32
                self.tags.setdefault(tenant, {})[entry[:16]] = (u(entry[16:21]), entry[21])


class Record:
    """Section 5.1: routing fields and header of a record, with an instance secret and tenants."""

    def __init__(self, raw, instance_secret):
        self.raw, self.nonce = raw, raw[2:18]
        self.is_bare = raw[1] == 255
        mask = blake2b(256, instance_secret, b"LT1.route", b"")
        tag_key = blake2b(128, instance_secret, b"LT1.route.tag", b"")
        plain = xor(raw[18:40], hchacha(mask, self.nonce))
        covered = raw[:18] + plain + (raw[48:] if self.is_bare else b"")
        self.is_routed = siphash64(tag_key, covered) == u(raw[40:48])
        self.hash = raw[80:112] if self.is_bare else hashlib.sha256(raw).digest()
        self.tenant, self.position = u(plain[:4]), u(plain[4:12])
        self.generation, self.class_number, self.unit = u(plain[12:14]), plain[14], plain[15]
        self.period = u(plain[16:20])

    def open_header(self, tenant):
        period = tenant.period_key(
            self.generation, self.class_number, self.unit, self.period)
        if period is None:
            return False
        self.period_key = period
        self.keys = tenant.generations[self.generation]
        header_key = blake2b(512, period, b"LT1.hdr.key", self.keys.data_secret)
        plain = xor(self.raw[48:80], hchacha(header_key[:32], self.nonce))
        self.stream, self.version, self.stored = u(plain[:5]), u(plain[5:11]), u(plain[11:17])
        count = plain[17]
        slots = [u(plain[18:23]), u(plain[23:28])]
        if count > 2:
            second = xor(self.raw[112:144], hchacha(header_key[32:], self.nonce))
            slots += [u(second[:5]), u(second[5:10])]
        self.subjects = slots[:count]
        return count <= 4

    def open_body(self, tenant, stream_key, subject_keys):
        """The plaintext body, or None."""
        if self.is_bare:
            return None
        count = len(self.subjects)
        joined = b"".join(subject_keys) if count else tenant.impersonal_key
        base = blake2b(256, self.period_key, b"LT1.ev.base",
                       bytes([count]) + stream_key + joined + self.keys.data_secret)
        at = 144 if count > 2 else 112
        for leaf in self.keys.position_leaves(self.position):
            derived = blake2b(512, base, b"LT1.ev.key",
                              leaf + self.nonce + tenant.id + self.position.to_bytes(8, "big"))
            if derived[32:] == self.raw[80:112]:
                return open_aead(self.raw[1], derived[:32], self.raw[:at], self.raw[at:])
        return None


def body_fields(plain):
    """Section 5.2: a list of (tag, bytes), and the payload."""
    assert plain[0] == 1
    length, at, fields = u(plain[1:5]), 5, []
    while plain[at]:
        count = u(plain[at + 1:at + 3])
        fields.append((plain[at], plain[at + 3:at + 3 + count]))
        at += 3 + count
    return fields, plain[at + 1:at + 1 + length]


def access_intervals(inner):
    """Section 5.7: every interval of the lines of a block."""
    at, found = 12, []
    for _ in range(u(inner[8:12])):
        at += 12
        at += 1 + inner[at]      # the socket
        at += 1
        at += 1 + inner[at]      # the purpose
        count = u(inner[at + 32:at + 36])
        at += 36
        found += [(u(inner[place:place + 6]), u(inner[place + 6:place + 12]))
                  for place in range(at, at + 12 * count, 12)]
        at += 12 * count
    return found
