#!/usr/bin/env python3
"""Checks the SBOM that deploy/sbom.py makes of a build against what ldd and dpkg say of the programs.

usage: sbom_test.py SOURCE_DIR BUILD_DIR
"""

import json
import os
import re
import subprocess
import sys

SOURCE, BUILD = sys.argv[1:3]


def run(*command: str) -> str:
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def sbom(*arguments: str) -> str:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    return subprocess.run([f"{SOURCE}/deploy/sbom.py", *arguments], check=True, text=True, stdout=subprocess.PIPE,
                          env=environment).stdout


def owner(file: str) -> str:
    for form in (file, file.removeprefix("/usr")):
        found = subprocess.run(["dpkg-query", "--search", form], text=True, stdout=subprocess.PIPE, check=False,
                               stderr=subprocess.DEVNULL).stdout
        if found:
            return found.split(":")[0]
    raise AssertionError(f"nobody owns {file}")


def main() -> None:
    text = sbom(BUILD)
    assert text == sbom(BUILD), "equal builds give other bytes"
    document = json.loads(text)
    for field in ("spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace", "creationInfo"):
        assert document[field], field
    assert document["creationInfo"]["created"] == "2023-11-14T22:13:20Z"
    packages = {package["SPDXID"]: package for package in document["packages"]}
    assert len(packages) == len(document["packages"]), "an SPDXID stands twice"
    for relation in document["relationships"]:
        assert relation["spdxElementId"] in packages and relation["relatedSpdxElement"] in packages, relation
    by_name = {package["name"]: package for package in packages.values()}
    for program in ("rondo-server", "rondo"):
        checksum = by_name[program]["checksums"][0]["checksumValue"]
        assert run("sha256sum", f"{BUILD}/bin/{program}").startswith(checksum), program
        for library in re.findall(r"(/\S+) \(0x", run("ldd", f"{BUILD}/bin/{program}")):
            package = owner(os.path.realpath(library))
            assert package in by_name, f"{library} of {package} is missing"
            shown = run("dpkg-query", "--show", "--showformat=${Version}\n", package).splitlines()[0]
            assert by_name[package]["versionInfo"] == shown, package
    how = {relation["relationshipType"] for relation in document["relationships"]}
    assert {"DYNAMIC_LINK", "DEPENDS_ON"} <= how, how
    assert "nlohmann-json3-dev" in by_name, "what is a header only is missing"
    failed = subprocess.run([f"{SOURCE}/deploy/sbom.py", BUILD, "no-such-program"], check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert failed.returncode != 0 and not failed.stdout, "a program that is not there has an SBOM"
    print(f"{len(packages)} packages")


if __name__ == "__main__":
    main()
