# SPDX-License-Identifier: Apache-2.0
"""From a step that waits to its verdict: jobs ask, a periodic looks, Ironic's steps go on."""

import dataclasses
import time
from typing import Any

from ironic.common import context as ironic_context
from ironic.common import exception, states
from ironic.conductor import task_manager
from ironic.conductor import utils as conductor_utils
from ironic.drivers.modules import deploy_utils
from libattest_openstack.words import one_line
from oslo_log import log

from . import attestation, gate, identity, notify, peers
from . import settings as settings_
from .attestation import AttestationInterface, Evidenced, Subject
from .conf import CONF
from .exceptions import AttestationFailure, AttestationPending
from .jobs import JOBS, later
from .launch import LaunchFailure
from .record import Record, boot_token

LOG = log.getLogger(__name__)

SETTINGS_CHANGED = "the attestation settings have changed while it was being attested"


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What one round brought: trusted, failed, unknown, or pending, which is asked again."""

    verdict: str
    reason: str = ""
    evidenced: Evidenced | None = None
    findings: tuple[str, ...] = ()
    # Failed, and all but the measured launch was shown: evidenced is there.
    only_launch: bool = False
    # The digest of the settings by which evidenced was judged.
    settings: str = ""


def start(task: Any, phase: str) -> None:
    """Begins to attest, or goes on after an interruption. The node is saved first."""
    record = Record(task.node)
    if record.cycle is None:
        record.begin(asked=True)  # another version's record: its cycle is not known
    if record.run is None or record.run["phase"] != phase:
        record.start_run(phase)
    record.save()
    _submit(task.node)


def stop(node: Any) -> None:
    """Nobody waits for the verdict any more, and Keylime forgets the agent. Saves nothing."""
    record = Record(node)
    if record.run is None:
        return
    key = (node.uuid, record.run["id"])
    job = JOBS.look(key)
    JOBS.forget(key)
    unregister(node, job.scratch if job is not None else {})


def subject_of(node: Any, task: Any = None) -> Subject:
    record = Record(node)
    return Subject(
        node.uuid, settings_.read(node.driver_info)[0], record.pinned, task=task
    )


def _submit(node: Any) -> None:
    record = Record(node)
    assert record.run is not None
    run_id, uuid = record.run["id"], node.uuid
    subject = subject_of(node)
    try:
        peer = attestation.get(subject.settings.interface).peer(subject)
    except exception.InvalidParameterValue:
        peer = uuid  # the work fails with these words
    JOBS.submit((uuid, run_id), peer, lambda scratch: _work(uuid, run_id, scratch))


def _work(uuid: str, run_id: str, scratch: dict[str, Any]) -> Outcome:
    """One round, in a thread of ours. A shared task takes no lock."""
    digest = ""
    try:
        context = ironic_context.get_admin_context()
        with task_manager.acquire(context, uuid, shared=True, purpose="attestation") as task:
            record = Record(task.node)
            if record.run is None or record.run["id"] != run_id:
                return Outcome("unknown", "the attestation was abandoned")
            subject = subject_of(task.node, task)
            digest = subject.settings.digest
            if scratch.setdefault("settings", digest) != digest:
                return Outcome("unknown", SETTINGS_CHANGED)  # lists were loaded by those of before
            subject.scratch = scratch
            return dataclasses.replace(_attest(subject), settings=digest)
    except AttestationPending as pending:
        return Outcome("pending", pending.reason)
    except LaunchFailure as failure:
        findings = tuple(failure.findings)
        return Outcome(
            "failed", failure.reason, failure.evidenced, findings, only_launch=True, settings=digest
        )
    except AttestationFailure as failure:
        return Outcome("failed", failure.reason, findings=tuple(failure.findings))
    except exception.InvalidParameterValue as error:
        return Outcome("failed", str(error))
    except Exception as error:
        # What we did not foresee is no verdict, and surely not a good one.
        LOG.exception("The attestation of node %s failed unexpectedly", uuid)
        return Outcome("unknown", f"unexpected error: {one_line(error, 200)}")


def _attest(subject: Subject) -> Outcome:
    driver = attestation.get(subject.settings.interface)
    attestation.check(subject.settings)
    if subject.settings.registrar is not None:
        _find_agent(subject)
    if "started" not in subject.scratch:
        driver.start_attestation(subject)
        subject.scratch["started"] = True
    evidenced = driver.validate_security_status(subject)
    return Outcome("trusted", attestation.praise(evidenced), evidenced)


def _find_agent(subject: Subject) -> None:
    """Asks the ramdisk which agent it runs, unless the operator has said so."""
    if subject.settings.agent_uuid is not None:
        return
    if "agent_uuid" in subject.scratch:
        subject.agent_uuid_found = subject.scratch["agent_uuid"]
        return
    if not subject.task.node.driver_internal_info.get("agent_url"):
        raise AttestationPending("no ramdisk runs that could say which Keylime agent it has")
    answer = peers.Ramdisk(subject).command("get_keylime_info")
    uuid = answer.get("keylime_agent_uuid")
    if not uuid:
        raise AttestationPending("the node's Keylime agent has no UUID yet")
    read, _ = settings_.read({"keylime_agent_uuid": uuid, "attestation_interface": "x"})
    if read.agent_uuid is None:
        raise AttestationFailure("the node names a Keylime agent with an impossible UUID")
    subject.agent_uuid_found = subject.scratch["agent_uuid"] = read.agent_uuid


def look(task: Any) -> None:
    """One look at a node that waits; the periodic calls it with a shared task."""
    record = Record(task.node)
    if record.foreign:
        _begin_anew(task)
        return
    run = record.run
    if run is None:
        return
    job = JOBS.look((task.node.uuid, run["id"]))
    late = time.time() > run["started"] + CONF.libattest.attestation_timeout
    if job is None or not job.future.done():
        if late:
            _conclude(task, run["id"], Outcome("unknown", "nobody answered in time"))
        elif job is None:
            _submit(task.node)
        return
    # What is no Exception, eventlet's timeouts among it, ends a job past _work().
    error = job.future.exception()
    outcome: Outcome = (
        Outcome("pending", f"unexpected error: {one_line(repr(error), 200)}")
        if error is not None
        else job.future.result()
    )
    if outcome.verdict != "pending":
        _conclude(task, run["id"], outcome)
    elif late:
        reason = f"no verdict in time: {outcome.reason}"
        _conclude(task, run["id"], Outcome("unknown", reason))
    else:
        _submit(task.node)


def _begin_anew(task: Any) -> None:
    """Another version of ours began to attest this node, and this one does not know what it did."""
    if (_step(task.node) or {}).get("step") not in gate.OWN:
        return
    task.upgrade_lock()
    record = Record(task.node)
    if not record.foreign:
        return
    # It was asked for, or the node would not wait in a step of ours.
    record.begin(asked=True)
    record.save()
    _resume(task)  # the step runs again, and finds no verdict


def _step(node: Any) -> dict[str, Any] | None:
    """The step that a waiting node is in."""
    step: dict[str, Any] | None = (
        node.clean_step if node.provision_state == states.CLEANWAIT else node.deploy_step
    )
    return step


def _resume(task: Any) -> None:
    if task.node.provision_state == states.CLEANWAIT:
        conductor_utils.notify_conductor_resume_clean(task)
    else:
        conductor_utils.notify_conductor_resume_deploy(task)


def _conclude(task: Any, run_id: str, outcome: Outcome) -> None:
    """Writes the verdict of this run down and lets Ironic go on, or fail."""
    task.upgrade_lock()
    node, record = task.node, Record(task.node)
    if record.run is None or record.run["id"] != run_id:
        return
    phase, started = record.run["phase"], record.run["started"]
    if record.run["cycle"] != record.cycle:
        outcome = Outcome("unknown", "the node was cleaned or deployed anew meanwhile")
    elif record.run["token"] != boot_token(node):
        outcome = Outcome("unknown", "the node has rebooted while it was being attested")
    settings = settings_.read(node.driver_info)[0]
    if outcome.evidenced is not None and outcome.settings != settings.digest:
        outcome = Outcome("unknown", SETTINGS_CHANGED)
    outcome = _same_boot(record, phase, outcome)
    job = JOBS.look((node.uuid, run_id))
    scratch = job.scratch if job is not None else {}
    JOBS.forget((node.uuid, run_id))
    record.end_run()
    record.set_verdict(
        phase,
        outcome.verdict,
        outcome.reason,
        interface=settings.interface,
        settings=settings.digest,
        evidenced=outcome.evidenced,
        findings=list(outcome.findings),
        only_launch=outcome.only_launch,
    )
    _pin(record, outcome)
    record.save()
    notify.verdict(
        task.context, node, phase, record.verdicts[phase], max(0.0, time.time() - started)
    )
    goes_on = outcome.verdict == "trusted" or not gate.stops(node, phase, record.verdicts[phase])
    if phase != "deploy" or outcome.evidenced is None or not goes_on:
        unregister(node, scratch)
    _go_on(task, phase, outcome, goes_on=goes_on)


def _same_boot(record: Record, phase: str, outcome: Outcome) -> Outcome:
    """What is handed over is the boot that the image was written by."""
    if phase != "handover" or outcome.evidenced is None:
        return outcome
    before = record.verdict("deploy")
    if before is None:
        return Outcome("failed", "no verdict of before the image is known; deploy again")
    if before.get("verdict") != "trusted" and "boot" not in before:
        return outcome  # report-only: the failure was told
    now = outcome.evidenced
    if before.get("boot") != list(now.boot) or before.get("ek_sha256") != now.ek_sha256:
        return Outcome("failed", "the node has rebooted since it was attested; deploy it again")
    return outcome


def _pin(record: Record, outcome: Outcome) -> None:
    if outcome.verdict != "trusted" or outcome.evidenced is None:
        return
    evidenced = outcome.evidenced
    new = identity.to_pin(
        record.pinned, evidenced.ek_sha256, evidenced.ak_name, evidenced.ak_proven
    )
    if new:
        record.data["pinned"] = {**record.pinned, **new}
        LOG.warning(
            "Node %(node)s: pinned %(what)s from now on; check that it is this node's",
            {
                "node": record.node.uuid,
                "what": ", ".join(f"{key} {value}" for key, value in sorted(new.items())),
            },
        )


def unregister(node: Any, scratch: dict[str, Any]) -> None:
    """Verifier and registrar forget the node's agent, some time soon.

    `scratch` knows which agent that was, where the ramdisk has said it.
    """
    subject = subject_of(node)
    if not subject.settings.asked:
        return
    subject.agent_uuid_found = scratch.get("agent_uuid")
    try:
        driver: AttestationInterface = attestation.get(subject.settings.interface)
    except exception.InvalidParameterValue:
        return
    later(
        driver.peer(subject),
        f"Node {node.uuid} was not unregistered from Keylime",
        lambda: driver.unregister_node(subject),
    )


def _go_on(task: Any, phase: str, outcome: Outcome, *, goes_on: bool) -> None:
    node = task.node
    good = outcome.verdict == "trusted"
    words = "Attestation of node %s (%s): %s" % (node.uuid, phase, outcome.reason)
    if goes_on:
        if good:
            LOG.info(words)
        else:
            warned = gate.enforced(phase)
            why = "trusted_boot_on_failure is warn" if warned else "this is report-only"
            LOG.warning("%s; %s, the node goes on", words, why)
        _resume(task)
        return
    message = f"Attestation failed: {outcome.reason}"
    if node.provision_state == states.CLEANWAIT:
        conductor_utils.cleaning_error_handler(task, words, errmsg=message)
    else:
        deploy_utils.set_failed_state(task, message, collect_logs=False)
