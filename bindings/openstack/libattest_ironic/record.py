# SPDX-License-Identifier: Apache-2.0
"""What Ironic's database remembers of a node's attestation: driver_internal_info/libattest.

The API can not write it. It is bounded: the column holds 64 KiB for all of Ironic. A verdict
carries the cycle (one cleaning, one deployment), the boot and the settings that it is about; one
that is about others is no verdict.

Conductors of different versions may share a database. Of a record that another version wrote only
what was pinned counts, which every version keeps in the same place: the node is attested anew.
"""

import hashlib
import secrets
import time
from collections.abc import Mapping
from typing import Any

from libattest_openstack.words import one_line
from oslo_log import log

from .attestation import Evidenced

LOG = log.getLogger(__name__)

FIELD = "libattest"
# Raised whenever a record means something else than before.
VERSION = 1
# Pinned by another version in a way that this one does not know: no key is the same.
UNREADABLE = "unreadable: written by another version"
FOREIGN = (
    "the attestation record was written by another version of libattest-openstack: nothing of it "
    "is trusted, the node is attested anew"
)
MAX_FINDINGS = 5
MAX_FINDING = 300


def boot_token(node: Any) -> str:
    """Names the boot of the ramdisk: each gets a secret of its own from Ironic at its look-up."""
    token = node.driver_internal_info.get("agent_secret_token")
    return hashlib.sha256(str(token).encode()).hexdigest()[:16] if token else ""


def running(internal_info: Mapping[str, Any] | None) -> bool:
    """Whether a node with this driver_internal_info may wait for a verdict."""
    data = (internal_info or {}).get(FIELD)
    return not _ours(data) or (data is not None and isinstance(data.get("run"), dict))


def _ours(stored: Any) -> bool:
    """Whether this version wrote it. Unknown fields are another version's, whatever it says."""
    if stored is None:
        return True
    known = {"version", "cycle", "asked", "run", "verdicts", "pinned", "active"}
    return isinstance(stored, dict) and stored.get("version") == VERSION and stored.keys() <= known


def _pins_of(stored: Any) -> dict[str, Any]:
    """What is kept of another version's record: a new version is no way to a new TPM."""
    if not isinstance(stored, dict):
        return {"pinned": _pins(stored)}
    active = stored.get("active")
    active_pins = active.get("pinned") if isinstance(active, dict) else active
    return {"pinned": _pins(stored.get("pinned")), "active": {"pinned": _pins(active_pins)}}


def _pins(stored: Any) -> dict[str, str]:
    if stored is None:
        return {}
    names = {"ek_sha256", "ak_name"}
    if isinstance(stored, dict) and stored.keys() <= names:
        if all(isinstance(value, str) for value in stored.values()):
            return dict(stored)
    return dict.fromkeys(sorted(names), UNREADABLE)


class Record:
    """The record of one node. Changes are in the node object until its save()."""

    def __init__(self, node: Any) -> None:
        self.node = node
        stored = node.driver_internal_info.get(FIELD)
        # Another version wrote it, and this one has not yet written over it.
        self.foreign = not _ours(stored)
        self.data: dict[str, Any] = _pins_of(stored) if self.foreign else dict(stored or {})

    def save(self) -> None:
        if self.foreign:
            LOG.warning("Node %(node)s: %(what)s", {"node": self.node.uuid, "what": FOREIGN})
            self.foreign = False
        self.data["version"] = VERSION
        self.node.set_driver_internal_info(FIELD, self.data)
        self.node.save()

    @property
    def cycle(self) -> str | None:
        return self.data.get("cycle")

    @property
    def asked(self) -> bool:
        """Whether attestation was asked for when this cycle began."""
        return bool(self.data.get("asked"))

    @property
    def run(self) -> dict[str, Any] | None:
        return self.data.get("run")

    @property
    def pinned(self) -> dict[str, str]:
        return dict(self.data.get("pinned") or {})

    @property
    def verdicts(self) -> dict[str, Any]:
        return dict(self.data.get("verdicts") or {})

    def begin(self, *, asked: bool) -> None:
        """A new cleaning or deployment: nothing of before speaks for it."""
        self.data["cycle"] = secrets.token_hex(8)
        self.data["asked"] = asked
        self.data.pop("run", None)
        self.data["verdicts"] = {
            phase: verdict for phase, verdict in self.verdicts.items() if phase == "clean"
        }

    def end(self) -> None:
        """The cycle is over, or the instance is gone: what it proved ends with it."""
        for key in ("cycle", "asked", "run", "active"):
            self.data.pop(key, None)
        self.data["verdicts"] = {
            phase: verdict for phase, verdict in self.verdicts.items() if phase == "clean"
        }

    def start_run(self, phase: str) -> None:
        self.data["run"] = {
            "id": secrets.token_hex(8),
            "phase": phase,
            "cycle": self.cycle,
            "token": boot_token(self.node),
            "started": time.time(),
        }

    def end_run(self) -> None:
        self.data.pop("run", None)

    def verdict(self, phase: str) -> dict[str, Any] | None:
        """The verdict of this phase in this cycle."""
        found = self.verdicts.get(phase)
        return found if found and self.cycle and found.get("cycle") == self.cycle else None

    def set_verdict(
        self,
        phase: str,
        verdict: str,
        reason: str,
        *,
        interface: str,
        settings: str,
        evidenced: Evidenced | None = None,
        findings: list[str] | None = None,
        only_launch: bool = False,
    ) -> None:
        entry: dict[str, Any] = {
            "verdict": verdict,
            "reason": one_line(reason),
            "at": int(time.time()),
            "cycle": self.cycle,
            "token": boot_token(self.node),
            "interface": interface,
            "settings": settings,
            "findings": [one_line(f, MAX_FINDING) for f in (findings or [])[:MAX_FINDINGS]],
            # All else was shown; the measured launch is not what its policy says.
            "only_launch": only_launch,
        }
        if evidenced is not None:
            entry.update(
                boot=list(evidenced.boot),
                ek_sha256=evidenced.ek_sha256,
                ak_name=evidenced.ak_name,
                lists=evidenced.lists,
                launch=evidenced.launch,
                notes=[one_line(n, MAX_FINDING) for n in evidenced.notes[:MAX_FINDINGS]],
            )
        self.data["verdicts"] = {**self.verdicts, phase: entry}
