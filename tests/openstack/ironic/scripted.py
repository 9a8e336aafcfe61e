# SPDX-License-Identifier: Apache-2.0
"""An attestation interface for tests of Ironic's side: finds what a file says.

The file is named after the node. Its words: trusted [BOOT [EK]], failed, error, slow SECONDS, lists
(load them, and pass), put (write them to Swift first); anything else, or no file, is no verdict
yet. Each answer but the last takes its line away.
"""

import hashlib
import os
import pathlib
import time

from libattest_ironic import lists
from libattest_ironic.attestation import AttestationInterface, Evidenced, Subject
from libattest_ironic.exceptions import AttestationFailure, AttestationPending
from libattest_ironic.settings import Settings


class ScriptedAttestation(AttestationInterface):
    name = "scripted"

    def validate(self, settings: Settings) -> list[str]:
        return []

    def start_attestation(self, subject: Subject) -> None:
        self._note(subject, "start")

    def validate_security_status(self, subject: Subject) -> Evidenced:
        path = self._folder() / subject.uuid
        lines = path.read_text().splitlines() if path.exists() else []
        if len(lines) > 1:
            path.write_text("\n".join(lines[1:]))
        words = lines[0].split() if lines else []
        if words[:1] == ["trusted"]:
            boot = int(words[1]) if len(words) > 1 else 1
            ek = words[2] if len(words) > 2 else "e" * 64
            return Evidenced(ek, "000b" + "a" * 64, (boot, 0), True, "l" * 64)
        if words[:1] == ["put"]:
            store = lists.SwiftStore(str(subject.settings.lists.container))
            store.put("allowlist", b"as put")
            store.put("allowlist_checksum", hashlib.sha256(b"as put").hexdigest().encode())
        if words[:1] in (["lists"], ["put"]):
            loaded = lists.load(subject.settings.lists)
            return Evidenced("e" * 64, "000b" + "a" * 64, (1, 0), True, loaded.digest)
        if words[:1] == ["failed"]:
            raise AttestationFailure("PCR 7 is not what it should be")
        if words[:1] == ["error"]:
            raise ZeroDivisionError("a bug")
        if words[:1] == ["slow"]:
            time.sleep(float(words[1]))
        raise AttestationPending("no word yet")

    def unregister_node(self, subject: Subject) -> None:
        self._note(subject, "unregister")

    @staticmethod
    def _folder() -> pathlib.Path:
        return pathlib.Path(os.environ["LIBATTEST_TEST_VERDICTS"])

    def _note(self, subject: Subject, what: str) -> None:
        with open(self._folder() / f"{subject.uuid}.calls", "a", encoding="ascii") as file:
            file.write(what + "\n")
