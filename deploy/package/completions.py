#!/usr/bin/env python3
"""Writes what a shell completes of a program's command line, from its `--help`.

usage: completions.py bash|zsh PROGRAM FILE
"""

import pathlib
import re
import sys

from program_help import read_help

BASH = """\
# bash completion of {program}; written by deploy/package/completions.py
{function}() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} option= command= options first=
  # "=" is a word of its own.
  if [[ $word == = ]]; then option=$before word=
  elif [[ $before == = ]]; then option=${{COMP_WORDS[COMP_CWORD - 2]}}
  elif [[ $before == --* ]]; then option=$before
  fi
  COMPREPLY=()
  case $option in
{values}
    {with_value}) return ;;
  esac
{find_command}  options="{common}"
{commands}
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    [[ ${{#COMPREPLY[@]}} == 1 && ${{COMPREPLY[0]}} == *= ]] && compopt -o nospace
{words}
  else
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}}
complete -F {function} {program}
"""

FIND_COMMAND = """\
  local i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    [[ ${COMP_WORDS[i]} == [a-z]* && ${COMP_WORDS[i - 1]} != = ]] || continue
    command="$first${COMP_WORDS[i]}"
    case $command in
      GROUPS) first="$command " ;;
      *) break ;;
    esac
  done
"""


class Program:
    """A program's options and commands."""

    def __init__(self, path):
        self.help = read_help(path)
        self.name = self.help.program
        self.function = "_" + self.name.replace("-", "_")
        self.of_command = {
            name: [option for option in read_help(path, *name.split()).options() if option not in self.help.options()]
            for name in self.help.commands
        }

    def all_options(self):
        """Each name once: what a command says of one holds for the others."""
        found = {option.name: option for options in self.of_command.values() for option in options}
        return {**found, **{option.name: option for option in self.help.options()}}.values()

    def first_words(self):
        """First words of commands of two, each with the second ones; under "" the first words of all."""
        words = {"": []}
        for name in self.help.commands:
            first, _, second = name.partition(" ")
            if first not in words[""]:
                words[""].append(first)
            if second:
                words.setdefault(first, []).append(second)
        return words


def shown(options):
    return " ".join(option.name + ("=" if option.unit else "") for option in options)


def bash(program):
    values = []
    for option in program.all_options():
        if option.choices():
            values.append(f'    {option.name}) mapfile -t COMPREPLY < <(compgen -W "{" ".join(option.choices())}" -- "$word")')
        elif option.takes_files() or option.takes_folder():
            kind = "-d" if option.takes_folder() else "-f"
            values.append(f'    {option.name}) compopt -o filenames; mapfile -t COMPREPLY < <(compgen {kind} -- "$word")')
        else:
            continue
        values[-1] += "; return ;;"
    words = program.first_words()
    find_command, commands, choose = "", [], []
    if program.help.commands:
        find_command = FIND_COMMAND.replace("GROUPS", "|".join(word for word in words if word))
        commands = [f'    "{name}") options+=" {shown(own)}" ;;' for name, own in program.of_command.items()]
        commands = ["  case $command in", *commands, "  esac"]
        choose = [f'    "{word}") mapfile -t COMPREPLY < <(compgen -W "{" ".join(names)}" -- "$word") ;;'
                  for word, names in words.items()]  # fmt: skip
        choose = ['  elif [[ -z $command || $command == "${first% }" ]]; then', "    case $command in", *choose, "    esac"]
    return BASH.format(
        program=program.name,
        function=program.function,
        values="\n".join(values),
        with_value="|".join(option.name for option in program.all_options() if option.unit),
        find_command=find_command,
        common=shown(program.help.options()),
        commands="\n".join(commands),
        words="\n".join(choose),
    )


def zsh_spec(option):
    """One option as zsh's _arguments takes it."""
    summary = re.sub(r"([\[\]:\\])", r"\\\1", option.summary()).replace("'", "'\\''")
    if not option.unit:
        return f"'{option.name}[{summary}]'"
    action = "_files" if option.takes_files() else "_files -/" if option.takes_folder() else ""
    if option.choices():
        action = f"({' '.join(option.choices())})"
    unit = re.sub(r"([\[\]:\\])", r"\\\1", option.unit)
    return f"'{option.name}=[{summary}]:{unit}:{action}'"


def zsh(program):
    def specs(options):
        return " \\\n    ".join(zsh_spec(option) for option in options)

    lines = [f"#compdef {program.name}", "# written by deploy/package/completions.py", "local -a common own"]
    lines.append(f"common=(\n    {specs(program.help.options())}\n)")
    if not program.help.commands:
        return "\n".join([*lines, "_arguments $common '*:file:_files'"]) + "\n"
    words = program.first_words()
    groups = "|".join(word for word in words if word)
    lines += [
        "local command= first= word",
        "for word in ${words[2,CURRENT-1]}; do",
        "  [[ $word == [a-z]* ]] || continue",
        "  command=$first$word",
        f'  case $command in {groups}) first="$command " ;; *) break ;; esac',
        "done",
        "case $command in",
        *(f"  '{word}') _arguments $common '*:command:({' '.join(names)})'; return ;;" for word, names in words.items()),
        *(f"  '{name}') own=(\n    {specs(own)}\n  ) ;;" for name, own in program.of_command.items()),
        "esac",
        "_arguments $common $own '*:file:_files'",
    ]
    return "\n".join(lines) + "\n"


def main():
    shell, program, file = sys.argv[1:]
    pathlib.Path(file).write_text({"bash": bash, "zsh": zsh}[shell](Program(pathlib.Path(program).resolve())))


if __name__ == "__main__":
    main()
