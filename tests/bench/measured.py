# SPDX-License-Identifier: Apache-2.0
"""Inside the conductor that active.py measures: libattest's own interface, counted.

With BENCH_TRANSPORT=stub the plug-in's Keylime client is replaced by machines in this process; what
their signatures cost is counted apart.
"""

import collections
import json
import os
import pathlib
import sys
import threading
import time
from typing import Any

import libattest
import sqlalchemy
from libattest_ironic import peers
from libattest_ironic.attestation import Evidenced, Subject
from libattest_ironic.inprocess import InProcessAttestation
from machines import Machines

FOLDER = pathlib.Path(os.environ["BENCH_FOLDER"])


class Counters:
    """Written to a file, half a second after a change, for the process that measures."""

    def __init__(self) -> None:
        self.rounds = 0
        self.asked_anew = 0  # from entry 0
        self.answering: list[float] = []  # CPU seconds of machines in this process
        self.statements: collections.Counter[str] = collections.Counter()
        self.last: dict[str, float] = {}
        self.gaps: collections.Counter[int] = collections.Counter()  # whole seconds between two rounds
        self._writes = False
        self._lock = threading.Lock()

    def round(self, uuid: str) -> None:
        now = time.monotonic()
        with self._lock:
            self.rounds += 1
            if uuid in self.last:
                self.gaps[int(now - self.last[uuid])] += 1
            self.last[uuid] = now
            if self._writes:
                return
            self._writes = True
        threading.Timer(0.5, self._write).start()

    def _write(self) -> None:
        with self._lock:
            self._writes = False
            shown = {
                "rounds": self.rounds,
                "nodes": len(self.last),
                "asked_anew": self.asked_anew,
                "answering": sum(self.answering),
                "statements": self.statements,
                "gaps": self.gaps,
            }
        path = FOLDER / "counters.new"
        path.write_text(json.dumps(shown))
        path.replace(FOLDER / "counters")


COUNTERS = Counters()


def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
    COUNTERS.statements[statement.split(None, 1)[0]] += 1


sqlalchemy.event.listen(sqlalchemy.engine.Engine, "before_cursor_execute", count)


def native_lock() -> Any:
    eventlet = sys.modules.get("eventlet")
    return (eventlet.patcher.original("threading") if eventlet else threading).Lock()


class Stub:
    """The two calls of libattest.Keylime that an active node needs."""

    def __init__(self) -> None:
        self._machines = Machines(FOLDER)
        # cryptography's own lock in a key is one of eventlet's, and these threads are native: who
        # waits there waits for ever.
        self._signing = native_lock()

    def lookup(self, uuid: str, timeout: float) -> libattest.KeylimeAgent:
        del timeout
        ak, ek = self._machines.ak, self._machines.ek
        return libattest.KeylimeAgent(uuid, ak, ek, b"", "", "127.0.0.1", 1)

    def integrity_quote(
        self, agent: libattest.KeylimeAgent, nonce: str, mask: int, ima_entry: int, timeout: float
    ) -> libattest.KeylimeQuote:
        del agent, mask, timeout
        begin = time.thread_time()
        with self._signing:
            quote, ima = self._machines.answer(nonce.encode(), ima_entry)
        COUNTERS.answering.append(time.thread_time() - begin)
        return libattest.KeylimeQuote(
            quote, "sha256", "rsa", "rsassa", "", None, ima.encode(), ima_entry, None
        )


if os.environ["BENCH_TRANSPORT"] == "stub":
    STUB = Stub()
    peers.keylime = lambda settings: STUB  # type: ignore[assignment]


class MeasuredAttestation(InProcessAttestation):
    name = "measured"

    def validate_active(self, subject: Subject) -> Evidenced:
        if subject.scratch["node"].ima_entries == 0:
            COUNTERS.asked_anew += 1
        evidenced = super().validate_active(subject)
        COUNTERS.round(subject.uuid)
        return evidenced
