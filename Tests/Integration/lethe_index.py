"""Reads `index/` and recomputes what must stand in it, from Docs/Format.md alone (sections 4.4, 5.3, 6)."""

import datetime
import hashlib

import lethe_format as fmt
from lethe_format import blake2b, siphash64, siphash128, u

POSTINGS_A_BLOCK = 815
DAY_SECONDS = {0: 86_400, 1: 3_600}


class Damage(Exception):
    """Something that is not as the format says."""


def expect(condition, text):
    if not condition:
        raise Damage(text)


class Index:
    """Every posting of every segment, and the states."""

    def __init__(self, data, instance_secret, bucket_keys):
        self.key = blake2b(256, instance_secret, b"LT1.index", b"")
        directory, blocks, self.states = fmt.tables(data, "index", "directory", "blocks", "state")
        self.tiles, = fmt.tables(data, "index", "tiles")
        self.postings, seen = [], 0
        for segment, sealed in directory.items():
            entry = self._open(sealed, self.key, b"LT1.seg.dir", segment)
            bucket, count, block_count = u(entry[:2]), u(entry[8:16]), u(entry[16:20])
            first, last = u(entry[24:32]), u(entry[32:40])
            keys = bucket_keys.get(bucket, ())
            expect(len(keys) == 1, f"bucket {bucket} has {len(keys)} keys")
            key, = keys
            read = self._read(blocks, segment, key, block_count)
            found, padding = read[:count], read[count:]
            expect(all(entry == b"\xff" * 20 for entry in padding), "padding is not 0xFF")
            expect(found == sorted(found), "a segment does not ascend")
            postings = [(bucket, u(e[:8]), u(e[8:14]), u(e[14:20])) for e in found]
            sequences = [posting[2] for posting in postings]
            expect((min(sequences), max(sequences)) == (first, last), "sequences of a directory")
            fences = self._read(blocks, segment, key, -(-block_count // POSTINGS_A_BLOCK), 1 << 31)
            expect([e for e in fences if e != b"\xff" * 20] == read[::POSTINGS_A_BLOCK],
                   "fences are not the blocks' first postings")
            seen += block_count + -(-block_count // POSTINGS_A_BLOCK)
            self.postings += postings
        expect(seen == len(blocks), f"{len(blocks) - seen} blocks belong to no segment")

    @staticmethod
    def _open(sealed, key, context, label):
        plain = fmt.open_sealed(sealed, key, context, label)
        expect(plain is not None, f"{context.decode()} does not open")
        return plain

    def _read(self, blocks, segment, key, count, base=0):
        entries = []
        for number in range(base, base + count):
            label = segment + number.to_bytes(4, "big")
            expect(len(blocks[label]) == 16_366, "a block has another size")
            plain = self._open(blocks[label], key, b"LT1.seg.block", label)
            entries += [plain[at:at + 20] for at in range(0, POSTINGS_A_BLOCK * 20, 20)]
        return entries

    def flush_state(self):
        """(sequence reached, SHA-256 of that record)."""
        plain = self._state(b"\x00")
        return u(plain[8:16]), plain[16:48]

    def tenant_state(self, number):
        """(last position, last stored time, leaf count, hashes)."""
        plain = self._state(b"\x01" + number.to_bytes(4, "big"))
        hashes = [plain[25 + 32 * i:57 + 32 * i] for i in range(plain[24])]
        return u(plain[:8]), u(plain[8:16]), u(plain[16:24]), hashes

    def tile(self, number, level, place):
        """The 256 hashes of a tile; behind those that there are, zeroes."""
        label = siphash128(self.key[:16], b"\x02" + number.to_bytes(4, "big") + bytes([level])
                           + place.to_bytes(8, "big"))
        plain = self._open(self.tiles[label], self.key, b"LT1.index.tile", label)
        expect(len(plain) == 8_192, "a tile has another size")
        return [plain[at:at + 32] for at in range(0, 8_192, 32)]

    def _state(self, name):
        label = siphash128(self.key[:16], name)
        return self._open(self.states[label], self.key, b"LT1.index.state", label)


def month_bucket(tenant, record):
    """The month in which the start of the record's period plus the class's maximum lies."""
    _, unit, steps = tenant.classes[record.class_number][:3]
    maximum = [periods for first, periods in steps if first <= record.period][-1]
    end = (record.period + maximum) * DAY_SECONDS[unit]
    time = datetime.datetime.fromtimestamp(end, datetime.timezone.utc)
    return (time.year - 1970) * 12 + time.month - 1


def tag(term, bucket):
    return siphash64(term, bucket.to_bytes(2, "big"))


def terms(tenant, record, keys, fields):
    """Postings that the record must have: (bucket, tag, ordinal).

    ``keys`` maps slots to living keys; ``fields`` are the body's, or None when it does not open.
    """
    month = month_bucket(tenant, record)
    found = [(month, tag(blake2b(128, tenant.map_key, b"LT1.idx.feed", b""), month),
              record.position)]
    for slot, context, ordinal in (
            [(record.stream, b"LT1.idx.stream", record.version)]
            + [(slot, b"LT1.idx.subject", 0) for slot in record.subjects]):
        if slot in keys:
            found.append((month, tag(blake2b(128, keys[slot], context, b""), month), ordinal))
    if fields is None:
        return found
    values = dict(fields)
    found.append((month, tag(blake2b(128, tenant.map_key, b"LT1.idx.type", values[2]), month),
                  0))
    identifier = values.get(4)
    if identifier is not None:
        source = values.get(6, b"")
        term = siphash128(blake2b(128, tenant.map_key, b"LT1.idx.id", b""),
                          len(source).to_bytes(2, "big") + source + identifier)
        day = 16_384 + record.stored // 86_400_000
        found.append((month, tag(term, month), 0))
        found.append((day, tag(term, day), siphash64(term, b"\xff\xff") & (1 << 48) - 1))
    return found


def node(part):
    """The root of a perfect subtree."""
    if len(part) == 1:
        return part[0]
    half = len(part) // 2
    return hashlib.sha256(b"\x01" + node(part[:half]) + node(part[half:])).digest()


def tiles(leaves):
    """(level, place) -> the hashes of a log's tiles."""
    found, level = {}, 0
    while len(leaves) >> 8 * level:
        width = 1 << 8 * level
        hashes = [node(leaves[at:at + width])
                  for at in range(0, len(leaves) // width * width, width)]
        for at in range(0, len(hashes), 256):
            found[level, at // 256] = hashes[at:at + 256]
        level += 1
    return found


def frontier(leaves):
    """Roots of the perfect subtrees of RFC 6962, largest first."""
    hashes, at = [], 0
    for bit in range(len(leaves).bit_length() - 1, -1, -1):
        if len(leaves) >> bit & 1:
            hashes.append(node(leaves[at:at + (1 << bit)]))
            at += 1 << bit
    return hashes


def leaf(position, raw):
    return hashlib.sha256(b"\x00" + position.to_bytes(8, "big")
                          + hashlib.sha256(raw).digest()).digest()
