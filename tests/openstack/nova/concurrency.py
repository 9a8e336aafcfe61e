# SPDX-License-Identifier: Apache-2.0
"""To be imported before anything else of Nova's: eventlet or threads, as its scheduler would choose."""

import nova.cmd  # noqa: F401  Debian's is on eventlet from here on
from nova import monkey_patch

if hasattr(monkey_patch, "poison_eventlet"):
    # Threads: eventlet can not even be imported.
    monkey_patch.patch(backend="threading")
