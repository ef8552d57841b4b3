"""A program's `--help` as values. The help follows from the program's option table, so what is made of it here is of that
table too: the manual (manual.py) and what a shell completes (completions.py)."""

import dataclasses
import os
import pathlib
import re
import subprocess

OPTION_ROW = re.compile(r"^  (--\S+?(?:, --\S+?)*)(?:\s+(\S.*))?$")
COMMAND_ROW = re.compile(r"^  ([a-z_]+(?: [a-z_]+)?)  +(\S.*)$")
UNIT_OF_CHOICES = re.compile(r"[a-z0-9_]+(\|[a-z0-9_]+)+")


@dataclasses.dataclass
class Option:
    name: str
    """With dashes."""
    unit: str
    """Stands for the value; empty: a switch."""
    text: str

    def choices(self):
        return self.unit.split("|") if UNIT_OF_CHOICES.fullmatch(self.unit) else []

    def takes_files(self):
        return self.unit.startswith("FILE")

    def takes_folder(self):
        return self.unit == "DIR"

    def summary(self):
        """The first sentence."""
        return re.split(r"(?<=[.;]) ", self.text.removeprefix("Required. "))[0].rstrip(".:;")


@dataclasses.dataclass
class Help:
    program: str
    version: str
    about: list
    """Lines; those that begin with spaces stand as they are."""
    commands: dict
    """Name to summary."""
    groups: list
    """(title, options)"""
    notes: list

    def options(self):
        return [option for _, options in self.groups for option in options]


def read_help(program, *command):
    """Runs `program COMMAND --help`."""
    program = pathlib.Path(program)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RONDO_")}

    def answer(*arguments):
        return subprocess.run([program, *arguments], check=True, capture_output=True, text=True, env=environment).stdout

    version = answer("--version").split()[-1]
    return parse_help(program.name, version, answer(*command, "--help"))


def parse_help(program, version, text):
    found = Help(program, version, [], {}, [], [])
    lines = text.splitlines()
    for number, line in enumerate(lines):
        option, command = OPTION_ROW.match(line), COMMAND_ROW.match(line)
        begins_group = line.endswith(":") and number + 1 < len(lines) and OPTION_ROW.match(lines[number + 1])
        if begins_group:
            found.groups.append((line.removesuffix(":"), []))
        elif not found.groups and command and "usage: " in text and not line.startswith(f"  {program} "):
            found.commands[command[1]] = command[2]
        elif not found.groups:
            found.about.append(line)
        elif option and not found.notes:
            name, _, unit = option[1].split(", ")[0].partition("=")
            found.groups[-1][1].append(Option(name, unit, option[2] or ""))
            for other in option[1].split(", ")[1:]:
                found.groups[-1][1].append(Option(*other.partition("=")[::2], option[2] or ""))
        elif line.startswith("    ") and not found.notes:
            last = found.groups[-1][1][-1]
            for each in found.groups[-1][1]:  # "--help, --version" have one text
                if each.text == last.text and each is not last:
                    each.text = f"{each.text} {line.strip()}".strip()
            last.text = f"{last.text} {line.strip()}".strip()
        elif line or found.notes:
            found.notes.append(line)
    return found
