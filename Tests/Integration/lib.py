"""What the script suites share: verdicts, a small client, and a daemon on temporary directories.

The daemon's binaries are looked for in LETHE_BIN_DIR: a directory that holds `lethed`, or a build
folder with `release` and `debug` in it (by default the repository's .build). Suites are the files
here that begin with `#!`; `LETHE_TEST_SEED` replays a run, `LETHE_KEEP=1` keeps what a failed one left.
"""

from daemon import Daemon, Store, binary
from verdicts import Failed, SKIPPED, Skip, Verdicts, check, run_suite, seed, seed_from
from wire import Closed, ErrorReply, Wire, parse_replies

__all__ = [
    "Closed", "Daemon", "ErrorReply", "Failed", "SKIPPED", "Skip", "Store", "Verdicts", "Wire",
    "binary", "check", "parse_replies", "run_suite", "seed", "seed_from",
]
