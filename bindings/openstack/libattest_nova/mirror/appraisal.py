# SPDX-License-Identifier: Apache-2.0
"""One appraisal of one host: its agent is asked for a quote, and libattest judges what it brings.

What goes wrong is of two kinds. The host failed: what it showed is not good, or is no evidence. It
is silent: nobody was reached, or somebody else answered, which says nothing about the host.
"""

import dataclasses
import json
import os
import stat
import time
from collections.abc import Callable
from typing import Any

import libattest

MAX_POLICY = 64 << 20
# Those of boot_aggregate and of the boot event log, which an agent sends where PCR 0 is asked for.
_BOOT_PCRS = 0x3FF


class HostFailed(libattest.Error):
    """It is not trusted, and the words say why."""


class HostSilent(libattest.Error):
    """There is no verdict this time."""


@dataclasses.dataclass(frozen=True, slots=True)
class HostPolicy:
    """An appraisal policy, and the PCRs that are quoted for it, a bit map."""

    policy: "libattest.Policy"
    mask: int
    ima: bool


def load_policy(path: str) -> HostPolicy:
    """Raises libattest.Error. A policy that judges nothing is refused: nothing would be trusted."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise libattest.Error(f"{path} is not a regular file")
            data = file.read(MAX_POLICY + 1) or b""
    except OSError as error:
        raise libattest.Error(f"{path}: {error.strerror}") from error
    if len(data) > MAX_POLICY:
        raise libattest.Error(f"{path} is bigger than {MAX_POLICY} bytes")
    policy = libattest.Policy.parse(data)
    # As the library writes it: all that it has understood, and nothing else.
    return HostPolicy(policy, *_asked_for(path, json.loads(policy.to_json())))


def _asked_for(path: str, document: dict[str, object]) -> tuple[int, bool]:
    mask, ima = 0, document.get("ima")
    pcrs, log = document.get("pcrs"), document.get("event_log")
    if isinstance(pcrs, dict):
        mask |= sum(1 << int(pcr) for pcr in pcrs)
    if isinstance(log, dict):
        named = {*log.get("pcrs", ()), *map(int, log.get("events", ()))}
        mask |= sum(1 << pcr for pcr in named if not mask >> pcr & 1)
    if isinstance(ima, dict):
        mask |= 1 << int(ima.get("pcr", 10))
    if not mask:
        raise libattest.Error(f"{path} has no rule for any PCR")
    if isinstance(ima, dict) or mask & _BOOT_PCRS:
        mask |= _BOOT_PCRS
    return mask, isinstance(ima, dict)


def appraise(
    client: "libattest.Keylime",
    agent: "libattest.KeylimeAgent",
    ak: "libattest.Key",
    policy: HostPolicy,
    node: "libattest.Node",
    deadline: float,
) -> int:
    """When the quote was asked for that is trusted; raises HostFailed or HostSilent where none is.

    Only then `node` has changed: a host that has failed does not begin anew by that.

    The IMA list is read on from where the last trusted appraisal ended. Where that can not be, after
    a reboot or with other rules, it is read from its beginning, once.
    """
    entry = node.ima_entries if policy.ima else 0
    report, asked_at = _round(client, agent, ak, policy, node, entry, deadline)
    if entry and any(finding.id == "ima-position" for finding in report.findings):
        report, asked_at = _round(client, agent, ak, policy, node, 0, deadline)
    if report.trusted:
        return asked_at
    failures = [f.message for f in report.findings if f.severity >= libattest.Severity.FAILURE]
    more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    raise HostFailed((failures[0] if failures else f"the verdict is {report.verdict}") + more)


def _round(
    client: "libattest.Keylime",
    agent: "libattest.KeylimeAgent",
    ak: "libattest.Key",
    policy: HostPolicy,
    node: "libattest.Node",
    entry: int,
    deadline: float,
) -> tuple["libattest.Report", int]:
    nonce, asked_at = libattest.make_nonce(16).hex(), int(time.time())
    answer = ask(deadline, client.integrity_quote, agent, nonce, policy.mask, ima_entry=entry)
    try:
        evidence = libattest.Evidence(ak=ak, keylime_quote=answer.quote)
        if answer.eventlog:
            evidence.set_eventlog(answer.eventlog)
        if policy.ima:
            evidence.set_ima(answer.ima or b"", first_entry=answer.ima_entry or 0)
        report = libattest.appraise(
            evidence, policy.policy, nonce=nonce.encode(), now=int(time.time()), node=node
        )
    except libattest.MalformedError as error:
        raise HostFailed(f"the evidence is malformed: {error}") from error
    return report, asked_at


def ask(deadline: float, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """One call to an agent or the registrar, by time.monotonic()'s `deadline`."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise HostSilent("no time is left for it")
    try:
        return function(*args, timeout=left, **kwargs)
    except libattest.KeylimeError as error:
        # Silent: "network", "peer", "timeout", "cancelled", and whoever has a problem of its own.
        if error.reason == "answer" or (error.status is not None and error.status < 500):
            raise HostFailed(error) from error
        raise HostSilent(error) from error
