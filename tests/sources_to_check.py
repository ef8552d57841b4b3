"""usage: sources_to_check.py FOLDER... < CHANGED: the sources (.cc) below the folders that show what changed.

CHANGED has a path of the repository a line. A source shows itself; a header, or a .proto by what is generated from it, is shown
by its own source, or by one of those that include it. A change of what decides what is checked makes it every source.
"""

import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
DECIDES_FOR_ALL = {".clang-tidy"}


def includers():
    """{path: the files that include it}; a generated header counts as the .proto it is made from."""
    found = collections.defaultdict(set)
    for folder in sys.argv[1:]:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".h", ".cc"):
                for included in INCLUDE.findall(path.read_text()):
                    included = re.sub(r"^(.*?)(\.grpc)?\.pb\.h$", r"proto/\1.proto", included)
                    found[included].add(str(path.relative_to(ROOT)))
    return found


def sources_of(header, included_by):
    """The nearest sources that include it, through as few other headers as can be."""
    seen, near = {header}, {header}
    while near:
        near = set().union(*(included_by[path] for path in near)) - seen
        if sources := {path for path in near if path.endswith(".cc")}:
            return sources
        seen |= near
    return set()


def main():
    changed = set(sys.stdin.read().split("\n"))
    all_sources = {str(path.relative_to(ROOT)) for folder in sys.argv[1:] for path in (ROOT / folder).rglob("*.cc")}
    if changed & DECIDES_FOR_ALL:
        chosen = all_sources
    else:
        included_by = includers()
        chosen = changed & all_sources
        for header in sorted(path for path in changed if path.endswith((".h", ".proto"))):
            shown_by = sources_of(header, included_by)
            own = re.sub(r"\.h$", ".cc", header)
            if shown_by and not shown_by & chosen:
                chosen.add(own if own in shown_by else min(shown_by))
    for path in sorted(chosen):
        print(path)


if __name__ == "__main__":
    main()
