# SPDX-License-Identifier: Apache-2.0
"""What one scheduler worker knows of hosts, and when it asks: seldom, for all, and with an end.

- Hosts that were never asked about are asked about at once, all of them and those of requests that
  come meanwhile in one fetch at a time, and whoever wants them waits for `fetch_timeout` at most.
- A thread asks again for all hosts that requests were about lately before their verdicts end, so
  that requests find them; hosts that got no verdict wait for that, too. It begins with the first
  request, so after every fork, and ends when nobody asks for trust any more.
- A service that failed as a whole is asked again by that thread alone, after `retry_interval`,
  doubled with each failure. Meanwhile nobody waits for it.

Nothing here makes a host trusted: that is an explicit verdict of the backend's, kept by
libattest.HostVerdicts until it ends.
"""

import concurrent.futures
import random
import threading
import time
import weakref
from collections.abc import Callable, Iterable

import libattest
from libattest_openstack.words import one_line
from oslo_log import log

from . import backends
from .backends import Answer, Backend, Unanswered
from .conf import CONF
from .shared import Entry, Share

LOG = log.getLogger(__name__)

# Seconds between two warnings of one kind.
WARN_EVERY = 300.0
# How many lifetimes after the last request about it a host is still asked about.
_REMEMBERED = 10
# Seconds that a fetch may end late.
_GRACE = 0.25
_NAMES_IN_WARNING = 5
# Seconds between two looks for what another worker is fetching.
_LOOK_AGAIN = 0.1
# Seconds that somebody waits who will be woken.
_LONG = 60.0

_Flight = concurrent.futures.Future[None]


class Verdicts:
    """Of one process: made in the worker, never before it is forked."""

    def __init__(self, make_backend: Callable[[], Backend] = backends.make) -> None:
        options = CONF.trusted_computing
        self._lifetime = backends.lifetime()
        self._timeout: float = options.fetch_timeout
        self._retry = min(float(options.retry_interval), self._lifetime / 2)
        self._max_retry = max(float(options.max_retry_interval), self._retry)
        self._max_hosts: int = options.max_hosts
        self._cache = libattest.HostVerdicts(
            ttl=self._lifetime, skew=options.clock_skew, limit=self._max_hosts
        )
        self._make_backend = make_backend
        self._backend: Backend | None = None
        self._share: Share | None = None
        self._lock = threading.Lock()
        self._flight: _Flight | None = None
        # Names that requests wait for, until the next fetch takes them.
        self._wanted: set[str] = set()
        # When a host was last asked about, and last was in a request: monotonic seconds.
        self._asked: dict[str, float] = {}
        self._seen: dict[str, float] = {}
        self._noted = float("-inf")
        self._last_fetch = float("-inf")
        self._failures = 0
        self._blocked_until = float("-inf")
        self._refresher: threading.Thread | None = None
        self._refresh_at = 0.0
        self._woken = threading.Event()
        weakref.finalize(self, self._woken.set)
        self._warned: dict[str, float] = {}

    def decide(self, names: list[str]) -> libattest.Decision:
        """What is known of these hosts now, after one bounded wait where something is missing."""
        decision = self._decide(names)
        if decision.to_fetch and self._fetched(decision.to_fetch):
            decision = self._decide(names)
        self._note(names)
        return decision

    def warn(self, kind: str, words: str) -> None:
        """One line of a kind, and then none of it for WARN_EVERY."""
        now = time.monotonic()
        with self._lock:
            if now < self._warned.get(kind, float("-inf")) + WARN_EVERY:
                return
            self._warned[kind] = now
        LOG.warning("%s", words)

    def _decide(self, names: list[str]) -> libattest.Decision:
        return self._cache.decide(names, now=time.time(), monotonic=time.monotonic())

    def _fetched(self, missing: list[str]) -> bool:
        """Waits until these hosts were asked about, if they may be. False: it did not wait."""
        deadline = time.monotonic() + self._timeout + _GRACE
        waited = False
        while True:
            names: list[str] = []
            with self._lock:
                left = self._worth_asking(missing)
                if not left or self._failures:
                    return waited
                flight = self._flight
                if flight is not None:
                    self._wanted.update(left)
                else:
                    names = self._due(left)
                    if not names:
                        return waited
                    flight = self._take_off(names)
            if names:
                self._start(flight, names)
            try:
                flight.result(max(deadline - time.monotonic(), 0.0))
            except concurrent.futures.TimeoutError:
                self.warn("slow", "The attestation service's answer is overdue")
                return waited
            waited = True

    def _worth_asking(self, names: Iterable[str]) -> list[str]:
        """Those that a request may wait for: not asked about, or not lately. With the lock."""
        due = time.monotonic() - self._retry
        return [name for name in names if self._asked.get(name, float("-inf")) <= due]

    def _due(self, names: list[str]) -> list[str]:
        """Which hosts are asked about now, if any. With the lock."""
        wanted = self._worth_asking(self._wanted.union(names))
        new = sorted(name for name in wanted if name not in self._asked)
        new = new[: max(self._max_hosts - len(self._asked), 0)]
        if not new and time.monotonic() < self._last_fetch + self._retry:
            return []
        return new + [name for name in wanted if name in self._asked]

    def _take_off(self, names: list[str]) -> _Flight:
        """Notes a fetch as under way. With the lock."""
        now = time.monotonic()
        self._flight = concurrent.futures.Future()
        self._last_fetch = now
        self._wanted.clear()
        for name in names:
            self._seen.setdefault(name, now)
        return self._flight

    def _start(self, flight: _Flight, names: list[str]) -> None:
        """Lets a thread do the fetch. Without the lock: a green one may begin at once."""
        try:
            threading.Thread(
                target=self._fly, args=(flight, names), name="libattest-fetch", daemon=True
            ).start()
        except RuntimeError as error:
            self._land(flight, names, error)

    def _fly(self, flight: _Flight, names: list[str]) -> None:
        error: Exception | None = None
        try:
            self._fetch(names)
        except Exception as caught:
            error = caught
        self._land(flight, names, error)

    def _land(self, flight: _Flight, names: list[str], error: Exception | None) -> None:
        now = time.monotonic()
        recovered = False
        with self._lock:
            self._flight = None
            for name in names:
                self._asked[name] = now
            if error is None:
                recovered, self._failures = self._failures > 0, 0
            else:
                self._failures += 1
                self._backend = None
                self._blocked_until = now + self._back_off()
        try:
            if error is not None:
                self._say(error, len(names))
            elif recovered:
                LOG.info("The attestation service answers again")
        finally:
            self._woken.set()
            flight.set_result(None)

    def _back_off(self) -> float:
        doubled = self._retry * 2.0 ** min(max(self._failures, 1) - 1, 16)
        return min(doubled, self._max_retry) * random.uniform(1.0, 1.25)

    def _say(self, error: Exception, num_hosts: int) -> None:
        words = str(error) if isinstance(error, (Unanswered, libattest.Error)) else repr(error)
        self.warn(
            "outage",
            f"No verdicts of {num_hosts} hosts: {one_line(words)}. Hosts whose verdicts end are "
            f"not trusted; asked again in {max(self._blocked_until - time.monotonic(), 0.0):.0f} s",
        )

    def _fetch(self, names: list[str]) -> None:
        """One fetch, in a thread of its own."""
        deadline = time.monotonic() + self._timeout
        share: Share | None = None
        left = names
        try:
            share = self._shared()
            if share is not None:
                left = self._turn(share, names, deadline)
        except Unanswered:
            raise
        except Exception as error:  # clients of caches raise what they like
            self._unshared(error)
            share = None
        if not left:
            return
        try:
            answer = self._ask(left, deadline)
        except Exception:
            self._give(share, {}, self._retry)
            raise
        self._give(share, self._put(left, answer), 0.0)

    def _turn(self, share: Share, names: list[str], deadline: float) -> list[str]:
        """Takes over what others know, and then the turn to ask about those that are left."""
        while True:
            names = self._put_shared(share, names)
            if not names:
                return names
            if share.claim(self._timeout + 1.0):
                return names
            if time.monotonic() >= deadline:
                raise Unanswered("another scheduler's fetch does not end")
            time.sleep(_LOOK_AGAIN)

    def _give(self, share: Share | None, entries: dict[str, Entry], pause: float) -> None:
        """Shares what came of this worker's turn, and ends it."""
        if share is None:
            return
        try:
            if entries:
                share.write(entries)
            share.release(pause)
        except Exception as error:
            self._unshared(error)

    def _unshared(self, error: Exception) -> None:
        self.warn("share", f"Verdicts are not shared: {one_line(error)}")

    def _ask(self, names: list[str], deadline: float) -> Answer:
        if self._backend is None:
            self._backend = self._make_backend()
        left = deadline - time.monotonic()
        if left <= 0.0:
            raise Unanswered("no time is left to ask")
        return self._backend.fetch(names, left)

    def _put(self, names: list[str], answer: Answer) -> dict[str, Entry]:
        """Keeps what came back. Returns it as other workers may have it."""
        asked = set(names)
        verdicts = [verdict for verdict in answer.verdicts if verdict.name in asked]
        told = {verdict.name for verdict in verdicts} | answer.silent
        # Who is not in the answer is not trusted any more, whatever was said of him before.
        self._keep(verdicts + _unknown(name for name in names if name not in told))
        known = self._decide(names)
        # Those of whom nothing was known that could live on.
        self._keep(_unknown(known.to_fetch))
        self._tell(names, known, answer.reasons)
        now = time.time()
        measured: dict[str, float] = {}
        for verdict in verdicts:
            at = now if verdict.measured_at is None else verdict.measured_at
            measured[verdict.name] = min(at, measured.get(verdict.name, now))
        entries = {}
        for index, name in enumerate(names):
            if name in answer.silent:
                continue
            at = measured.get(name, now)
            if known.trusted[index]:
                entries[name] = Entry(libattest.Verdict.TRUSTED, at, now, at + self._lifetime)
            elif known.untrusted[index]:
                entries[name] = Entry(libattest.Verdict.UNTRUSTED, at, now, at + self._lifetime)
            else:
                # They need not ask about a host without a verdict either.
                entries[name] = Entry(libattest.Verdict.UNKNOWN, now, now, now + self._retry)
        return entries

    def _keep(self, verdicts: list[libattest.HostVerdict]) -> None:
        self._cache.put(verdicts, now=time.time(), monotonic=time.monotonic())

    def _tell(self, names: list[str], known: libattest.Decision, reasons: dict[str, str]) -> None:
        """Says who has no verdict although he was asked about."""
        odd = {
            name: reasons.get(name) or known.reason(index)
            for index, name in enumerate(names)
            if not known.trusted[index] and not known.untrusted[index]
        }
        if odd:
            shown = [f"{n} ({one_line(odd[n], 100)})" for n in sorted(odd)[:_NAMES_IN_WARNING]]
            more = f" and {len(odd) - len(shown)} more" if len(odd) > len(shown) else ""
            self.warn(
                "hosts",
                f"{len(odd)} of {len(names)} hosts have no verdict: {', '.join(shown)}{more}",
            )

    def _shared(self) -> Share | None:
        if not CONF.trusted_computing.share_verdicts:
            return None
        if self._share is None:
            self._share = Share()
        return self._share

    def _put_shared(self, share: Share, names: list[str]) -> list[str]:
        """Takes over what other workers know; returns the hosts that are left."""
        now, monotonic = time.time(), time.monotonic()
        since = {
            name: now - (monotonic - self._asked[name]) if name in self._asked else None
            for name in names
        }
        entries = share.read(since, now)
        # Their ends are those of the entries, whenever they are read.
        self._keep(
            [
                libattest.HostVerdict(
                    name, entry.verdict, min(entry.measured_at, entry.ends_at - self._lifetime)
                )
                for name, entry in entries.items()
            ]
        )
        return [name for name in names if name not in entries]

    def _note(self, names: list[str]) -> None:
        """Remembers which hosts requests are about: now and then, as it costs more than they do."""
        now = time.monotonic()
        if now < self._noted + self._retry:
            return
        with self._lock:
            self._noted = now
            if len(self._seen) < self._max_hosts:
                self._seen.update(dict.fromkeys(names, now))
            if self._refresher is not None and self._refresher.is_alive():
                return
            self._refresh_at = now + self._refresh_after()
            refresher = threading.Thread(
                target=_keep_fresh,
                args=(weakref.ref(self), self._woken),
                name="libattest-refresh",
                daemon=True,
            )
            self._refresher = refresher
        try:
            refresher.start()
        except RuntimeError as error:
            self.warn("thread", f"Verdicts are not refreshed: {error}")

    def _refresh_after(self) -> float:
        # Not all workers at once, and early enough for a second attempt.
        return self._lifetime * random.uniform(0.5, 0.75)

    def _refresh(self) -> float | None:
        """Asks if it is time. Returns the seconds until it may be, None where nobody wants it."""
        with self._lock:
            if self._flight is not None:
                # Its landing wakes the refresher.
                return _LONG
            at = self._blocked_until if self._failures else self._refresh_at
            pause = at - time.monotonic()
            if pause > 0.0:
                return pause
            names = self._remembered()
            if not names:
                self._refresher = None
                self._failures = 0
                return None
            flight = self._take_off(names)
            self._refresh_at = time.monotonic() + self._refresh_after()
        self._start(flight, names)
        return _LONG

    def _remembered(self) -> list[str]:
        """The hosts that requests were about lately; the others are forgotten. With the lock."""
        oldest = time.monotonic() - _REMEMBERED * self._lifetime
        self._seen = {name: seen for name, seen in self._seen.items() if seen >= oldest}
        self._asked = {name: asked for name, asked in self._asked.items() if name in self._seen}
        return list(self._seen)[: self._max_hosts]


def _keep_fresh(of: "weakref.ref[Verdicts]", woken: threading.Event) -> None:
    """The refresher's thread. It ends with the verdicts, which it does not keep alive."""
    while True:
        woken.clear()
        verdicts = of()
        pause = verdicts._refresh() if verdicts is not None else None
        del verdicts
        if pause is None:
            return
        woken.wait(pause)


def _unknown(names: Iterable[str]) -> list[libattest.HostVerdict]:
    return [libattest.HostVerdict(name, libattest.Verdict.UNKNOWN) for name in names]
