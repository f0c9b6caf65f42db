#!/usr/bin/env python3
"""The published test vectors (Tests/Vectors/vectors.json), recomputed from Docs/Format.md alone.

lethe_format.py does it with Python and libsodium and shares no code with Lethe; the unit tests check
Lethe against the same file. `vectors.py --write` makes the file anew, after a change of the format.
"""
import ctypes
import hashlib
import json
import pathlib
import sys

import lethe_format as fmt

PATH = pathlib.Path(__file__).resolve().parents[1] / "Vectors" / "vectors.json"


def fixed(label, count):
    """`count` bytes that depend on the label only."""
    return hashlib.shake_256(label.encode()).digest(count)


def seal_aead(suite, key, associated, plain):
    out = ctypes.create_string_buffer(len(plain) + 16)
    function = {1: fmt._sodium.crypto_aead_chacha20poly1305_ietf_encrypt,
                2: fmt._sodium.crypto_aead_aes256gcm_encrypt}[suite]
    code = function(out, None, plain, ctypes.c_ulonglong(len(plain)), associated,
                    ctypes.c_ulonglong(len(associated)), None, bytes(12), key)
    return out.raw if code == 0 else None


def tree(seed, total, index):
    for level in range(total - 1, -1, -1):
        halves = fmt.stream(seed, 64)
        seed = halves[32:] if index >> level & 1 else halves[:32]
    return seed


def position_leaf(seed, position):
    for level in range(11, -1, -1):
        digit = position >> (4 * level) & 15
        seed = fmt.stream(seed, 512)[digit * 32:digit * 32 + 32]
    return seed


def padme(count):
    if count <= 128:
        return 128
    exponent = count.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (count + mask) & ~mask


def periods():
    seed = fixed("class seed", 32)
    return [{"unit": unit, "index": index, "seed": seed, "key": tree(seed, total, index)}
            for unit, total in ((0, 16), (1, 20)) for index in (0, 1, 20_780, (1 << total) - 1)]


def positions():
    seed = fixed("position seed", 32)
    return [{"position": at, "seed": seed, "leaf": position_leaf(seed, at)}
            for at in (0, 1, 15, 16, 17, 4095, 4096, 1 << 40, (1 << 48) - 1)]


def bases():
    period, stream = fixed("period", 32), fixed("stream key", 32)
    impersonal, secret = fixed("impersonal", 32), fixed("data secret", 32)
    found = []
    for count in (0, 1, 2, 4):
        subjects = b"".join(fixed(f"subject {i}", 32) for i in range(count))
        message = bytes([count]) + stream + (subjects or impersonal) + secret
        found.append({
            "period": period, "stream": stream, "subjects": subjects, "impersonal": impersonal,
            "dataSecret": secret, "base": fmt.blake2b(256, period, b"LT1.ev.base", message)})
    return found


def derivations():
    secret, mapping = fixed("instance secret", 32), fixed("map key", 32)
    stream, subject = fixed("stream key", 32), fixed("subject 0", 32)
    rows = [("LT1.route", secret, 32), ("LT1.route.tag", secret, 16), ("LT1.log.state", secret, 32),
            ("LT1.index", secret, 32), ("LT1.ledger", secret, 32), ("LT1.idx.feed", mapping, 16),
            ("LT1.idx.stream", stream, 16), ("LT1.idx.subject", subject, 16)]
    return [{"context": name, "key": key, "output": fmt.blake2b(8 * count, key, name.encode(), b"")}
            for name, key, count in rows]


def sealed():
    found = []
    for name, count in (("LT1.node.key", 1552), ("LT1.log.seal", 64), ("LT1.seg.dir", 64)):
        key, nonce, label = fixed("key " + name, 32), fixed("nonce " + name, 16), fixed("label", 33)
        plain = fixed("plain " + name, count)
        derived = fmt.blake2b(512, key, name.encode(), nonce + label)
        head = b"\x01\x01" + nonce + derived[32:]
        found.append({"context": name, "key": key, "nonce": nonce, "label": label, "plain": plain,
                      "sealed": head + seal_aead(1, derived[:32], head, plain)})
    return found


def tags():
    mapping, term = fixed("map key", 32), fixed("term key", 16)
    names = [{"kind": kind, "class": number, "id": identifier, "mapKey": mapping,
              "tag": fmt.siphash128(mapping[:16], bytes([kind, number]) + identifier)}
             for kind, number, identifier in ((1, 0, b"u-42"), (1, 3, b"u-42"), (2, 0, b"orders"),
                                              (3, 0, "zo\u00eb@example.org".encode()))]
    postings = [{"bucket": bucket, "termKey": term,
                 "tag": fmt.siphash64(term, bucket.to_bytes(2, "big"))} for bucket in (0, 695, 65_535)]
    return names, postings


def record(suite, count, data):
    """A whole record, with everything that opens it."""
    secret, tenant = fixed("instance secret", 32), fixed("tenant", 16)
    data_secret, position = fixed("data secret", 32), 77
    period_key, nonce = tree(fixed("class seed", 32), 16, 20_780), fixed("nonce record", 16)
    base = bases()[{0: 0, 1: 1, 2: 2, 4: 3}[count]]
    leaf = position_leaf(fixed("position seed", 32), position)
    event_base = fmt.blake2b(
        256, period_key, b"LT1.ev.base", bytes([count]) + base["stream"]
        + (base["subjects"] or base["impersonal"]) + data_secret)
    fields = b"\x01\x00\x06orders\x02\x00\x06placed"
    body = b"\x01" + len(data).to_bytes(4, "big") + fields + b"\x00" + data
    second_bytes = 32 if count > 2 else 0
    body += bytes(padme(len(body) + second_bytes) - second_bytes - len(body))
    routing = ((5).to_bytes(4, "big") + position.to_bytes(8, "big") + (1).to_bytes(2, "big")
               + bytes([0, 0]) + (20_780).to_bytes(4, "big") + bytes(2))
    head = bytes([1, suite]) + nonce
    tag = fmt.siphash64(fmt.blake2b(128, secret, b"LT1.route.tag", b""), head + routing)
    routing = fmt.xor(routing, fmt.hchacha(fmt.blake2b(256, secret, b"LT1.route", b""), nonce))
    slots = [10 + i for i in range(count)] + [0] * (4 - count)
    first = ((9).to_bytes(5, "big") + (3).to_bytes(6, "big") + (1_795_500_000_000).to_bytes(6, "big")
             + bytes([count]) + slots[0].to_bytes(5, "big") + slots[1].to_bytes(5, "big") + bytes(4))
    header_key = fmt.blake2b(512, period_key, b"LT1.hdr.key", data_secret)
    header = fmt.xor(first, fmt.hchacha(header_key[:32], nonce))
    derived = fmt.blake2b(512, event_base, b"LT1.ev.key",
                          leaf + nonce + tenant + position.to_bytes(8, "big"))
    associated = head + routing + tag.to_bytes(8, "big") + header + derived[32:]
    if count > 2:
        second = slots[2].to_bytes(5, "big") + slots[3].to_bytes(5, "big") + bytes(22)
        associated += fmt.xor(second, fmt.hchacha(header_key[32:], nonce))
    raw = associated + seal_aead(suite, derived[:32], associated, body)
    leaf_hash = hashlib.sha256(
        b"\x00" + position.to_bytes(8, "big") + hashlib.sha256(raw).digest()).digest()
    return {"suite": suite, "subjectCount": count, "instanceSecret": secret, "tenantID": tenant,
            "position": position, "headerKey": header_key, "base": event_base, "leaf": leaf,
            "streamSlot": 9, "version": 3, "storedMilliseconds": 1_795_500_000_000, "slots": slots,
            "tenant": 5, "generation": 1, "period": 20_780, "body": body, "record": raw,
            "merkleLeaf": leaf_hash}


def slot():
    raw = b"LTSLOT1\0" + (6).to_bytes(8, "big") + bytes(8) + fixed("root", 32) + fixed("pad", 424)
    return {"epoch": 6, "root": fixed("root", 32), "slot": raw + fmt.Root.sum(raw)}


def make():
    names, postings = tags()
    found = {
        "periods": periods(), "positions": positions(), "bases": bases(),
        "derivations": derivations(), "sealed": sealed(), "names": names, "postings": postings,
        "padme": [{"bytes": n, "padded": padme(n)} for n in (0, 128, 129, 200, 1000, 4097, 1 << 20)],
        "records": [record(suite, count, data) for suite in (1, 2) for count, data in
                    ((0, b""), (1, b"hello"), (2, b"x" * 300), (4, b"four persons"))],
        "rootSlot": slot()}
    return json.loads(json.dumps(found, default=lambda value: value.hex()))


def main():
    found = make()
    if "--write" in sys.argv:
        PATH.write_text(json.dumps(found, indent=1) + "\n")
    published = json.loads(PATH.read_text())
    passed = failed = 0
    for name, rows in published.items():
        if rows == found.get(name):
            passed += 1
        else:
            failed += 1
            print(f"FAILED  the vectors of {name} are not what the page gives")
    if set(found) != set(published):
        failed += 1
        print("FAILED  the published file has other parts")
    # The check can fail: one changed byte is seen.
    published["sealed"][0]["sealed"] = "00" + published["sealed"][0]["sealed"][2:]
    passed, failed = (passed + 1, failed) if published["sealed"] != found["sealed"] else (passed, failed + 1)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
