# SPDX-License-Identifier: Apache-2.0
"""Which agent and which keys are a host's: the operator's map. A name alone proves nothing.

    {"version": 1,
     "hosts": {"compute1.example.org": {"agent": "d432fbb3-d2f1-4a97-9ef7-75bd81c00000",
                                        "ak": "000b…", "ek_sha256": "5f0c…",
                                        "policy": "compute.json", "kind": "compute"}}}

Names are those that Nova has for its compute nodes (hypervisor_hostname): a libvirt host's FQDN, an
Ironic node's UUID. A host has an agent (a Keylime agent's UUID) or an AK (a TPM Name) or both.
"""

import dataclasses
import json
import os
import re
import stat
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import libattest

MAX_SIZE = 16 << 20
# They name files, and stand in URLs and log lines.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_AGENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
# TPM 2.0 Part 1, 16: nameAlg || digest, of SHA-256, SHA-384 or SHA-512.
_AK = re.compile(r"000b[0-9a-f]{64}|000c[0-9a-f]{96}|000d[0-9a-f]{128}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
KINDS = ("compute", "ironic")


class HostMapError(libattest.Error):
    """The map is not one: nothing of it is used."""


@dataclasses.dataclass(frozen=True, slots=True)
class HostBinding:
    """One host's. `ak` is a TPM Name in hex, `ek_sha256` that of an EK's SubjectPublicKeyInfo."""

    name: str
    agent: str | None
    ak: str | None
    ek_sha256: str | None
    # The appraisal policy's file name; None: the configured one.
    policy: str | None
    # "compute": a machine with a nova-compute of its own. "ironic": a node of Ironic's.
    kind: str


def load(path: str | os.PathLike[str]) -> Mapping[str, HostBinding]:
    """Reads the map. Raises HostMapError, with the place, unless all of it is right."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                raise HostMapError(f"{os.fspath(path)} is not a regular file")
            if found.st_mode & stat.S_IWOTH:
                raise HostMapError(f"{os.fspath(path)} can be written by anybody")
            data = file.read(MAX_SIZE + 1) or b""
    except OSError as error:
        raise HostMapError(f"{os.fspath(path)}: {error.strerror}") from error
    try:
        return parse(data)
    except HostMapError as error:
        raise HostMapError(f"{os.fspath(path)}: {error}") from error


def parse(data: bytes) -> Mapping[str, HostBinding]:
    """The map from its bytes."""
    if len(data) > MAX_SIZE:
        raise HostMapError(f"bigger than {MAX_SIZE} bytes")
    try:
        document = json.loads(data, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise HostMapError(f"not JSON: {error}") from error
    _only(document, "the map", {"version", "hosts"}, {"version", "hosts"})
    if document["version"] != 1 or isinstance(document["version"], bool):
        raise HostMapError("version is not 1")
    if not isinstance(document["hosts"], dict):
        raise HostMapError("hosts is not an object")
    hosts = {name: _binding(name, entry) for name, entry in document["hosts"].items()}
    for member in ("agent", "ak", "ek_sha256"):
        _once(hosts, member)
    return MappingProxyType(hosts)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        # JSON's parsers take the last one, people's eyes the first.
        if name in found:
            raise HostMapError(f"{name[:80]!r} is there twice")
        found[name] = value
    return found


def _only(value: object, what: str, known: set[str], required: set[str]) -> None:
    if not isinstance(value, dict):
        raise HostMapError(f"{what} is not an object")
    for name in value:
        if name not in known:
            raise HostMapError(f"{what} has a member that is not known: {name[:80]!r}")
    for name in sorted(required - value.keys()):
        raise HostMapError(f"{what} has no {name}")


def _binding(name: str, entry: Any) -> HostBinding:
    what = f"host {name[:80]!r}"
    if not NAME.fullmatch(name):
        raise HostMapError(f"{what}: not the name of a host")
    _only(entry, what, {"agent", "ak", "ek_sha256", "policy", "kind"}, set())
    kind = entry.get("kind", "compute")
    if kind not in KINDS:
        raise HostMapError(f"{what}: kind is neither compute nor ironic")
    agent, ak = _text(entry, what, "agent", _AGENT), _text(entry, what, "ak", _AK)
    if agent is None and ak is None:
        raise HostMapError(f"{what} is bound to neither an agent nor an ak")
    return HostBinding(
        name,
        agent,
        ak,
        _text(entry, what, "ek_sha256", _SHA256),
        _text(entry, what, "policy", NAME),
        kind,
    )


def _text(entry: dict[str, Any], what: str, name: str, form: re.Pattern[str]) -> str | None:
    if name not in entry:
        return None
    value = entry[name]
    # Digits of either case are the same key, and must be found to be.
    text = value.lower() if isinstance(value, str) and form in (_AK, _SHA256) else value
    if not isinstance(text, str) or not form.fullmatch(text):
        raise HostMapError(f"{what}: {name} is not of its form")
    return text


def _once(hosts: Mapping[str, HostBinding], member: str) -> None:
    """One machine would answer for two."""
    seen: dict[str, str] = {}
    for name, binding in hosts.items():
        value = getattr(binding, member)
        if value is None:
            continue
        # Keylime 6.1 compares UUIDs as they are given; a machine is the same in either case.
        other = seen.setdefault(value.lower(), name)
        if other != name:
            raise HostMapError(f"hosts {other!r} and {name!r} have the same {member}")
