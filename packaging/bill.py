"""A CycloneDX bill of materials: the crates of a program, and Debian's packages where an image holds it."""

import datetime
import hashlib
import json
import uuid

import crates
from project import DESCRIPTION, HOME, LICENSE, NAME, VERSION


def of(binary, epoch, packages=()):
    """The bill as JSON; `packages` are those of the image, as `debian.Package`."""
    found, root, needs = crates.linked(binary.triple)
    references = {package["id"]: purl(package) for package in found} | {root: f"pkg:generic/{NAME}@{VERSION}"}
    body = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": datetime.datetime.fromtimestamp(epoch, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": program(binary, references[root]),
        },
        "components": [*crate_components(found), *map(package_component, packages)],
        "dependencies": [
            {"ref": references[name], "dependsOn": sorted({references[need] for need in needed})}
            for name, needed in sorted(needs.items(), key=lambda item: references[item[0]])
        ],
    }
    # The same content has the same number, so that the bill is as reproducible as what it describes.
    number = uuid.uuid5(uuid.NAMESPACE_URL, hashlib.sha256(json.dumps(body).encode()).hexdigest())
    return json.dumps({**body, "serialNumber": f"urn:uuid:{number}"}, indent=1).encode() + b"\n"


def purl(package):
    # A `+` belongs to the version and not to the syntax of a package URL.
    return f"pkg:cargo/{package['name']}@{package['version'].replace('+', '%2B')}"


def program(binary, reference):
    return {
        "type": "application",
        "bom-ref": reference,
        "name": NAME,
        "version": VERSION,
        "description": DESCRIPTION,
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(binary.data).hexdigest()}],
        "licenses": [{"expression": LICENSE}],
        "externalReferences": [{"type": "website", "url": HOME}],
    }


def crate_components(packages):
    sums = crates.checksums()
    for package in packages:
        checksum = sums[package["name"], package["version"]]
        yield {
            "type": "library",
            "bom-ref": purl(package),
            "name": package["name"],
            "version": package["version"],
            "licenses": [{"expression": crates.expression(package)}],
            "purl": purl(package),
            **({"hashes": [{"alg": "SHA-256", "content": checksum}]} if checksum else {}),
        }


def package_component(package):
    return {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        "hashes": [{"alg": "SHA-256", "content": package.sha256}],
    }
