"""usage: includers.py FOLDER... < CHANGED: the sources (.cc) below the folders that changed or that include what changed.

CHANGED has a path of the repository a line. A change of what decides how all are checked or built makes it every source.
"""

import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
DECIDES_FOR_ALL = {".clang-tidy", "CMakePresets.json", "tests/tidy.sh"}


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


def main():
    changed = set(sys.stdin.read().split("\n"))
    if changed & DECIDES_FOR_ALL:
        reached = {str(path.relative_to(ROOT)) for folder in sys.argv[1:] for path in (ROOT / folder).rglob("*.cc")}
    else:
        included_by = includers()
        reached, left = set(), list(changed)
        while left:
            path = left.pop()
            if path not in reached:
                reached.add(path)
                left += included_by[path]
    for path in sorted(reached):
        if path.endswith(".cc") and path.split("/")[0] in sys.argv[1:] and (ROOT / path).exists():
            print(path)


if __name__ == "__main__":
    main()
