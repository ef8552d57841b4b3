"""usage: coverage_table.py BUILD_DIR: the lines of each folder that the last run of a coverage build has run, as a table."""

import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("base", "client", "model", "server")


def lines_of(notes):
    """{(file, line): times run} of the files of ours that one object was compiled from; 0 where it never ran."""
    answer = subprocess.run(["gcov", "--json-format", "--stdout", notes], capture_output=True, check=True, cwd=notes.parent)
    found = {}
    for text in answer.stdout.splitlines():
        for file in json.loads(text)["files"]:
            path = os.path.relpath(notes.parent / file["file"], ROOT)
            if path.split("/")[0] in FOLDERS:
                for line in file["lines"]:
                    key = (path, line["line_number"])
                    found[key] = max(found.get(key, 0), line["count"])
    return found


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    run = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(lines_of, sorted(build.rglob("*.gcno"))):
            for key, times in found.items():
                run[key] = max(run[key], times)
    folders = collections.defaultdict(lambda: [0, 0])
    for (path, _), times in run.items():
        for folder in (os.path.dirname(path), "total"):
            folders[folder][0] += times > 0
            folders[folder][1] += 1
    print(f"{'folder':<24} {'run':>7} {'lines':>7} {'%':>6}")
    for folder in sorted(folders, key=lambda name: (name == "total", name)):
        ran, lines = folders[folder]
        print(f"{folder:<24} {ran:>7} {lines:>7} {100 * ran / lines:>6.1f}")


if __name__ == "__main__":
    main()
