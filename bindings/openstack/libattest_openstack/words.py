# SPDX-License-Identifier: Apache-2.0
"""Texts of peers, for people."""

MAX_WORDS = 500


def one_line(text: object, limit: int = MAX_WORDS) -> str:
    """Text of a peer, fit for a log line and for Ironic's last_error: at most `limit` characters."""
    printable = "".join(c if c.isprintable() else " " for c in str(text)[: 4 * limit])
    words = " ".join(printable.split())
    return words if len(words) <= limit else words[: limit - 1] + "…"
