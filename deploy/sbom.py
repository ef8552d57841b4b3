#!/usr/bin/env python3
"""Writes an SBOM of built programs, as SPDX 2.3 in JSON: each program, and each Debian package that is linked into it or
loaded by it, or whose headers were compiled into it.

  deploy/sbom.py BUILD_DIR [PROGRAM...] > rondo.spdx.json     PROGRAM: rondo-server, rondo, ... ; none: these two

Reads the build's own records (Ninja's), ldd and dpkg; for a build on Debian. With SOURCE_DATE_EPOCH set, equal builds
give equal bytes.
"""

import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

RELATIONS = {"loaded": "DYNAMIC_LINK", "linked": "STATIC_LINK", "compiled": "DEPENDS_ON"}


def run(*command: str) -> str:
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def owners(files: set[str]) -> set[str]:
    """The packages that own the files. Debian's package lists may still say /lib for what lives in /usr/lib."""
    wanted = sorted({form for file in files for form in (file, file.removeprefix("/usr"))})
    if not wanted:
        return set()
    found = subprocess.run(["dpkg-query", "--search", *wanted], text=True, stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, check=False).stdout
    owned = {}
    for line in found.splitlines():
        packages, file = line.split(": ", 1)
        owned[file] = {package.split(":")[0] for package in packages.split(", ")}
    unowned = [file for file in files if file not in owned and file.removeprefix("/usr") not in owned]
    if unowned:
        sys.exit(f"sbom: no Debian package owns {unowned[0]} ({len(unowned)} such files)")
    return set().union(*owned.values())


def loaded_by(program: pathlib.Path) -> set[str]:
    shown = run("ldd", str(program))
    if "not found" in shown:
        sys.exit(f"sbom: {program} misses a library:\n{shown}")
    return {os.path.realpath(path) for path in re.findall(r"(/\S+) \(0x", shown)}


def linked_into(build: pathlib.Path, program: str) -> tuple[set[str], set[str]]:
    """(static libraries of the system, object files of ours)"""
    commands = run("ninja", "-C", str(build), "-t", "commands", f"bin/{program}")
    words = set(commands.split())
    return ({os.path.realpath(word) for word in words if word.startswith("/usr/") and word.endswith(".a")},
            {word for word in words if word.endswith(".o")})


def compiled_into(build: pathlib.Path, objects: set[str]) -> set[str]:
    """The system's headers that the objects were made from."""
    headers, ours = set(), False
    for line in run("ninja", "-C", str(build), "-t", "deps").splitlines():
        if line and not line[0].isspace():
            ours = line.split(":")[0] in objects
        elif ours and line.strip().startswith("/usr/"):
            headers.add(os.path.realpath(line.strip()))
    return headers


def package_entry(name: str) -> dict:
    shown = run("dpkg-query", "--show", "--showformat=${Version}\t${Architecture}\t${source:Package}\t${Homepage}\n", name)
    version, architecture, source, homepage = shown.splitlines()[0].split("\t")
    release = dict(line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines() if "=" in line)
    distro = f"{release['ID']}-{release.get('VERSION_ID', '')}".replace('"', "")
    return {
        "SPDXID": f"SPDXRef-Package-{re.sub('[^A-Za-z0-9.-]', '-', name)}",
        "name": name,
        "versionInfo": version,
        "supplier": "Organization: Debian",
        "downloadLocation": homepage or "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",  # its text: /usr/share/doc/NAME/copyright
        "copyrightText": "NOASSERTION",
        "sourceInfo": f"built from the Debian source package {source}",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{name.replace('+', '%2B')}@{version.replace('+', '%2B')}"
                                f"?arch={architecture}&distro={distro}",
        }],
    }


def program_entry(program: pathlib.Path, version: str) -> dict:
    return {
        "SPDXID": f"SPDXRef-Program-{program.name}",
        "name": program.name,
        "versionInfo": version,
        "supplier": "NOASSERTION",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": "APPLICATION",
        "checksums": [{"algorithm": "SHA256", "checksumValue": hashlib.sha256(program.read_bytes()).hexdigest()}],
    }


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[1])
    names = sys.argv[2:] or ["rondo-server", "rondo"]
    version = re.search(r"^CMAKE_PROJECT_VERSION:STATIC=(.*)$", (build / "CMakeCache.txt").read_text(), re.M).group(1)
    programs, packages, relations = [], {}, []
    for name in names:
        program = build / "bin" / name
        programs.append(program_entry(program, version))
        static, objects = linked_into(build, name)
        of = {"loaded": owners(loaded_by(program)), "linked": owners(static),
              "compiled": owners(compiled_into(build, objects))}
        of["compiled"] -= of["linked"]
        for how, owned in of.items():
            for package in sorted(owned):
                entry = packages.setdefault(package, package_entry(package))
                relations.append([programs[-1]["SPDXID"], RELATIONS[how], entry["SPDXID"]])
    made = datetime.datetime.fromtimestamp(
        int(os.environ.get("SOURCE_DATE_EPOCH") or datetime.datetime.now().timestamp()), datetime.timezone.utc)
    content = programs + [packages[name] for name in sorted(packages)]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"rondo-{version}",
        "documentNamespace": f"https://spdx.org/spdxdocs/rondo-{version}-{digest}",
        "creationInfo": {"created": made.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: rondo-deploy-sbom"]},
        "documentDescribes": [program["SPDXID"] for program in programs],
        "packages": content,
        "relationships": [
            {"spdxElementId": of, "relationshipType": how, "relatedSpdxElement": package}
            for of, how, package in relations
        ],
    }
    json.dump(document, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
