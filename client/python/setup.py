"""Describes rondo/v1 from proto/ while the package is built (see src/rondo/v1); nothing generated is kept in the sources."""

import pathlib
import shutil

import setuptools
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = pathlib.Path(__file__).resolve().parent
IN_THE_REPOSITORY = HERE.parents[1] / "proto"
IN_AN_SDIST = HERE / "proto"


def protos():
    """(root of the imports, the files)"""
    root = IN_AN_SDIST if IN_AN_SDIST.is_dir() else IN_THE_REPOSITORY
    files = sorted((root / "rondo" / "v1").glob("*.proto"))
    if not files:
        raise FileNotFoundError(f"no rondo/v1/*.proto in {root}; build from the repository or from an sdist")
    return root, files


class BuildWithProtos(build_py):
    def run(self):
        super().run()
        from grpc_tools import protoc

        root, files = protos()
        # An editable install imports from the sources: there the generated files are ignored by git.
        out = HERE / "src" if self.editable_mode else pathlib.Path(self.build_lib)
        description = out / "rondo" / "v1" / "rondo.binpb"
        arguments = [
            "protoc", f"-I{root}", f"--descriptor_set_out={description}", f"--pyi_out={out}", *map(str, files)
        ]  # fmt: skip
        if protoc.main(arguments) != 0:
            raise RuntimeError("protoc failed: " + " ".join(arguments))


class SdistWithProtos(sdist):
    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        root, protos_there = protos()
        for proto in protos_there:
            target = pathlib.Path(base_dir) / "proto" / proto.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(proto, target)


setuptools.setup(cmdclass={"build_py": BuildWithProtos, "sdist": SdistWithProtos})
