# SPDX-License-Identifier: Apache-2.0
"""One thread a service. It works on what it was told last; what it had no time for is passed over.

A service that hangs holds up its own lane, until the deadline of the turn, and for PATIENCE the lane
that goes after it, and nobody else. Each turn begins with a look at how things are, so a turn that
failed is made good by the next.
"""

import logging
import threading
from typing import Protocol

from libattest_openstack.words import one_line

from . import clock
from .book import Hosts
from .rest import ServiceError

LOG = logging.getLogger(__name__)

# Seconds that a lane waits for the turn of the one that it goes after.
PATIENCE = 2.0


class Service(Protocol):
    def apply(self, hosts: Hosts, deadline: float) -> None:
        """Makes it as it should be, by clock.now()'s deadline. Raises ServiceError."""

    def withdraw(self, deadline: float) -> None:
        """Nobody is trusted any more: at start and at the end. Raises ServiceError."""


class Lane:
    """Daemon threads: one that hangs does not keep the process from ending.

    `after`: a lane that is posted the same; its turn comes first.
    """

    def __init__(
        self,
        name: str,
        service: Service,
        turn_timeout: float,
        withdraw_timeout: float,
        after: "Lane | None" = None,
    ) -> None:
        self.name = name
        self._after = after
        self._service = service
        self._turn_timeout, self._withdraw_timeout = turn_timeout, withdraw_timeout
        self._condition = threading.Condition()
        self._posted = self._done = 0
        self._next: Hosts | None = None
        self._error: str | None = None
        self._failed = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"libattest-{name}", daemon=True)
        self._thread.start()

    def post(self, hosts: Hosts | None) -> int:
        """From now on it shall be like this; None: nobody is trusted. A number for wait()."""
        with self._condition:
            self._next = hosts
            self._posted += 1
            self._condition.notify_all()
            return self._posted

    def wait(self, number: int, deadline: float) -> str | None:
        """Waits for what was posted, or something newer. What went wrong, or None."""
        with self._condition:
            while self._done < number:
                left = deadline - clock.now()
                if left <= 0:
                    return f"{self.name} is not done in time"
                self._condition.wait(left)
            return self._error

    def close(self) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def _run(self) -> None:
        while True:
            with self._condition:
                while self._done == self._posted and not self._closed:
                    self._condition.wait()
                if self._done == self._posted:
                    return
                number, hosts = self._posted, self._next
            if self._after is not None:
                self._after.wait(number, clock.now() + PATIENCE)
            error = self._turn(hosts)
            with self._condition:
                self._done, self._error = number, error
                self._condition.notify_all()

    def _turn(self, hosts: Hosts | None) -> str | None:
        try:
            if hosts is None:
                self._service.withdraw(clock.now() + self._withdraw_timeout)
            else:
                self._service.apply(hosts, clock.now() + self._turn_timeout)
        except ServiceError as error:
            why = one_line(error)
        except Exception as error:
            LOG.exception("%s: a turn ended unexpectedly", self.name)
            why = f"unexpected error: {one_line(error, 200)}"
        else:
            if self._failed:
                LOG.info("%s: works again", self.name)
            self._failed = False
            return None
        # Once an outage, not once a turn.
        LOG.log(logging.DEBUG if self._failed else logging.WARNING, "%s: %s", self.name, why)
        self._failed = True
        return why
