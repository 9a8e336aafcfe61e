# SPDX-License-Identifier: Apache-2.0
"""Work that waits for peers: off Ironic's workers and off the node's lock.

A pool's threads are native ones, or green ones where Ironic runs on eventlet (threading is
patched there, and library.call() keeps blocking calls out of the one native thread). It starts
with the first job, so after every fork. A stuck peer keeps at most workers_per_peer of them, and
each no longer than its deadlines; what else is for that peer waits in its own line. Whoever came
first of those whose peer has time is next: with more work than workers nobody is passed over.
Active nodes have a pool of their own: however many they are, a deployment does not wait for them.
"""

import collections
import concurrent.futures
import dataclasses
import heapq
import itertools
import threading
from collections.abc import Callable, Hashable
from typing import Any

from oslo_log import log

from .conf import CONF

LOG = log.getLogger(__name__)


@dataclasses.dataclass(slots=True)
class Job:
    """One piece of work under way, or done and not yet looked at."""

    future: "concurrent.futures.Future[Any]"
    scratch: dict[str, Any]


Work = Callable[[dict[str, Any]], Any]


class Jobs:
    """At most one job a key, so never more than there are keys."""

    def __init__(self, name: str = "libattest") -> None:
        self._name = name
        self._lock = threading.Lock()
        self._pool: concurrent.futures.ThreadPoolExecutor | None = None
        self._jobs: dict[Hashable, Job] = {}
        self._busy = 0
        self._per_peer: collections.Counter[str] = collections.Counter()
        self._turn = itertools.count()
        self._lines: dict[str, collections.deque[tuple[int, Job, Work]]] = {}
        # (turn, peer) of the heads of lines. Old entries are passed over when they come up.
        self._heads: list[tuple[int, str]] = []

    def submit(
        self, key: Hashable, peer: str, work: Work, scratch: dict[str, Any] | None = None
    ) -> bool:
        """Starts work(scratch) when the peer has time. False: the key's last is not done yet.

        `scratch` is what work keeps for its next round: None starts with nothing, or goes on with
        what the key's last job left.
        """
        with self._lock:
            before = self._jobs.get(key)
            if before is not None and not before.future.done():
                return False
            if scratch is None:
                scratch = before.scratch if before is not None else {}
            job = self._jobs[key] = Job(concurrent.futures.Future(), scratch)
            line = self._lines.setdefault(peer, collections.deque())
            line.append((next(self._turn), job, work))
            if len(line) == 1:
                self._line_up(peer)
            self._start()
            return True

    def look(self, key: Hashable) -> Job | None:
        with self._lock:
            return self._jobs.get(key)

    def forget(self, key: Hashable) -> None:
        """Whatever the job brings, nobody asks for it any more."""
        with self._lock:
            job = self._jobs.pop(key, None)
        if job is not None:
            job.future.cancel()

    def _line_up(self, peer: str) -> None:
        line = self._lines.get(peer)
        if line:
            heapq.heappush(self._heads, (line[0][0], peer))
        else:
            self._lines.pop(peer, None)

    def _start(self) -> None:
        """Gives the workers that are free what may be asked now. With the lock."""
        while self._heads and self._busy < CONF.libattest.workers:
            turn, peer = heapq.heappop(self._heads)
            line = self._lines.get(peer)
            if not line or line[0][0] != turn or self._at_limit(peer):
                continue  # who ends at that peer lines up again
            _, job, work = line.popleft()
            if job.future.cancelled():
                self._line_up(peer)
                continue
            self._busy += 1
            self._per_peer[peer] += 1
            self._line_up(peer)
            if self._pool is None:
                self._pool = concurrent.futures.ThreadPoolExecutor(
                    CONF.libattest.workers, thread_name_prefix=self._name
                )
            self._pool.submit(self._run, peer, job, work)

    def _at_limit(self, peer: str) -> bool:
        limit: int = CONF.libattest.workers_per_peer
        return self._per_peer[peer] >= limit

    def _run(self, peer: str, job: Job, work: Work) -> None:
        if job.future.set_running_or_notify_cancel():
            try:
                job.future.set_result(work(job.scratch))
            except BaseException as error:
                job.future.set_exception(error)
        with self._lock:
            self._busy -= 1
            self._per_peer[peer] -= 1
            if not self._per_peer[peer]:
                del self._per_peer[peer]
            self._line_up(peer)
            self._start()


JOBS = Jobs()
ACTIVE_JOBS = Jobs("libattest-active")


def later(peer: str, what: str, work: Callable[[], None]) -> None:
    """Work that nobody waits for. What goes wrong is one warning."""

    key = object()

    def run(_: dict[str, Any]) -> None:
        try:
            work()
        except Exception as error:
            LOG.warning("%(what)s: %(error)s", {"what": what, "error": error})
        finally:
            JOBS.forget(key)

    JOBS.submit(key, peer, run)
