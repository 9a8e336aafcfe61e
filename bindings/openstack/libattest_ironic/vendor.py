# SPDX-License-Identifier: Apache-2.0
"""Vendor passthru: the last verdicts, and the commands that only an operator may give."""

import hashlib
from typing import Any

from ironic.common import exception
from ironic.drivers import base
from libattest_openstack.words import one_line
from oslo_log import log

from . import capture, steps
from .exceptions import AttestationFailure, AttestationPending
from .record import FOREIGN, Record

LOG = log.getLogger(__name__)


class LibattestVendor(base.VendorInterface):
    """The vendor interface `libattest`."""

    def get_properties(self) -> dict[str, str]:
        return {}

    def validate(self, task: Any, method: str | None = None, **kwargs: Any) -> None:
        """Nothing is needed to ask for a verdict."""

    @base.passthru(
        ["GET"],
        async_call=False,
        require_exclusive_lock=False,
        description="The last verdicts of this node, and what its settings lack",
    )
    def attestation_status(self, task: Any, **_: Any) -> dict[str, Any]:
        node = task.node
        settings, problems = steps.problems(node)
        record = Record(node)
        run = record.run
        return {
            "attestation_interface": settings.interface,
            "problems": problems,
            "warnings": steps.warnings(settings) + [FOREIGN] * record.foreign,
            "running": run["phase"] if run else None,
            "verdicts": {
                phase: {key: value for key, value in verdict.items() if key != "token"}
                for phase, verdict in record.verdicts.items()
            },
            "active": {
                key: value
                for key, value in (record.data.get("active") or {}).items()
                if key in ("verdict", "reason", "at", "good_at", "pinned", "launch", "only_launch")
            },
            "pinned": record.pinned,
        }

    @base.passthru(
        ["POST"],
        async_call=False,
        description="Forget the pinned endorsement and attestation keys of this node",
    )
    def forget_identity(self, task: Any, **kwargs: Any) -> dict[str, Any]:
        if set(kwargs) - {"http_method"}:
            raise exception.InvalidParameterValue("forget_identity takes no parameters")
        record = Record(task.node)
        forgotten = {
            "pinned": record.data.pop("pinned", {}),
            "active": (record.data.pop("active", None) or {}).get("pinned", {}),
        }
        record.save()
        LOG.warning(
            "Node %(node)s: forgot %(what)s; the next ones seen are pinned",
            {"node": task.node.uuid, "what": one_line(forgotten)},
        )
        return {"forgotten": forgotten}

    @base.passthru(
        ["POST"],
        async_call=False,
        require_exclusive_lock=False,
        description="Show the digest of the allowlist that the node's ramdisk made; with approve="
        "DIGEST put it and its checksum into driver_info/keylime_container",
    )
    def capture(self, task: Any, approve: str | None = None, **_: Any) -> dict[str, Any]:
        try:
            allowlist = capture.fetch(task)
        except (AttestationFailure, AttestationPending) as error:
            raise exception.InvalidParameterValue(error.reason)
        shown: dict[str, Any] = {
            "sha256": hashlib.sha256(allowlist).hexdigest(),
            "size": len(allowlist),
            "lines": allowlist.count(b"\n"),
        }
        if approve is not None:
            shown["container"] = capture.store(task, allowlist, str(approve))
            LOG.warning(
                "Node %(node)s: its own allowlist %(sha256)s was approved and is in %(container)s",
                {"node": task.node.uuid, **shown},
            )
        return shown
