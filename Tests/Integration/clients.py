#!/usr/bin/env python3
"""Ordinary Redis clients run one shared scenario, unchanged, against the release binary.

redis-cli 7 in RESP2 and RESP3, one command a process and many on stdin; the newest redis-py, sync
and asyncio, with its default settings and with `username=`; hiredis; and redis-benchmark.
A driver sends a command and gives back the scalars of the reply in order, as text; an error reply
is a text that begins with its word.
"""

import asyncio
import pathlib
import re
import subprocess
import tempfile

import redis
import redis.asyncio

import lib
from lib import Store, check

TENANT = "acme"
DATA = '{"total":99.9}'


def scenario(stream):
    """Commands, and what their replies must hold: in any order, or the error's first word."""
    order = ("EVENT.APPEND", stream, "order.placed")
    return [
        (("ECHO", "hello"), ["hello"]),
        (("SELECT", "0"), ["OK"]),
        ((*order, "DATASUBJECT", "u-42", "EXPECT", "none", "ID", "order-1", "DATA", DATA),
         ["position", "version", "1", "id", "order-1", "duplicate", "0"]),
        ((*order, "DATASUBJECT", "u-42", "EXPECT", "none", "DATA", "x"), "WRONGVERSION"),
        ((*order, "DATA", "x"), "NODATASUBJECT"),
        ((*order, "DATASUBJECT", "null", "DATA", "x"), "BADSUBJECT"),
        ((*order, "IMPERSONAL", "DATA", "two"), ["version", "2"]),
        (("EVENT.RANGE", stream, "-", "+"), [DATA, "u-42", "live", "order.placed", "two"]),
        (("EVENT.RANGE", stream, "+", "-", "REV", "COUNT", "1"), ["two"]),
        (("EVENT.RANGE", stream + "-unknown", "-", "+"), []),
        (("EVENT.READ", "COUNT", "1", "STREAMS", stream, "1"), [stream, "two"]),
        (("EVENT.READ", "BLOCK", "10", "STREAMS", stream, "99"), []),
        (("EVENT.STREAM", stream), ["version", "2"]),
        (("EVENT.BATCH", "STREAM", stream, "EXPECT", "2", "EVENT", "a", "DATASUBJECT", "u-7",
          "DATA", "three", "EVENT", "b", "IMPERSONAL", "DATA", "four"), ["3", "4"]),
        (("EVENT.RANGE", stream, "(2", "4"), ["three", "four", "u-7"]),
        (("EVENT.GET", "POSITION", "999999"), "NOEVENT"),
        (("FLUSHALL",), "ERR"),
        (("EVENT.RANGE", stream, "-", "+", "COUNT", "x"), "ERR"),
    ]


def judge(command, expected, reply):
    shown = " ".join(command[:3])
    if isinstance(expected, str):
        check(len(reply) == 1 and reply[0].startswith(expected),
              f"{shown}: {expected} was expected, not {reply[:4]}")
        return
    missing = [part for part in expected if part not in reply]
    check(not missing, f"{shown}: {missing} not in {reply[:12]}")
    if not expected:
        check(reply in ([], [""]), f"{shown}: nothing was expected, not {reply[:4]}")


def flatten(reply):
    if reply is None:
        return []
    if isinstance(reply, dict):
        return [text for pair in reply.items() for part in pair for text in flatten(part)]
    if isinstance(reply, (list, tuple, set)):
        return [text for part in reply for text in flatten(part)]
    if isinstance(reply, bytes):
        return [reply.decode("utf-8", "replace")]
    return ["OK" if reply is True else str(reply)]  # redis-py makes True of OK


STORE = None
RUNS = 0


def run(driver):
    """One scenario on a stream of its own."""
    global RUNS
    RUNS += 1
    steps = scenario(f"stream-{RUNS}")
    for (command, expected), reply in zip(steps, driver([words for words, _ in steps]), strict=True):
        judge(command, expected, reply)
    return f"{len(steps)} commands"


# redis-cli

SCALAR = re.compile(r'^(?:\s*\d+[)#~] ?|\s+(?:=> )?)*(.*)$')


def parse_cli(text):
    """The scalars in what redis-cli --no-raw prints."""
    found = []
    for line in text.splitlines():
        if not line.strip():
            continue
        line = SCALAR.match(line).group(1)
        for part in re.split(r' => (?=["(]|\d+[)#])', line):
            part = re.sub(r'^(?:\d+[)#~] )+', "", part.strip())
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


def cli(*options, commands=None, text=None):
    done = subprocess.run(
        ["redis-cli", "-s", str(STORE.query), "--no-raw", *options, *(commands or ())],
        input=text, stdin=None if text is not None else subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60)
    check("failed" not in done.stderr.lower(), f"redis-cli: {done.stderr.strip()}")
    return done.stdout


def one_shot(*options):
    return lambda commands: [parse_cli(cli(*options, commands=words)) for words in commands]


def on_stdin(*options):
    def quoted(words):
        return " ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words)

    def drive(commands):
        lines = []
        for number, words in enumerate(commands):
            lines += [quoted(words), f"ECHO mark-{number}"]
        output = cli(*options, text="\n".join(lines) + "\n")
        replies = []
        for number in range(len(commands)):
            reply, _, output = output.partition(f'"mark-{number}"')
            replies.append(parse_cli(reply))
        return replies
    return drive


def redis_cli_one_command_a_process_in_RESP2():
    return run(one_shot())


def redis_cli_one_command_a_process_in_RESP3():
    return run(one_shot("-3"))


def redis_cli_on_stdin_in_RESP2():
    return run(on_stdin())


def redis_cli_on_stdin_in_RESP3():
    return run(on_stdin("-3"))


def redis_cli_with_user_and_password():
    return run(one_shot("--user", TENANT, "--pass", "peer", "--no-auth-warning"))


# redis-py

def attempt(call, words):
    try:
        return flatten(call(*words))
    except redis.ResponseError as error:
        return [error_text(error)]


def error_text(error):
    """redis-py cuts known words (`ERR`, `WRONGPASS`) off its errors."""
    text = str(error)
    return text if re.match(r"[A-Z]+ ", text) else f"ERR {text}"


def python(**options):
    def drive(commands):
        with redis.Redis(unix_socket_path=str(STORE.query), **options) as client:
            return [attempt(client.execute_command, words) for words in commands]
    return drive


def redis_py_with_default_settings():
    return f"redis-py {redis.__version__}, " + run(python())


def redis_py_with_RESP2():
    return run(python(protocol=2))


def redis_py_with_username():
    return run(python(username=TENANT))


def redis_py_by_url():
    def drive(commands):
        url = f"unix://{TENANT}:peer@{STORE.query}"
        with redis.Redis.from_url(url, client_name="suite") as client:
            return [attempt(client.execute_command, words) for words in commands]
    return run(drive)


def redis_py_pipeline_of_appends():
    with redis.Redis(unix_socket_path=str(STORE.query), decode_responses=True) as client:
        with client.pipeline(transaction=False) as pipeline:
            for number in range(1_000):
                pipeline.execute_command(
                    "EVENT.APPEND", "many", "t", "DATASUBJECT", "u-1", "DATA", str(number))
            replies = pipeline.execute()
        versions = [reply["version"] for reply in replies]
        check(versions == list(range(1, 1_001)), f"versions: {versions[:5]}")
        binary = bytes(range(256)) * 40
        client.execute_command(
            "EVENT.APPEND", "binary", "t", "DATASUBJECT", "u-1", "DATA", binary)
    with redis.Redis(unix_socket_path=str(STORE.query)) as client:
        event = client.execute_command("EVENT.RANGE", "binary", "-", "+")[0]
        check(event[b"data"] == binary, "bytes came back changed")


def redis_py_transaction():
    append = ("EVENT.APPEND", "multi", "t", "IMPERSONAL")
    with redis.Redis(unix_socket_path=str(STORE.query), decode_responses=True) as client:
        with client.pipeline() as pipeline:  # MULTI .. EXEC
            pipeline.execute_command(*append, "EXPECT", "none", "DATA", "1")
            pipeline.execute_command("EVENT.RANGE", "multi", "-", "+")
            pipeline.execute_command(*append, "EXPECT", "1", "DATA", "2")
            pipeline.execute_command(
                "EVENT.BATCH", "STREAM", "multi", "EXPECT", "2", "EVENT", "t", "IMPERSONAL", "DATA",
                "3", "EVENT", "t", "IMPERSONAL", "DATA", "4")
            first, before, second, batch = pipeline.execute()
        check(before == [], f"a read saw the transaction: {before}")
        versions = [reply["version"] for reply in [first, second, *batch]]
        check(versions == [1, 2, 3, 4], f"versions: {versions}")
        refusals = [
            ((*append, "EXPECT", "9", "DATA", "x"), "expected 9 actual 5 command 2"),
            (("EVENT.APPEND", "multi", "t", "DATA", "x"), "DATASUBJECT"),
            (("EVENT.GET", "POSITION", "999999999"), "command 2"),
        ]
        for words, expected in refusals:
            try:
                with client.pipeline() as pipeline:
                    pipeline.execute_command(*append, "DATA", "x")
                    pipeline.execute_command(*words)
                    pipeline.execute()
                raise lib.Failed(f"a transaction with {words[0]} was stored")
            except redis.ResponseError as error:
                check(expected in str(error), f"{words}: {error}")
        version = client.execute_command("EVENT.STREAM", "multi")["version"]
        check(version == 4, f"refused transactions stored {version - 4} events")


def redis_py_asyncio():
    async def all_of(commands):
        client = redis.asyncio.Redis(unix_socket_path=str(STORE.query))
        replies = []
        for words in commands:
            try:
                replies.append(flatten(await client.execute_command(*words)))
            except redis.ResponseError as error:
                replies.append([error_text(error)])
        await client.aclose()
        return replies
    return run(lambda commands: asyncio.run(all_of(commands)))


def redis_py_asyncio_waits_for_an_event():
    async def main():
        reader = redis.asyncio.Redis(unix_socket_path=str(STORE.query))
        writer = redis.asyncio.Redis(unix_socket_path=str(STORE.query), username=TENANT)
        wait = asyncio.create_task(
            reader.execute_command("EVENT.READ", "BLOCK", "10000", "STREAMS", "awaited", "0"))
        await asyncio.sleep(0.2)
        check(not wait.done(), "the read did not wait")
        await writer.execute_command(
            "EVENT.APPEND", "awaited", "t", "DATASUBJECT", "u-1", "DATA", "here")
        reply = flatten(await asyncio.wait_for(wait, 5))
        check("here" in reply, f"the read got {reply[:4]}")
        await reader.aclose()
        await writer.aclose()
    asyncio.run(main())


# hiredis

HIREDIS = r"""
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show(const redisReply *r) {
  switch (r->type) {
  case REDIS_REPLY_INTEGER: printf("%lld\n", r->integer); break;
  case REDIS_REPLY_NIL: break;
  case REDIS_REPLY_ARRAY:
    for (size_t i = 0; i < r->elements; i++) show(r->element[i]);
    break;
  default: printf("%.*s\n", (int)r->len, r->str);
  }
}

int main(int argc, char **argv) {
  if (argc != 2) return 64;
  redisContext *c = redisConnectUnix(argv[1]);
  if (!c || c->err) return 69;
  char line[4096];
  while (fgets(line, sizeof line, stdin)) {
    const char *words[64];
    int count = 0;
    line[strcspn(line, "\n")] = 0;
    for (char *word = strtok(line, "\t"); word && count < 64; word = strtok(NULL, "\t"))
      words[count++] = word;
    redisReply *reply = redisCommandArgv(c, count, words, NULL);
    if (!reply) return 76;
    show(reply);
    printf("--\n");
    freeReplyObject(reply);
  }
  redisFree(c);
  return 0;
}
"""


def hiredis():
    with tempfile.TemporaryDirectory(prefix="lethe-hiredis-") as folder:
        source, program = pathlib.Path(folder, "client.c"), pathlib.Path(folder, "client")
        source.write_text(HIREDIS)
        done = subprocess.run(["gcc", "-O1", "-o", program, source, "-lhiredis"],
                              capture_output=True, text=True, timeout=60)
        check(done.returncode == 0, f"gcc: {done.stderr.strip()[:200]}")

        def drive(commands):
            done = subprocess.run(
                [program, STORE.query], input="\n".join("\t".join(words) for words in commands),
                capture_output=True, text=True, timeout=60)
            check(done.returncode == 0, f"the client ended with {done.returncode}")
            replies = [[]]
            for line in done.stdout.splitlines():
                if line == "--":
                    replies.append([])
                elif line:
                    replies[-1].append(line)
            return replies[:-1]
        return run(drive)


# redis-benchmark

def redis_benchmark():
    with STORE.wire(TENANT) as wire:
        before = wire.call("EVENT.COUNT")
        done = subprocess.run(
            ["redis-benchmark", "-s", STORE.query, "-n", "20000", "-c", "20", "-P", "16", "-r",
             "1000", "-q", "EVENT.APPEND", "bench", "t", "DATASUBJECT", "u-__rand_int__", "DATA",
             "xxx"], capture_output=True, text=True, timeout=120)
        check(done.returncode == 0, f"redis-benchmark: {(done.stderr + done.stdout).strip()[-200:]}")
        check("WARNING" not in done.stderr + done.stdout, f"{done.stderr.strip()[-200:]}")
        after = wire.call("EVENT.COUNT")
        check(after - before >= 20_000, f"{after - before} events of 20000")
    rate = re.findall(r"([\d.]+) requests per second", done.stdout.replace("\r", "\n"))
    return f"{float(rate[-1]):,.0f} events a second" if rate else ""


if __name__ == "__main__":
    with Store() as STORE:
        STORE.create_tenant(TENANT)
        lib.run_suite(
            redis_cli_one_command_a_process_in_RESP2, redis_cli_one_command_a_process_in_RESP3,
            redis_cli_on_stdin_in_RESP2, redis_cli_on_stdin_in_RESP3,
            redis_cli_with_user_and_password, redis_py_with_default_settings, redis_py_with_RESP2,
            redis_py_with_username, redis_py_by_url, redis_py_pipeline_of_appends,
            redis_py_transaction,
            redis_py_asyncio, redis_py_asyncio_waits_for_an_event, hiredis, redis_benchmark)
