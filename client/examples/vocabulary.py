"""The texts of the tokens of a model's file."""

import json
import struct


def vocabulary_of(path):
    content = path.read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    return json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["rondo"])["inputs"]["vocabulary"]
