"""Keeps the READMEs true: the client program shown is the one that is built, every link and every path leads somewhere."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent


def readmes():
    for path in ROOT.rglob("*.md"):
        if not {"build", "node_modules", ".git"} & set(path.relative_to(ROOT).parts):
            yield path


class ReadmeTest(unittest.TestCase):
    def test_the_client_program_is_the_example_that_is_built(self):
        shown = re.search(r"```cpp\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL).group(1)
        self.assertEqual(shown, (ROOT / "client/example.cc").read_text())
        self.assertLess(len(shown.splitlines()), 30)

    def test_the_chinese_readme_has_the_structure_of_the_english_one(self):
        english, chinese = ((ROOT / name).read_text() for name in ("README.md", "README.zh-CN.md"))
        for what, shape in (
            ("headings", lambda text: re.findall(r"^#+ ", text, re.MULTILINE)),
            ("programs", lambda text: re.findall(r"```.*?```", text, re.DOTALL)),
            ("commands and pictures", lambda text: re.findall(r"^    .*", text, re.MULTILINE)),
            ("tables", lambda text: [line.count("|") for line in text.splitlines() if line.startswith("|")]),
            ("numbers of tables", lambda text: [re.findall(r"(?:<=|>=) [\d.,]+", line) for line in text.splitlines() if line.startswith("|")]),
            ("numbers of each part", lambda text: [sorted(re.findall(r"\d+(?:[.,]\d+)*", part)) for part in re.split(r"^#+ .*$", text, flags=re.MULTILINE)]),
            ("list entries", lambda text: len(re.findall(r"^- ", text, re.MULTILINE))),
            ("links", lambda text: sorted(set(re.findall(r"\]\(([^)]+)\)", text)) - {"README.md", "README.zh-CN.md"})),
            ("words of code", lambda text: sorted(set(re.findall(r"`[^`\n]+`", text)))),
        ):
            with self.subTest(what):
                self.assertEqual(shape(chinese), shape(english))

    def test_every_relative_link_leads_somewhere(self):
        for readme in readmes():
            for target in re.findall(r"\]\(([^)#]+)[^)]*\)", readme.read_text()):
                if "://" not in target:
                    self.assertTrue((readme.parent / target).exists(), f"{readme.relative_to(ROOT)}: {target}")

    def test_every_path_of_the_tree_that_is_named_is_there(self):
        path = re.compile(r"(?<![\w/.{}-])(?:\.ci|client|deploy|model|proto|server|tests)/[\w./-]*\w")
        for readme in readmes():
            for target in path.findall(readme.read_text()):
                found = (ROOT / target).exists() or (readme.parent / target).exists()
                self.assertTrue(found, f"{readme.relative_to(ROOT)}: {target}")

    def test_the_demos_model_is_where_the_readme_says(self):
        folder = re.search(r"--model_repository=(\S+)", (ROOT / "README.md").read_text()).group(1)
        self.assertIn(f"readonly models={folder}\n", (ROOT / "deploy/demo.sh").read_text())


if __name__ == "__main__":
    unittest.main()
