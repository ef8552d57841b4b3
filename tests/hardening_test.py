#!/usr/bin/env python3
"""Checks that the programs are linked and compiled as hardened ones, by what readelf (Debian package binutils) says of them.

usage: hardening_test.py BIN_DIR
"""

import re
import subprocess
import sys

# What a program must have, and where readelf shows it.
WANTED = {
    "is position independent": ("-h", r"Type:\s+DYN"),
    "has relocations that are read-only once it runs (RELRO)": ("-l", r"GNU_RELRO"),
    "binds every function at its start (BIND_NOW)": ("-d", r"FLAGS.*\bNOW\b|BIND_NOW"),
    "has a stack that is not executable": ("-l", r"GNU_STACK(?:\s+0x[0-9a-f]+){5}\s+RW\s"),
    "has stack canaries": ("--dyn-syms", r"__stack_chk_fail"),
}
# Calls with known sizes, which not every program has.
FORTIFIED = {"checks the sizes of copies (FORTIFY_SOURCE)": ("--dyn-syms", r"__\w+_chk\b(?<!__stack_chk)")}
PROGRAMS = {"rondo-server": {**WANTED, **FORTIFIED}, "rondo": WANTED}


def main():
    missing = []
    for program, wanted in PROGRAMS.items():
        for what, (option, pattern) in wanted.items():
            shown = subprocess.run(["readelf", "-W", option, f"{sys.argv[1]}/{program}"], check=True, text=True,
                                   stdout=subprocess.PIPE).stdout
            if not re.search(pattern, shown):
                missing.append(f"{program}: wanted one that {what}; readelf {option} shows no {pattern}")
    sys.exit("\n".join(missing) or 0)


if __name__ == "__main__":
    main()
