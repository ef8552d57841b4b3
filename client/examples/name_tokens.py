"""usage: name_tokens.py MODEL OUTPUT [--spaced] [--text=TOKEN=TEXT]... [--output=TOKEN=NAME]...

Copies a model of tokens that `rondo-train --tokens` made, with the texts of its tokens as vocabulary. --spaced puts a space
behind each, for tokens that are words; --text gives a token another text, --output another name to what the model answers of
it. The weights become 16-bit floats, half as large.
"""

import json
import pathlib
import struct
import sys


def describe(description, changes):
    """Adds the vocabulary; the trainer names each output by its token."""
    texts, names = {}, {}
    behind = " " if "--spaced" in changes else ""
    for change in changes:
        if change == "--spaced":
            continue
        option, token, new = change.split("=", 2)
        {"--text": texts, "--output": names}[option][token] = new
    tokens = [output["name"] for output in description["outputs"]]
    description["inputs"]["vocabulary"] = [texts.get(token, token + behind) for token in tokens]
    description["outputs"] = [{"name": names.get(token, token)} for token in tokens]


def main():
    content = pathlib.Path(sys.argv[1]).read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    header, body = json.loads(content[8 : 8 + length]), content[8 + length :]
    description = json.loads(header["__metadata__"]["rondo"])
    describe(description, sys.argv[3:])
    description.pop("accuracy", None)  # of the weights as they were
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
