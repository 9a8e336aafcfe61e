# SPDX-License-Identifier: Apache-2.0
"""Who is asked: Keylime's registrar, verifier and agents, and the deploy ramdisk's own API."""

import base64
from typing import Any

import libattest
from ironic.common import exception
from ironic.drivers.modules import agent_client
from libattest_openstack import library
from libattest_openstack.words import one_line

from .attestation import Subject
from .conf import CONF
from .exceptions import AttestationFailure, AttestationPending
from .settings import Settings


def keylime(settings: Settings) -> "libattest.Keylime":
    """A client for this node's registrar and, if it has one, verifier."""
    texts = []
    for option in ("keylime_ca", "keylime_cert", "keylime_key"):
        path = CONF.libattest[option]
        try:
            with open(path, encoding="ascii") as file:
                texts.append(file.read(1 << 20))
        except (OSError, UnicodeDecodeError) as error:
            # The reason without the content: one of them is a private key.
            why = error.strerror if isinstance(error, OSError) else "not PEM"
            raise AttestationFailure(f"[libattest]{option}: {path}: {why}") from error
    ca, cert, key = texts
    return library.call(
        libattest.Keylime,
        verifier=settings.verifier,
        registrar=settings.registrar,
        ca=ca,
        cert=cert,
        key=key,
        check_name=CONF.libattest.keylime_check_name,
    )


def ask(what: str, function: Any, *args: Any, **kwargs: Any) -> Any:
    """One call to Keylime with its deadline. A refusal is a failure; silence is worth a retry."""
    try:
        return library.call(function, *args, timeout=float(CONF.libattest.call_timeout), **kwargs)
    except libattest.KeylimeError as error:
        status = getattr(error, "status", None)
        kind = AttestationPending if status is None or status >= 500 else AttestationFailure
        raise kind(f"{what}: {error}") from error
    except libattest.Error as error:
        raise AttestationFailure(f"{what}: {error}") from error


def registered(client: "libattest.Keylime", subject: Subject) -> "libattest.KeylimeAgent":
    """The registrar's entry of the node's agent."""
    uuid = subject.agent_uuid
    if uuid is None:
        raise AttestationPending("the ramdisk has not said yet which Keylime agent it runs")
    agent = ask("registrar", client.lookup, uuid)
    if agent is None:
        raise AttestationPending(f"agent {uuid} is not registered")
    return agent


class Ramdisk:
    """The `attestation` extension of the ironic-python-agent that runs on the node.

    Everything it says is the node's word: sizes are bounded here, and what matters is proven
    elsewhere. The protocol is described in ipa/README.md.
    """

    def __init__(self, subject: Subject) -> None:
        if subject.task is None:
            raise AttestationFailure("no deploy ramdisk is running")
        self._task = subject.task

    def command(self, name: str, **params: Any) -> dict[str, Any]:
        try:
            answer = agent_client.get_client(self._task)._command(
                self._task.node, f"attestation.{name}", params, wait=True
            )
        except (exception.AgentConnectionFailed, exception.AgentInProgress) as error:
            raise AttestationPending(f"the deploy ramdisk does not answer: {error}") from error
        except exception.IronicException as error:
            raise AttestationFailure(f"the deploy ramdisk's {name}: {error}") from error
        if not isinstance(answer, dict) or answer.get("command_status") != "SUCCEEDED":
            why = agent_client.get_command_error(answer) if isinstance(answer, dict) else answer
            raise AttestationFailure(f"the deploy ramdisk's {name} failed: {one_line(why, 300)}")
        result = answer.get("command_result")
        if not isinstance(result, dict):
            raise AttestationFailure(f"the deploy ramdisk's {name} did not answer with an object")
        return result


def field(answer: dict[str, Any], name: str, limit: int, *, required: bool = True) -> bytes:
    """Bytes that a ramdisk's answer carries in base64; b"" for null where that may be."""
    if name not in answer:
        raise AttestationFailure(f"the deploy ramdisk's answer has no {name}")
    value = answer[name]
    if value is None and not required:
        return b""
    if not isinstance(value, str) or len(value) > 4 * (limit // 3 + 1):
        raise AttestationFailure(f"the deploy ramdisk's {name} is missing or too big")
    try:
        return base64.b64decode(value, validate=True)
    except ValueError as error:
        raise AttestationFailure(f"the deploy ramdisk's {name} is not base64") from error
