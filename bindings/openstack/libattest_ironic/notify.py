# SPDX-License-Identifier: Apache-2.0
"""Verdicts as metrics and notifications, through Ironic's own."""

from typing import Any

from ironic.common import rpc
from oslo_log import log

from . import settings as settings_
from .conf import CONF

try:
    from ironic.common import metrics_utils
except ImportError:  # Ironic up to 24: in ironic-lib
    from ironic_lib import metrics_utils

LOG = log.getLogger(__name__)
METRICS = metrics_utils.get_metrics_logger("libattest")

_LEVELS = {"trusted": "info", "unknown": "warning", "failed": "error"}
_ORDER = ("debug", "info", "warning", "error", "critical")


def late(nodes: int) -> None:
    """How many active nodes wait for longer than they should."""
    METRICS.send_gauge(METRICS.get_metric_name("attestation.active.late"), nodes)


def verdict(context: Any, node: Any, phase: str, entry: dict[str, Any], seconds: float) -> None:
    """Counts a verdict and tells it to whoever listens. Never raises: a verdict stands without."""
    outcome = entry["verdict"]
    METRICS.send_counter(METRICS.get_metric_name(f"attestation.{phase}.{outcome}"), 1)
    METRICS.send_timer(METRICS.get_metric_name(f"attestation.{phase}.duration"), seconds * 1000)
    level = _LEVELS.get(outcome, "error")
    wanted = CONF.notification_level
    if wanted is None or _ORDER.index(level) < _ORDER.index(wanted):
        return
    warn = settings_.read(node.driver_info)[0].launch.warn
    payload = {
        "node_uuid": node.uuid,
        "node_name": node.name,
        "instance_uuid": node.instance_uuid,
        "phase": phase,
        **{key: entry[key] for key in ("verdict", "reason", "interface", "at", "findings")},
        "notes": entry.get("notes", []),
        # Which measured launch was judged, whether it is all that is bad, and what comes of that.
        "launch": entry.get("launch", ""),
        "only_launch": entry["only_launch"],
        "launch_on_failure": "warn" if warn else "refuse",
    }
    try:
        notifier = rpc.get_versioned_notifier(f"ironic-conductor.{CONF.host}")
        getattr(notifier, level)(
            context, event_type=f"libattest.attestation.{outcome}", payload=payload
        )
    except Exception:
        LOG.exception("The notification of node %s's attestation was not sent", node.uuid)
