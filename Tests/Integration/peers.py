"""Clients of other users: each runs its commands in a child that gave up everything but its uid."""

import json
import os
import pickle

from verdicts import Failed, check
from wire import Closed, ErrorReply, Wire

ROLES = ["writer", "reader", "exporter", "officer", "operator", "approver", "auditor"]


def open_to(store, peers, **more):
    """Lets a store, which is not started yet, be used by what an access file says."""
    check(os.geteuid() == 0, "other users need root")
    path = store.folder / "access.json"
    path.write_text(json.dumps({"peers": peers, **more}))
    path.chmod(0o600)
    store.folder.chmod(0o711)
    store.sockets.chmod(0o711)
    store.options = ["--access", str(path)]


def as_user(uid, path, *commands, tenant=None, raw=False):
    """The answers to commands of another user, one after the other on one connection.

    An error reply is an `ErrorReply`; what a connection that ends leaves out is `Closed`. With `raw`,
    the bytes that came, whatever they are.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        # Nothing but these commands, and no way back into the suite.
        found = "the child failed"
        try:
            os.close(reader)
            os.setgroups([])
            os.setuid(uid)
            found = exchange(path, commands, tenant, raw)
        except Exception as problem:
            found = f"{type(problem).__name__}: {problem}"
        finally:
            with os.fdopen(writer, "wb") as answer:
                pickle.dump(found, answer)
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        found = pickle.load(answer)
    os.waitpid(child, 0)
    if isinstance(found, str):
        raise Failed(f"as user {uid}: {found}")
    return found


def exchange(path, commands, tenant, raw):
    end = "<<the end>>"
    with Wire(path, tenant) as wire:
        if raw:
            wire.send(b"".join(wire.encode(*words) for words in commands) + wire.encode("ECHO", end))
            try:
                return wire.raw_until(f"${len(end)}\r\n{end}\r\n".encode())
            except Closed:
                return bytes(wire.buffer[wire.start:])
        answers = []
        for words in commands:
            try:
                answers.append(wire.call(*words))
            except ErrorReply as error:
                answers.append(error)
        return answers
