#!/usr/bin/env python3
"""What clients say before their first command, line by line, and what each must be answered.

First the table: for each client the bytes that it is known to send, also of those that are not here
(go-redis, lettuce, jedis, node-redis 6), with the exact answers. Then the clients of this machine go
through a proxy that notes what they really send, so that the table does not grow old unseen.
"""

import re
import socket
import subprocess

import redis

import lib
from clients_cli import ENVIRONMENT, Terminal
from lib import Store, Wire, check
from proxy import Proxy

TENANT = "acme"
STORE = None
OK = rb"\+OK\r\n"
NOT_KNOWN = rb"-ERR unknown command '%s'\r\n"
FIELDS = (rb"\$6\r\nserver\r\n\$5\r\nlethe\r\n\$7\r\nversion\r\n\$\d+\r\n\d+\.\d+\.\d+[^\r]*\r\n"
          rb"\$5\r\nproto\r\n:%d\r\n\$2\r\nid\r\n:\d+\r\n\$4\r\nmode\r\n\$10\r\nstandalone\r\n"
          rb"\$4\r\nrole\r\n\$6\r\nmaster\r\n\$7\r\nmodules\r\n\*0\r\n")
HELLO3, HELLO2 = rb"%7\r\n" + FIELDS % 3, rb"\*14\r\n" + FIELDS % 2
SUBCOMMAND = rb"-ERR [^\r]*subcommand[^\r]*\r\n"
SAVE = rb"\*2\r\n\$4\r\nsave\r\n\$0\r\n\r\n"
APPENDONLY = rb"\*2\r\n\$10\r\nappendonly\r\n\$3\r\nyes\r\n"
WRONGPASS = rb"-WRONGPASS [^\r]*\r\n"

# Client: what it sends, a line a command, each with the answer as a regular expression.
TABLE = {
    "redis-cli -3": [("HELLO 3", HELLO3)],
    "redis-cli at a terminal": [("COMMAND DOCS", rb"\*\d+\r\n.*")],
    "redis-cli of old at a terminal": [("COMMAND", rb"\*\d+\r\n.*")],
    "redis-cli --user --pass": [("AUTH acme peer", OK)],
    "redis-cli -n 3": [("SELECT 3", rb"-ERR DB index is out of range\r\n"), ("PING", rb"\+PONG\r\n")],
    "redis-benchmark": [("CONFIG GET save", SAVE), ("CONFIG GET appendonly", APPENDONLY)],
    "redis-py 8": [("HELLO 3", HELLO3), ("CLIENT SETINFO LIB-NAME redis-py", OK),
                   ("CLIENT SETINFO LIB-VER 8.1.0", OK)],
    "redis-py, protocol 2": [("CLIENT SETINFO LIB-NAME redis-py", OK),
                             ("CLIENT SETINFO LIB-VER 8.1.0", OK)],
    "redis-py, user and name": [
        ("HELLO 3 AUTH acme peer", HELLO3), ("CLIENT SETNAME web", OK),
        ("CLIENT SETINFO LIB-NAME redis-py", OK), ("CLIENT SETINFO LIB-VER 8.1.0", OK),
        ("SELECT 0", OK)],
    "redis-py, user alone": [(("HELLO", "3", "AUTH", "acme", ""), HELLO3)],
    "redis-py, password alone": [("HELLO 3 AUTH default peer", HELLO3), ("EVENT.COUNT", rb":\d+\r\n")],
    "redis-py, wrong password": [("HELLO 3 AUTH default other", WRONGPASS)],
    "redis-py, wrong user": [("HELLO 3 AUTH other peer", WRONGPASS)],
    "redis-py pipeline()": [("MULTI", OK), ("EXEC", rb"\*0\r\n")],
    "node-redis 4": [("PING", rb"\+PONG\r\n"), ("QUIT", OK)],
    "node-redis 6": [("HELLO 3 AUTH acme peer SETNAME web", HELLO3),
                     ("CLIENT SETINFO LIB-NAME node-redis", OK),
                     ("CLIENT SETINFO LIB-VER 6.2.1", OK)],
    "node-redis 6, RESP 2": [("AUTH acme peer", OK), ("CLIENT SETNAME web", OK), ("SELECT 0", OK)],
    "go-redis 9": [("hello 3 auth acme peer setname web", HELLO3),
                   ("client setinfo LIB-NAME go-redis(,go1.25)", OK),
                   ("client setinfo LIB-VER 9.22.0", OK),
                   ("client maint_notifications on moving-endpoint-type external-fqdn", SUBCOMMAND)],
    "lettuce 7": [("HELLO 3 AUTH acme peer SETNAME web", HELLO3),
                  ("CLIENT SETINFO lib-name Lettuce", OK), ("CLIENT SETINFO lib-ver 7.8.0", OK)],
    "lettuce, a protocol that is not there": [
        ("HELLO 4", rb"-NOPROTO unsupported protocol version\r\n"), ("PING", rb"\+PONG\r\n")],
    "jedis 8": [("HELLO 3 AUTH acme peer", HELLO3), ("CLIENT SETINFO LIB-NAME jedis", OK)],
    "hello in RESP2": [("HELLO 2", HELLO2), ("HELLO", HELLO2)],
    "AUTH with one argument": [("AUTH peer", OK), ("AUTH wrong", WRONGPASS)],
    "PING": [("PING", rb"\+PONG\r\n"), ("PING hello", rb"\$5\r\nhello\r\n")],
    "ECHO": [("ECHO hello", rb"\$5\r\nhello\r\n")],
    "CLIENT": [
        ("CLIENT SETNAME web", OK), ("CLIENT GETNAME", rb"\$3\r\nweb\r\n"),
        ("CLIENT ID", rb":\d+\r\n"), ("CLIENT INFO", rb"\$\d+\r\nid=\d+ .*name=web.*\r\n"),
        ("CLIENT LIST", rb"\$\d+\r\nid=\d+ [^\n]*name=web[^\n]*\n?\r\n"),
        ("CLIENT NO-EVICT on", OK), ("CLIENT NO-TOUCH on", OK), ("CLIENT TRACKING on", SUBCOMMAND),
        ("CLIENT REPLY off", SUBCOMMAND), ("CLIENT KILL 1", SUBCOMMAND)],
    "COMMAND": [
        ("COMMAND COUNT", rb":\d+\r\n"), ("COMMAND LIST", rb"\*\d+\r\n.*"),
        ("COMMAND INFO event.append nothing", rb"\*2\r\n\*.*(\*-1|\$-1|_)\r\n"),
        ("COMMAND DOCS event.append", rb"\*2\r\n\$12\r\nevent.append\r\n.*")],
    "INFO": [("INFO", rb"\$\d+\r\n# Server\r\n.*"), ("INFO server", rb"\$\d+\r\n# Server\r\n.*")],
    "MULTI": [("MULTI", OK), ("DISCARD", OK), ("EXEC", rb"-ERR EXEC without MULTI\r\n"),
              ("DISCARD", rb"-ERR DISCARD without MULTI\r\n"), ("MULTI", OK),
              ("MULTI", rb"-ERR MULTI calls can not be nested\r\n"), ("DISCARD", OK)],
    "RESET": [("HELLO 3", HELLO3), ("RESET", rb"\+RESET\r\n"), ("HELLO", HELLO2)],
    "TIME": [("TIME", rb"\*2\r\n\$\d+\r\n\d+\r\n\$\d+\r\n\d+\r\n")],
    "what must not exist": [
        (command, NOT_KNOWN % command.split()[0].encode())
        for command in ("MONITOR", "SLOWLOG GET 10", "DEBUG SLEEP 0", "EVAL secret@example.com 0",
                        "KEYS secret*", "FLUSHALL", "FLUSHDB", "SAVE", "BGSAVE", "SHUTDOWN",
                        "SUBSCRIBE secret", "GET secret", "SET secret x", "SLAVEOF a 1",
                        "MIGRATE a", "MODULE LOAD a", "ACL LIST")]
    + [("CONFIG SET save x", SUBCOMMAND), ("CONFIG REWRITE", SUBCOMMAND)],
}


def ask(lines):
    """The bytes that answer each command of a connection."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(STORE.query))
        answers = []
        for line, pattern in lines:
            connection.sendall(Wire.encode(*(line.split(" ") if isinstance(line, str) else line)))
            data, wanted = b"", re.compile(pattern + (rb"" if pattern.endswith(b".*") else rb"\Z"),
                                           re.DOTALL)
            while not wanted.match(data):
                try:
                    connection.settimeout(0.5 if data else 10)
                    more = connection.recv(1 << 20)
                except TimeoutError:
                    break
                if not more:
                    break
                data += more
            if pattern.endswith(b".*"):
                drain(connection)
            answers.append(data)
        return answers


def drain(connection):
    """Long answers come in several parts; only how they begin matters."""
    connection.settimeout(0.1)
    try:
        while connection.recv(1 << 20):
            pass
    except TimeoutError:
        pass


def every_line_of_the_table():
    wrong = []
    for client, lines in TABLE.items():
        for (line, pattern), data in zip(lines, ask(lines)):
            if not re.match(pattern + (rb"" if pattern.endswith(b".*") else rb"\Z"), data,
                            re.DOTALL):
                wrong.append(f"{client}: {line}: {data[:100]}")
            elif b"secret" in data:
                wrong.append(f"{client}: {line}: an argument is repeated")
    check(not wrong, f"{len(wrong)} lines: {wrong[:6]}")
    return f"{sum(map(len, TABLE.values()))} lines of {len(TABLE)} clients and verbs"


def a_changed_answer_is_seen():
    lines = [("HELLO 3", HELLO3.replace(b"lethe", b"other")), ("PING", OK)]
    found = ask(lines)
    seen = [not re.match(pattern + rb"\Z", data, re.DOTALL)
            for (_, pattern), data in zip(lines, found)]
    check(seen == [True, True], "this suite would not see a changed answer")


def inline_commands():
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(STORE.query))
        connection.sendall(b"PING\r\n")
        check(connection.recv(100) == b"+PONG\r\n", "PING inline")
        connection.sendall(b"ECHO 'a b'\r\n")
        check(connection.recv(100) == b"$3\r\na b\r\n", "ECHO inline")
        connection.sendall(b"QUIT\r\n")
        check(connection.recv(100) == b"+OK\r\n", "QUIT inline")
        check(connection.recv(100) == b"", "the connection stays open after QUIT")


def sent_by(use):
    """The commands that a client sends on its first connections."""
    with Proxy(STORE.query) as proxy:
        use(str(proxy.path))
        return proxy.commands()


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=60,
                          env=ENVIRONMENT, **options)


def redis_cli_sends_what_the_table_says():
    found = sent_by(lambda path: run("redis-cli", "-s", path, "PING"))
    check(found == [[["PING"]]], f"one-shot: {found}")
    found = sent_by(lambda path: run("redis-cli", "-s", path, "-3", "PING"))
    check(found == [[["HELLO", "3"], ["PING"]]], f"-3: {found}")
    found = sent_by(lambda path: run("redis-cli", "-s", path, "--user", TENANT, "--pass", "peer",
                                     "PING"))
    check(found == [[["AUTH", TENANT, "peer"], ["PING"]]], f"--user: {found}")

    def at_a_terminal(path):
        with Terminal(path) as terminal:
            terminal.run("PING")
    found = sent_by(at_a_terminal)
    check(found == [[["COMMAND", "DOCS"], ["PING"]]], f"at a terminal: {found}")


def redis_benchmark_sends_what_the_table_says():
    found = sent_by(lambda path: run(
        "redis-benchmark", "-s", path, "-n", "1", "-c", "1", "-q", "PING"))
    check(found[0] == [["CONFIG", "GET", "save"], ["CONFIG", "GET", "appendonly"]], f"{found}")
    check(["PING"] in found[1], f"{found}")


def redis_py_sends_what_the_table_says():
    def use(**options):
        def ping(path):
            with redis.Redis(unix_socket_path=path, **options) as client:
                client.ping()
        return sent_by(ping)[0]
    about = [["CLIENT", "SETINFO", "LIB-NAME", "redis-py"],
             ["CLIENT", "SETINFO", "LIB-VER", redis.__version__]]
    found = use()
    check(found == [["HELLO", "3"], *about, ["PING"]], f"default: {found}")
    found = use(protocol=2)
    check(found == [*about, ["PING"]], f"protocol 2: {found}")
    found = use(username=TENANT, client_name="web")
    check(found[0][:4] == ["HELLO", "3", "AUTH", TENANT] and found[1] == ["CLIENT", "SETNAME", "web"],
          f"username: {found}")


if __name__ == "__main__":
    lib.seed()
    with Store() as STORE:
        STORE.create_tenant(TENANT)
        lib.run_suite(
            every_line_of_the_table, a_changed_answer_is_seen, inline_commands,
            redis_cli_sends_what_the_table_says, redis_benchmark_sends_what_the_table_says,
            redis_py_sends_what_the_table_says)
