# SPDX-License-Identifier: Apache-2.0
"""Work that waits for peers: off Ironic's workers and off the node's lock.

The pool's threads are native ones, or green ones where Ironic runs on eventlet (threading is
patched there, and library.call() keeps blocking calls out of the one native thread). It starts
with the first job, so after every fork. A stuck peer keeps at most workers_per_peer of them, and
each no longer than its deadlines.
"""

import collections
import concurrent.futures
import dataclasses
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


class Jobs:
    """At most one job a key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: concurrent.futures.ThreadPoolExecutor | None = None
        self._jobs: dict[Hashable, Job] = {}
        self._per_peer: collections.Counter[str] = collections.Counter()

    def submit(
        self,
        key: Hashable,
        peer: str,
        work: Callable[[dict[str, Any]], Any],
        scratch: dict[str, Any] | None = None,
    ) -> bool:
        """Starts work(scratch). False: not now, the key or the peer is busy; try again later.

        `scratch` is what work keeps for its next round: None starts with nothing, or goes on with
        what the key's last job left.
        """
        with self._lock:
            before = self._jobs.get(key)
            if before is not None and not before.future.done():
                return False
            if self._per_peer[peer] >= CONF.libattest.workers_per_peer:
                return False
            if self._pool is None:
                self._pool = concurrent.futures.ThreadPoolExecutor(
                    CONF.libattest.workers, thread_name_prefix="libattest"
                )
            if scratch is None:
                scratch = before.scratch if before is not None else {}
            self._per_peer[peer] += 1
            future = self._pool.submit(self._run, peer, work, scratch)
            self._jobs[key] = Job(future, scratch)
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

    def _run(
        self, peer: str, work: Callable[[dict[str, Any]], Any], scratch: dict[str, Any]
    ) -> Any:
        try:
            return work(scratch)
        finally:
            with self._lock:
                self._per_peer[peer] -= 1
                if not self._per_peer[peer]:
                    del self._per_peer[peer]


JOBS = Jobs()


def later(peer: str, what: str, work: Callable[[], None]) -> None:
    """Work that nobody waits for. What goes wrong is one warning; too busy is one, too."""

    key = object()

    def run(_: dict[str, Any]) -> None:
        try:
            work()
        except Exception as error:
            LOG.warning("%(what)s: %(error)s", {"what": what, "error": error})
        finally:
            JOBS.forget(key)

    if not JOBS.submit(key, peer, run):
        LOG.warning("%s: not tried, %s is busy with others", what, peer)
