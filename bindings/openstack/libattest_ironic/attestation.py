# SPDX-License-Identifier: Apache-2.0
"""What an attestation interface is, and how one is found.

The methods are those of the Ironic specification (attestation-interface.rst). They are called off
the conductor's workers and without a node lock: they block, they may log, they must not save the
node.
"""

import abc
import dataclasses
import functools
from typing import Any

import stevedore
from ironic.common import exception

from .conf import CONF
from .exceptions import AttestationFailure
from .settings import NO_ATTESTATION, PROPERTIES, Settings

NAMESPACE = "ironic_libattest.attestation"


@dataclasses.dataclass(frozen=True, slots=True)
class Evidenced:
    """What an attestation that went well has shown. All of it was verified, none is a claim."""

    ek_sha256: str
    ak_name: str
    # TPM2 resetCount and restartCount: the same numbers, the same boot.
    boot: tuple[int, int]
    # The AK was proven to live in the EK's TPM by a challenge of ours, not by a registrar's word.
    ak_proven: bool
    lists: str
    # What was seen and is not held against the node.
    notes: tuple[str, ...] = ()
    # Which measured launch was judged, too; empty: none.
    launch: str = ""


def praise(evidenced: Evidenced) -> str:
    """The reason of a trusted verdict."""
    return f"trusted, and so is {evidenced.launch}" if evidenced.launch else "trusted"


@dataclasses.dataclass(slots=True)
class Subject:
    """A node as an attestation sees it."""

    uuid: str
    settings: Settings
    # EK and AK that were seen first: {"ek_sha256": …, "ak_name": …}
    pinned: dict[str, str] = dataclasses.field(default_factory=dict)
    # The agent that the ramdisk says it runs. A name to ask the registrar for, not an identity.
    agent_uuid_found: str | None = None
    # The task of the ramdisk's API; None where no ramdisk runs.
    task: Any = None
    # What an interface keeps between start_attestation and the verdict; lives in memory.
    scratch: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def agent_uuid(self) -> str | None:
        return self.settings.agent_uuid or self.agent_uuid_found


class AttestationInterface(abc.ABC):
    """Proves that a node booted and runs what its owner expects."""

    name: str

    def get_properties(self) -> dict[str, str]:
        return PROPERTIES

    @abc.abstractmethod
    def validate(self, settings: Settings) -> list[str]:
        """One line for each setting that is missing or wrong. No network, no waiting."""

    @abc.abstractmethod
    def start_attestation(self, subject: Subject) -> None:
        """Sees to it that the node is being attested. May be called again after an interruption.

        Raises AttestationFailure, and AttestationPending when it should be called again later.
        """

    @abc.abstractmethod
    def validate_security_status(self, subject: Subject) -> Evidenced:
        """Returns only if the node is trustworthy now. Raises as start_attestation does."""

    def validate_active(self, subject: Subject) -> Evidenced:
        """As validate_security_status, for the agent in an instance and by instance_lists.

        `subject.scratch["node"]` is the libattest.Node of this node. The first call starts what
        has to be started.
        """
        raise exception.UnsupportedDriverExtension(driver=self.name, extension="validate_active")

    @abc.abstractmethod
    def unregister_node(self, subject: Subject) -> None:
        """Ends what start_attestation began. No error when there is nothing to end."""

    def peer(self, subject: Subject) -> str:
        """Whose slowness would hold this node up: calls to one peer are limited in number."""
        return subject.settings.verifier or subject.settings.registrar or subject.uuid


@functools.cache
def _load(name: str) -> AttestationInterface:
    manager = stevedore.DriverManager(NAMESPACE, name, invoke_on_load=True)
    driver: AttestationInterface = manager.driver
    return driver


def get(name: str) -> AttestationInterface:
    """The enabled interface of this name; no-attestation needs no enabling to be the default."""
    if name != NO_ATTESTATION and name not in CONF.libattest.enabled_attestation_interfaces:
        raise exception.InvalidParameterValue(
            f"attestation interface {name!r} is not enabled in "
            "[libattest]enabled_attestation_interfaces"
        )
    try:
        return _load(name)
    except stevedore.exception.NoMatches:
        raise exception.InvalidParameterValue(f"there is no attestation interface {name!r}")


def problems(settings: Settings) -> list[str]:
    """One line for each setting that is missing or wrong, the interface's own among them."""
    if settings.problems or not settings.asked:
        return list(settings.problems)
    try:
        return get(settings.interface).validate(settings)
    except exception.InvalidParameterValue as error:
        return [str(error)]


def check(settings: Settings) -> None:
    """Raises AttestationFailure if a setting is missing or wrong, before anything is attested.

    What is wrong is None in the settings, as what nobody asks for: a launch without its policy, a
    key without its digest would not be compared with anything. Ironic validates a node when it is
    deployed, and neither when it is cleaned nor when its driver_info changes afterwards.
    """
    lines = problems(settings)
    if lines:
        raise AttestationFailure("; ".join(lines))
