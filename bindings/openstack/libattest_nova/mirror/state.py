# SPDX-License-Identifier: Apache-2.0
"""What is remembered of one host between two runs of the daemon: a file of its own in state_dir.

    {"version": 1, "agent": …, "ak": …, "ek_sha256": …, "node": base64 of attest_node's state}

The keys that a host showed when it was first trusted are pinned here, unless the map names them.
They are forgotten when the map says another agent or key, or the operator removes the file. A
file that can not be read is not the same as none: then nobody knows what was pinned.
"""

import base64
import dataclasses
import json
import os
import stat

import libattest

from .. import files
from ..host_map import HostBinding

_VERSION = 1
_MAX_SIZE = 1 << 14
_MEMBERS = {"version", "agent", "ak", "ek_sha256", "node"}


class StateError(libattest.Error):
    """A state that is there and can not be used."""


@dataclasses.dataclass(slots=True)
class HostState:
    """Of one host and one agent."""

    agent: str
    ak: str | None = None
    ek_sha256: str | None = None
    node: "libattest.Node" = dataclasses.field(default_factory=libattest.Node)
    # Whether the file was there: once it was, it is the operator who removed it.
    saved: bool = False


class StateFolder:
    """state_dir. It is this user's alone: who writes there can pin another machine's keys."""

    def __init__(self, path: str) -> None:
        self._path = path

    def prepare(self) -> None:
        """Raises StateError unless the folder is there, ours, and closed to others."""
        try:
            os.makedirs(self._path, mode=0o700, exist_ok=True)
            found = os.stat(self._path)
        except OSError as error:
            raise StateError(f"{self._path}: {error.strerror}") from error
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (0, os.geteuid()):
            raise StateError(f"{self._path} is not this user's folder")
        if found.st_mode & 0o022:
            raise StateError(f"{self._path} can be written by others")

    def file(self, name: str) -> str:
        return os.path.join(self._path, f"{name}.json")

    def load(self, binding: HostBinding) -> HostState:
        """The host's state; a new one where there is none, or where it is of another agent."""
        assert binding.agent is not None
        path = self.file(binding.name)
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return HostState(binding.agent)
        except OSError as error:
            raise StateError(f"{path}: {error.strerror}") from error
        with open(fd, "rb") as file:
            data = file.read(_MAX_SIZE + 1) or b""
        try:
            state = _parse(data)
        except ValueError as error:
            raise StateError(
                f"{path} can not be used ({error}): what it has pinned is not known; remove it to "
                "pin this host's keys anew"
            ) from error
        return state if _same(state, binding) else HostState(binding.agent)

    @property
    def lock(self) -> str:
        return os.path.join(self._path, ".lock")  # no host's name begins like that

    def forgotten(self, name: str) -> bool:
        return not os.path.lexists(self.file(name))

    def save(self, name: str, state: HostState) -> None:
        document = {
            "version": _VERSION,
            "agent": state.agent,
            "ak": state.ak,
            "ek_sha256": state.ek_sha256,
            "node": base64.b64encode(state.node.export()).decode(),
        }
        path = self.file(name)
        try:
            files.replace(path, json.dumps(document).encode("ascii"))
        except OSError as error:
            raise StateError(f"{path}: {error.strerror}") from error
        state.saved = True


def _same(state: HostState, binding: HostBinding) -> bool:
    """Whether what was pinned is what the map says now: the map is the operator's word."""
    pinned = (state.ak, binding.ak), (state.ek_sha256, binding.ek_sha256)
    return state.agent == binding.agent and all(mapped in (None, found) for found, mapped in pinned)


def _parse(data: bytes) -> HostState:
    if len(data) > _MAX_SIZE:
        raise ValueError("too big")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError("not JSON") from error
    if not isinstance(document, dict) or document.keys() != _MEMBERS:
        raise ValueError("other members than those of this version")
    if document["version"] != _VERSION:
        raise ValueError("of another version")
    agent, node = document["agent"], document["node"]
    pins = document["ak"], document["ek_sha256"]
    if not isinstance(agent, str) or not isinstance(node, str):
        raise ValueError("a member of another kind")
    if not all(pin is None or isinstance(pin, str) for pin in pins):
        raise ValueError("a member of another kind")
    return HostState(agent, *pins, _node(node), saved=True)


def _node(text: str) -> "libattest.Node":
    try:
        return libattest.Node.load(base64.b64decode(text, validate=True))
    except (libattest.Error, ValueError) as error:
        raise ValueError(f"the appraisal's state: {error}") from error
