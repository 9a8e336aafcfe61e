# SPDX-License-Identifier: Apache-2.0
"""A Keylime verifier's word about the agents that the operator's map binds hosts to.

A verifier knows agents, and an agent's UUID is a name that anybody may register another TPM under:
where the map has a host's AK or EK, the registrar must show these. A verifier answers for one agent
a call, over few connections at once; hosts that are not reached in time come first the next time.
"""

import concurrent.futures
import dataclasses
import threading
import time

import libattest
from libattest_openstack import library

from . import host_map
from .backends import Answer, Unanswered, read_text, required
from .conf import CONF

_CALLS_AT_ONCE = 4
# Reasons of errors that are no matter of the agent's: nobody is there to ask.
_NOBODY = ("network", "peer", "timeout", "cancelled")


@dataclasses.dataclass(slots=True)
class _Round:
    """One fetch: what its threads share."""

    deadline: float
    measured_at: int
    todo: list[str]
    verdicts: list[libattest.HostVerdict] = dataclasses.field(default_factory=list)
    silent: set[str] = dataclasses.field(default_factory=set)
    reasons: dict[str, str] = dataclasses.field(default_factory=dict)
    error: str = ""


class KeylimeBackend:
    """The states of a verifier's agents as hosts' verdicts."""

    def __init__(self) -> None:
        options = CONF.trusted_computing
        required(["keylime_verifier", "host_map"])
        self._hosts = library.call(host_map.load, options.host_map)
        self._client = library.call(
            libattest.Keylime,
            verifier=options.keylime_verifier,
            registrar=options.keylime_registrar,
            ca=read_text("keylime_ca"),
            cert=read_text("keylime_cert"),
            key=read_text("keylime_key"),
            check_name=options.keylime_check_name,
        )
        self._registrar = bool(options.keylime_registrar)
        self._lock = threading.Lock()
        self._asked: dict[str, float] = {}

    def fetch(self, names: list[str], timeout: float) -> Answer:
        todo = [name for name in names if self._agent(name)]
        todo.sort(key=lambda name: self._asked.get(name, 0.0), reverse=True)
        work = _Round(time.monotonic() + timeout, int(time.time()), todo)
        for name in set(names).difference(todo):
            work.reasons[name] = "host_map names no Keylime agent of it"
        threads = min(_CALLS_AT_ONCE, len(todo))
        if threads:
            with concurrent.futures.ThreadPoolExecutor(threads) as pool:
                # A thread that failed otherwise than by a call raises here.
                for done in [pool.submit(self._work, work) for _ in range(threads)]:
                    done.result()
        if work.error and not work.verdicts:
            raise Unanswered(work.error)
        # Those left over were not asked: their last verdicts end by themselves.
        return Answer(work.verdicts, frozenset(work.silent.union(work.todo)), work.reasons)

    def _agent(self, name: str) -> str:
        """Empty: it has none."""
        binding = self._hosts.get(name)
        return binding.agent or "" if binding is not None else ""

    def _work(self, work: _Round) -> None:
        while True:
            with self._lock:
                if not work.todo or work.error or time.monotonic() >= work.deadline:
                    return
                name = work.todo.pop()
                self._asked[name] = time.monotonic()
            try:
                verdict, reason = self._verdict(name, work.deadline)
            except libattest.KeylimeError as error:
                with self._lock:
                    if error.reason in _NOBODY:
                        work.error = work.error or str(error)
                    work.silent.add(name)
                    work.reasons[name] = str(error)
                continue
            with self._lock:
                if verdict is None:
                    work.silent.add(name)
                else:
                    work.verdicts.append(libattest.HostVerdict(name, verdict, work.measured_at))
                if reason:
                    work.reasons[name] = reason

    def _verdict(self, name: str, deadline: float) -> tuple[libattest.Verdict | None, str]:
        """None: the verifier can not reach the agent, and its last word lives on."""
        uuid = self._agent(name)
        if stranger := self._stranger(self._hosts[name], uuid, deadline):
            return stranger
        status = library.call(self._client.status, uuid, timeout=_left(deadline))
        if status is None:
            return libattest.Verdict.UNKNOWN, "the verifier does not attest its agent"
        reason = f"the verifier says {status.state_name} {status.last_event_id}"
        if status.verdict == "trusted":
            return libattest.Verdict.TRUSTED, ""
        if status.verdict == "failed":
            return libattest.Verdict.UNTRUSTED, reason
        if status.verdict == "unreachable":
            return None, reason
        return libattest.Verdict.UNKNOWN, reason

    def _stranger(
        self, binding: host_map.HostBinding, uuid: str, deadline: float
    ) -> tuple[libattest.Verdict, str] | None:
        """What comes of an agent that is not on the TPM that the map has, or may not be."""
        untrusted, unknown = libattest.Verdict.UNTRUSTED, libattest.Verdict.UNKNOWN
        if binding.ak is None and binding.ek_sha256 is None:
            return None
        if not self._registrar:
            return unknown, "host_map has its key, [trusted_computing]keylime_registrar is not set"
        agent = library.call(self._client.lookup, uuid, timeout=_left(deadline))
        if agent is None:
            return unknown, "the registrar does not know its agent"
        try:
            if binding.ak is not None:
                name = library.call(libattest.Key.load, agent.ak).name
                if name is None or name.hex() != binding.ak:
                    return untrusted, "the agent's AK is not the one of host_map"
            if binding.ek_sha256 is not None:
                ek = library.call(
                    libattest.EndorsementKey,
                    public=agent.ek or None,
                    certificate=agent.ek_certificate or None,
                )
                if ek.sha256 != binding.ek_sha256:
                    return untrusted, "the agent's EK is not the one of host_map"
        except (libattest.Error, ValueError) as error:
            return unknown, f"the agent's keys: {error}"
        return None


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.001)
