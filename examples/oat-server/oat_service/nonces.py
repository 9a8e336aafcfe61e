# SPDX-License-Identifier: Apache-2.0
"""Nonces that tell, to whom has the key, for which host and when they were made.

Evidence is not older than its nonce. A file's time would only say when somebody wrote it: a host
could hand in the quote from before it was broken into again and again.
"""

import hashlib
import hmac

TIME_BYTES, SEAL_BYTES = 4, 16  # 20 in all: a TPM 1.2 takes no other nonce


class Nonces:
    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, host: str, now: float) -> bytes:
        when = int(now).to_bytes(TIME_BYTES, "big")
        return when + self._seal(host, when)

    def made_at(self, host: str, nonce: bytes) -> int | None:
        """Seconds since 1970; None for a nonce that was not made here for this host."""
        when, seal = nonce[:TIME_BYTES], nonce[TIME_BYTES:]
        good = hmac.compare_digest(seal, self._seal(host, when))
        return int.from_bytes(when, "big") if good else None

    def _seal(self, host: str, when: bytes) -> bytes:
        return hmac.digest(self._key, when + host.encode(), hashlib.sha256)[:SEAL_BYTES]
