# SPDX-License-Identifier: Apache-2.0
"""Verdicts of many hosts in one authenticated file: the mirror daemon writes it, the filter reads it.

    libattest-verdicts 1 <HMAC-SHA256 of all bytes but these 64 digits, hex>
    {"written_at": 1796000000, "verdicts": [{"name": …, "verdict": "trusted", "measured_at": …}, …]}

The body is parsed after its digest was compared, and the bytes that are parsed are those that were
authenticated. The digest says who wrote the file, not when: an old file can be put back, and
`max_age` is what bounds that. So a daemon that dies takes its verdicts with it, `max_age` later.
"""

import hashlib
import hmac
import json
import math
import os
import stat
from collections.abc import Iterable

import libattest

from . import files

# 20,000 hosts with the longest names.
MAX_SIZE = 8 << 20
MAX_VERDICTS = 20_000
MAX_NAME = 255
MIN_KEY, MAX_KEY = 32, 4096
# Seconds that the clocks of two machines may be apart.
MAX_SKEW = 30

_MAGIC = b"libattest-verdicts 1 "
_DIGITS = 2 * hashlib.sha256().digest_size


class VerdictFileError(libattest.Error):
    """There is no verdict to be had from this file. The message says why."""


def load_key(path: str | os.PathLike[str]) -> bytes:
    """The key that writer and readers share: a file of at least 32 random bytes.

    Whoever reads it can write verdicts, so it is refused if others than its owner and group can,
    if its group could change it, or if it is a link, which says nothing about where it leads.
    """
    what = f"verdict key {os.fspath(path)}"
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                raise VerdictFileError(f"{what} is not a regular file")
            if found.st_mode & 0o027:
                raise VerdictFileError(
                    f"{what} has mode {stat.S_IMODE(found.st_mode):04o}: at most 0640 is safe"
                )
            if found.st_uid not in (0, os.geteuid()):
                raise VerdictFileError(f"{what} belongs to neither root nor this user")
            key = file.read(MAX_KEY + 1)
    except OSError as error:
        raise VerdictFileError(f"{what}: {error.strerror}") from error
    if not MIN_KEY <= len(key) <= MAX_KEY:
        raise VerdictFileError(f"{what} is not {MIN_KEY} to {MAX_KEY} bytes long")
    return key


def write(
    path: str | os.PathLike[str],
    key: bytes,
    verdicts: Iterable["libattest.HostVerdict"],
    *,
    now: float,
    mode: int = 0o640,
) -> None:
    """Puts a new file in the place of the old one, in one step."""
    if len(key) < MIN_KEY:
        raise ValueError(f"a key of less than {MIN_KEY} bytes")
    rows = [
        {
            "name": v.name,
            "verdict": str(v.verdict),
            "measured_at": None if v.measured_at is None else math.floor(v.measured_at),
        }
        for v in verdicts
    ]
    body = json.dumps({"written_at": int(now), "verdicts": rows}, separators=(",", ":"))
    data = _sealed(key, body.encode() + b"\n")
    if len(rows) > MAX_VERDICTS or len(data) > MAX_SIZE:
        raise VerdictFileError(f"{len(rows)} verdicts are too many for one file")
    try:
        files.replace(path, data, mode)
    except OSError as error:
        raise VerdictFileError(f"{os.fspath(path)}: {error.strerror}") from error


def remove(path: str | os.PathLike[str]) -> None:
    """No verdicts from now on. Where there is no file, there are none."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise VerdictFileError(f"{os.fspath(path)}: {error.strerror}") from error


def read(
    path: str | os.PathLike[str], key: bytes, *, now: float, max_age: float
) -> list["libattest.HostVerdict"]:
    """What the daemon last wrote. Raises VerdictFileError for all that is not, or not of now."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise VerdictFileError(f"{os.fspath(path)} is not a regular file")
            data = file.read(MAX_SIZE + 1) or b""
    except OSError as error:
        raise VerdictFileError(f"{os.fspath(path)}: {error.strerror}") from error
    try:
        return _verdicts(_opened(key, data), now, max_age)
    except ValueError as error:
        raise VerdictFileError(f"{os.fspath(path)}: {error}") from error


def _digest(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, _MAGIC + b"\n" + body, hashlib.sha256).hexdigest().encode()


def _sealed(key: bytes, body: bytes) -> bytes:
    return _MAGIC + _digest(key, body) + b"\n" + body


def _opened(key: bytes, data: bytes) -> bytes:
    if len(data) > MAX_SIZE:
        raise ValueError(f"bigger than {MAX_SIZE} bytes")
    end = len(_MAGIC) + _DIGITS
    if not data.startswith(_MAGIC) or data[end : end + 1] != b"\n":
        raise ValueError("not a verdict file of version 1")
    body = data[end + 1 :]
    if not hmac.compare_digest(data[len(_MAGIC) : end], _digest(key, body)):
        raise ValueError("not written with this key, or changed since")
    return body


def _verdicts(body: bytes, now: float, max_age: float) -> list["libattest.HostVerdict"]:
    """Authentic is what our own writer made; one with another idea of the format is not read."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError("not JSON") from error
    if not isinstance(document, dict) or document.keys() != {"written_at", "verdicts"}:
        raise ValueError("other members than those of version 1")
    written_at = _seconds(document["written_at"])
    if written_at > now + MAX_SKEW:
        raise ValueError(f"written {written_at - now:.0f} s in the future")
    if now - written_at > max_age:
        raise ValueError(f"written {now - written_at:.0f} s ago, more than {max_age:.0f}")
    rows = document["verdicts"]
    if not isinstance(rows, list) or len(rows) > MAX_VERDICTS:
        raise ValueError("no list of verdicts")
    found = [_verdict(row, now) for row in rows]
    if len({verdict.name for verdict in found}) != len(found):
        raise ValueError("two verdicts of one host")
    return found


def _verdict(row: object, now: float) -> "libattest.HostVerdict":
    if not isinstance(row, dict) or row.keys() != {"name", "verdict", "measured_at"}:
        raise ValueError("a verdict has other members than those of version 1")
    name, word, measured_at = row["name"], row["verdict"], row["measured_at"]
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
        raise ValueError("a host without a name")
    if not isinstance(word, str):
        raise ValueError("a verdict that is no word")
    # Raises ValueError for words that are no verdict's.
    verdict = libattest.Verdict(word)  # type: ignore[arg-type]
    if measured_at is not None and _seconds(measured_at) > now + MAX_SKEW:
        raise ValueError(f"{name!r} was measured in the future")
    return libattest.HostVerdict(name, verdict, measured_at)


def _seconds(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 53:
        raise ValueError("a time that is no number of seconds")
    return value
