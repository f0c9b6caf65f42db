#!/usr/bin/env python3
"""Man pages and completions: the committed pages are what the programs say, and are sound mdoc."""

import pathlib
import shutil
import subprocess

import lib
from lib import Skip, binary, check

REPO = pathlib.Path(__file__).resolve().parents[2]


def pages_are_what_the_programs_say():
    done = subprocess.run([REPO / "Tools" / "man", "--check"], capture_output=True, text=True,
                          timeout=120)
    check(done.returncode == 0, (done.stdout + done.stderr).strip())


def pages_are_sound():
    linters = {"mandoc": ["-T", "lint", "-W", "warning"], "groff": ["-mdoc", "-Tutf8", "-ww", "-z"]}
    linter = next((name for name in linters if shutil.which(name)), None)
    if not linter:
        raise Skip("neither mandoc nor groff is here")
    for page in sorted((REPO / "Docs" / "man").glob("*.1")):
        done = subprocess.run([linter, *linters[linter], page], capture_output=True, text=True,
                              timeout=60)
        text = (done.stdout + done.stderr).strip()
        check(done.returncode == 0 and not text, f"{linter}: {text[:500]}")


def every_command_is_in_its_page():
    for program, words in (("lethe", ("query", "import", "export range", "health", "tail")),
                           ("lethed", ("serve", "doctor", "check"))):
        page = (REPO / "Docs" / "man" / f"{program}.1").read_text()
        for word in words:
            check(f".Ss {program} {word}" in page, f"{program} {word} is not in its page")


def completions_are_made_for_each_shell():
    for program in ("lethe", "lethed"):
        for shell in ("bash", "zsh", "fish"):
            done = subprocess.run([binary(program), "--generate-completion-script", shell],
                                  capture_output=True, text=True, timeout=60)
            word = "query" if program == "lethe" else "doctor"
            check(done.returncode == 0 and word in done.stdout, f"{program} {shell}: {done.stderr}")
            if shell == "bash":
                read = subprocess.run(["bash", "-n"], input=done.stdout, capture_output=True,
                                      text=True, timeout=60)
                check(read.returncode == 0, f"bash does not read it: {read.stderr.strip()[:200]}")


if __name__ == "__main__":
    lib.run_suite(pages_are_what_the_programs_say, pages_are_sound, every_command_is_in_its_page,
                  completions_are_made_for_each_shell)
