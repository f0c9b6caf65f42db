"""The functions of Docs/Format.md, section 3, for lethe_format.py: libsodium through ctypes."""
import ctypes
import ctypes.util
import hashlib
import struct

_sodium = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
assert _sodium.sodium_init() >= 0
_ZERO12 = bytes(12)


def blake2b(bits, key, context, message):
    """B2b-bits(key; context; message) of the page."""
    return hashlib.blake2b(
        message, digest_size=bits // 8, key=key, person=context.ljust(16, b"\0")).digest()


def siphash64(key, message):
    out = ctypes.create_string_buffer(8)
    _sodium.crypto_shorthash_siphash24(out, message, ctypes.c_ulonglong(len(message)), key)
    return struct.unpack("<Q", out.raw)[0]


def siphash128(key, message):
    out = ctypes.create_string_buffer(16)
    _sodium.crypto_shorthash_siphashx24(out, message, ctypes.c_ulonglong(len(message)), key)
    return out.raw


def hchacha(key, nonce):
    out = ctypes.create_string_buffer(32)
    _sodium.crypto_core_hchacha20(out, nonce, key, None)
    return out.raw


def stream(key, count):
    out = ctypes.create_string_buffer(count)
    _sodium.crypto_stream_chacha20_ietf(out, ctypes.c_ulonglong(count), _ZERO12, key)
    return out.raw


def open_aead(suite, key, associated, ciphertext):
    """The plaintext, or None."""
    out = ctypes.create_string_buffer(max(1, len(ciphertext) - 16))
    function = {
        1: _sodium.crypto_aead_chacha20poly1305_ietf_decrypt,
        2: _sodium.crypto_aead_aes256gcm_decrypt}[suite]
    code = function(
        out, None, None, ciphertext, ctypes.c_ulonglong(len(ciphertext)), associated,
        ctypes.c_ulonglong(len(associated)), _ZERO12, key)
    return out.raw[:len(ciphertext) - 16] if code == 0 else None


def xor(left, right):
    return bytes(a ^ b for a, b in zip(left, right))


def u(data):
    return int.from_bytes(data, "big")


def open_sealed(sealed, key, context, label):
    """Section 3: a message sealed under a single-use key, or None."""
    if len(sealed) < 66 or sealed[0] != 1 or sealed[1] != 1:
        return None
    derived = blake2b(512, key, context, sealed[2:18] + label)
    if derived[32:] != sealed[18:50]:
        return None
    return open_aead(1, derived[:32], sealed[:50], sealed[50:])


def name_tag(map_key, kind, class_number, name):
    """Section 4.1: the tag of a name in a tenant's map."""
    tag = siphash128(map_key[:16], bytes([kind, class_number]) + name)
    if kind in (1, 3):
        return siphash64(map_key[:16], bytes(2) + name).to_bytes(8, "little") + tag[8:]
    # What only waits for its last day begins as the tag did that it had.
    return name[:8] + tag[8:] if kind in (5, 6) else tag


def box_keypair():
    """A key pair of X25519: the public and the secret half."""
    public, secret = ctypes.create_string_buffer(32), ctypes.create_string_buffer(32)
    assert _sodium.crypto_box_keypair(public, secret) == 0
    return public.raw, secret.raw


def open_sealed_box(sealed, public, secret):
    """What was sealed to a public key, or None."""
    if len(sealed) < 48:
        return None
    out = ctypes.create_string_buffer(max(1, len(sealed) - 48))
    code = _sodium.crypto_box_seal_open(
        out, sealed, ctypes.c_ulonglong(len(sealed)), public, secret)
    return out.raw[:len(sealed) - 48] if code == 0 else None
