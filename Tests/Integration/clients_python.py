#!/usr/bin/env python3
"""The newest redis-py, unchanged: sync and asyncio, RESP2 and RESP3, pipelines with and without a
transaction, decoded and raw, and its retries after a connection that broke when the answer was due.
"""

import asyncio
import re

import redis
import redis.asyncio
import redis.asyncio.retry
import redis.backoff
import redis.retry

import lib
import scenario
from lib import Failed, Store, check
from proxy import Proxy
from scenario import TENANT, flatten

STORE = None


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


def a_client(**options):
    return redis.Redis(unix_socket_path=str(STORE.query), **options)


def default_settings():
    return f"redis-py {redis.__version__}, " + scenario.run(STORE, python())


def RESP2():
    return scenario.run(STORE, python(protocol=2))


def username():
    return scenario.run(STORE, python(username=TENANT))


def decoded_responses():
    return scenario.run(STORE, python(decode_responses=True))


def by_url():
    def drive(commands):
        url = f"unix://{TENANT}:peer@{STORE.query}"
        with redis.Redis.from_url(url, client_name="suite") as client:
            return [attempt(client.execute_command, words) for words in commands]
    return scenario.run(STORE, drive)


def pipeline_without_transaction():
    def drive(commands):
        with a_client() as client, client.pipeline(transaction=False) as pipeline:
            for words in commands:
                pipeline.execute_command(*words)
            return [[error_text(reply)] if isinstance(reply, redis.ResponseError)
                    else flatten(reply) for reply in pipeline.execute(raise_on_error=False)]
    return scenario.run(STORE, drive, keeps_connection=False)


def pipeline_of_a_thousand_appends():
    with a_client(decode_responses=True) as client:
        with client.pipeline(transaction=False) as pipeline:
            for number in range(1_000):
                pipeline.execute_command(
                    "EVENT.APPEND", "many", "t", "DATASUBJECT", "u-1", "DATA", str(number))
            replies = pipeline.execute()
        versions = [reply["version"] for reply in replies]
        check(versions == list(range(1, 1_001)), f"versions: {versions[:5]}")


def bytes_come_back_as_they_went():
    binary = bytes(range(256)) * 40
    with a_client() as client:
        client.execute_command(
            "EVENT.APPEND", "binary", "t", "DATASUBJECT", "u-1", "DATA", binary)
        event = client.execute_command("EVENT.RANGE", "binary", "-", "+")[0]
        check(event[b"data"] == binary, "bytes came back changed")


def pipeline_is_one_transaction():
    """`pipeline()` sends MULTI .. EXEC unless it is told otherwise."""
    with a_client(decode_responses=True) as client:
        with client.pipeline() as pipeline:
            for number in range(3):
                pipeline.execute_command("EVENT.APPEND", "multi", "t", "IMPERSONAL", "EXPECT",
                                         str(number), "DATA", "x")
            replies = pipeline.execute()
        check([reply["version"] for reply in replies] == [1, 2, 3], f"answered {replies}")
        positions = [reply["position"] for reply in replies]
        check(positions == list(range(positions[0], positions[0] + 3)), f"positions {positions}")


def a_transaction_of_which_one_is_refused_stores_nothing():
    with a_client(decode_responses=True) as client:
        with client.pipeline() as pipeline:
            for expected in ("0", "7", "1"):
                pipeline.execute_command("EVENT.APPEND", "refused", "t", "IMPERSONAL", "EXPECT",
                                         expected, "DATA", "x")
            try:
                raise Failed(f"it was accepted: {pipeline.execute()}")
            except redis.ResponseError as error:
                check(str(error).startswith("WRONGVERSION expected 7 actual 1"), f"answered {error}")
        with client.pipeline() as pipeline:
            pipeline.execute_command("EVENT.APPEND", "refused", "t", "IMPERSONAL", "DATA", "x")
            pipeline.execute_command("EVENT.APPEND", "refused", "t", "DATA", "nobody")
            try:
                pipeline.execute()
                raise Failed("a transaction with a command in error was accepted")
            except redis.ResponseError as error:
                check("NODATASUBJECT" in str(error), f"answered {error}")
        version = client.execute_command("EVENT.STREAM", "refused")["version"]
        check(version == 0, f"refused transactions stored {version} events")


def a_transaction_with_a_read_and_a_batch():
    append = ("EVENT.APPEND", "mixed", "t", "IMPERSONAL")
    with redis.Redis(unix_socket_path=str(STORE.query), decode_responses=True) as client:
        with client.pipeline() as pipeline:  # MULTI .. EXEC
            pipeline.execute_command(*append, "EXPECT", "none", "DATA", "1")
            pipeline.execute_command("EVENT.RANGE", "mixed", "-", "+")
            pipeline.execute_command(*append, "EXPECT", "1", "DATA", "2")
            pipeline.execute_command(
                "EVENT.BATCH", "STREAM", "mixed", "EXPECT", "2", "EVENT", "t", "IMPERSONAL", "DATA",
                "3", "EVENT", "t", "IMPERSONAL", "DATA", "4")
            first, before, second, batch = pipeline.execute()
        check(before == [], f"a read saw the transaction: {before}")
        versions = [reply["version"] for reply in [first, second, *batch]]
        check(versions == [1, 2, 3, 4], f"versions: {versions}")
        refusals = [
            ((*append, "EXPECT", "9", "DATA", "x"), "expected 9 actual 5 command 2"),
            (("EVENT.APPEND", "mixed", "t", "DATA", "x"), "DATASUBJECT"),
            (("EVENT.GET", "POSITION", "999999999"), "command 2"),
        ]
        for words, expected in refusals:
            try:
                with client.pipeline() as pipeline:
                    pipeline.execute_command(*append, "DATA", "x")
                    pipeline.execute_command(*words)
                    pipeline.execute()
                raise Failed(f"a transaction with {words[0]} was stored")
            except redis.ResponseError as error:
                check(expected in str(error), f"{words}: {error}")
        version = client.execute_command("EVENT.STREAM", "mixed")["version"]
        check(version == 4, f"refused transactions stored {version - 4} events")


def asyncio_client():
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
    return scenario.run(STORE, lambda commands: asyncio.run(all_of(commands)))


def asyncio_waits_for_an_event():
    async def main():
        reader = redis.asyncio.Redis(unix_socket_path=str(STORE.query))
        writer = redis.asyncio.Redis(unix_socket_path=str(STORE.query), username=TENANT)
        wait = asyncio.create_task(
            reader.execute_command("EVENT.READ", "BLOCK", "10000", "STREAMS", "awaited", "0"))
        await asyncio.sleep(0.2)
        check(not wait.done(), "the read did not wait")
        async with writer.pipeline() as pipeline:
            pipeline.execute_command(
                "EVENT.APPEND", "awaited", "t", "DATASUBJECT", "u-1", "DATA", "here")
            await pipeline.execute()
        reply = flatten(await asyncio.wait_for(wait, 5))
        check("here" in reply, f"the read got {reply[:4]}")
        await reader.aclose()
        await writer.aclose()
    asyncio.run(main())


def retry_after(broken, *identity):
    """(reply, events stored) of an append whose first answers do not come through."""
    retry = redis.retry.Retry(redis.backoff.NoBackoff(), 3)
    with Proxy(STORE.query, cuts=broken, after=b"EVENT.APPEND") as proxy:
        stream = f"retried-{broken}-{len(identity)}"
        with redis.Redis(unix_socket_path=str(proxy.path), decode_responses=True, retry=retry,
                         retry_on_error=[redis.ConnectionError]) as client:
            reply = client.execute_command(
                "EVENT.APPEND", stream, "t", "DATASUBJECT", "u-1", *identity, "DATA", "once")
            check(len(proxy.sent) == broken + 1, f"{len(proxy.sent)} connections")
            return reply, client.execute_command("EVENT.STREAM", stream)["version"]


def a_retry_with_an_id_stores_once():
    reply, stored = retry_after(1, "ID", "r-1", "SOURCE", "urn:suite")
    check((reply["duplicate"], reply["version"], stored) == (1, 1, 1), f"{reply}, {stored} stored")
    reply, stored = retry_after(2, "ID", "r-2", "SOURCE", "urn:suite")
    check((reply["duplicate"], reply["version"], stored) == (1, 1, 1), f"{reply}, {stored} stored")


def without_an_id_the_same_retry_stores_twice():
    """The control: the client did send it again, and only the id told that it was the same."""
    reply, stored = retry_after(1)
    check((reply["duplicate"], stored) == (0, 2), f"{reply}, {stored} stored")


def asyncio_retries_too():
    async def main():
        retry = redis.asyncio.retry.Retry(redis.backoff.NoBackoff(), 3)
        with Proxy(STORE.query, cuts=1, after=b"EVENT.APPEND") as proxy:
            client = redis.asyncio.Redis(unix_socket_path=str(proxy.path), retry=retry,
                                         retry_on_error=[redis.ConnectionError])
            reply = await client.execute_command(
                "EVENT.APPEND", "retried-async", "t", "DATASUBJECT", "u-1", "ID", "r-3", "DATA", "x")
            check(reply[b"duplicate"] == 1, f"answered {reply}")
            await client.aclose()
    asyncio.run(main())


def a_client_goes_on_after_a_restart():
    with a_client(decode_responses=True) as client:
        client.execute_command("EVENT.APPEND", "restarted", "t", "IMPERSONAL", "DATA", "1")
        check(STORE.stop() == 0, "the daemon does not end in order")
        STORE.start()
        reply = client.execute_command("EVENT.APPEND", "restarted", "t", "IMPERSONAL", "DATA", "2")
        check(reply["version"] == 2, f"answered {reply}")


if __name__ == "__main__":
    lib.seed()
    with Store() as STORE:
        STORE.create_tenant(TENANT)
        lib.run_suite(
            default_settings, RESP2, username, decoded_responses, by_url,
            pipeline_without_transaction, pipeline_of_a_thousand_appends,
            bytes_come_back_as_they_went, pipeline_is_one_transaction,
            a_transaction_of_which_one_is_refused_stores_nothing,
            a_transaction_with_a_read_and_a_batch, asyncio_client,
            asyncio_waits_for_an_event, a_retry_with_an_id_stores_once,
            without_an_id_the_same_retry_stores_twice, asyncio_retries_too,
            a_client_goes_on_after_a_restart)
