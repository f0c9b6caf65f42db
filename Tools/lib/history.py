"""Real histories at hand: who changed what and when, as events.

A git repository if there is one with several authors; else the changelogs that Debian keeps of
every installed package, which are a history of the same kind.
"""

import gzip
import json
import os
import pathlib
import re
import subprocess

EVENTS_MAX = 20_000


class History:
    """Events in order: stream, type, the author's e-mail address, payload."""

    def __init__(self, name, events):
        self.name, self.events = name, events
        self.counts = {}
        for _, _, person, _ in events:
            self.counts[person] = self.counts.get(person, 0) + 1


def find(repository, scratch, chosen=None):
    """The history to show: the chosen repository's, or the first that is worth showing."""
    if chosen:
        history = of_git(pathlib.Path(chosen))
        if not history or len(history.counts) < 2:
            raise SystemExit(f"{chosen} is no git repository with commits of several authors")
        return history
    candidates = [repository, *sorted(pathlib.Path(scratch).glob("checkouts/*"))]
    for path in sorted(candidates, key=commits, reverse=True):
        if commits(path) > 200:
            history = of_git(path)
            if history and len(history.counts) > 1:
                return history
    history = of_debian()
    if history and len(history.counts) > 1:
        return history
    raise SystemExit("no history with several authors is at hand: say --repo DIR")


def git(path, *words):
    return subprocess.run(
        ["git", "-C", str(path), "-c", "safe.directory=*", "-c", "core.quotepath=off", *words],
        capture_output=True, text=True, errors="replace", timeout=120)


def commits(path):
    if not (path / ".git").exists():
        return 0
    done = git(path, "rev-list", "--count", "HEAD")
    return int(done.stdout) if done.returncode == 0 else 0


def of_git(path):
    """One event a commit, in the stream of the top-level directory that it touches first."""
    done = git(path, "log", "--reverse", "--no-merges", "--name-only",
               "--format=%x1e%H%x1f%ae%x1f%an%x1f%aI%x1f%s%x1f")
    if done.returncode != 0:
        return None
    events = []
    for entry in done.stdout.split("\x1e")[1:]:
        commit, email, author, time, subject, files = entry.split("\x1f", 5)
        names = files.split()
        stream = names[0].split("/")[0] if names and "/" in names[0] else "top-level"
        email = email.strip().lower()
        if "@" not in email or len(email) > 255:
            continue
        data = json.dumps({"commit": commit, "author": author, "email": email, "time": time,
                           "subject": subject, "files": len(names)}, ensure_ascii=False)
        events.append((stream, "commit", email, data))
    name = f"commits of {os.path.basename(path.resolve())}"
    return History(name, events[-EVENTS_MAX:])


SIGNED = re.compile(r"^ -- (.+?) +<([^<>\s]+@[^<>\s]+)>  (.+)$")
HEADED = re.compile(r"^([a-z0-9][a-z0-9+.-]+) \(([^)]+)\)")


def of_debian():
    """One event a release of a package, in the package's stream."""
    seen, events = set(), []
    for path in sorted(pathlib.Path("/usr/share/doc").glob("*/changelog.Debian.gz")):
        try:
            with gzip.open(path, "rt", errors="replace") as lines:
                found = releases(lines)
        except OSError:
            continue
        for package, version, author, email, time, change in found:
            if (package, version) in seen:
                continue
            seen.add((package, version))
            data = json.dumps({"package": package, "version": version, "author": author,
                               "email": email, "time": time, "change": change},
                              ensure_ascii=False)
            events.append((package, "release", email, data))
    return History("changes of Debian packages", events[:EVENTS_MAX])


def releases(lines):
    found, package, version, change = [], None, None, ""
    for line in lines:
        head, signature = HEADED.match(line), SIGNED.match(line)
        if head:
            package, version, change = head.group(1), head.group(2), ""
        elif signature and package:
            author, email, time = signature.groups()
            found.append((package, version, author, email.lower(), time.strip(), change))
            package = None
        elif not change and line.strip().startswith("*"):
            change = line.strip(" *\n")[:200]
    return reversed(found)
