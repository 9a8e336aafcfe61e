# SPDX-License-Identifier: Apache-2.0
"""Trusted compute pools for an unpatched Nova.

`libattest_nova.TrustedFilter` is a scheduler filter: flavors with `trust:trusted_host = trusted`
are placed on hosts whose attestation is fresh and good. Where to start reading: filter.py (what
a request asks for and which hosts pass), verdicts.py (when somebody is asked, and how often),
backends.py (who is asked).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .filter import TrustedFilter

__all__ = ["TrustedFilter"]


def __getattr__(name: str) -> Any:
    # Only where a scheduler asks for it: the package's daemon runs without Nova.
    if name == "TrustedFilter":
        from .filter import TrustedFilter

        return TrustedFilter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
