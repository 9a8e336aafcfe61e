# SPDX-License-Identifier: Apache-2.0
"""Nova's own objects as a scheduler gives them to a filter, and a back-end that says what a test wants."""

import contextlib
import logging
import os
import time
import uuid
from collections.abc import Callable, Iterator

import concurrency  # noqa: F401, I001
import libattest
from nova import objects
from nova.scheduler import host_manager

from libattest_nova.backends import Answer, Unanswered
from libattest_nova.conf import CONF
from libattest_nova.filter import TrustedFilter
from libattest_nova.verdicts import Verdicts

CELL = "11111111-1111-1111-1111-111111111111"
TRUSTED, UNTRUSTED, UNKNOWN = (
    libattest.Verdict.TRUSTED,
    libattest.Verdict.UNTRUSTED,
    libattest.Verdict.UNKNOWN,
)

objects.register_all()


def hosts(*names: str) -> list[host_manager.HostState]:
    return [host_manager.HostState(name, name, CELL) for name in names]


def names(passed) -> list[str]:
    return [host.nodename for host in passed]


def request(hints: dict | None = None, **extra_specs: str) -> objects.RequestSpec:
    """`trust` is short for trust:trusted_host."""
    specs = {"trust:trusted_host" if k == "trust" else k: v for k, v in extra_specs.items()}
    return objects.RequestSpec(
        instance_uuid=str(uuid.uuid4()),
        num_instances=1,
        flavor=objects.Flavor(flavorid="m1.tiny", name="m1.tiny", extra_specs=specs),
        scheduler_hints=hints or {},
    )


class Scripted:
    """A back-end: `say` maps a name to its verdict, is called with the names, or is raised."""

    def __init__(self, say: dict | Callable | Exception | None = None) -> None:
        self.say = {} if say is None else say
        self.calls: list[list[str]] = []
        self.times: list[float] = []
        self.made = 0

    def make(self) -> "Scripted":
        self.made += 1
        return self

    def fetch(self, names: list[str], timeout: float) -> Answer:
        self.calls.append(sorted(names))
        self.times.append(time.monotonic())
        say = self.say
        if isinstance(say, Exception):
            raise say
        if callable(say):
            say = say(names, timeout)
        if isinstance(say, Answer):
            return say
        now = time.time()
        return Answer([libattest.HostVerdict(n, v, now) for n, v in say.items() if n in names])


def filter_on(backend: Scripted) -> TrustedFilter:
    """The filter with this back-end in this process."""
    trusted = TrustedFilter()
    trusted._of_process[os.getpid()] = Verdicts(backend.make)
    return trusted


class Lines(logging.Handler):
    """What libattest_nova logs while it is entered."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def of(self, level: int) -> list[str]:
        return [r.getMessage() for r in self.records if r.levelno == level]


@contextlib.contextmanager
def logged() -> Iterator[Lines]:
    lines, logger = Lines(), logging.getLogger("libattest_nova")
    before = logger.level
    logger.addHandler(lines)
    logger.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        logger.removeHandler(lines)
        logger.setLevel(before)


@contextlib.contextmanager
def options(**values) -> Iterator[None]:
    """Options of [trusted_computing]."""
    for name, value in values.items():
        CONF.set_override(name, value, group="trusted_computing")
    try:
        yield
    finally:
        for name in values:
            CONF.clear_override(name, group="trusted_computing")


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it did not come to pass")
        time.sleep(0.02)


__all__ = [
    *("CONF", "Answer", "Unanswered", "TrustedFilter", "Verdicts", "TRUSTED", "UNTRUSTED", "UNKNOWN"),
    *("Scripted", "filter_on", "hosts", "logged", "names", "options", "request", "until"),
]
