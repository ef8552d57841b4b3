#!/usr/bin/env python3
"""Checks that deploy/METRICS.md says what a running server's /metrics says: every family's name, type, labels and help.

usage: metrics_reference_test.py BIN_DIR           compares; exit 1 and the difference if they are not equal
       metrics_reference_test.py BIN_DIR --write   writes the table anew
"""

import difflib
import pathlib
import re
import sys
import tempfile
import urllib.request

from running_server import RunningServer

ROOT = pathlib.Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "deploy/METRICS.md"
# Labels whose values are the same on every server, all of them there from the start.
LISTED = ("cause", "event", "limit", "method", "op", "reason")


def scrape(bin_dir):
    """The page of a server that has just started, with the model that comes with the tree and one tenant."""
    with tempfile.NamedTemporaryFile("w") as tokens:
        tokens.write("cert:meter-7.acme.example acme predict\n")
        tokens.flush()
        with RunningServer(bin_dir, f"--tokens_file={tokens.name}") as server:
            return urllib.request.urlopen(f"http://{server.http_address}/metrics", timeout=30).read().decode()


def families(page):
    """{name: (type, help, {label: {values}})} of every family."""
    found = {}
    for line in page.splitlines():
        comment = re.match(r"# (HELP|TYPE) (\S+) (.*)", line)
        if comment:
            kind, name, text = comment.groups()
            found.setdefault(name, {"labels": {}})[kind] = text
            current = name
            continue
        labels = re.match(r"\w+\{(.*)\} ", line)
        for name, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels.group(1) if labels else ""):
            if name != "le":
                found[current]["labels"].setdefault(name, {})[value] = None
    return found


def table(page):
    lines = ["| name | type | labels | help |", "|---|---|---|---|"]
    values = {}
    for name, family in families(page).items():
        labels = ", ".join(f"`{label}`" for label in family["labels"])
        lines.append(f"| `{name}` | {family['TYPE']} | {labels} | {family['HELP']} |")
        values.update({label: family["labels"][label] for label in LISTED if label in family["labels"]})
    lines += ["", "| label | values |", "|---|---|"]
    lines += [f"| `{label}` | {', '.join(f'`{value}`' for value in values[label])} |" for label in LISTED]
    return "\n".join(lines) + "\n"


def main():
    old = REFERENCE.read_text()
    head = old[:old.index("| name | type |")]
    new = head + table(scrape(sys.argv[1]))
    if "--write" in sys.argv[2:]:
        REFERENCE.write_text(new)
    elif new != old:
        sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), str(REFERENCE), "/metrics"))
        raise SystemExit(f"{REFERENCE.name} is not what the server says; write it anew with --write")


if __name__ == "__main__":
    main()
