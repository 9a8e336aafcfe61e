# SPDX-License-Identifier: Apache-2.0
"""A loop over thousands of nodes in a process whose one thread, under eventlet, others want, too."""

import time

# Seconds that a loop may go on before the others have their turn.
SLICE = 0.005
# Seconds of starts that a loop which was held up may catch up with at once.
MAX_DEBT = 0.5


class Pace:
    """Gives way by the clock, not at each node: a turn of all others may take long."""

    def __init__(self) -> None:
        self._turn = self._next_start = time.monotonic()

    def started(self, pause: float) -> None:
        """Something was started: the next is to come `pause` seconds after it."""
        self._next_start = max(self._next_start, time.monotonic() - MAX_DEBT) + pause

    def give_way(self) -> None:
        now = time.monotonic()
        if self._next_start > now:
            time.sleep(self._next_start - now)
        elif now > self._turn + SLICE:
            time.sleep(0)
        else:
            return
        self._turn = time.monotonic()
