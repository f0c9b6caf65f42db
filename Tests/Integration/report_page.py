#!/usr/bin/env python3
"""The audit's page in a browser: nothing leaves, nothing overflows or hides, it can be read and printed.

The pages are made-up audits of `lethe-report-sample`, and those that `lethe-audit report` writes of a
real store's bundle, sound, forged and of unknown origin. LETHE_SHOTS=DIR keeps pictures of them.
"""

import datetime
import os
import pathlib
import re
import subprocess
import tempfile

from browser import Browser
from bundles import Bundle, audit, make
from lib import Daemon, Wire, binary, check, run_suite

SAMPLES = ("busy", "clean", "forged", "empty", "large")
# Colours do not depend on the width; LETHE_TEST_LONG=1 looks at every combination.
LOOKS = ((360, "light"), (1440, "dark"))
LOOKS_LONG = ((360, "dark"), (1440, "light"))
SIZE_MAX = 1_000_000
# The day on which requests came: the last one.
RECEIVED = (datetime.date.today() - datetime.timedelta(days=1)).isoformat()

# What lies outside of the page, is cut off, or is written over something else.
LAYOUT = """(() => {
  const width = document.documentElement.clientWidth, found = [];
  const name = e => e.tagName + '.' + (e.className.baseVal ?? e.className) + ' ' + e.textContent.trim().slice(0, 40);
  if (document.documentElement.scrollWidth > width) found.push('the page is ' + document.documentElement.scrollWidth + ' wide');
  for (const e of document.querySelectorAll('main *')) {
    if (e.closest('thead') && getComputedStyle(e.closest('thead')).position == 'absolute') continue;
    const box = e.getBoundingClientRect();
    if (box.width && !e.closest("svg.plot") && (box.right > width + 1 || box.left < -1)) found.push('outside: ' + name(e));
    if (!(e instanceof SVGElement) && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display != 'inline')
      found.push('cut off: ' + name(e));
  }
  for (const svg of document.querySelectorAll('svg.plot')) {
    const texts = [...svg.querySelectorAll('text')].map(e => [e, e.getBoundingClientRect()]);
    texts.forEach(([a, p], i) => texts.slice(i + 1).forEach(([b, q]) => {
      if (p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 3 && q.top < p.bottom - 3)
        found.push('one over the other: ' + name(a) + ' / ' + name(b));
    }));
    const room = svg.getBoundingClientRect();
    for (const [e, box] of texts)
      if (box.bottom > room.bottom + 1 || box.top < room.top - 1 || box.right > width + 1 || box.left < room.left - 1) found.push('beside its plot: ' + name(e));
  }
  return found.slice(0, 8);
})()"""

# Texts with less contrast to what is behind them than WCAG 2 asks for (AA, 4.5).
CONTRAST = """(() => {
  const parts = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => parts(c).slice(0, 3).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((s, v, i) => s + v * [.2126, .7152, .0722][i], 0);
  const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (parts(c)[3] !== 0) return c; } return 'rgb(255,255,255)'; };
  const found = new Set();
  for (const e of document.querySelectorAll('main *')) {
    if (['title', 'desc'].includes(e.tagName) || ![...e.childNodes].some(n => n.nodeType == 3 && n.textContent.trim())) continue;
    const style = getComputedStyle(e), ink = e instanceof SVGElement ? style.fill : style.color;
    const [a, b] = [light(ink), light(behind(e))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) found.add(((a + .05) / (b + .05)).toFixed(2) + ' ' + e.tagName + ' ' + e.textContent.trim().slice(0, 30));
  }
  return [...found].slice(0, 8);
})()"""

# Plots without a text alternative, tables without a caption or column heads, ids that stand twice.
ALTERNATIVES = """(() => {
  const found = [];
  for (const svg of document.querySelectorAll('svg.plot')) {
    const ids = (svg.getAttribute('aria-labelledby') || '').split(' ');
    if (ids.length != 2 || ids.some(id => !svg.querySelector('#' + id)?.textContent.trim())) found.push('a plot without text');
  }
  for (const table of document.querySelectorAll('table'))
    if (!table.caption?.textContent || !table.querySelector('th[scope=col]')) found.push('a table without caption or heads');
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  if (new Set(ids).size != ids.length) found.push('an id stands twice');
  for (const a of document.querySelectorAll('a'))
    if (!a.getAttribute('href').startsWith('#') || !document.getElementById(a.getAttribute('href').slice(1))) found.push('a link to nowhere');
  return found;
})()"""

ORDER = "[...document.querySelectorAll('main > [id]')].map(e => e.id)"


class Pages:
    """The pages of all samples, and one browser to look at them."""

    def __init__(self):
        self.kept = tempfile.TemporaryDirectory(prefix="lethe-report-", dir=os.environ.get("LETHE_TMP"))
        self.folder = pathlib.Path(self.kept.name)
        for sample in SAMPLES:
            made = subprocess.run([binary("lethe-report-sample", "debug"), sample], check=True,
                                  capture_output=True, timeout=60)
            (self.folder / f"{sample}.html").write_bytes(made.stdout)

    def path(self, sample):
        return self.folder / f"{sample}.html"


def looks(browser):
    """Each sample at a phone's width and a desk's, in light and dark."""
    for sample in SAMPLES:
        for width, scheme in LOOKS + (LOOKS_LONG if os.environ.get("LETHE_TEST_LONG") else ()):
            browser.open(PAGES.path(sample), width=width, scheme=scheme)
            yield sample, width, scheme


def keep(browser, name):
    if os.environ.get("LETHE_SHOTS"):
        browser.screenshot(pathlib.Path(os.environ["LETHE_SHOTS"]) / f"{name}.png")


def nothing_leaves_overflows_or_fades():
    with Browser() as browser:
        for sample, width, scheme in looks(browser):
            place = f"{sample} at {width} in {scheme}"
            check(len(browser.requests()) == 1, f"{place} asks for {browser.requests()[1:3]}")
            check(not browser.complaints(), f"{place}: {browser.complaints()[:2]}")
            for script in (LAYOUT, CONTRAST):
                found = browser.evaluate(script)
                check(not found, f"{place}: {found}")
            keep(browser, f"{sample}-{width}-{scheme}")


def verdict_and_scope_come_first_and_plots_have_texts():
    with Browser() as browser:
        for sample in SAMPLES:
            browser.open(PAGES.path(sample))
            order = browser.evaluate(ORDER)
            check(order[:3] == ["verdict", "scope", "findings"], f"{sample}: {order}")
            found = browser.evaluate(ALTERNATIVES)
            check(not found, f"{sample}: {found}")
            size = PAGES.path(sample).stat().st_size
            check(size < SIZE_MAX, f"{sample} has {size} bytes")


def it_prints():
    with Browser() as browser:
        for sample, most in (("clean", 8), ("busy", 14), ("empty", 6)):
            browser.open(PAGES.path(sample), width=718, media="print", scheme="dark")
            for script in (LAYOUT, CONTRAST):
                found = browser.evaluate(script)
                check(not found, f"{sample} in print: {found}")
            keep(browser, f"{sample}-print")
            browser.ask("Emulation.setEmulatedMedia", media="")
            pdf = browser.print()
            if os.environ.get("LETHE_SHOTS"):
                (pathlib.Path(os.environ["LETHE_SHOTS"]) / f"{sample}.pdf").write_bytes(pdf)
            pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
            check(1 <= pages <= most, f"{sample} takes {pages} pages")
            check(b"/MediaBox [0 0 594.95" in pdf or b"/MediaBox [0 0 595" in pdf, "it is not A4")


def destroy(daemon, *words):
    with Wire(daemon.admin_socket) as wire:
        token = wire.call(*words, "DRYRUN")["confirm"]
        wire.call(*words, "TICKET", "DPO-17", "RECEIVED", RECEIVED, "CONFIRM", token)


def bundle_of_a_store(folder):
    """Two tenants, three classes, a hold, erasures of three kinds; how many events there are."""
    with Daemon("debug") as daemon:
        for tenant in ("zebra-acme", "zebra-other"):
            daemon.create_tenant(tenant)
        daemon.control("RETENTION", "SET", "zebra-acme", "invoice", "MAX", "3650d", "MIN", "2190d",
                       "PURPOSE", "tax")
        daemon.control("RETENTION", "MAP", "zebra-acme", "zebra-bill", "invoice")
        for tenant, count in (("zebra-acme", 300), ("zebra-other", 40)):
            with daemon.wire(tenant) as wire:
                for number in range(count):
                    kind = "zebra-bill" if number % 3 == 0 else "zebra-click"
                    wire.call("EVENT.APPEND", f"zebra-stream-{number % 7}", kind, "DATASUBJECT",
                              f"zebra-person-{number % 9}", "DATA", "zebra-data" * (number % 20))
        daemon.control("HOLD", "SET", "zebra-acme", "CLASS", "invoice", "REASON", "litigation", "REVIEW",
                       "2031-01-01")
        destroy(daemon, "SHRED", "DATASUBJECT", "zebra-other", "zebra-person-1", "REASON", "art17")
        destroy(daemon, "SHRED", "EVENTS", "zebra-other", "4", "REASON", "captured-secret")
        destroy(daemon, "SHRED", "STREAM", "zebra-other", "zebra-stream-4", "REASON", "art17")
        daemon.control("SUBJECT", "RESTRICT", "zebra-acme", "zebra-person-5")
        done = make(daemon, folder)
        check(done.returncode == 0, done.stderr)
        return 340


def page_of(bundle, name, *words, status):
    """The page that the program writes of a bundle, and how it ends."""
    path = PAGES.folder / f"{name}.html"
    done = audit("report", bundle, *words, "--html", path)
    check(done.returncode == status, f"{name}: {done.returncode}, not {status}: {done.stderr}")
    return path


def a_real_stores_page_says_what_its_bundle_says():
    folder = PAGES.folder / "bundle"
    count = bundle_of_a_store(folder)
    found = Bundle(folder)
    key = ("--key", found.manifest["key"], "--first")
    forged = found.copy()
    position, record = forged.records(1)[0]
    forged.put_records(1, [(position, bytes([record[0] ^ 1]) + record[1:])] + forged.records(1)[1:])
    pages = {
        "real": (page_of(folder, "real", *key, status=0), "Pass"),
        "real-forged": (page_of(forged.save(PAGES.folder / "forged"), "real-forged", *key, status=2),
                        "Evidence does not fit together"),
        "real-unknown": (page_of(folder, "real-unknown", status=3), "No conclusion"),
    }
    with Browser() as browser:
        for name, (path, verdict) in pages.items():
            for width, scheme in LOOKS:
                browser.open(path, width=width, scheme=scheme)
                for script in (LAYOUT, CONTRAST, ALTERNATIVES):
                    wrong = browser.evaluate(script)
                    check(not wrong, f"{name} at {width}: {wrong}")
                check(len(browser.requests()) == 1 and not browser.complaints(), f"{name} asks")
                keep(browser, f"{name}-{width}-{scheme}")
            title = browser.evaluate("document.querySelector('h1').textContent")
            check(title[2:] == verdict, f"{name}: {title}")
    text = pages["real"][0].read_text()
    again = page_of(folder, "real", *key, status=0).read_text()
    check(text == again, "the same bundle gave another page")
    check("zebra" not in text, "a name is on the page")
    ledger = len(found.ledger())
    live = sum(state == "live" for log in (1, 2) for state in found.states(log))
    for words in (f"of {count} encrypted events were hashed again (100 %)",
                  f"of {ledger} signed ledger entries were checked (100 %)", f">{live}</dd>",
                  "invoice, tenant ", "litigation", "DPO-17", "verified", found.manifest["store"]):
        check(words in text, f"the page does not say: {words}")


def every_row_has_a_question():
    """Rows of every code of the program stand on the page in words."""
    sources = (pathlib.Path(__file__).resolve().parents[2] / "Sources" / "lethe-audit")
    text = "".join(path.read_text() for path in sources.glob("*.swift"))
    codes = set(re.findall(r'"([A-Z]{2,3}-[0-9]+)"', text))
    codes |= {f"{log}-{number}" for log in ("LED", "LOG") for number in (1, 2)}
    asked = set(re.findall(r'Question\(\s*"([A-Z]+-[0-9]+)"', (sources / "Report" / "Questions.swift").read_text()))
    # Lists and what only other verbs say.
    missing = codes - asked - {"RET-2", "ERA-3", "KEY-7", "CER-3", "TIC-1", "TIC-2"}
    check(len(codes) > 30 and not missing, f"no question for {sorted(missing)}")


def broken_pages_are_noticed():
    """The checks see what they are for: a request, an overflow, faint text, a plot without words."""
    page = PAGES.path("busy").read_text()
    image = "<img src='http://example.org/x'>"
    end = "</main>"
    broken = {
        "request": page.replace(end, image + end).replace("Content-Security-Policy", "x"),
        "policy": page.replace(end, image + end),
        "script": page.replace(end, "<script>1</script>" + end),
        "wide": page.replace(end, "<div style='width:2000px'>wide</div>" + end),
        "faint": page.replace("--ink:#1a1d21", "--ink:#e5e5e5"),
        "texts": page.replace("<desc id", "<desc data-id"),
        "over": page.replace("</svg>", "<text x='50%' y='11'>over it all, far and wide</text></svg>"),
    }
    with Browser() as browser:
        for name, text in broken.items():
            path = PAGES.folder / f"broken-{name}.html"
            path.write_text(text)
            browser.open(path, width=360)
            browser.evaluate("1")
            seen = {
                "request": lambda: len(browser.requests()) > 1, "policy": browser.complaints,
                "script": browser.complaints, "wide": lambda: browser.evaluate(LAYOUT),
                "faint": lambda: browser.evaluate(CONTRAST),
                "texts": lambda: browser.evaluate(ALTERNATIVES),
                "over": lambda: browser.evaluate(LAYOUT),
            }[name]()
            check(seen, f"the broken page {name} was taken for a sound one")


if __name__ == "__main__":
    PAGES = Pages()
    run_suite(nothing_leaves_overflows_or_fades, verdict_and_scope_come_first_and_plots_have_texts,
              it_prints, broken_pages_are_noticed, every_row_has_a_question,
              a_real_stores_page_says_what_its_bundle_says)
