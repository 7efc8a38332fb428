#!/usr/bin/env python3
"""What is in a binary, from what its own build resolved: as a CycloneDX document, or as Debian's copyright file.

    contents.py sbom      ASSETS PLATFORM VERSION BINARY
    contents.py copyright ASSETS PLATFORM LICENSE

ASSETS is src/Portico/obj/project.assets.json after a build for PLATFORM (linux-x64, ...). Both go to stdout.
"""

import base64
import hashlib
import json
import os
import re
import sys
import time
import uuid
import xml.etree.ElementTree as ET

# Compiled into the binary besides the packages: the runtime itself and the class libraries. Their packs are no
# dependencies of the project, so restore lists them apart.
RUNTIME = ("Microsoft.NETCore.App.Runtime.NativeAOT.{0}", "Microsoft.NETCore.App.Runtime.{0}",
           "Microsoft.AspNetCore.App.Runtime.{0}")

# What the packages (.deb) and the image bring and the others expect; see the comment in deploy/build-packages.
SYSTEM = (("glibc", "The loader, libc and libm, linked"),
          ("openssl", "libssl.so.3 and libcrypto.so.3, opened at the start"))


# Linked into the binary besides the packages (SqliteArchive in src/Portico/Portico.csproj). The header says which version.
SQLITE_HEADER = "/usr/include/sqlite3.h"
SQLITE_ARCHIVES = {"linux-x64": "/usr/lib/x86_64-linux-gnu/libsqlite3.a", "linux-arm64": "/usr/lib/aarch64-linux-gnu/libsqlite3.a"}


def sqlite(platform):
    """The component that no package brings; where the binary was made elsewhere, its name alone."""
    component = {"type": "library", "bom-ref": "sqlite", "name": "sqlite", "licenses": [{"license": {"id": "blessing"}}],
                 "description": "libsqlite3.a of Debian's libsqlite3-dev"}
    archive = SQLITE_ARCHIVES.get(platform, "")
    if os.path.exists(archive) and os.path.exists(SQLITE_HEADER):
        with open(SQLITE_HEADER, encoding="utf-8") as file:
            version = re.search(r'#define SQLITE_VERSION\s+"([0-9.]+)"', file.read()).group(1)
        with open(archive, "rb") as file:
            component["hashes"] = [{"alg": "SHA-512", "content": hashlib.sha512(file.read()).hexdigest()}]
        component["version"] = version
        component["bom-ref"] = component["purl"] = f"pkg:generic/sqlite@{version}"
    return component


def nuspec(folder, path):
    """The metadata of a package by the names of its elements."""
    name = path.split("/")[0]
    file = os.path.join(folder, path, name + ".nuspec")
    if not os.path.exists(file):
        return {}
    metadata = ET.parse(file).getroot()[0]
    return {re.sub("{.*}", "", child.tag): (child.text or "").strip() for child in metadata}


def library(assets, name, version, checksum):
    """One component from its package as it lies in the cache."""
    path = f"{name}/{version}".lower()
    folder = next((f for f in assets["packageFolders"] if os.path.isdir(os.path.join(f, path))), "")
    about = nuspec(folder, path)
    if not checksum and folder:
        with open(os.path.join(folder, path, f"{path.replace('/', '.')}.nupkg.sha512"), encoding="ascii") as file:
            checksum = file.read()
    component = {
        "type": "library", "bom-ref": f"pkg:nuget/{name}@{version}", "name": name, "version": version,
        "purl": f"pkg:nuget/{name}@{version}",
    }
    if checksum:
        component["hashes"] = [{"alg": "SHA-512", "content": base64.b64decode(checksum).hex()}]
    if about.get("license"):
        component["licenses"] = [{"license": {"id": about["license"]}}]
    if about.get("copyright"):
        component["copyright"] = about["copyright"]
    return component


def components(assets, platform):
    """All that ends up in the binary. What only the build uses (compiler, analysers) has no file for run time."""
    found = []
    for key, entry in assets["targets"][f"net10.0/{platform}"].items():
        files = [f for f in entry.get("runtime", {}) if not f.endswith("_._")]
        if entry["type"] == "package" and files:
            name, version = key.split("/")
            found.append(library(assets, name, version, assets["libraries"][key].get("sha512")))
    packs = {pack["name"]: pack["version"] for pack in assets["project"]["frameworks"]["net10.0"]["downloadDependencies"]}
    for pattern in RUNTIME:
        name = pattern.format(platform)
        if name in packs:
            found.append(library(assets, name, packs[name].strip("[]").split(",")[0], None))
    if not found:
        sys.exit(f"contents.py: the build resolved nothing for {platform}")
    found.append(sqlite(platform))
    return sorted(found, key=lambda component: component["name"].lower())


def sbom(assets, platform, version, binary):
    """CycloneDX 1.6. The same build gives the same document: its number is made of what it says."""
    with open(binary, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    parts = components(assets, platform)
    system = [{"type": "library", "bom-ref": f"system:{name}", "name": name, "description": text, "scope": "required"}
              for name, text in SYSTEM]
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'portico:{version}:{platform}:{digest}')}",
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds)),
            "component": {
                "type": "application", "bom-ref": "portico", "name": "portico", "version": version,
                "description": f"Native binary for {platform}",
                "licenses": [{"license": {"id": "MIT"}}], "hashes": [{"alg": "SHA-256", "content": digest}],
            },
        },
        "components": parts + system,
        "dependencies": [{"ref": "portico", "dependsOn": [part["bom-ref"] for part in parts + system]}],
    }


def copyright_file(assets, platform, licence):
    """Debian's format, readable by itself."""
    with open(licence, encoding="utf-8") as file:
        text = file.read().strip().split("\n")
    owner = next(line for line in text if line.startswith("Copyright"))
    lines = ["Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/", "Upstream-Name: portico", "",
             "Files: *", "Copyright: " + owner.removeprefix("Copyright").strip().removeprefix("(c)").strip(), "License: MIT"]
    lines += [" " + (line if line else ".") for line in text[1:] if line != owner]
    lines += ["", "Comment: The binary contains, compiled in:"]
    for part in components(assets, platform):
        terms = part["licenses"][0]["license"]["id"] if "licenses" in part else "see the package"
        lines.append((f"  {part['name']} {part.get('version', 'of the system it was made on')} ({terms})"
                      f" {part.get('copyright', '')}").rstrip())
    return "\n".join(lines)


def main():
    command, assets_file, platform, *rest = sys.argv[1:]
    with open(assets_file, encoding="utf-8") as file:
        assets = json.load(file)
    if command == "sbom":
        print(json.dumps(sbom(assets, platform, *rest), indent=2, ensure_ascii=False))
    elif command == "copyright":
        print(copyright_file(assets, platform, *rest))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
