# SPDX-License-Identifier: Apache-2.0
"""The one door to libattest: everything else of it is called through call().

A service on eventlet is one native thread: a call that blocks there stops all of it. Such a
service's calls go to eventlet's pool of native threads; one with threads of its own calls directly.
Nothing is started at import. What call() runs must not log and must not take a lock of `threading`:
those are eventlet's, and not for other native threads.
"""

import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import libattest

_P = ParamSpec("_P")
_R = TypeVar("_R")

Error = libattest.Error


def _eventlet_runs_threads() -> bool:
    eventlet = sys.modules.get("eventlet")
    return eventlet is not None and bool(eventlet.patcher.is_monkey_patched("thread"))


def call(function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """function(*args, **kwargs), where it can block nobody else."""
    if _eventlet_runs_threads():
        from eventlet import tpool

        result: _R = tpool.execute(function, *args, **kwargs)
        return result
    return function(*args, **kwargs)
