# SPDX-License-Identifier: Apache-2.0
"""The daemon's loop: polls, keeps the book, and tells the lanes how things should be.

It waits for nothing but its queue. A source that hangs brings no verdicts, and what is known becomes
old; a service that hangs keeps its own lane busy.
"""

import dataclasses
import logging
import queue
import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from . import clock
from .book import Book, Hosts
from .lanes import Lane
from .sources import Polled, Poller, Source, poll
from .verdicts import VerdictWriter

LOG = logging.getLogger(__name__)

# Exit statuses.
TRUSTED, NOT_TRUSTED, NOT_DONE = 0, 1, 2
# Polls that have not ended after so many timeouts are worth a word.
LONG = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Times:
    """Seconds, of [libattest_mirror]."""

    interval: float
    verdict_lifetime: float
    cycle_timeout: float
    exit_timeout: float


class Mirror:
    """One run of the command."""

    def __init__(
        self, times: Times, source: Source, lanes: Sequence[Lane], writer: VerdictWriter | None
    ) -> None:
        self._times = times
        self._source = source
        self._lanes = lanes
        self._writer = writer
        self._book = Book(times.verdict_lifetime)
        self._kinds: Mapping[str, str] = {}
        self._reasons: dict[str, str] = {}
        self._standings: dict[str, str] = {}
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._poll_failed = False

    def stop(self, *_: object) -> None:
        """From a signal's handler or another thread: SimpleQueue.put is made for that."""
        self._events.put(None)

    def once(self) -> int:
        """Polls, mirrors, and leaves things like that: nobody takes the trait back."""
        polled = poll(self._source, self._times.cycle_timeout)
        self._record(polled)
        hosts = self._hosts()
        done = polled.answer is not None and self._write(hosts)
        deadline = clock.now() + self._times.cycle_timeout
        numbers = [(lane, lane.post(hosts)) for lane in self._lanes]
        for lane, number in numbers:
            done = lane.wait(number, deadline) is None and done
        if not done:
            return NOT_DONE
        return (
            TRUSTED if all(host.standing == "trusted" for host in hosts.values()) else NOT_TRUSTED
        )

    def run(self) -> int:
        """Until stop(): then nobody is trusted, and it ends. So it does when something goes wrong."""
        # What a run before this one has left is nobody's word any more.
        self._withdraw(self._times.cycle_timeout)
        done = False
        try:
            self._loop()
        finally:
            LOG.info("Ending: nobody is trusted any more")
            # Behind the turn that is under way.
            done = self._withdraw(self._times.cycle_timeout + self._times.exit_timeout)
        return TRUSTED if done else NOT_DONE

    def _loop(self) -> None:
        poller = Poller(self._source, self._times.cycle_timeout, self._events)
        next_poll = clock.now()
        while True:
            now = clock.now()
            if now >= next_poll:
                if not poller.busy:
                    poller.start()
                elif now > poller.started_at + LONG * self._times.cycle_timeout:
                    LOG.warning("The poll has not ended for %d s", now - poller.started_at)
                next_poll = now + self._times.interval
            wake = min(next_poll, self._book.next_expiry() or next_poll)
            try:
                event = self._events.get(timeout=max(0.0, wake - clock.now()))
            except queue.Empty:
                pass
            else:
                if event is None:
                    return
                self._record(event)
            hosts = self._hosts()
            self._write(hosts)
            for lane in self._lanes:
                lane.post(hosts)

    def handle_signals(self) -> None:
        """SIGHUP, too: a terminal that is closed must not leave the traits behind."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self.stop)

    def _record(self, polled: Polled) -> None:
        if polled.hosts is not None:
            self._kinds = dict(polled.hosts)
            self._book.keep(polled.hosts)
        if polled.answer is not None and polled.hosts is not None:
            self._book.record(polled.hosts, polled.answer)
            self._reasons = dict(polled.answer.reasons)
            if self._poll_failed:
                LOG.info("There are verdicts again")
        elif not self._poll_failed:
            LOG.warning("No verdicts: %s", polled.error)
        self._poll_failed = polled.answer is None

    def _hosts(self) -> Hosts:
        hosts = self._book.hosts(self._kinds, self._reasons)
        for host in hosts.values():
            if self._standings.get(host.name) != host.standing:
                level = logging.INFO if host.standing in ("trusted", "waiting") else logging.WARNING
                LOG.log(level, "Host %s is %s %s", host.name, host.standing, host.reason)
        standings = {name: host.standing for name, host in hosts.items()}
        if standings != self._standings:
            counts = Counter(standings.values())
            LOG.info("Hosts: %s", ", ".join(f"{n} {word}" for word, n in sorted(counts.items())))
        self._standings = dict(standings)
        return hosts

    def _write(self, hosts: Hosts) -> bool:
        return self._writer is None or self._writer.write(hosts)

    def _withdraw(self, timeout: float) -> bool:
        deadline = clock.now() + timeout
        done = self._writer is None or self._writer.remove()
        numbers = [(lane, lane.post(None)) for lane in self._lanes]
        for lane, number in numbers:
            error = lane.wait(number, deadline)
            if error is not None:
                LOG.error("Traits may be left: %s", error)
                done = False
        return done
