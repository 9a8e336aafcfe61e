# SPDX-License-Identifier: Apache-2.0
"""Verdicts by libattest itself: each host's Keylime agent is asked for evidence and appraised here.

The map says which agent is a host's; the registrar says where it is, which certificate it shows and
which AK and EK it has. The keys must be those of the map, or of the host's first trusted appraisal,
and no other host's. A host that does not answer keeps a thread until its deadline, and the next time
one of a few that are kept for such hosts: the others are asked all the same.
"""

import concurrent.futures
import contextlib
import dataclasses
import logging
import os
import threading
import time
from collections.abc import Mapping

import libattest
from libattest_openstack.words import one_line

from .. import host_map
from ..backends import Answer, Unanswered
from ..host_map import HostBinding
from . import appraisal, clock
from .appraisal import HostFailed, HostPolicy, HostSilent
from .identities import Identities, Key
from .state import HostState, StateError, StateFolder

LOG = logging.getLogger(__name__)

# Of the threads, one in so many is for hosts that did not answer the last time.
SILENT_SHARE = 4


@dataclasses.dataclass(frozen=True, slots=True)
class AgentSettings:
    """[libattest_mirror], and of [trusted_computing] what is about Keylime and the map."""

    host_map: str
    policies_dir: str
    policy: str
    registrar: str
    ca: str
    cert: str
    key: str
    check_name: bool = True
    call_timeout: float = 10.0
    workers: int = 16
    # Seconds between two saves of a host's state. New pins are saved at once.
    checkpoint_interval: float = 300.0
    # Nothing is written, pins are not kept: --dry-run.
    save: bool = True


@dataclasses.dataclass(slots=True)
class _Watched:
    """One host in memory. Its job is the only one that changes it, and there is one at a time."""

    binding: HostBinding
    state: HostState | None = None
    agent: "libattest.KeylimeAgent | None" = None
    ak: "libattest.Key | None" = None
    ek_sha256: str | None = None
    silent: bool = False
    saved_at: float = 0.0
    job: "concurrent.futures.Future[libattest.HostVerdict] | None" = None


class AgentSource:
    """A back-end as the filter's are. Its threads start with the first fetch."""

    def __init__(self, settings: AgentSettings, folder: StateFolder) -> None:
        self._settings = settings
        self._folder = folder
        self._watched: dict[str, _Watched] = {}
        self._identities = Identities()
        self._policies: dict[str, tuple[object, HostPolicy]] = {}
        self._policies_lock = threading.Lock()
        self._client: tuple[object, libattest.Keylime] | None = None
        few = max(1, settings.workers // SILENT_SHARE)
        self._pools = {
            False: _pool("libattest-agent", max(1, settings.workers - few)),
            True: _pool("libattest-silent", few),
        }

    def bindings(self) -> Mapping[str, HostBinding]:
        """The map as it is now. Raises HostMapError."""
        return host_map.load(self._settings.host_map)

    def fetch(self, names: list[str], timeout: float) -> Answer:
        """Asks all of them at once. Raises Unanswered where nobody can be asked."""
        bindings, client = self._prepare()
        deadline = time.monotonic() + timeout
        jobs = {
            name: self._start(self._watched[name], client) for name in names if name in bindings
        }
        concurrent.futures.wait(jobs.values(), max(0.0, deadline - time.monotonic()))
        verdicts, silent, reasons = [], set(), {}
        for name, job in jobs.items():
            watched = self._watched[name]
            try:
                verdicts.append(job.result(0))
            except (TimeoutError, concurrent.futures.TimeoutError):
                watched.silent = job.running()
                silent.add(name)
                reasons[name] = f"no answer within {timeout:.0f} s"
                continue  # under way or in line: not asked again until it has ended
            except HostFailed as error:
                verdicts.append(
                    libattest.HostVerdict(name, libattest.Verdict.UNTRUSTED, int(time.time()))
                )
                reasons[name] = one_line(error)
            except (HostSilent, concurrent.futures.CancelledError) as error:
                silent.add(name)
                reasons[name] = one_line(error)
            except Exception as error:
                LOG.exception("Host %s: its appraisal ended unexpectedly", name)
                silent.add(name)
                reasons[name] = f"unexpected error: {one_line(error, 200)}"
            watched.silent = name in silent
            watched.job = None
        return Answer(verdicts, frozenset(silent), reasons)

    def close(self) -> None:
        """Ends the calls that are under way. States that are not saved yet are."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            self._client[1].cancel()
        for pool in self._pools.values():
            pool.shutdown(wait=True)
        for watched in self._watched.values():
            if watched.saved_at and not self._forgotten(watched):
                self._checkpoint(watched)

    # Before the hosts are asked: in the caller's thread.

    def _prepare(self) -> tuple[Mapping[str, HostBinding], "libattest.Keylime"]:
        try:
            bindings = self.bindings()
            client = self._keylime()
        except libattest.Error as error:
            raise Unanswered(error) from error
        for name in self._watched.keys() - bindings.keys():
            if self._watched[name].job is None:
                del self._watched[name]
                self._identities.release(name)
        for name, binding in bindings.items():
            watched = self._watched.get(name)
            if watched is None:
                self._watched[name] = _Watched(binding)
            elif watched.job is None and (watched.binding != binding or self._forgotten(watched)):
                self._identities.release(name)
                self._watched[name] = _Watched(binding)
        self._claim_pins()
        return bindings, client

    def _claim_pins(self) -> None:
        """A pinned key is its host's before anybody has answered: the map's first of all."""
        new = [w for w in self._watched.values() if w.state is None and w.job is None]
        for watched in new:
            binding = watched.binding
            self._identities.bind(binding.name, _keys(binding.ak, binding.ek_sha256))
        for watched in new:
            # What is wrong with it is said when the host is asked.
            with contextlib.suppress(HostFailed, StateError):
                self._state(watched)

    def _forgotten(self, watched: _Watched) -> bool:
        saved = watched.state is not None and watched.state.saved
        return saved and self._folder.forgotten(watched.binding.name)

    def _keylime(self) -> "libattest.Keylime":
        """Made anew when one of its files has changed: certificates are renewed."""
        s = self._settings
        stamp = tuple(_stamp(path) for path in (s.ca, s.cert, s.key))
        if self._client is None or self._client[0] != stamp:
            texts = [_read_pem(path) for path in (s.ca, s.cert, s.key)]
            try:
                client = libattest.Keylime(
                    registrar=s.registrar,
                    ca=texts[0],
                    cert=texts[1],
                    key=texts[2],
                    check_name=s.check_name,
                )
            except ValueError as error:
                raise libattest.Error(f"Keylime's client: {error}") from error
            self._client = stamp, client
        return self._client[1]

    def _start(
        self, watched: _Watched, client: "libattest.Keylime"
    ) -> "concurrent.futures.Future[libattest.HostVerdict]":
        if watched.job is None:
            watched.job = self._pools[watched.silent].submit(self._attest, watched, client)
        return watched.job

    # One host: in a thread of the pool.

    def _attest(self, watched: _Watched, client: "libattest.Keylime") -> "libattest.HostVerdict":
        binding = watched.binding
        until = time.monotonic() + self._settings.call_timeout
        try:
            state = self._state(watched)
            policy = self._policy(binding.policy or self._settings.policy)
            agent, ak = self._agent(watched, state, client, until)
            measured_at = appraisal.appraise(client, agent, ak, policy, state.node, until)
            self._remember(watched, state)
        except libattest.Error as error:
            # An agent that has moved, or has another certificate, is looked up the next time.
            watched.agent = None
            kind = HostFailed if isinstance(error, HostFailed) else HostSilent
            raise error if isinstance(error, kind) else kind(error)
        return libattest.HostVerdict(binding.name, libattest.Verdict.TRUSTED, measured_at)

    def _state(self, watched: _Watched) -> HostState:
        if watched.state is None:
            if watched.binding.agent is None:
                raise HostFailed("the map names no agent, and only an agent can be asked")
            state = self._folder.load(watched.binding)
            self._identities.claim(watched.binding.name, _keys(state.ak, state.ek_sha256))
            watched.state = state
        return watched.state

    def _policy(self, name: str) -> HostPolicy:
        path = os.path.join(self._settings.policies_dir, name)
        with self._policies_lock:  # else each thread would read the same megabytes
            stamp = _stamp(path)
            known = self._policies.get(path)
            if known is None or known[0] != stamp:
                known = self._policies[path] = stamp, appraisal.load_policy(path)
            return known[1]

    def _agent(
        self, watched: _Watched, state: HostState, client: "libattest.Keylime", deadline: float
    ) -> tuple["libattest.KeylimeAgent", "libattest.Key"]:
        """The registrar's entry, whose keys are this host's and nobody else's."""
        binding = watched.binding
        if watched.agent is None or watched.ak is None:
            agent = _lookup(client, state.agent, deadline)
            ak, ak_name, ek = _keys_of(agent)
            _hold("AK", binding.ak, "the map's", ak_name)
            _hold("AK", state.ak, f"pinned in {self._folder.file(binding.name)}", ak_name)
            _hold("EK", binding.ek_sha256, "the map's", ek)
            _hold("EK", state.ek_sha256, f"pinned in {self._folder.file(binding.name)}", ek)
            if ek is None and binding.ak is None:
                raise HostFailed(
                    "the registrar names no usable EK, and the map no AK: nobody knows which TPM it is"
                )
            watched.agent, watched.ak, watched.ek_sha256 = agent, ak, ek
        return watched.agent, watched.ak

    def _remember(self, watched: _Watched, state: HostState) -> None:
        """After a good appraisal, and only then: a key is claimed by who has shown that it is good."""
        assert watched.ak is not None and watched.ak.name is not None
        ak_name = watched.ak.name.hex()
        try:
            self._identities.claim(watched.binding.name, _keys(ak_name, watched.ek_sha256))
        except HostFailed:
            watched.state = None  # it has learned of a TPM that is not the host's
            raise
        new = state.ak is None
        if new and watched.binding.ak is None:
            LOG.warning(
                "Host %s: from now on its attestation key is %s, of the TPM with the endorsement key %s. "
                "Write both into the map to say so yourself.",
                watched.binding.name,
                ak_name,
                watched.ek_sha256,
            )
        state.ak, state.ek_sha256 = ak_name, watched.ek_sha256
        if new:
            self._save(watched)
        elif clock.now() >= watched.saved_at + self._settings.checkpoint_interval:
            self._checkpoint(watched)

    def _checkpoint(self, watched: _Watched) -> None:
        """What is lost without it is only how far its list was read."""
        watched.saved_at = clock.now()
        try:
            self._save(watched)
        except StateError as error:
            LOG.warning("Host %s: its state is not saved: %s", watched.binding.name, error)

    def _save(self, watched: _Watched) -> None:
        if not self._settings.save or watched.state is None:
            return
        self._folder.save(watched.binding.name, watched.state)
        watched.saved_at = clock.now()


def _pool(name: str, workers: int) -> concurrent.futures.ThreadPoolExecutor:
    return concurrent.futures.ThreadPoolExecutor(workers, thread_name_prefix=name)


def _keys(ak: str | None, ek_sha256: str | None) -> list[Key]:
    return [(kind, key) for kind, key in (("ak", ak), ("ek", ek_sha256)) if key is not None]


def _hold(what: str, wanted: str | None, whose: str, found: str | None) -> None:
    if wanted is not None and wanted != found:
        raise HostFailed(f"another TPM or key answers: its {what} is {found}, {whose} is {wanted}")


def _lookup(client: "libattest.Keylime", uuid: str, deadline: float) -> "libattest.KeylimeAgent":
    try:
        agent = appraisal.ask(deadline, client.lookup, uuid)
    except HostFailed as error:
        # The registrar's own words: they are not about what the host runs.
        raise HostSilent(f"registrar: {error}") from error
    if agent is None:
        raise HostSilent(f"the registrar does not know agent {uuid}")
    found: libattest.KeylimeAgent = agent
    return found


def _keys_of(agent: "libattest.KeylimeAgent") -> tuple["libattest.Key", str, str | None]:
    try:
        ak = libattest.Key.load(agent.ak)
    except libattest.Error as error:
        raise HostFailed(f"the agent's attestation key: {error}") from error
    if ak.name is None:
        raise HostFailed("the agent's attestation key has no TPM Name")
    try:
        ek = libattest.EndorsementKey(
            public=agent.ek or None, certificate=agent.ek_certificate or None
        ).sha256
    except (libattest.Error, ValueError):
        return ak, ak.name.hex(), None
    return ak, ak.name.hex(), ek


def _stamp(path: str) -> object:
    try:
        found = os.stat(path)
    except OSError as error:
        raise libattest.Error(f"{path}: {error.strerror}") from error
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _read_pem(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.read(1 << 20)
    except (OSError, UnicodeDecodeError) as error:
        # The reason without the content: one of them is a private key.
        why = error.strerror if isinstance(error, OSError) else "not PEM"
        raise libattest.Error(f"{path}: {why}") from error
