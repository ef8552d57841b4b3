"""usage: with_vocabulary.py MODEL OUTPUT

Copies a model of characters that rondo-train made, with what makes it write text: the description gets the vocabulary, in which
'|' is the end of a line, and the weights become 16-bit floats, which are half as large.
"""

import json
import pathlib
import struct
import sys


def main():
    content = pathlib.Path(sys.argv[1]).read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    header, body = json.loads(content[8 : 8 + length]), content[8 + length :]
    description = json.loads(header["__metadata__"]["rondo"])
    # The trainer names each output by its token.
    description["inputs"]["vocabulary"] = [output["name"].replace("|", "\n") for output in description["outputs"]]
    description["outputs"] = [{"name": output["name"]} for output in description["outputs"]]
    header["__metadata__"]["rondo"] = json.dumps(description, ensure_ascii=False)
    packed = b""
    for name, tensor in header.items():
        if name == "__metadata__":
            continue
        begin, end = tensor["data_offsets"]
        numbers = struct.unpack(f"<{(end - begin) // 4}f", body[begin:end])
        tensor.update(dtype="F16", data_offsets=[len(packed), len(packed) + 2 * len(numbers)])
        packed += struct.pack(f"<{len(numbers)}e", *numbers)
    text = json.dumps(header, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    output = pathlib.Path(sys.argv[2])
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(struct.pack("<Q", len(text)) + text + packed)


if __name__ == "__main__":
    main()
