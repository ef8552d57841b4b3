#!/usr/bin/env python3
"""Writes a program's manual page (man 7 man) from its `--help`.

usage: manual.py PROGRAM FILE        FILE's ending is the section: rondo-server.8
"""

import pathlib
import re
import sys

from program_help import read_help

SEE_ALSO = {"rondo": 1, "rondo-convert": 1, "rondo-load": 1, "rondo-server": 8, "rondo-train": 1}


def escaped(text):
    """As roff takes it: no line is a request, and a hyphen stays one that can be copied."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text)


def paragraphs(lines):
    """Text is filled; what is indented stands as it is, and a usage too."""
    is_example = False
    for line in lines:
        stands = line.startswith(("  ", "usage: "))
        if stands != is_example and (line or not is_example):
            yield ".EX" if stands else ".EE"
            is_example = stands
        yield escaped(line) if line else ".PP" if not is_example else ""
    if is_example:
        yield ".EE"


def options(groups, heading):
    for title, rows in groups:
        yield f'{heading} "{escaped(title)}"'
        for option in rows:
            value = f"=\\fI{escaped(option.unit)}\\fR" if option.unit else ""
            yield ".TP"
            yield f"\\fB{escaped(option.name)}\\fR{value}"
            yield escaped(option.text)


def commands(program, found):
    """Each command with its own options; those of every command stand once, in OPTIONS."""
    common = [title for title, _ in found.groups]
    yield ".SH COMMANDS"
    for name in found.commands:
        own = read_help(program, *name.split())
        yield f'.SS "{escaped(name)}"'
        yield from paragraphs(own.about)
        for title, rows in own.groups:
            if title not in common:
                yield from list(options([(title, rows)], ".SS"))[1:]


def squeezed(lines):
    """Without an empty paragraph: man warns of them."""
    kept = []
    for line in lines:
        follows_nothing = not kept or kept[-1] in (".PP", ".EE") or kept[-1].startswith((".SH", ".SS"))
        if line == ".PP" and follows_nothing:
            continue
        if kept and kept[-1] == ".PP" and line.startswith((".SH", ".SS", ".TP")):
            kept.pop()
        kept.append(line)
    return kept[:-1] if kept[-1] == ".PP" else kept


def manual(program, section):
    found = read_help(program)
    name = found.program
    first = re.sub(rf"^{name}:? ", "", found.about[0]).rstrip(".")
    others = [f".BR {escaped(other)} ({number})" for other, number in SEE_ALSO.items() if other != name]
    lines = [
        f'.TH {name.upper()} {section} "" "rondo {found.version}"',
        ".ad l",  # man warns of a line that a long word leaves too few spaces to adjust
        ".SH NAME",
        f"{escaped(name)} \\- {escaped(first)}",
        ".SH SYNOPSIS",
        f"\\fB{escaped(name)}\\fR {'' if not found.commands else 'COMMAND '}[\\fI\\-\\-NAME\\fR=\\fIVALUE\\fR]...",
        ".SH DESCRIPTION",
        *paragraphs(found.about),
    ]
    if found.commands:
        lines += commands(program, found)
    lines += [".SH OPTIONS", *options(found.groups, ".SS"), ".SH NOTES", *paragraphs(found.notes)]
    lines += [".SH SEE ALSO", ",\n".join(others)]
    return "\n".join(squeezed(lines)) + "\n"


def main():
    program, file = map(pathlib.Path, sys.argv[1:])
    file.write_text(manual(program.resolve(), file.suffix.removeprefix(".")))


if __name__ == "__main__":
    main()
