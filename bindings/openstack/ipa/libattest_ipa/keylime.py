# SPDX-License-Identifier: Apache-2.0
"""What the node knows of its Keylime agent: its configuration, and the files of its image."""

from __future__ import annotations

import base64
import configparser
import gzip
import io
import ipaddress
import os
import pathlib
import re
import socket
import stat
import sys
import tarfile
from typing import Any

from libattest_ipa import NodeError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = pathlib.Path("/")
MAX_CONFIGURATION = 1 << 20
MAX_FILES = 64 << 20
FILES = ("root/allowlist.txt", "root/checksum.txt")

# The uuid that both agents are shipped with: every node that keeps it claims to be the same node.
SHIPPED_UUID = "d432fbb3-d2f1-4a97-9ef7-75bd81c00000"
# An agent that chooses its uuid itself ("generate", "hash_ek" and other words) writes it nowhere.
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64}")


def info(own_address: str | None) -> dict[str, Any]:
    """uuid, address and port as others reach the agent, at own_address if it names no other."""
    nothing = {"keylime_agent_uuid": None, "keylime_agent_ip": None, "keylime_agent_port": None}
    settings = _settings()
    uuid = str(settings.get("uuid", "")).lower()
    ip = str(settings.get("ip", "127.0.0.1"))
    port = _port(settings.get("port", 9002))
    contact_port = _port(settings.get("contact_port", port))
    address = _reachable(settings.get("contact_ip")) or _reachable(ip) or own_address
    if (
        not UUID.fullmatch(uuid)
        or uuid == SHIPPED_UUID
        or address is None
        or not port
        or not contact_port
    ):
        return nothing
    if not _listens(ip, port):
        return nothing
    return {
        "keylime_agent_uuid": uuid,
        "keylime_agent_ip": address,
        "keylime_agent_port": contact_port,
    }


def _settings() -> dict[str, Any]:
    """Of the agents since 6.5 (agent.conf, then agent.conf.d in order), or of those before."""
    settings: dict[str, Any] = {}
    folder = ROOT / "etc/keylime"
    for path in (folder / "agent.conf", *sorted((folder / "agent.conf.d").glob("*.conf"))):
        settings.update(_section(path, "agent"))
    if settings:
        return settings
    old = _section(ROOT / "etc/keylime.conf", "cloud_agent")
    names = {
        "uuid": "agent_uuid",
        "ip": "cloudagent_ip",
        "port": "cloudagent_port",
        "contact_ip": "agent_contact_ip",
        "contact_port": "agent_contact_port",
    }
    return {name: old[was] for name, was in names.items() if was in old}


def _section(path: pathlib.Path, section: str) -> dict[str, Any]:
    """The Rust agent's files are TOML, the Python agents' INI."""
    try:
        text = _read(path, MAX_CONFIGURATION).decode("utf-8", "replace")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise NodeError(f"{path}: {error.strerror}") from None
    try:
        found = tomllib.loads(text).get(section, {})
        return found if isinstance(found, dict) else {}
    except tomllib.TOMLDecodeError:
        pass
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        raise NodeError(f"{path} is neither TOML nor INI") from None
    return dict(parser.items(section)) if parser.has_section(section) else {}


def _port(value: object) -> int | None:
    text = str(value)
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,4}", text) and int(text) < 65536 else None


def _reachable(value: object) -> str | None:
    """The address, if others than this machine can have it."""
    try:
        address = ipaddress.ip_address(str(value))
    except ValueError:
        return None
    return None if address.is_loopback or address.is_unspecified else str(address)


def _listens(ip: str, port: int) -> bool:
    try:
        socket.create_connection((_reachable(ip) or "127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def attestation_files() -> dict[str, Any]:
    """The image's allowlist and its checksum, packed: the same bytes for the same files."""
    archive = io.BytesIO()
    room = MAX_FILES
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in FILES:
            try:
                content = _read(ROOT / name, room)
            except OSError as error:
                raise NodeError(f"/{name}: {error.strerror or 'cannot be read'}") from None
            room -= len(content)
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    packed = gzip.compress(archive.getvalue(), mtime=0)
    return {"file_list": base64.b64encode(packed).decode("ascii")}


def _read(path: pathlib.Path, most: int) -> bytes:
    """A regular file that is no link, never more than `most` bytes of it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NodeError(f"{path} is not a file")
        content = file.read(most + 1)
    if len(content) > most:
        raise NodeError(f"{path} is larger than {most} bytes")
    return content
