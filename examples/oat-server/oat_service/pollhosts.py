# SPDX-License-Identifier: Apache-2.0
"""PollHosts: the hosts that a request names, and what is answered of them."""

import concurrent.futures
import datetime
import json
import logging
import time
from collections.abc import Iterable

from .hosts import Host, Verdict, unknown

MAX_NAME = 255  # characters: no name in the DNS is longer

log = logging.getLogger(__name__)


class BadRequest(Exception):
    """What is wrong with a request, in one line."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError("a key is there twice")
    return out


def names_of(body: bytes) -> list[str]:
    """The names that a request asks about, each once. Raises BadRequest."""
    try:
        asked = json.loads(body.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise BadRequest("the body is not JSON") from error
    # OAT 1.0 wanted a count, and 2.x passed over it. Who asks for an analysis or for certain PCRs must
    # not take the answer to a lesser question for the one to theirs.
    if not isinstance(asked, dict) or not asked.keys() <= {"count", "hosts"}:
        raise BadRequest("the body is no object, or asks for more than hosts: their policies say what is judged")
    hosts = asked.get("hosts")
    names = [hosts] if isinstance(hosts, str) else hosts  # the form of Nova's first filter
    if not isinstance(names, list) or not names:
        raise BadRequest("hosts is not a list of names")
    if not all(isinstance(name, str) and 0 < len(name) <= MAX_NAME for name in names):
        raise BadRequest(f"a host's name is not a text of 1 to {MAX_NAME} characters")
    return list(dict.fromkeys(names))


class PollHosts:
    """Judges a few hosts at a time, whatever the number of requests."""

    def __init__(self, hosts: dict[str, Host], judges: int, timeout: float) -> None:
        self._hosts, self._timeout = hosts, timeout
        self._pool = concurrent.futures.ThreadPoolExecutor(judges, "judge")

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def answer(self, names: Iterable[str]) -> list[dict[str, str]]:
        deadline = time.monotonic() + self._timeout
        known = {name: self._hosts[name] for name in names if name in self._hosts}
        judged = {name: self._pool.submit(host.judge, deadline) for name, host in known.items()}
        concurrent.futures.wait(judged.values(), self._timeout)
        return [entry(name, outcome(judged.get(name))) for name in names]


def outcome(judged: "concurrent.futures.Future[Verdict] | None") -> Verdict:
    if judged is None:
        return unknown("there is no such host")
    if judged.cancel() or not judged.done():
        return Verdict("timeout", time.time())
    try:
        return judged.result()
    except Exception:  # whatever it is, the host is not trusted
        log.exception("a host could not be judged")
        return unknown("it could not be judged")


def entry(name: str, verdict: Verdict) -> dict[str, str]:
    """In this order and never without vtime: OAT's clients rely on both."""
    when = datetime.datetime.fromtimestamp(verdict.time, datetime.UTC)
    return {"host_name": name, "trust_lvl": verdict.level, "vtime": when.isoformat(timespec="milliseconds")}
