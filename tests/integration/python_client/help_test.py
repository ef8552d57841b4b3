"""What help() says, and what the package says of itself."""

import ast
import importlib.metadata
import inspect
import pathlib
import re
import unittest

import rondo
import rondo.aio
import rondo.frames
from server_process import ROOT


class HelpTest(unittest.TestCase):
    def test_every_public_member_has_a_docstring(self):
        modules = (rondo, rondo.aio, rondo.frames, rondo.errors)
        lacking = [module.__name__ for module in modules if not module.__doc__]
        for module in modules:
            for name in module.__all__:
                member = getattr(module, name)
                if inspect.isfunction(member) or inspect.isclass(member):
                    lacking += self.lacking(f"{module.__name__}.{name}", member)
        self.assertEqual(lacking, [])

    def lacking(self, name, member):
        """The names of what has no docstring of its own, or of a class's base in this package."""
        if not member.__doc__ or member.__doc__.startswith(f"{member.__name__}("):
            yield name
        if not inspect.isclass(member):
            return
        for base in member.__mro__:
            if not base.__module__.startswith("rondo"):
                continue
            for key, value in vars(base).items():
                documented = isinstance(value, (property, staticmethod)) or inspect.isfunction(value)
                if not key.startswith("_") and documented and not inspect.getdoc(value):
                    yield f"{name}.{key}"

    def test_the_asyncio_client_explains_as_much_as_the_blocking_one(self):
        self.assertEqual(rondo.aio.Client.predict.__doc__, rondo.Client.predict.__doc__)
        self.assertIn("input_size", rondo.aio.Session.step.__doc__)

    def test_the_version_is_the_projects(self):
        declared = re.search(r"project\(rondo VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
        self.assertEqual(rondo.__version__, declared)
        self.assertEqual(importlib.metadata.version("rondo-serving"), declared)

    def test_the_sources_are_read_by_the_oldest_python_that_is_promised(self):
        oldest = re.search(r'requires-python = ">=3\.(\d+)"', (ROOT / "client/python/pyproject.toml").read_text())
        for file in pathlib.Path(rondo.__file__).parent.rglob("*.py"):
            ast.parse(file.read_text(), file.name, feature_version=(3, int(oldest.group(1))))
