# SPDX-License-Identifier: Apache-2.0
"""Who says whether a host is trusted: one interface, and which of them the options name."""

import dataclasses
from collections.abc import Iterable
from typing import Protocol

import libattest
from libattest_openstack.words import one_line

from .conf import CONF


class Unanswered(Exception):
    """Nobody answered, or not as it has to be: no host's verdict comes of it."""

    def __init__(self, reason: object) -> None:
        super().__init__(one_line(reason))


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What came back. A host that was asked about and stands in neither has no verdict any more.

    silent: hosts of which nothing new is known; what was known of them lives on to its end.
    reasons: why a host has no verdict, for the log.
    """

    verdicts: list[libattest.HostVerdict]
    silent: frozenset[str] = frozenset()
    reasons: dict[str, str] = dataclasses.field(default_factory=dict)


class Backend(Protocol):
    """Made anew after each failure, so that files are read again. It runs in a worker's process."""

    def fetch(self, names: list[str], timeout: float) -> Answer:
        """These hosts' verdicts, in `timeout` seconds. Raises Unanswered or libattest.Error."""


def make() -> Backend:
    """The one that [trusted_computing]backend names. Raises Unanswered with what is wrong."""
    # Imported when they are wanted: each needs something else.
    if CONF.trusted_computing.backend == "keylime":
        from .backend_keylime import KeylimeBackend

        return KeylimeBackend()
    if CONF.trusted_computing.backend == "file":
        from .backend_file import FileBackend

        return FileBackend()
    from .backend_oat import OatBackend

    return OatBackend()


def read_text(option: str) -> str:
    """The content of the file that an option names; its words never stand in an error."""
    path = CONF.trusted_computing[option]
    if not path:
        raise Unanswered(f"[trusted_computing]{option} is not set")
    try:
        with open(path, encoding="ascii") as file:
            return file.read(1 << 20)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not PEM"
        raise Unanswered(f"[trusted_computing]{option}: {path}: {why}") from error


def lifetime() -> float:
    """Seconds that a verdict is good for."""
    return float(max(CONF.trusted_computing.attestation_auth_timeout, 1))


def required(options: Iterable[str]) -> None:
    for option in options:
        if not CONF.trusted_computing[option]:
            raise Unanswered(f"[trusted_computing]{option} is not set")
