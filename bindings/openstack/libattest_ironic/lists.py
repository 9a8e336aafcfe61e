# SPDX-License-Identifier: Apache-2.0
"""Allowlists, their checksums and excludelists: from Swift, or from files on the conductor.

The checksum is compared with the very bytes that are used afterwards, before anything is sent.
"""

import dataclasses
import hashlib
import hmac
import os
import re
from typing import Any

from ironic.common import swift
from libattest_openstack import library
from libattest_openstack.words import one_line

from .conf import CONF
from .exceptions import AttestationFailure, AttestationPending
from .settings import ListSource

_MAX_CHECKSUM = 4096
# A native policy with the digests of a firmware log's events.
_MAX_POLICY = 1 << 20
_CHUNK = 1 << 16
_DIGEST = re.compile(rb"\s*([0-9a-fA-F]{64})(\s.*)?", re.DOTALL)


@dataclasses.dataclass(frozen=True, slots=True)
class Lists:
    """What a node may run, as the operator wrote it."""

    allowlist: bytes
    excludelist: bytes | None

    @property
    def digest(self) -> str:
        """Names these lists in a report."""
        digest = hashlib.sha256(self.allowlist)
        digest.update(b"\0" + (self.excludelist or b""))
        return digest.hexdigest()


def load(source: ListSource) -> Lists:
    """Loads the lists and checks the allowlist against its checksum.

    Raises AttestationFailure (missing, too big, other checksum), and AttestationPending when Swift
    can not be reached.
    """
    # Lists of many megabytes: reading and hashing them keeps nobody else waiting.
    lists, checksum = (
        _from_swift(source) if source.container else library.call(_from_files, source)
    )
    match = _DIGEST.fullmatch(checksum)
    if match is None:
        raise AttestationFailure("the allowlist's checksum is not a SHA-256 in hex")
    if not lists.allowlist:
        raise AttestationFailure("the allowlist is empty")
    found = library.call(hashlib.sha256, lists.allowlist).hexdigest().encode()
    if not hmac.compare_digest(match[1].lower(), found):
        raise AttestationFailure(
            f"the allowlist's checksum is {found.decode()}, expected {match[1].decode()}: nothing "
            "was sent; upload the pair again"
        )
    return lists


def load_policy(source: ListSource, name: str) -> bytes:
    """Loads an appraisal policy from beside the lists: not empty. Raises as load() does."""
    if source.container:
        found = _store(source.container).get(name, _MAX_POLICY)
        if found is None:
            raise AttestationFailure(
                f"Swift container {source.container} has no object {one_line(name)}, or it is "
                "empty"
            )
        return found
    policy = _read(name, _MAX_POLICY)
    if not policy:
        raise AttestationFailure(f"{one_line(name)} is empty")
    return policy


def missing_files(source: ListSource, policy: str | None = None) -> list[str]:
    """The files that this conductor lacks: with several conductors, another may have them."""
    if source.container or source.allowlist is None:
        return []
    names = [source.allowlist, source.excludelist, policy]
    if source.checksum is not None and not _is_digest(source.checksum):
        names.append(source.checksum)
    lines = []
    for name in filter(None, names):
        try:
            path = _path(name)
        except AttestationFailure as failure:
            lines.append(failure.reason)
            continue
        if not os.path.isfile(path):
            lines.append(f"{one_line(name)} is not a file on conductor {CONF.host}")
    return lines


def _is_digest(text: str) -> bool:
    return re.fullmatch("[0-9a-fA-F]{64}", text) is not None


def _path(name: str) -> str:
    """The file of this name below lists_dir, links resolved."""
    folder = os.path.realpath(CONF.libattest.lists_dir)
    path = os.path.realpath(os.path.join(folder, name))
    if os.path.commonpath([folder, path]) != folder or path == folder:
        raise AttestationFailure(
            f"{one_line(name)} is not below [libattest]lists_dir ({CONF.libattest.lists_dir})"
        )
    return path


def _read(name: str, limit: int) -> bytes:
    try:
        # Not of a kind that makes open() or read() wait: a pipe below lists_dir is refused.
        fd = os.open(_path(name), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise AttestationFailure(
            f"{one_line(name)} can not be read on conductor {CONF.host}: {error.strerror}"
        ) from error
    return _bounded(data or b"", name, limit)


def _bounded(data: bytes, name: str, limit: int) -> bytes:
    if len(data) > limit:
        raise AttestationFailure(f"{one_line(name)} is bigger than {limit} bytes")
    return data


def _from_files(source: ListSource) -> tuple[Lists, bytes]:
    if source.allowlist is None or source.checksum is None:
        raise AttestationFailure("no allowlist, or no checksum of it, is set")
    limit = CONF.libattest.max_list_size
    checksum = (
        source.checksum.encode()
        if _is_digest(source.checksum)
        else _read(source.checksum, _MAX_CHECKSUM)
    )
    excludelist = _read(source.excludelist, limit) if source.excludelist else None
    return Lists(_read(source.allowlist, limit), excludelist), checksum


def _from_swift(source: ListSource) -> tuple[Lists, bytes]:
    store = _store(str(source.container))
    limit = CONF.libattest.max_list_size
    allowlist = store.get("allowlist", limit)
    checksum = store.get("allowlist_checksum", _MAX_CHECKSUM)
    excludelist = store.get("excludelist", limit)
    for name, data in (("allowlist", allowlist), ("allowlist_checksum", checksum)):
        if data is None:
            raise AttestationFailure(
                f"Swift container {source.container} has no object {name}, or it is empty"
            )
    assert allowlist is not None and checksum is not None
    return Lists(allowlist, excludelist), checksum


def _store(container: str) -> "SwiftStore":
    try:
        return SwiftStore(container)
    except Exception as error:  # keystoneauth's, openstacksdk's and Ironic's own
        raise AttestationPending(f"Swift can not be reached: {one_line(error, 200)}") from error


class SwiftStore:
    """Objects of one container, through the connection that Ironic itself uses.

    Ironic up to 23 has swiftclient's, later ones openstacksdk's. SwiftAPI.get_object() can not be
    used: in 21.4 it calls a method that does not exist, and it has no bound.
    """

    def __init__(self, container: str) -> None:
        self._container = container
        self._connection = swift.SwiftAPI().connection

    def get(self, name: str, limit: int) -> bytes | None:
        """The object's bytes; None: there is no such object, or it is empty."""
        try:
            chunks = self._chunks(name)
            data = bytearray()
            for chunk in chunks:
                data += chunk
                if len(data) > limit:
                    break
        except Exception as error:
            if _not_found(error):
                return None
            raise AttestationPending(
                f"Swift does not give {self._container}/{name}: {one_line(error, 200)}"
            ) from error
        # openstacksdk streams nothing where there is no object: an empty one is as good as none.
        return _bounded(bytes(data), f"{self._container}/{name}", limit) or None

    def put(self, name: str, data: bytes) -> None:
        if hasattr(self._connection, "stream_object"):
            self._connection.create_container(self._container)
            self._connection.create_object(self._container, name, data=data)
        else:
            self._connection.put_container(self._container)
            self._connection.put_object(self._container, name, data)

    def _chunks(self, name: str) -> Any:
        if hasattr(self._connection, "stream_object"):
            return self._connection.stream_object(
                self._container, name, resp_chunk_size=_CHUNK
            )
        return self._connection.get_object(self._container, name, resp_chunk_size=_CHUNK)[1]


def _not_found(error: Exception) -> bool:
    status = getattr(error, "http_status", None) or getattr(error, "status_code", None)
    return status == 404
