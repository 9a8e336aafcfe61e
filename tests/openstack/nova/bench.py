# SPDX-License-Identifier: Apache-2.0
"""What the filter costs Nova's scheduler, beside Nova's own AllHostsFilter in the same run.

Warm: verdicts are there. Hanging: how long the scheduler's other green threads are held while the
attestation service accepts connections and says nothing. Prints figures; judges nothing.
"""

import os
import pathlib
import platform
import statistics
import sys
import threading
import time

from attestation_service import Service
from scheduling import Scripted, TRUSTED, TrustedFilter, filter_on, hosts, options, request

from nova.scheduler import filters
from nova.scheduler.filters import all_hosts_filter
from oslo_utils import eventletutils

WORK = pathlib.Path(os.environ["LIBATTEST_TEST_WORK"])
ROUNDS = 200


def milliseconds(call) -> tuple[float, float]:
    """The median, and the least: what it takes where nobody else wants the processor."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return 1e3 * statistics.median(times), 1e3 * min(times)


def warm(number: int) -> None:
    given = hosts(*(f"compute-{n:05}.example.org" for n in range(number)))
    handler = filters.HostFilterHandler()
    trusted = filter_on(Scripted(lambda names, timeout: dict.fromkeys(names, TRUSTED)))
    plain, asking = request(), request(trust="trusted")

    def run(one, spec):
        return handler.get_filtered_objects([one], given, spec)

    assert len(run(trusted, asking)) == number
    theirs = all_hosts_filter.AllHostsFilter()
    figures = {
        "AllHostsFilter": milliseconds(lambda: run(theirs, asking)),
        "TrustedFilter": milliseconds(lambda: run(trusted, asking)),
        "TrustedFilter, trust not asked for": milliseconds(lambda: run(trusted, plain)),
    }
    for name, (median, least) in figures.items():
        print(f"{number:6} hosts  {name:36} median {median:8.3f} ms  least {least:8.3f} ms")


def longest_gap(call) -> tuple[float, float]:
    """How long `call` took, and the longest time, meanwhile, between two turns of a thread that
    wants one every millisecond."""
    gaps: list[float] = []
    ended = threading.Event()

    def beat() -> None:
        last = time.monotonic()
        while not ended.is_set():
            time.sleep(0.001)
            now = time.monotonic()
            gaps.append(now - last)
            last = now

    heart = threading.Thread(target=beat)
    heart.start()
    began = time.monotonic()
    call()
    took = time.monotonic() - began
    ended.set()
    heart.join()
    return took, 1e3 * max(gaps)


def hanging() -> None:
    with Service(WORK) as service:
        service.fail("slow-headers")
        with options(**service.options(), fetch_timeout=3.0):
            trusted, given = TrustedFilter(), hosts(*(f"n{n}" for n in range(1000)))
            took, gap = longest_gap(lambda: trusted.filter_all(given, request(trust="trusted")))
    _, idle = longest_gap(lambda: time.sleep(3.0))
    print(f"hanging service: the request waited {took:.2f} s, others at most {gap:.1f} ms")
    print(f"nobody asks: others wait at most {idle:.1f} ms on this machine")


def main() -> None:
    threads = "eventlet" if eventletutils.is_monkey_patched("thread") else "native threads"
    print(f"Python {platform.python_version()}, {threads}")
    sizes = [int(word) for word in sys.argv[1:]] or [1000, 10000]
    for number in sizes:
        warm(number)
    hanging()


if __name__ == "__main__":
    main()
