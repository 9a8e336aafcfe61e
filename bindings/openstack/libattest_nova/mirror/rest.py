# SPDX-License-Identifier: Apache-2.0
"""Calls to an OpenStack service that end: each has a deadline for all of it, and a bounded answer.

A timeout of requests is one between two bytes, so a peer that sends a byte now and then would hold
a caller for ever. Here the caller waits for a thread and leaves it behind at the deadline, with its
session: whatever it holds, a connection or the lock of the token, is not used again.
"""

import concurrent.futures
import contextlib
import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Protocol, TypeVar

import libattest
from libattest_openstack.words import one_line

from . import clock

LOG = logging.getLogger(__name__)

_T = TypeVar("_T")

MAX_ANSWER = 64 << 20
# Threads that may be left behind before the service is not called any more until one has ended.
MAX_LEFT = 8
TRIES = 3
PAUSE = 0.2
# What a proxy or a service that starts says: worth another try.
_PASSING = frozenset((500, 502, 503, 504))


class ServiceError(libattest.Error):
    """A service did not do what it was asked. `status` is None where it did not answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Adapter(Protocol):
    """Of keystoneauth1.adapter.Adapter, what is used here."""

    def request(self, url: str, method: str, **kwargs: Any) -> Any: ...


class _Holder:
    def __init__(self) -> None:
        self.adapter: Adapter | None = None


class Rest:
    """One service. Used by one thread at a time."""

    def __init__(self, name: str, adapter: Callable[[], Adapter], timeout: float) -> None:
        self.name = name
        self._make = adapter
        self._timeout = timeout
        self._holder = _Holder()
        self._left: list[threading.Thread] = []

    def get(self, path: str, microversion: str, **more: Any) -> Any:
        return self.call("GET", path, microversion, **more)

    def call(
        self,
        method: str,
        path: str,
        microversion: str,
        body: object = None,
        *,
        expect: Collection[int] = (200,),
        deadline: float | None = None,
    ) -> Any:
        """The answer's JSON, None where it has no body. Raises ServiceError.

        Tried again, within `deadline` (clock.now()), when the service can not be reached, and when
        it says that it has a problem; a POST never, which might then happen twice.
        """
        pause, last = PAUSE, 1 if method == "POST" else TRIES
        for attempt in range(1, last + 1):
            try:
                return self._bounded(method, path, microversion, body, expect, deadline)
            except ServiceError as error:
                passing = error.status is None or error.status in _PASSING
                late = deadline is not None and clock.now() + pause >= deadline
                if attempt == last or not passing or late:
                    raise
                LOG.debug("%s: another try: %s", self.name, error)
            time.sleep(pause)
            pause *= 2
        raise AssertionError

    def _bounded(
        self,
        method: str,
        path: str,
        microversion: str,
        body: object,
        expect: Collection[int],
        deadline: float | None,
    ) -> Any:
        seconds = self._timeout if deadline is None else min(self._timeout, deadline - clock.now())
        if seconds <= 0:
            raise ServiceError(f"{self.name}: no time is left for {method} {path}")
        self._left = [thread for thread in self._left if thread.is_alive()]
        if len(self._left) >= MAX_LEFT:
            raise ServiceError(f"{self.name}: {len(self._left)} calls to it hang")
        answers: queue.SimpleQueue[tuple[int, bytes] | Exception] = queue.SimpleQueue()
        # Made where it is used: to load it may mean to ask Keystone.
        holder = self._holder

        def work() -> None:
            try:
                holder.adapter = holder.adapter or self._make()
                answers.put(
                    self._request(holder.adapter, method, path, microversion, body, seconds)
                )
            except Exception as error:  # keystoneauth's, requests' and urllib3's
                answers.put(error)

        thread = threading.Thread(target=work, name=f"libattest-{self.name}", daemon=True)
        thread.start()
        try:
            answer = answers.get(timeout=seconds)
        except queue.Empty:
            self._left.append(thread)
            self._holder = _Holder()
            raise ServiceError(
                f"{self.name}: {method} {path}: no answer within {seconds:.1f} s"
            ) from None
        if isinstance(answer, Exception):
            why = one_line(f"{type(answer).__name__}: {answer}", 300)
            raise ServiceError(f"{self.name}: {method} {path}: {why}") from answer
        return self._judge(method, path, expect, *answer)

    @staticmethod
    def _request(
        adapter: Adapter, method: str, path: str, microversion: str, body: object, seconds: float
    ) -> tuple[int, bytes]:
        more = {} if body is None else {"json": body}
        answer = adapter.request(
            path,
            method,
            microversion=microversion,
            headers={"Accept": "application/json"},
            # A token goes nowhere but to the configured service.
            redirect=False,
            raise_exc=False,
            stream=True,
            timeout=seconds,
            **more,
        )
        with contextlib.closing(answer):
            data = bytearray()
            for chunk in answer.iter_content(1 << 16):
                data += chunk
                if len(data) > MAX_ANSWER:
                    raise ServiceError(f"an answer of more than {MAX_ANSWER} bytes")
            return answer.status_code, bytes(data)

    def _judge(
        self, method: str, path: str, expect: Collection[int], status: int, data: bytes
    ) -> Any:
        if status not in expect:
            said = one_line(data[:2000].decode(errors="replace"), 300)
            raise ServiceError(f"{self.name}: {method} {path}: HTTP {status}: {said}", status)
        if not data:
            return None
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            raise ServiceError(
                f"{self.name}: {method} {path}: the answer is not JSON", status
            ) from error


class Rests:
    """Several connections to one service. The first is for what is asked once."""

    def __init__(self, connections: Sequence[Rest]) -> None:
        self.first = connections[0]
        self._number = len(connections)
        self._idle: queue.SimpleQueue[Rest] = queue.SimpleQueue()
        for connection in connections:
            self._idle.put(connection)

    def each(self, act: Callable[[Rest, _T], None], items: Iterable[_T]) -> list[ServiceError]:
        """act(connection, item) for all items, whatever fails for one. What has failed."""
        failures: list[ServiceError] = []

        def one(item: _T) -> None:
            connection = self._idle.get()
            try:
                act(connection, item)
            except ServiceError as error:
                failures.append(error)
            finally:
                self._idle.put(connection)

        with concurrent.futures.ThreadPoolExecutor(self._number) as pool:
            for _ in pool.map(one, items):
                pass
        return failures


def member(answer: Any, name: str, kind: type, what: str) -> Any:
    """A member of an answer that must be there. Raises ServiceError."""
    value = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):
        raise ServiceError(f"{what}: the answer has no {name}, or another kind of it")
    return value
