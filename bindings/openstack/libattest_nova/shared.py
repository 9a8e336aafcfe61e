# SPDX-License-Identifier: Apache-2.0
"""Verdicts that all scheduler workers share, through the cache of Nova's section [cache].

Whoever can write to that cache can neither make a verdict nor give one another host's name or a
longer life: entries carry an HMAC over all that they say, under a key that only schedulers have.
An old entry can be put back and is then what it was when it was made: it ends when it would have
ended, and a worker that has asked since passes over it.

One worker at a time asks the service. The turn is an entry, too: who finds it free writes himself
in, and asks if he is still there a moment later. Who can write to the cache can deny the turn no
longer than `max_retry_interval`, and give it to two workers.
"""

import dataclasses
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

import libattest
from oslo_cache import core

from . import verdict_file
from .backends import Unanswered, lifetime
from .conf import CONF

_MAX_ENTRY = 2048
# Seconds in which another worker's entry is expected to be seen.
_SETTLE = 0.05


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A verdict as a worker got it, with its end. Times are Unix seconds."""

    verdict: libattest.Verdict
    measured_at: float
    received_at: float
    ends_at: float


class Share:
    """Made in a worker's process. Any error of the cache's comes out as it is."""

    def __init__(self) -> None:
        options = CONF.trusted_computing
        self._key = verdict_file.load_key(options.share_key_file)
        # Schedulers that ask others, or otherwise, share nothing with each other.
        asked = (
            [options.backend, options.attestation_server, options.attestation_port]
            + [options.attestation_api_url, options.keylime_verifier, options.keylime_registrar]
            + [options.host_map, options.verdict_file]
        )
        self._service = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
        self._skew = options.clock_skew
        self._longest_turn = float(max(options.max_retry_interval, options.retry_interval) + 60)
        core.configure(CONF)
        if not CONF.cache.enabled:
            raise ValueError("[cache]enabled is not set: nothing can be shared")
        # A region of our own: Nova's have one entry a call, and one lifetime for all.
        self._region = core.create_region()
        core.configure_cache_region(CONF, self._region)

    def read(self, since: Mapping[str, float | None], now: float) -> dict[str, Entry]:
        """The entries of these hosts that were received after the given times."""
        names = list(since)
        values = self._region.get_multi([self._place("verdict", name) for name in names])
        found = {}
        for name, value in zip(names, values, strict=True):
            entry = self._entry(name, value, now)
            after = since[name]
            if entry is not None and (after is None or entry.received_at > after):
                found[name] = entry
        return found

    def write(self, entries: Mapping[str, Entry]) -> None:
        self._region.set_multi(
            {
                self._place("verdict", name): self._sealed(
                    "verdict",
                    [
                        *(name, int(entry.verdict), entry.measured_at),
                        *(entry.received_at, entry.ends_at),
                    ],
                )
                for name, entry in entries.items()
            }
        )

    def claim(self, seconds: float) -> bool:
        """Takes the turn to ask for so long. Raises Unanswered where nobody is to ask now."""
        now = time.time()
        free_at, holder = self._turn()
        if now < free_at <= now + self._longest_turn:
            if not holder:
                raise Unanswered("another scheduler has got no answer just now")
            return False
        mine = secrets.token_hex(8)
        self._set_turn(now + seconds, mine)
        time.sleep(_SETTLE)
        return self._turn()[1] == mine

    def release(self, seconds: float) -> None:
        """Nobody is to ask for so long: 0.0 where all went well."""
        self._set_turn(time.time() + seconds, "")

    def _turn(self) -> tuple[float, str]:
        fields = self._opened("turn", self._region.get(self._place("turn", "")))
        if fields is None or len(fields) != 2 or not _is_time(fields[0]):
            return 0.0, ""
        return fields[0], str(fields[1])

    def _set_turn(self, free_at: float, holder: str) -> None:
        self._region.set(self._place("turn", ""), self._sealed("turn", [free_at, holder]))

    def _place(self, kind: str, name: str) -> str:
        digest = hashlib.sha256(f"{self._service}\n{name}".encode()).hexdigest()
        return f"libattest-{kind}-{digest}"

    def _mac(self, kind: str, body: str) -> str:
        words = f"libattest shared {kind} 1\n{self._service}\n{body}".encode()
        return hmac.new(self._key, words, hashlib.sha256).hexdigest()

    def _sealed(self, kind: str, fields: list[Any]) -> str:
        body = json.dumps(fields, separators=(",", ":"))
        return f"{self._mac(kind, body)} {body}"

    def _opened(self, kind: str, value: object) -> list[Any] | None:
        """The fields of what we wrote ourselves; None for everything else that is found there."""
        if not isinstance(value, str) or len(value) > _MAX_ENTRY:
            return None
        mac, _, body = value.partition(" ")
        if not hmac.compare_digest(mac.encode(), self._mac(kind, body).encode()):
            return None
        fields: list[Any] = json.loads(body)
        return fields

    def _entry(self, name: str, value: object, now: float) -> Entry | None:
        fields = self._opened("verdict", value)
        if fields is None or len(fields) != 5 or fields[0] != name:
            return None
        _, verdict, measured_at, received_at, ends_at = fields
        if not all(map(_is_time, (measured_at, received_at, ends_at))):
            return None
        # Nobody's clock makes a verdict live longer than this worker lets its own live.
        if received_at > now + self._skew or not now < ends_at <= received_at + lifetime():
            return None
        return Entry(libattest.Verdict(verdict), measured_at, received_at, ends_at)


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1 << 53
