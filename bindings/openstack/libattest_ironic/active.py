# SPDX-License-Identifier: Apache-2.0
"""Nodes that run: attested again and again, and what happens when one fails.

What is remembered of a node (the appraisal's own state, when it was last good) is in this
conductor's memory, and in the node's record at a new verdict and every checkpoint_interval: who
takes the node over goes on from there. Nodes are loaded when they changed, not at every look, and
no lock is taken but to write.
"""

import base64
import dataclasses
import json
import random
import time
from typing import Any

import libattest
from ironic.common import context as ironic_context
from ironic.common import exception, states
from ironic.conductor import task_manager
from ironic.conductor import utils as conductor_utils
from ironic.objects import node as node_object
from libattest_openstack.words import one_line
from oslo_log import log

from . import attestation, gate, launch, notify
from . import settings as settings_
from .attestation import Evidenced, Subject
from .conf import CONF
from .exceptions import AttestationFailure, AttestationPending
from .jobs import ACTIVE_JOBS
from .pace import Pace
from .record import Record

LOG = log.getLogger(__name__)

FAULT = "attestation failure"
# What is saved of one node, as JSON: the column holds 64 KiB, and thousands of nodes have one.
MAX_SAVED = 4096
# The peer of all nodes whose agent the last time did not answer, or took longer than SLOW seconds.
SLOW_AGENTS = "slow agents"
SLOW = 5.0
# Seconds between the starts of two rounds, at most.
MAX_PAUSE = 0.05
# A node is late when its last round ended more than so many active_intervals ago. How many there are
# is told each time as a metric, and in the log after so many seconds again.
LATE, TELL_AGAIN = 2, 600.0


@dataclasses.dataclass(slots=True)
class Watched:
    """One active node, in memory. Only the job of its key and apply() change it."""

    uuid: str
    updated_at: Any
    since: str
    subject: Subject
    verdict: str
    reason: str
    good_at: float
    due: float = 0.0
    saved_at: float = 0.0
    # When its last round ended, or it came here.
    round_at: float = dataclasses.field(default_factory=time.time)
    # A verdict that could not be written yet: the node was locked.
    unsaved: bool = False
    violation: str = ""
    # Its last round kept a worker for long.
    slow: bool = False
    # Which measured launch was judged, and whether it is all that is bad.
    launch: str = ""
    only_launch: bool = False

    @property
    def tolerated(self) -> bool:
        return launch.tolerated({"only_launch": self.only_launch}, self.subject.settings)


class Watch:
    """The active nodes of one conductor."""

    def __init__(self) -> None:
        self.nodes: dict[str, Watched] = {}
        # The others, that are not to be attested, as they were when that was found out.
        self._others: dict[str, Any] = {}
        self._caller: type | None = None
        self._told = -TELL_AGAIN

    def look(self, manager: Any, context: Any, caller: type) -> None:
        """Finds the nodes whose time has come and starts a job for each.

        Ironic runs the periodic once for each deploy interface of ours that is enabled; the first
        of them looks after all nodes.
        """
        if self._caller is None:
            self._caller = caller
        if caller is not self._caller:
            return
        seen, late, pace = set(), 0, Pace()
        late_after = LATE * CONF.libattest.active_interval
        rows = manager.iter_nodes(
            filters={"provision_state": states.ACTIVE},
            fields=["updated_at", "maintenance", "reservation"],
        )
        for uuid, driver, _, updated_at, maintenance, reservation in rows:
            seen.add(uuid)
            if maintenance or reservation or not driver.startswith("libattest-"):
                if uuid in self.nodes:
                    self.nodes[uuid].round_at = time.time()  # it has no turn to be late for
                continue
            try:
                watched = self._watched(context, uuid, updated_at)
                if watched is not None:
                    late += watched.round_at < time.time() - late_after
                    if self._start_if_due(watched):
                        pace.started(self._pause())
            except exception.NodeNotFound:
                continue
            except Exception:
                LOG.exception("Active node %s can not be looked at; the others are", uuid)
            pace.give_way()
        for uuid in self.nodes.keys() - seen:
            del self.nodes[uuid]
            ACTIVE_JOBS.forget(uuid)
        for uuid in self._others.keys() - seen:
            del self._others[uuid]
        self._tell(late, late_after)

    def _tell(self, late: int, late_after: int) -> None:
        notify.late(late)
        if late and time.monotonic() >= self._told + TELL_AGAIN:
            self._told = time.monotonic()
            LOG.warning(
                "%(late)d of %(all)d active nodes have had no attestation for more than %(seconds)d s: "
                "their agents are silent or slow, [libattest]workers are too few, or so many nodes "
                "want another conductor or a longer [libattest]active_interval",
                {"late": late, "all": len(self.nodes), "seconds": late_after},
            )

    def _watched(self, context: Any, uuid: str, updated_at: Any) -> Watched | None:
        known = self.nodes.get(uuid)
        if known is not None and known.updated_at == updated_at:
            return known
        if uuid in self._others and self._others[uuid] == updated_at:
            return None
        node = node_object.Node.get_by_uuid(context, uuid)
        settings, _ = settings_.read(node.driver_info)
        violation = unattested(node)
        if not violation and (not settings.asked or settings.active == "off"):
            self.nodes.pop(uuid, None)
            self._others[uuid] = updated_at
            return None
        self._others.pop(uuid, None)
        watched = resume(node, settings, updated_at, known)
        watched.violation = violation
        self.nodes[uuid] = watched
        return watched

    def _pause(self) -> float:
        """Nodes whose time comes at once are not started at once, only in half the time they have."""
        return min(MAX_PAUSE, CONF.libattest.active_interval / 2 / max(1, len(self.nodes)))

    def _start_if_due(self, watched: Watched) -> bool:
        if time.time() < watched.due:
            return False
        try:
            peer = attestation.get(watched.subject.settings.interface).peer(watched.subject)
        except exception.InvalidParameterValue:
            peer = watched.uuid
        if peer == watched.uuid and watched.slow:
            # Each may take a worker until its deadline: together they leave most to the others.
            peer = SLOW_AGENTS
        if not ACTIVE_JOBS.submit(watched.uuid, peer, lambda _: self._run(watched), {}):
            return False
        # A little disorder keeps nodes that began together from always coming together.
        interval = CONF.libattest.active_interval
        watched.due = time.time() + interval * random.uniform(0.9, 1.0)
        return True

    def _run(self, watched: Watched) -> None:
        if self.nodes.get(watched.uuid) is not watched:
            return  # it left, or came back as another, while it stood in line
        try:
            run(watched)
        except Exception:
            watched.unsaved = True
            LOG.exception("The verdict of active node %s was not saved yet", watched.uuid)


WATCH = Watch()


def unattested(node: Any) -> str:
    """Why this active node should not be active: a deployment that asked and has no verdict."""
    record = Record(node)
    if not record.cycle or not record.asked or not gate.enforced("handover"):
        return ""
    verdict = record.verdict("handover")
    if verdict is not None and (
        verdict["verdict"] == "trusted" or not gate.stops(node, "handover", verdict)
    ):
        return ""
    return "it became active without a trusted verdict"


def resume(
    node: Any, settings: settings_.Settings, updated_at: Any, known: Watched | None
) -> Watched:
    """A node as it was left: by this conductor, or by another in the record."""
    record = Record(node)
    stored = record.data.get("active") or {}
    since = str(node.provision_updated_at)
    subject = Subject(node.uuid, settings, active_pinned(record))
    same = stored.get("since") == since and stored.get("settings") == settings.digest
    # What changed and came back meanwhile is not what `known` is judged by.
    if same and known is not None and (known.since, known.subject.settings) == (since, settings):
        known.updated_at, known.subject.pinned = updated_at, subject.pinned
        return known
    if not same:
        # After rescue or service, or with other settings, what was found before counts no more.
        stored = {}
    subject.scratch["node"] = restore(stored.get("state"), node.uuid)
    return Watched(
        node.uuid,
        updated_at,
        since,
        subject,
        verdict=stored.get("verdict", "unknown"),
        reason=stored.get("reason", ""),
        good_at=stored.get("good_at") or time.time(),
        due=_first_turn(stored),
        saved_at=stored.get("at", 0.0),
    )


def _first_turn(stored: dict[str, Any]) -> float:
    """A conductor that takes over a thousand good nodes does not ask them all at once."""
    if stored.get("verdict") != "trusted":
        return 0.0
    interval: int = CONF.libattest.active_interval
    return time.time() + interval * random.random()


def active_pinned(record: Record) -> dict[str, str]:
    """EK and AK of the instance's agent: whatever ek_trust is, a running node does not change."""
    return {**record.pinned, **((record.data.get("active") or {}).get("pinned") or {})}


def restore(state: str | None, uuid: str) -> libattest.Node:
    if state:
        try:
            return libattest.Node.load(base64.b64decode(state))
        except (libattest.Error, ValueError) as error:
            LOG.warning(
                "Node %(node)s: its saved state is not usable, its logs are read anew: %(error)s",
                {"node": uuid, "error": error},
            )
    return libattest.Node()


def run(watched: Watched) -> None:
    """One round of one node, in a thread of ours."""
    started = time.monotonic()
    verdict, reason, evidenced, findings = _attest(watched)
    watched.slow = verdict == "unknown" or time.monotonic() > started + SLOW
    watched.round_at = now = time.time()
    if verdict == "trusted" or (verdict == "failed" and watched.tolerated):
        watched.good_at = now  # it answered, and goes on
    elif verdict == "unknown":
        silent = now - watched.good_at
        if (
            watched.subject.settings.active == "required"
            and silent > CONF.libattest.active_unreachable_after
        ):
            verdict, reason = "failed", f"no verdict for {int(silent)} s: {reason}"
    changed = verdict != watched.verdict or watched.unsaved
    watched.verdict, watched.reason = verdict, reason
    # A node that fails and is not in maintenance is acted upon, also if maintenance was cleared.
    if (
        changed
        or (verdict == "failed" and not watched.tolerated)
        or now >= watched.saved_at + CONF.libattest.checkpoint_interval
    ):
        _save(watched, changed, evidenced, findings, time.monotonic() - started)


def _attest(watched: Watched) -> tuple[str, str, Evidenced | None, list[str]]:
    watched.launch, watched.only_launch = "", False
    if watched.violation:
        return "failed", watched.violation, None, []
    subject = watched.subject
    try:
        driver = attestation.get(subject.settings.interface)
        attestation.check(subject.settings)
        evidenced = driver.validate_active(subject)
        _hold(subject.pinned, evidenced)
        watched.launch = evidenced.launch
    except launch.LaunchFailure as failure:
        return _bad_launch(watched, failure)
    except AttestationPending as pending:
        return "unknown", pending.reason, None, []
    except AttestationFailure as failure:
        # What comes next does not build on evidence that was bad.
        subject.scratch.clear()
        subject.scratch["node"] = libattest.Node()
        return "failed", failure.reason, None, failure.findings
    except Exception as error:
        LOG.exception("The attestation of active node %s failed unexpectedly", watched.uuid)
        return "unknown", f"unexpected error: {one_line(error, 200)}", None, []
    return "trusted", attestation.praise(evidenced), evidenced, []


def _bad_launch(
    watched: Watched, failure: launch.LaunchFailure
) -> tuple[str, str, Evidenced | None, list[str]]:
    """The state of before stays: the evidence was good, and what it says of the launch is not."""
    try:
        _hold(watched.subject.pinned, failure.evidenced)
    except AttestationFailure as other:
        return "failed", other.reason, None, []
    watched.launch, watched.only_launch = failure.evidenced.launch, True
    return "failed", failure.reason, None, failure.findings


def _hold(pinned: dict[str, str], evidenced: Evidenced) -> None:
    for key, now in (("ek_sha256", evidenced.ek_sha256), ("ak_name", evidenced.ak_name)):
        if pinned.get(key, now) != now:
            raise AttestationFailure(
                f"the {key[:2].upper()} of the active node has changed from {pinned[key]} to "
                f"{now}; if that was on purpose, use the vendor passthru method forget_identity"
            )


def _save(
    watched: Watched,
    changed: bool,
    evidenced: Evidenced | None,
    findings: list[str],
    seconds: float,
) -> None:
    context = ironic_context.get_admin_context()
    try:
        with task_manager.acquire(
            context, watched.uuid, shared=False, purpose="attestation verdict"
        ) as task:
            if task.node.provision_state != states.ACTIVE:
                return
            if str(task.node.provision_updated_at) != watched.since:
                return  # it left and came back meanwhile: the next look begins anew
            _write(task, watched, evidenced)
            if changed:
                entry = {
                    "verdict": watched.verdict,
                    "reason": one_line(watched.reason),
                    "interface": watched.subject.settings.interface,
                    "at": int(time.time()),
                    "findings": [one_line(line) for line in findings[:5]],
                    "notes": [one_line(note) for note in evidenced.notes[:5]] if evidenced else [],
                    "launch": watched.launch,
                    "only_launch": watched.only_launch,
                }
                notify.verdict(context, task.node, "active", entry, seconds)
            if watched.verdict == "failed" and watched.tolerated:
                LOG.warning(
                    "The active node %(node)s goes on: trusted_boot_on_failure is warn. %(why)s",
                    {"node": watched.uuid, "why": one_line(watched.reason)},
                )
            elif watched.verdict == "failed" and not task.node.maintenance:
                act(task, watched.reason)
    except (exception.NodeLocked, exception.NodeNotFound):
        watched.unsaved = True
        return
    watched.unsaved = False


def _write(task: Any, watched: Watched, evidenced: Evidenced | None) -> None:
    record, now = Record(task.node), time.time()
    pinned = dict((record.data.get("active") or {}).get("pinned") or {})
    if evidenced is not None:
        pinned.setdefault("ek_sha256", evidenced.ek_sha256)
        pinned.setdefault("ak_name", evidenced.ak_name)
        watched.subject.pinned.update(pinned)
    entry: dict[str, Any] = {
        "verdict": watched.verdict,
        "reason": one_line(watched.reason),
        "at": now,
        "good_at": watched.good_at,
        "since": watched.since,
        "settings": watched.subject.settings.digest,
        "pinned": pinned,
        "launch": watched.launch,
        "only_launch": watched.only_launch,
    }
    if watched.verdict == "trusted":
        state = base64.b64encode(watched.subject.scratch["node"].export()).decode()
        if len(json.dumps({**entry, "state": state})) <= MAX_SAVED:
            entry["state"] = state
        else:
            LOG.warning(
                "Node %(node)s: its state is too big to be saved (%(size)d bytes); a conductor "
                "that takes the node over reads its logs from their beginning",
                {"node": watched.uuid, "size": len(state)},
            )
    record.data["active"] = entry
    record.save()
    watched.saved_at = now
    watched.updated_at = task.node.updated_at


def act(task: Any, reason: str) -> None:
    """What the operator wants to happen to an active node that failed. No lock is left behind."""
    node, what = task.node, CONF.libattest.on_active_failure
    text = f"Attestation of the active node failed: {one_line(reason)}"
    if what == "power_off":
        text += _power_off(task)
    LOG.error("Node %(node)s: %(text)s", {"node": node.uuid, "text": text})
    if what != "log":
        node.maintenance = True
        node.maintenance_reason = text
        node.fault = FAULT
    # After a power action, which clears last_error.
    conductor_utils.node_history_record(node, event=text, event_type="attestation", error=True)
    node.save()


def _power_off(task: Any) -> str:
    if getattr(task.node, "disable_power_off", False):
        return "; it was not powered off: the node refuses that (disable_power_off)"
    try:
        conductor_utils.node_power_action(task, states.POWER_OFF)
    except Exception as error:
        return f"; powering it off failed: {one_line(error, 200)}"
    return "; it was powered off"
