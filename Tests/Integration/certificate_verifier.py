"""Checks an erasure certificate with nothing of the store's: canonical JSON (RFC 8785), Ed25519 (RFC
8032) and the rules of Docs/Format.md, section 4.6, written from these documents in plain Python.

`verify(document, key)` returns the certificate or raises Forged. `key` is the store's public key, which
the one who checks had before; the key in the document must be the same.
"""

import hashlib
import json
import re

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


class Forged(Exception):
    """This is no certificate of that key, and why."""


# Ed25519, RFC 8032, section 5.1: points in extended coordinates.

def add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(scalar, point):
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point = add(point, point)
        scalar >>= 1
    return total


def point(data):
    """The point of 32 bytes; None when there is none, or it is spelled in another way."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def encode(p):
    inverse = pow(p[2], P - 2, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def scalar(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L


def is_signed(message, signature, key):
    if len(signature) != 64 or len(key) != 32:
        return False
    a, s = point(key), int.from_bytes(signature[32:], "little")
    # A key of small order signs everything; a large s is a second spelling of the same signature.
    if a is None or s >= L or encode(multiply(8, a)) == encode((0, 1, 1, 0)):
        return False
    h = scalar(signature[:32], key, message)
    return encode(add(multiply(s, BASE), multiply(L - h, a))) == signature[:32]


def sign(message, seed):
    """For forgers."""
    digest = bytearray(hashlib.sha512(seed).digest())
    digest[0] &= 248
    digest[31] = digest[31] & 127 | 64
    secret = int.from_bytes(digest[:32], "little")
    key = encode(multiply(secret, BASE))
    r = scalar(bytes(digest[32:]), message)
    head = encode(multiply(r, BASE))
    return key, head + ((r + scalar(head, key, message) * secret) % L).to_bytes(32, "little")


# RFC 8785

def number(value):
    """ECMAScript's Number::toString."""
    value = float(value)
    if value != value or value in (float("inf"), float("-inf")):
        raise Forged("a number that JSON does not have")
    if value == 0:
        return "0"
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    point = len(whole) + int(exponent or 0)
    point -= len(digits) - len(digits.lstrip("0"))
    digits = digits.strip("0")
    sign, count = "-" if value < 0 else "", len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    rest = f".{digits[1:]}" if count > 1 else ""
    return f"{sign}{digits[0]}{rest}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def text(value):
    short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
    return '"' + "".join(
        short.get(ord(c)) or (f"\\u{ord(c):04x}" if ord(c) < 32 else c) for c in value) + '"'


def canonical(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
    return "{" + ",".join(f"{text(name)}:{canonical(value[name])}" for name in names) + "}"


def once(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Forged("a name stands twice")
    return found


# Docs/Format.md, section 4.6

HEX16, TIME = r"[0-9a-f]{32}", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
KINDS = {"subject", "events", "stream", "period", "tenant", "expiry"}


def shape(value, wanted, path="certificate"):
    """Refuses what is not of the shape: a regular expression, int, a list of one shape, a dict."""
    if isinstance(wanted, tuple):
        if value is None:
            return
        wanted, = wanted
    if isinstance(wanted, dict):
        if not isinstance(value, dict) or set(value) != set(wanted):
            raise Forged(f"{path}: other members")
        for name, inner in wanted.items():
            shape(value[name], inner, f"{path}.{name}")
    elif isinstance(wanted, list):
        if not isinstance(value, list):
            raise Forged(f"{path}: no list")
        for item in value:
            shape(item, wanted[0], path)
    elif wanted in (int, bool):
        if type(value) is not wanted or value < 0 or value > 2**53:
            raise Forged(f"{path}: no {wanted.__name__}")
    elif not isinstance(value, str) or not re.fullmatch(wanted, value):
        raise Forged(f"{path}: not {wanted}")


ACTOR = r"daemon|uid:\d+|socket:[^\x00-\x1f]{1,64}"
SHAPE = {
    "schema": r"lethe\.erasure/1", "title": r".+", "certificate": r"[0-9a-f]{8}-\d+",
    "kind": "|".join(KINDS), "store": HEX16, "tenant": (HEX16,), "ledger": int,
    "request": {"reason": (r"[a-z0-9-]+",), "ticket": (r"[A-Za-z0-9-]{1,32}",), "received": (r"\d.+",)},
    "approval": {"requested_by": ACTOR, "confirmed_by": ACTOR, "plan": (r"[0-9a-f]{64}",)},
    "timeline": {"restricted": (TIME,), "destroyed": TIME, "confirmed": TIME,
                 "ciphertext_reclaimed": (TIME,)},
    "scope": {name: int for name in (
        "tenants", "events", "events_naming_others", "events_impersonal", "events_erased_before",
        "streams", "streams_naming_others", "events_restricted", "events_held")},
    "method": {
        "name": "cryptographic erase", "reference": r".+", "suite": [r".+"], "key_bits": int,
        "destroyed": {name: int for name in (
            "keys", "keys_of_persons_and_streams", "keys_of_events", "keys_of_periods",
            "keys_of_tenants")},
        "root_generation": [int], "class": r"E[01]",
        "media": [{"kind": r"[a-z]+", "old_root": r".+", "weakness": (r".+",), "beside_data": bool}]},
    "verification": {"sampled": int, "opened_before": int, "opened_after": (int,)},
    "copies": None, "tool": r"lethe \S+", "limits": [r".+"],
}
COPIES = {
    "older_copies": r".+", "root_holders_lost": int, "backups_unlisted": int,
    "backups": [{"backup": HEX16, "first": TIME, "last": TIME, "keyring": bool}]}


def check_rules(found):
    """What must fit together in a certificate, whoever signed it."""
    shape(found, {**SHAPE, "copies": COPIES})
    method, verification, timeline = found["method"], found["verification"], found["timeline"]
    if found["certificate"] != f"{found['store'][:8]}-{found['ledger']}":
        raise Forged("the name is not that of the entry of the ledger")
    old, new = (method["root_generation"] + [0, 0])[:2]
    if len(method["root_generation"]) != 2 or new != old + 1 or old < 1:
        raise Forged("the root's generations do not follow each other")
    times = [timeline[name] for name in ("restricted", "destroyed", "confirmed") if timeline[name]]
    if times != sorted(times):
        raise Forged("the times are not in order")
    if verification["opened_before"] > verification["sampled"]:
        raise Forged("more samples opened than there are")
    if not method["media"] or not found["limits"]:
        raise Forged("no medium, or no limit")
    failed = bool(verification["opened_after"])
    weak = any(medium["weakness"] for medium in method["media"])
    lost = found["copies"]["root_holders_lost"] > 0 and any("was lost before" in limit for limit in found["limits"])
    if (method["class"] == "E0") != (failed or weak or lost):
        raise Forged("a class that the media and samples do not give")
    title = ("record of a failed verification" if failed
             else "deletion record" if weak or lost else "erasure certificate")
    if found["title"] != title:
        raise Forged("a title that the class does not give")
    if method["destroyed"]["keys"] < 1:
        raise Forged("no key was destroyed")


def verify(document, key):
    try:
        found = json.loads(document.decode(), object_pairs_hook=once)
        spelled = canonical(found).encode()
    except (ValueError, RecursionError, UnicodeEncodeError) as problem:
        raise Forged(f"no JSON: {problem}") from None
    if spelled != document:
        raise Forged("not in canonical form")
    if not isinstance(found, dict) or set(found) != {"certificate", "key", "signature"}:
        raise Forged("no document of a certificate")
    for name, count in (("key", 64), ("signature", 128)):
        shape(found[name], f"[0-9a-f]{{{count}}}", name)
    if found["key"] != key.hex():
        raise Forged("another key")
    message = canonical(found["certificate"]).encode()
    if not is_signed(message, bytes.fromhex(found["signature"]), key):
        raise Forged("the signature is wrong")
    check_rules(found["certificate"])
    return found["certificate"]
