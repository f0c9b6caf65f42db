#!/usr/bin/env python3
"""redis-cli and redis-benchmark, unchanged: one command a process, many on stdin, and at a terminal
with hints; in RESP2 and RESP3, with and without a tenant; and the load generator with its CONFIG.
"""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import lib
import scenario
from lib import Failed, Store, check

STORE = None
ENVIRONMENT = dict(os.environ, REDISCLI_HISTFILE="/dev/null", TERM="xterm")
SCALAR = re.compile(r'^(?:\s*\d+[)#~] ?|\s+(?:=> )?)*(.*)$')


def parse_cli(text):
    """The scalars in what redis-cli --no-raw prints."""
    found = []
    for line in text.splitlines():
        if not line.strip():
            continue
        line = SCALAR.match(line).group(1)
        for part in re.split(r' => (?=["(]|\d+[)#])', line):
            part = re.sub(r'^(?:\d+[)#~] )+', "", part.strip().removesuffix(" =>"))
            if part.startswith("(error) "):
                found.append(part[8:])
            elif part.startswith("(integer) "):
                found.append(part[10:])
            elif part in ("(nil)", "(empty array)", "(empty list or set)", "(empty hash)", ""):
                continue
            elif part.startswith('"') and part.endswith('"'):
                found.append(part[1:-1].encode().decode("unicode_escape"))
            else:
                found.append(part)
    return found


def quoted(words):
    return " ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words)


def cli(*options, commands=None, text=None):
    done = subprocess.run(
        ["redis-cli", "-s", str(STORE.query), "--no-raw", *options, *(commands or ())],
        input=text, stdin=None if text is not None else subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60, env=ENVIRONMENT)
    check("failed" not in done.stderr.lower(), f"redis-cli: {done.stderr.strip()}")
    return done.stdout


def one_shot(*options):
    return lambda commands: [parse_cli(cli(*options, commands=words)) for words in commands]


def on_stdin(*options):
    def drive(commands):
        lines = []
        for number, words in enumerate(commands):
            lines.append(quoted(words))
            if not is_in_transaction(commands, number):
                lines.append(f"ECHO mark-{number}")
        output = cli(*options, text="\n".join(lines) + "\n")
        replies, waiting = [], 0
        for number in range(len(commands)):
            waiting += 1
            if is_in_transaction(commands, number):
                continue
            reply, _, output = output.partition(f'"mark-{number}"')
            # Before EXEC and DISCARD each command is answered in one line.
            lines = reply.strip().split("\n")
            replies += [parse_cli(line) for line in lines[:waiting - 1]]
            replies.append(parse_cli("\n".join(lines[waiting - 1:])))
            waiting = 0
        return replies
    return drive


def is_in_transaction(commands, number):
    names = [words[0] for words in commands[:number + 1]]
    return names.count("MULTI") > names.count("EXEC") + names.count("DISCARD")


class Terminal:
    """redis-cli at a pseudo-terminal of one long line, so that nothing is folded."""

    PROMPT = re.compile(rb"(?:^|\n)redis \S+> $")

    def __init__(self, path, *options):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 4_000, 0, 0))
        self.process = subprocess.Popen(
            ["redis-cli", "-s", str(path), "--no-raw", *options], stdin=slave, stdout=slave, stderr=slave,
            env=ENVIRONMENT, start_new_session=True)
        os.close(slave)
        self.read_until(self.PROMPT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.master)

    def read_until(self, pattern, seconds=20):
        found, deadline = b"", time.monotonic() + seconds
        while not pattern.search(found):
            check(time.monotonic() < deadline, f"redis-cli shows {found[-200:]}")
            if select.select([self.master], [], [], 0.1)[0]:
                found += os.read(self.master, 65_536)
        return found

    def type(self, text, pattern):
        os.write(self.master, text.encode())
        return self.read_until(pattern)

    def run(self, line):
        """What is printed between the line and the next prompt."""
        shown = self.type(line + "\r", self.PROMPT)
        _, _, output = shown.partition(b"\r\n")
        return self.PROMPT.sub(b"", output.replace(b"\r\n", b"\n")).decode()


def at_a_terminal(*options):
    def drive(commands):
        with Terminal(STORE.query, *options) as terminal:
            return [parse_cli(terminal.run(quoted(words))) for words in commands]
    return drive


def redis_cli_one_command_a_process_in_RESP2():
    return scenario.run(STORE, one_shot(), keeps_connection=False)


def redis_cli_one_command_a_process_in_RESP3():
    return scenario.run(STORE, one_shot("-3"), keeps_connection=False)


def redis_cli_on_stdin_in_RESP2():
    return scenario.run(STORE, on_stdin())


def redis_cli_on_stdin_in_RESP3():
    return scenario.run(STORE, on_stdin("-3"))


def redis_cli_with_user_and_password():
    return scenario.run(
        STORE, one_shot("--user", scenario.TENANT, "--pass", "peer", "--no-auth-warning"),
        keeps_connection=False)


def redis_cli_at_a_terminal_in_RESP2():
    return scenario.run(STORE, at_a_terminal())


def redis_cli_at_a_terminal_in_RESP3():
    return scenario.run(STORE, at_a_terminal("-3"))


def redis_cli_hints_at_arguments_and_helps():
    notes = []
    with Terminal(STORE.query) as terminal:
        for command, hint in (("EVENT.APPEND", "stream"), ("EVENT.RANGE", "stream"),
                              ("EVENT.QUERY", "STREAM"), ("EVENT.READ", "STREAMS")):
            # The hint is grey and stands behind what was typed.
            shown = terminal.type(command, re.compile(re.escape(command).encode() + rb"\x1b\[0;90[^\x1b]*"))
            grey = re.findall(re.escape(command).encode() + rb"\x1b\[0;90;49m([^\x1b]*)", shown)[-1].decode()
            check(hint in grey, f"{command}: the hint is {grey!r}")
            notes.append(f"{command}{grey}")
            terminal.type("\x15", re.compile(rb"> (\x1b\[0m)?\r\x1b"))
        helped = terminal.run("help EVENT.RANGE")
        check("summary" in helped and "Events of a stream" in helped, f"help says {helped!r}")
    return notes[1]


def redis_benchmark_appends_and_reads_CONFIG():
    with STORE.wire(scenario.TENANT) as wire:
        before = wire.call("EVENT.COUNT")
        done = subprocess.run(
            ["redis-benchmark", "-s", STORE.query, "-n", "20000", "-c", "20", "-P", "16", "-r",
             "1000", "EVENT.APPEND", "bench", "t", "DATASUBJECT", "u-__rand_int__", "DATA",
             "xxx"], capture_output=True, text=True, timeout=120)
        check(done.returncode == 0, f"redis-benchmark: {(done.stderr + done.stdout).strip()[-200:]}")
        check("WARNING" not in done.stderr + done.stdout, f"{done.stderr.strip()[-200:]}")
        # Its report repeats what CONFIG GET told it.
        check("host configuration" in done.stdout, f"no configuration: {done.stdout[-300:]}")
        after = wire.call("EVENT.COUNT")
        check(after - before >= 20_000, f"{after - before} events of 20000")
    rate = re.findall(r"throughput summary: ([\d.]+)", done.stdout)
    return f"{float(rate[-1]):,.0f} events a second" if rate else ""


def redis_benchmark_pings_inline():
    done = subprocess.run(
        ["redis-benchmark", "-s", STORE.query, "-n", "2000", "-c", "10", "-q", "-t", "ping"],
        capture_output=True, text=True, timeout=60)
    lines = done.stdout.replace("\r", "\n")
    for test in ("PING_INLINE", "PING_MBULK"):
        if not re.search(test + r".*: [\d.]+ requests per second", lines):
            raise Failed(f"{test}: {(done.stderr + lines).strip()[-200:]}")


if __name__ == "__main__":
    lib.seed()
    with Store() as STORE:
        STORE.create_tenant(scenario.TENANT)
        lib.run_suite(
            redis_cli_one_command_a_process_in_RESP2, redis_cli_one_command_a_process_in_RESP3,
            redis_cli_on_stdin_in_RESP2, redis_cli_on_stdin_in_RESP3,
            redis_cli_with_user_and_password, redis_cli_at_a_terminal_in_RESP2,
            redis_cli_at_a_terminal_in_RESP3, redis_cli_hints_at_arguments_and_helps,
            redis_benchmark_appends_and_reads_CONFIG, redis_benchmark_pings_inline)
