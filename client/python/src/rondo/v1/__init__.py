"""The messages of Rondo's protocol (`proto/rondo/v1`): the modules `inference_pb2`, `models_pb2` and `sessions_pb2`.

They are made from the protocol's description when this package is imported, not generated as Python: generated code runs
beside its own protobuf and the next major version only, a description beside any. Its descriptors are in a pool of their
own, so that they meet no other package's.
"""

import importlib.resources
import sys
import types

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

DESCRIPTORS = "rondo.binpb"
"""The file of this package that protoc writes when it is built: a FileDescriptorSet."""


def _make_modules() -> None:
    described = importlib.resources.files(__name__).joinpath(DESCRIPTORS).read_bytes()
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(described).file:
        pool.AddSerializedFile(file.SerializeToString())
        found = pool.FindFileByName(file.name)
        name = file.name.rsplit("/", 1)[-1].removesuffix(".proto") + "_pb2"
        module = types.ModuleType(f"{__name__}.{name}", f"The messages of {file.name}.")
        module.__dict__.update(
            {kind: message_factory.GetMessageClass(message) for kind, message in found.message_types_by_name.items()},
            DESCRIPTOR=found,
        )
        sys.modules[module.__name__] = globals()[name] = module


_make_modules()
