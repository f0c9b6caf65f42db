"""The quickstart's story, after the build. Every printed figure is measured in this run and checked;
the exit status is 0 only if all of them are as claimed."""

import argparse
import ctypes
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import redis

import history

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BINARIES = pathlib.Path(os.environ["LETHE_BIN_DIR"])
TENANT = "history"
SECONDS_MAX = 900


class NotAsClaimed(Exception):
    pass


def claim(condition, text):
    if not condition:
        raise NotAsClaimed(text)


def tell(text):
    print(text, flush=True)


class Daemon:
    """lethed on directories of its own; it dies with this script unless it is to stay."""

    def __init__(self, stays):
        self.stays = stays
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lethe-"))
        self.root_folder = pathlib.Path(tempfile.mkdtemp(prefix="lethe-root-"))
        self.data, self.root = self.folder / "data", self.root_folder / "root"
        self.sockets = self.folder / "run"
        self.sockets.mkdir(mode=0o700)
        self.log = self.folder / "lethed.log"
        self.weak, self.process = [], None

    def place(self, data=None, root=None):
        return ["--data", str(data or self.data), "--root", str(root or self.root), *self.weak]

    def run(self, verb, *words):
        return subprocess.run([BINARIES / "lethed", verb, *words], capture_output=True, text=True,
                              timeout=300)

    def initialise(self):
        done = self.run("init", *self.place())
        if done.returncode == 87:
            tell(f"note: {done.stderr.strip()}")
            self.weak = ["--accept-weak-erasure"]
            done = self.run("init", *self.place())
        claim(done.returncode == 0, f"lethed init: {done.stderr.strip()}")

    def start(self):
        """Returns the seconds until it answers."""
        def die_with_parent():
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)

        start = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [BINARIES / "lethed", "serve", *self.place(), "--sockets", str(self.sockets)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=self.stays,
                preexec_fn=None if self.stays else die_with_parent)
        while time.monotonic() - start < 60:
            claim(self.process.poll() is None, f"the daemon ended: {self.log.read_text()[-400:]}")
            try:
                self.client("admin").ping()
                return time.monotonic() - start
            except (redis.ConnectionError, redis.BusyLoadingError, FileNotFoundError):
                time.sleep(0.005)
        raise NotAsClaimed("the daemon does not answer within a minute")

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)

    def client(self, name="query", **options):
        return redis.Redis(
            unix_socket_path=str(self.sockets / f"{name}.sock"), decode_responses=True, **options)

    def lethe(self, *words, person):
        """The client; the person's identifier goes in on stdin, never in the command line."""
        done = subprocess.run(
            [BINARIES / "lethe", *words, "--sockets", str(self.sockets), "--tenant", TENANT,
             "--json"], input=person + "\n", capture_output=True, text=True, timeout=120)
        claim(done.returncode == 0, f"lethe {words[0]}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def files(self):
        return [path for folder in (self.folder, self.root_folder)
                for path in sorted(folder.rglob("*")) if path.is_file()]

    def clean(self):
        self.kill()
        for folder in (self.folder, self.root_folder):
            shutil.rmtree(folder, ignore_errors=True)


def stream_in(daemon, events):
    client = daemon.client(username=TENANT)
    start = time.monotonic()
    for first in range(0, len(events), 500):
        with client.pipeline(transaction=False) as pipeline:
            for stream, kind, person, data in events[first:first + 500]:
                pipeline.execute_command(
                    "EVENT.APPEND", stream, kind, "DATASUBJECT", person, "DATA", data)
            pipeline.execute()
    return time.monotonic() - start


def read_all(daemon):
    client, events = daemon.client(username=TENANT), []
    while True:
        page = client.execute_command(
            "EVENT.RANGE", "*", len(events) + 1, "+", "COUNT", 1_000)
        if not page:
            return events
        events += page


def choose_author(counts):
    """The second most active author, who is neither everybody nor nobody."""
    ranked = sorted(counts, key=lambda person: (-counts[person], person))
    return ranked[1]


def copy_files(source, target):
    subprocess.run(["cp", "-a", "--sparse=always", str(source), str(target)], check=True,
                   timeout=120)


def story(daemon, options):
    found = history.find(REPOSITORY, os.environ["LETHE_SCRATCH"], options.repo)
    author = choose_author(found.counts)
    total, own = len(found.events), found.counts[author]
    others = total - own
    daemon.initialise()
    daemon.start()
    daemon.client("admin").execute_command("TENANT", "CREATE", TENANT, "RETENTION", "395d")

    seconds = stream_in(daemon, found.events)
    tell(f" 1  {total:,} {found.name} by {len(found.counts):,} authors went in over a Unix socket "
         f"with redis-py: {seconds:.1f} s, {total / seconds:,.0f} a second, each durable")

    events = read_all(daemon)
    mine = [event for event in events if event["datasubject"] == author]
    claim([event["data"] for event in events] == [data for _, _, _, data in found.events],
          "what was read is not what was written")
    claim(len(mine) == own, f"{len(mine)} events of the author, not {own}")
    tell(f" 2  all of it read back decrypted and equal; one author wrote {own:,} of these events")

    files = daemon.files()
    names = [author.encode(), author.split("@")[0].encode() + b"@"]
    hits = sum(name in path.read_bytes() for path in files for name in names)
    size = sum(path.stat().st_blocks * 512 for path in files)
    claim(hits == 0, f"the author's e-mail is in {hits} files")
    tell(f" 3  grep for the author's e-mail in all {len(files)} files on disk "
         f"({size / 1e6:.1f} MB): {hits} hits")

    daemon.kill()
    seconds = daemon.start()
    count = daemon.client(username=TENANT).execute_command("EVENT.COUNT")
    claim(count == total, f"{count} events after kill -9")
    claim(len(read_all(daemon)) == total, "events are missing after kill -9")
    tell(f" 4  kill -9, restart in {seconds * 1000:.0f} ms: {count:,} of {total:,} events are there")

    copy = daemon.folder / "copy"
    old_root = daemon.folder / "copy-of-root"
    copy_files(daemon.data, copy)
    copy_files(daemon.root, old_root)
    tell(" 5  the files were copied, as a backup or a thief would")

    plan = daemon.lethe("shred", "subject", "--reason", "art17", "--dry-run", person=author)
    claim(plan["events"] == own, f"the dry run counts {plan['events']} events, not {own}")
    tell(f" 6  dry run: events {plan['events']:,}, streams of the author alone {plan['streams']}, "
         f"keys {plan['keys']}; nothing is destroyed yet")

    start = time.monotonic()
    daemon.lethe("shred", "subject", "--reason", "art17", "--confirm", plan["confirm"],
                 person=author)
    seconds = time.monotonic() - start
    states = [event["state"] for event in read_all(daemon)]
    claim(states.count("erased") == own and states.count("live") == others, "states are wrong")
    erased = [event["state"] == "erased" for event in read_all(daemon)]
    claim(erased == [event["datasubject"] == author for event in events],
          "another event was erased")
    tell(f" 7  the author was shredded in {seconds * 1000:.0f} ms: {own:,} erased places in the feed, "
         f"{others:,} live, positions dense")

    try:
        daemon.client(username=TENANT).execute_command(
            "EVENT.APPEND", "s", "t", "DATASUBJECT", author, "DATA", "again")
        raise NotAsClaimed("an event of the erased person was accepted")
    except redis.ResponseError as error:
        claim("SUBJECTSHREDDED" in str(error), f"refused with {str(error)[:40]}")
    tell(" 8  a new event of the author is refused: SUBJECTSHREDDED")

    report = drill(daemon, copy)
    claim(report["opened"] == others and report["erased"] == own,
          f"today's root opens {report['opened']} of the old copy")
    tell(f" 9  THE OLD COPY WITH TODAY'S ROOT OPENS 0 OF THE AUTHOR'S {own:,} EVENTS "
         f"AND {report['opened']:,} OF THE {others:,} OTHERS")
    control = drill(daemon, copy, data=copy, root=old_root)
    claim(not report["copyOpens"] and control["opened"] == total,
          f"the root of that day opens {control['opened']} of the copy")
    tell(f"10  control: with the root of that day the copy opens all {control['opened']:,}; "
         "it was overwritten in place and is gone")
    old_root.unlink()


def drill(daemon, copy, data=None, root=None):
    done = daemon.run("drill", "--old", str(copy), *daemon.place(data, root), "--json")
    claim(done.returncode == 0, f"lethed drill: {done.stderr.strip()}")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(prog="Tools/quickstart")
    parser.add_argument("--stay", action="store_true", help="leave the daemon running")
    parser.add_argument("--repo", help="a git repository whose commits to take")
    options = parser.parse_args()

    def too_long(*_):
        raise NotAsClaimed(f"not done after {SECONDS_MAX} s")

    def stop(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, too_long)
    signal.signal(signal.SIGTERM, stop)
    signal.alarm(SECONDS_MAX)
    daemon = Daemon(options.stay)
    stays = False
    try:
        story(daemon, options)
        stays = options.stay
    except (NotAsClaimed, redis.RedisError, OSError, subprocess.SubprocessError) as reason:
        sys.exit(f"NOT AS CLAIMED: {reason}")
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        if not stays:
            daemon.clean()
    if stays:
        tell(f"\nstill running as pid {daemon.process.pid}; try\n"
             f"  redis-cli -s {daemon.sockets}/query.sock --user {TENANT} --pass peer "
             f"--no-auth-warning EVENT.RANGE '*' + - REV COUNT 3\nand end it with\n"
             f"  kill {daemon.process.pid}; rm -r {daemon.folder} {daemon.root_folder}")


if __name__ == "__main__":
    main()
