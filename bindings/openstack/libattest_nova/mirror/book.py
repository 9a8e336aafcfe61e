# SPDX-License-Identifier: Apache-2.0
"""What is known of each host, and until when it counts.

Only an explicit `trusted` that is fresh is trust. Any other verdict ends it at once. Silence ends it
when the last trusted verdict has become old: by when it came here or by when it says that it was
measured, whichever is earlier.
"""

import dataclasses
import time
from collections.abc import Collection, Iterable, Mapping
from typing import Literal

import libattest

from ..backends import Answer
from . import clock

# Seconds that a source's clock may be ahead.
MAX_SKEW = 30

# "waiting": no verdict yet, and it is too early to call that silence.
Standing = Literal["trusted", "untrusted", "silent", "waiting"]


@dataclasses.dataclass(frozen=True, slots=True)
class Host:
    """One host as it stood when somebody asked."""

    name: str
    standing: Standing
    # clock.now() until which it may be called trusted.
    good_until: float
    measured_at: float | None
    # "compute" or "ironic"
    kind: str = "compute"
    reason: str = ""

    @property
    def fresh(self) -> bool:
        """Asked again right before each act that says "trusted": a service may take its time."""
        return self.standing == "trusted" and clock.now() < self.good_until


Hosts = Mapping[str, Host]


@dataclasses.dataclass(slots=True)
class _Entry:
    # Until then silence is no failure: it may be that of the source, or the host is new.
    patience: float
    good_until: float = 0.0
    untrusted: bool = False
    measured_at: float | None = None

    def end(self, *, untrusted: bool) -> None:
        self.untrusted, self.good_until = untrusted, 0.0


class Book:
    """Kept by the daemon's own thread alone."""

    def __init__(self, lifetime: float) -> None:
        self._lifetime = lifetime
        self._entries: dict[str, _Entry] = {}

    def keep(self, names: Collection[str]) -> None:
        """The hosts there are from now on. Of the others nothing is remembered."""
        now = clock.now()
        wanted = set(names)
        for name in self._entries.keys() - wanted:
            del self._entries[name]
        for name in wanted - self._entries.keys():
            self._entries[name] = _Entry(patience=now + self._lifetime)

    def record(self, asked: Collection[str], answer: Answer) -> None:
        """What a source has said of the hosts that it was asked about. Others are passed over."""
        said = {verdict.name: verdict for verdict in worst(answer.verdicts)}
        for name in asked:
            entry = self._entries.get(name)
            if entry is None:
                continue
            verdict = said.get(name)
            if verdict is None:
                # Of a silent host what was known lives on to its end; of the others nothing does.
                if name not in answer.silent:
                    entry.end(untrusted=False)
            elif verdict.verdict == libattest.Verdict.TRUSTED:
                self._trust(entry, verdict.measured_at)
            else:
                entry.end(untrusted=verdict.verdict == libattest.Verdict.UNTRUSTED)
                entry.measured_at = verdict.measured_at

    def _trust(self, entry: _Entry, measured_at: float | None) -> None:
        now, wall = clock.now(), time.time()
        if measured_at is None or measured_at > wall + MAX_SKEW:
            entry.end(untrusted=False)  # of no time, or of the future: it would never become old
            return
        if entry.untrusted and _before(measured_at, entry.measured_at):
            return  # what was measured before its trust ended does not bring it back
        good_until = now + self._lifetime - max(0.0, wall - measured_at)
        if good_until > max(now, entry.good_until):
            entry.untrusted, entry.good_until, entry.measured_at = False, good_until, measured_at
            entry.patience = good_until

    def hosts(
        self, kinds: Mapping[str, str] | None = None, reasons: Mapping[str, str] | None = None
    ) -> Hosts:
        now = clock.now()
        return {
            name: Host(
                name,
                self._standing(entry, now),
                entry.good_until,
                entry.measured_at,
                (kinds or {}).get(name, "compute"),
                (reasons or {}).get(name, ""),
            )
            for name, entry in self._entries.items()
        }

    def _standing(self, entry: _Entry, now: float) -> Standing:
        if entry.untrusted:
            return "untrusted"
        if now < entry.good_until:
            return "trusted"
        return "silent" if now >= entry.patience else "waiting"

    def next_expiry(self) -> float | None:
        """clock.now() at which the next host is trusted no more."""
        now = clock.now()
        ends = (entry.good_until for entry in self._entries.values())
        return min((end for end in ends if end > now), default=None)


def _before(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and one < other


_BADNESS = {
    libattest.Verdict.TRUSTED: 0,
    libattest.Verdict.UNKNOWN: 1,
    libattest.Verdict.UNTRUSTED: 2,
}


def worst(verdicts: Iterable["libattest.HostVerdict"]) -> list["libattest.HostVerdict"]:
    """One verdict a host: of several the worst. What is no verdict that is known is unknown."""
    found: dict[str, libattest.HostVerdict] = {}
    for verdict in verdicts:
        before = found.get(verdict.name)
        if before is None or _badness(verdict) >= _badness(before):
            found[verdict.name] = verdict
    return list(found.values())


def _badness(verdict: "libattest.HostVerdict") -> int:
    return _BADNESS.get(verdict.verdict, 1)
