# SPDX-License-Identifier: Apache-2.0
"""From a host's evidence to what PollHosts says of it. Only a trusted report is "trusted"."""

import contextlib
import dataclasses
import logging
import os
import pathlib
import stat
import threading
import time
from typing import Any

import libattest

from .nonces import Nonces

SMALL_FILE, LOG_FILE, LIST_FILE = 1 << 20, 64 << 20, 1 << 30
SKEW = 5  # seconds by which the clock may have been set back since a nonce was made
IMA_PCR, LAUNCH_PCR = 10, 17
BOOT_AGGREGATE_PCRS = range(10)

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    level: str  # OAT's words: "trusted", "untrusted", "unknown", "timeout"
    time: float  # what it says is not older
    reason: str = ""


def unknown(reason: str) -> Verdict:
    return Verdict("unknown", time.time(), reason)


def verdict_of(report: libattest.Report, when: float) -> Verdict:
    if report.trusted:
        return Verdict("trusted", when)
    reasons = [f.message for f in report.findings if f.severity == libattest.Severity.FAILURE]
    level = "untrusted" if report.verdict == libattest.Verdict.UNTRUSTED else "unknown"
    return Verdict(level, when, reasons[0] if reasons else "nothing of it is judged by its policy")


class Folder:
    """Evidence as `collect` writes it, put here by who asked the host for it with a nonce of ours."""

    def __init__(self, host: str, path: pathlib.Path, max_age: int, nonces: Nonces) -> None:
        self._host, self._path, self._max_age, self._nonces = host, path, max_age, nonces

    def judge(self, policy: libattest.Policy, _deadline: float) -> Verdict:
        # Opened once: a folder that is replaced meanwhile is read as it was.
        folder = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return self._judge(folder, policy)
        finally:
            os.close(folder)

    def _judge(self, folder: int, policy: libattest.Policy) -> Verdict:
        now = time.time()
        nonce = bytes.fromhex(read(folder, "nonce.hex", SMALL_FILE).decode("ascii"))
        made = self._nonces.made_at(self._host, nonce)
        if made is None:
            return unknown("its evidence answers no nonce that was made here for it")
        if not -SKEW <= now - made <= self._max_age:
            return unknown(f"its evidence is {now - made:.0f} s old")
        msg, sig, pcrs = (read(folder, f"quote.{part}", SMALL_FILE) for part in ("msg", "sig", "pcrs"))
        evidence = libattest.Evidence(ak=read(folder, "ak.tss", SMALL_FILE), quote=(msg, sig, pcrs))
        with contextlib.suppress(FileNotFoundError):
            evidence.set_eventlog(read(folder, "eventlog.bin", LOG_FILE))
        with contextlib.suppress(FileNotFoundError):
            evidence.set_launch_log(read(folder, "launchlog.bin", LOG_FILE))
        with contextlib.suppress(FileNotFoundError):
            evidence.set_ima(read(folder, "ima.bin", LIST_FILE))
        return verdict_of(libattest.appraise(evidence, policy, nonce=nonce, now=int(now)), min(made, now))


def read(folder: int, name: str, most: int) -> bytes:
    """A file of a folder that the host may have filled: no link, no pipe, no device, and bounded."""
    # Not to wait: a pipe without a writer would never open.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(name, flags, dir_fd=folder), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError(f"{name} is no file")
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"{name} is longer than {most} bytes")
    return data


class Agent:
    """A Keylime agent, asked with a fresh nonce. The registrar says where it is; the policy, whose."""

    def __init__(self, keylime: libattest.Keylime, uuid: str, pcrs: set[int]) -> None:
        self._keylime, self._uuid, self._pcrs = keylime, uuid, pcrs

    def judge(self, policy: libattest.Policy, deadline: float) -> Verdict:
        try:
            agent = self._keylime.lookup(self._uuid, timeout=left(deadline))
            if agent is None:
                return unknown("the registrar knows no agent of its UUID")
            nonce, asked = libattest.make_nonce(16).hex(), time.time()
            mask = sum(1 << pcr for pcr in self._pcrs)
            said = self._keylime.integrity_quote(agent, nonce, mask, timeout=left(deadline))
        except libattest.KeylimeError as error:
            return Verdict("timeout" if error.reason == "timeout" else "unknown", time.time(), str(error))
        ima = said.ima or b"" if IMA_PCR in self._pcrs else None
        evidence = libattest.Evidence(ak=agent.ak, keylime_quote=said.quote, eventlog=said.eventlog, ima=ima)
        return verdict_of(libattest.appraise(evidence, policy, nonce=nonce.encode(), now=int(asked)), asked)


def left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.001)


def judged_pcrs(policy: dict[str, Any]) -> set[int]:
    """The PCRs that a policy, in libattest's own JSON, must have quoted."""
    pcrs = {int(pcr) for pcr in [*policy["pcrs"], *policy["event_log"]["events"]]}
    pcrs.update(policy["event_log"]["pcrs"])
    if policy["launch"]["required"]:
        pcrs.add(LAUNCH_PCR)
    if "ima" in policy:
        pcrs.update([policy["ima"]["pcr"], *BOOT_AGGREGATE_PCRS])
    return pcrs


class Host:
    """However many ask about it at once, it is judged once at a time."""

    def __init__(self, name: str, source: Folder | Agent, policy: libattest.Policy, reuse: int = 0) -> None:
        self._name, self._source, self._policy, self._reuse = name, source, policy, reuse
        self._lock = threading.Lock()
        self._verdict, self._until = Verdict("unknown", 0), 0.0

    def judge(self, deadline: float) -> Verdict:
        with self._lock:
            if time.monotonic() >= self._until:
                self._verdict = self._judge(deadline)
                self._until = time.monotonic() + self._reuse
            return self._verdict

    def _judge(self, deadline: float) -> Verdict:
        try:
            verdict = self._source.judge(self._policy, deadline)
        except (OSError, ValueError, libattest.Error) as error:
            verdict = unknown(str(error))
        if verdict.level != "trusted":
            log.warning("%s: %s: %s", self._name, verdict.level, verdict.reason)
        return verdict
