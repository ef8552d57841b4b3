#!/usr/bin/env python3
"""Makes the Debian packages of a build and looks at what is in them: programs that answer, a unit, a user, manual pages and
completions.

usage: debian_test.py BUILD_DIR      exit 77: no dpkg-shlibdeps here (Debian package dpkg-dev)
"""

import gzip
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD_DIR = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "").resolve()
PROGRAMS = {"rondo-server": 8, "rondo": 1, "rondo-convert": 1, "rondo-load": 1, "rondo-train": 1}


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


class DebianTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.root = pathlib.Path(folder.name) / "root"
        run("cpack", "-G", "DEB", "-B", folder.name, cwd=BUILD_DIR)
        cls.packages = {path.name.split("_")[0]: path for path in pathlib.Path(folder.name).glob("*.deb")}
        for package in cls.packages.values():
            run("dpkg-deb", "--extract", package, cls.root)
        cls.control = pathlib.Path(folder.name) / "control"
        run("dpkg-deb", "--control", cls.packages["rondo-server"], cls.control)

    def field(self, package, name):
        return run("dpkg-deb", "--field", self.packages[package], name).strip()

    def test_each_package_names_what_it_needs(self):
        self.assertEqual(sorted(self.packages), ["librondo-dev", "rondo", "rondo-server"])
        for package in ("rondo", "rondo-server"):
            self.assertRegex(self.field(package, "Depends"), r"\blibgrpc\+\+\S* \(>= ")
        self.assertIn("libgrpc++-dev", self.field("librondo-dev", "Depends"))

    def test_the_packages_share_no_file_and_have_none_elsewhere(self):
        seen = {}
        for package, path in self.packages.items():
            for line in run("dpkg-deb", "--contents", path).splitlines():
                mode, owner, *_, name = line.split()
                self.assertEqual(owner, "root/root", line)
                if not mode.startswith("d"):
                    self.assertRegex(name, r"^\./(usr|etc/rondo)/", line)
                    self.assertNotIn(name, seen)
                    seen[name] = package

    def test_every_program_answers(self):
        for program in PROGRAMS:
            self.assertIn(program, run(self.root / "usr/bin" / program, "--version"))

    def test_the_service_has_its_unit_its_options_and_its_user(self):
        unit = self.root / "usr/lib/systemd/system/rondo.service"
        text = unit.read_text()
        self.assertEqual(text, (ROOT / "deploy/systemd/rondo.service").read_text())
        for path in re.search("^ExecStart=(\\S+) --flagfile=(\\S+)$", text, re.MULTILINE).groups():
            self.assertTrue((self.root / path.removeprefix("/")).is_file(), path)
        self.assertEqual((self.control / "conffiles").read_text(), "/etc/rondo/server.flags\n")
        for script in ("postinst", "prerm", "postrm"):
            run("sh", "-n", self.control / script)
        if shutil.which("systemd-sysusers"):
            run("systemd-sysusers", f"--root={self.root}", "rondo.conf")
            self.assertRegex((self.root / "etc/passwd").read_text(), r"(?m)^rondo:")

    @unittest.skipUnless(shutil.which("unshare") and subprocess.call(
        ["unshare", "--map-root-user", "--mount", "true"], stderr=subprocess.DEVNULL) == 0,
        "no folders of one's own here: unshare is not allowed")  # fmt: skip
    def test_sessions_stay_until_the_package_is_purged(self):
        run("unshare", "--map-root-user", "--mount", "sh", "-exc", """
            for folder in /etc /run /var/lib; do mount -t tmpfs none $folder; done
            mkdir -p /etc/rondo/models /var/lib/private/rondo/sessions
            ln -s private/rondo /var/lib/rondo  # as systemd does for DynamicUser
            "$0"/prerm remove
            "$0"/postrm remove
            test -d /var/lib/rondo/sessions
            "$0"/postrm purge
            "$0"/postrm purge
            test -z "$(ls -A /etc)$(ls -A /var/lib/private)"
            test ! -L /var/lib/rondo""", self.control)

    def test_every_option_is_in_the_manual(self):
        for program, section in PROGRAMS.items():
            page = self.root / f"usr/share/man/man{section}/{program}.{section}.gz"
            if shutil.which("man"):
                command = ["man", "--warnings", "--encoding=UTF-8", "--troff-device=utf8", "--ditroff", "--local-file", page]
                done = subprocess.run(command, capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stderr), (0, ""), program)
            text = gzip.decompress(page.read_bytes()).decode().replace("\\-", "-")
            options = set(re.findall(r"^  (--[a-z_0-9]+)", run(self.root / "usr/bin" / program, "--help"), re.MULTILINE))
            self.assertGreater(len(options), 5)
            for option in options:
                self.assertIn(f"\\fB{option}\\fR", text, program)

    def completed(self, *words):
        """What bash offers for the last of the words."""
        script = self.root / "usr/share/bash-completion/completions" / words[0]
        function = "_" + words[0].replace("-", "_")
        asking = f'compopt() {{ :; }}; source {script}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); {function}; ' \
                 'printf "%s\\n" "${COMPREPLY[@]}"'  # fmt: skip
        return run("bash", "-uc", asking, "bash", *words, cwd=self.root).split()

    def test_bash_completes_options_values_and_commands(self):
        self.assertEqual(self.completed("rondo-server", "--dura"), ["--durability="])
        self.assertEqual(self.completed("rondo-server", "--durability", "=", "e"), ["every_reply"])
        self.assertEqual(self.completed("rondo-server", "--durability", "i"), ["interval"])
        self.assertEqual(self.completed("rondo-server", "--model_repository", "=", "et"), ["etc"])
        self.assertEqual(self.completed("rondo", "p"), ["predict"])
        self.assertEqual(self.completed("rondo", "--server", "=", "h:1", "sessions", "delete"), ["delete", "delete_many"])
        self.assertIn("--horizon=", self.completed("rondo", "forecast", "seattle", "--"))
        self.assertNotIn("--horizon=", self.completed("rondo", "predict", "--"))
        self.assertEqual(self.completed("rondo-convert", "us"), ["usr"])

    def test_every_shell_can_read_its_completions(self):
        for program in PROGRAMS:
            run("bash", "-n", self.root / "usr/share/bash-completion/completions" / program)
            self.assertTrue((self.root / f"usr/share/zsh/vendor-completions/_{program}").is_file())
            if shutil.which("zsh"):
                run("zsh", "-n", self.root / f"usr/share/zsh/vendor-completions/_{program}")


if __name__ == "__main__":
    if shutil.which("dpkg-shlibdeps") is None:
        print("skipped: no dpkg-shlibdeps here (Debian package dpkg-dev)")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
