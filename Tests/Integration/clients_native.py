#!/usr/bin/env python3
"""Clients in other languages run the shared scenario: hiredis, node-redis, redis-rb, phpredis, and
Redis.pm, as Debian has them. The programs are in `clients/`; each reads commands on stdin.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile

import lib
import scenario
from lib import Skip, Store, check

PROGRAMS = pathlib.Path(__file__).resolve().parent / "clients"
STORE = None
# Where Debian keeps the modules of node, whichever node it is.
ENVIRONMENT = dict(os.environ, NODE_PATH="/usr/share/nodejs")


def program(*command):
    """A driver that gives the commands of a phase to one process, so to one connection."""
    def drive(commands):
        lines = "".join("\t".join(words) + "\n" for words in commands)
        done = subprocess.run(
            [*command, str(STORE.query)], input=lines, capture_output=True, text=True, timeout=60,
            env=ENVIRONMENT)
        check(done.returncode == 0, f"ended with {done.returncode}: {done.stderr.strip()[-200:]}")
        replies = [[]]
        for line in done.stdout.splitlines():
            if line == "--":
                replies.append([])
            elif line:
                replies[-1].append(line)
        return replies[:-1]
    return drive


def interpreted(interpreter, file, *probe):
    """Runs the scenario, or says which package is missing."""
    package, *words = probe
    if not shutil.which(interpreter):
        raise Skip(f"{interpreter} is not installed")
    done = subprocess.run(
        [interpreter, *words], capture_output=True, text=True, timeout=60, env=ENVIRONMENT)
    if done.returncode != 0:
        raise Skip(f"{package} is not installed")
    return f"{done.stdout.strip()}, " + scenario.run(STORE, program(interpreter, PROGRAMS / file))


def hiredis():
    if not shutil.which("gcc") or not pathlib.Path("/usr/include/hiredis/hiredis.h").exists():
        raise Skip("gcc or libhiredis-dev is not installed")
    with tempfile.TemporaryDirectory(prefix="lethe-hiredis-") as folder:
        binary = pathlib.Path(folder, "client")
        done = subprocess.run(["gcc", "-O1", "-o", binary, PROGRAMS / "client.c", "-lhiredis"],
                              capture_output=True, text=True, timeout=60)
        check(done.returncode == 0, f"gcc: {done.stderr.strip()[:200]}")
        return scenario.run(STORE, program(binary))


def node_redis():
    return interpreted("node", "client.js", "node-redis", "-p",
                       "require('@redis/client/package.json').version")


def redis_rb():
    return interpreted("ruby", "client.rb", "ruby-redis", "-e",
                       "require 'redis'; puts Redis::VERSION")


def phpredis():
    return interpreted("php", "client.php", "php-redis", "-r",
                       "echo phpversion('redis'); exit(extension_loaded('redis') ? 0 : 1);")


def redis_pm():
    return interpreted("perl", "client.pl", "libredis-perl", "-MRedis", "-e",
                       "print $Redis::VERSION")


if __name__ == "__main__":
    lib.seed()
    with Store() as STORE:
        STORE.create_tenant(scenario.TENANT)
        lib.run_suite(hiredis, node_redis, redis_rb, phpredis, redis_pm)
