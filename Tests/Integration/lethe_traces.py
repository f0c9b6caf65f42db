"""What is left of purged records, read from Docs/Format.md alone; see lethe_format.py."""

from lethe_primitives import blake2b, open_sealed, u


class Trace:
    """Section 5.7: what is left of a record whose period or tenant is gone."""

    def __init__(self, raw):
        self.tenant, self.position = u(raw[:4]), u(raw[4:10])
        self.generation, self.class_number = raw[10] + 1, raw[11]
        self.unit, self.period = raw[12] >> 7, u(raw[12:15]) & 0x7FFFFF
        self.hash = raw[15:47]


def open_traces(groups, instance_secret):
    """The traces of a table `traces`, by sequence; None when a group does not open."""
    key = blake2b(256, instance_secret, b"LT1.traces", b"")
    found = {}
    for number, sealed in groups.items():
        plain = open_sealed(sealed, key, b"LT1.traces.seal", number)
        if plain is None:
            return None
        at = 32
        for place in range(256):
            if plain[place >> 3] >> (place & 7) & 1:
                found[u(number) << 8 | place] = Trace(plain[at:at + 47])
                at += 47
        assert at == len(plain), "a group of traces has more than its bitmap says"
    return found
