# SPDX-License-Identifier: Apache-2.0
"""Whose verdicts are mirrored, and of which hosts: one interface, in a thread of its own.

agents.AgentSource appraises; FilterSource asks who the filter would ask.
"""

import dataclasses
import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import libattest
from libattest_openstack.words import one_line

from .. import backends, host_map
from ..backends import Answer, Backend, Unanswered
from . import clock
from .agents import AgentSource


class Source(Protocol):
    def names(self, timeout: float) -> Mapping[str, str]:
        """The hosts and their kinds. Raises libattest.Error and Unanswered."""

    def fetch(self, names: list[str], timeout: float) -> Answer:
        """Their verdicts. Raises libattest.Error and Unanswered."""

    def close(self) -> None: ...


class Agents:
    """In-process appraisal of the agents of the map."""

    def __init__(self, source: AgentSource) -> None:
        self._source = source
        self.fetch, self.close = source.fetch, source.close

    def names(self, timeout: float) -> Mapping[str, str]:
        return {name: binding.kind for name, binding in self._source.bindings().items()}


class FilterSource:
    """The back-end of [trusted_computing]; the hosts are the map's, or without one Nova's."""

    def __init__(
        self,
        map_path: str | None,
        compute_nodes: Callable[[float], list[str]] | None,
        make: Callable[[], Backend] = backends.make,
    ) -> None:
        self._map = map_path
        self._compute_nodes = compute_nodes
        self._make = make
        self._backend: Backend | None = None

    def names(self, timeout: float) -> Mapping[str, str]:
        if self._map is not None:
            return {name: binding.kind for name, binding in host_map.load(self._map).items()}
        assert self._compute_nodes is not None
        names = self._compute_nodes(clock.now() + timeout)
        # Hosts say their own names: one that no map would take is not a host's.
        return {name: "compute" for name in names if host_map.NAME.fullmatch(name)}

    def fetch(self, names: list[str], timeout: float) -> Answer:
        backend, self._backend = self._backend or self._make(), None
        answer = backend.fetch(names, timeout)
        self._backend = backend  # made anew after each failure, so that its files are read again
        return answer

    def close(self) -> None:
        pass


@dataclasses.dataclass(frozen=True, slots=True)
class Polled:
    """What one poll brought. Without an answer, `error` says why there is none."""

    hosts: Mapping[str, str] | None = None
    answer: Answer | None = None
    error: str = ""


def poll(source: Source, timeout: float) -> Polled:
    hosts = None
    try:
        hosts = source.names(timeout)
        return Polled(hosts, source.fetch(sorted(hosts), timeout))
    except (libattest.Error, Unanswered) as error:
        return Polled(hosts, error=one_line(error))
    except Exception as error:
        return Polled(hosts, error=f"unexpected error: {one_line(repr(error), 200)}")


class Poller:
    """Polls in the background, one poll at a time. What it brings goes into the daemon's queue."""

    def __init__(self, source: Source, timeout: float, events: "queue.SimpleQueue[Any]") -> None:
        self._source, self._timeout, self._events = source, timeout, events
        self._thread: threading.Thread | None = None
        self.started_at = 0.0

    @property
    def busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        self.started_at = clock.now()
        self._thread = threading.Thread(target=self._run, name="libattest-poll", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._events.put(poll(self._source, self._timeout))
