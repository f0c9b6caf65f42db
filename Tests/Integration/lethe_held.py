"""Section 4.9 of Docs/Format.md: events whose own keys a hold has saved."""
from lethe_primitives import open_aead, u


def events(content):
    """What a document of kind 3 has, as (sequence, position, persons, commitment, event key)."""
    assert content[0] == 1 and len(content) == 2 + 94 * content[1]
    for at in range(2, len(content), 94):
        entry = content[at:at + 94]
        yield u(entry[:6]), u(entry[6:12]), entry[29], entry[30:62], entry[62:]


def open_body(record, documents):
    """The plaintext body of a record with a saved key, or None; needs no header."""
    for content in documents:
        for _, position, persons, commitment, key in events(content):
            if position == record.position and commitment == record.raw[80:112]:
                at = 144 if persons > 2 else 112
                return open_aead(record.raw[1], key, record.raw[:at], record.raw[at:])
    return None
