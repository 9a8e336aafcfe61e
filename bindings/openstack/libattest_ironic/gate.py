# SPDX-License-Identifier: Apache-2.0
"""The gate: what a deployment must show before it goes on.

It asks for a verdict of this deployment and this boot, and never whether a step of some name is in
a list. Lists can be made without our steps; so a list that could be is refused where it is made,
every step of the deploy interface behind the attestation asks for the verdict itself, and an
active node without one is found by the periodic of active.py.
"""

from collections.abc import Mapping
from typing import Any

from ironic.common import exception, states
from ironic.objects import deploy_template
from oslo_log import log

from . import launch
from . import settings as settings_
from .conf import CONF, report_only
from .exceptions import AttestationFailure, StepRefused
from .record import FOREIGN, Record, boot_token

LOG = log.getLogger(__name__)

# The steps of ours, and the one before them that boots the ramdisk. All others wait for a verdict.
ATTEST_CLEAN = "attest_clean"
ATTEST_DEPLOY = "attest_deploy"
ATTEST_HANDOVER = "attest_handover"
OWN = {ATTEST_CLEAN, ATTEST_DEPLOY, ATTEST_HANDOVER}
_BEFORE = {"deploy", ATTEST_DEPLOY, ATTEST_HANDOVER}
_AFTER_HANDOVER = {"tear_down_agent", "switch_to_tenant_network", "boot_instance"}
# The ramdisk is gone when these run, and Ironic has wiped its token.
_AFTER_RAMDISK = {"switch_to_tenant_network", "boot_instance"}


def asked(node: Any) -> bool:
    """Whether this node is to be attested: it was when the cycle began, or it is now.

    Both, so that a change of driver_info under way can only make it stricter.
    """
    record = Record(node)
    if record.cycle and record.asked:
        return True
    return settings_.read(node.driver_info)[0].asked


def begin(task: Any) -> None:
    """A cleaning or a deployment begins."""
    record = Record(task.node)
    now_asked = settings_.read(task.node.driver_info)[0].asked
    if not now_asked and not record.data:
        return
    record.begin(asked=now_asked)
    record.save()


def refuse_user_steps(task: Any, own_steps: list[dict[str, Any]]) -> None:
    """Refuses steps of users and of deploy templates that name a step of our deploy interface.

    Naming one is how it is dropped (priority 0) or moved behind what it should guard. Raises
    StepRefused.
    """
    node = task.node
    if not asked(node):
        return
    own = {step["step"] for step in own_steps}
    for origin, steps in _named_steps(task):
        for step in steps:
            if step.get("interface") == "deploy" and step.get("step") in own:
                raise StepRefused(
                    f"{origin} names deploy step {step['step']}, which can be neither moved nor "
                    "disabled: this node is attested"
                )


def _named_steps(task: Any) -> list[tuple[str, list[dict[str, Any]]]]:
    node = task.node
    named = [("the deploy request", node.driver_internal_info.get("user_deploy_steps") or [])]
    traits = node.instance_info.get("traits")
    if traits:
        templates = deploy_template.DeployTemplate.list_by_names(task.context, traits)
        named += [(f"deploy template {template.name}", template.steps) for template in templates]
    return named


def check_order(task: Any, own_steps: list[dict[str, Any]]) -> None:
    """The list that is being executed has every step of ours at its own priority."""
    listed = {
        (step.get("interface"), step.get("step")): step.get("priority")
        for step in task.node.driver_internal_info.get("deploy_steps") or []
    }
    for step in own_steps:
        if step["priority"] > 0 and listed.get(("deploy", step["step"])) != step["priority"]:
            raise StepRefused(
                f"deploy step {step['step']} was moved or disabled: this node is attested"
            )


def check_step(task: Any, name: str) -> None:
    """Lets a step of the deploy interface run, or raises AttestationFailure."""
    if name in _BEFORE or not asked(task.node):
        return
    phase = "handover" if name in _AFTER_HANDOVER else "deploy"
    try:
        check(task.node, phase, same_boot=name not in _AFTER_RAMDISK)
    except AttestationFailure as failure:
        if not _only_reported(phase):
            raise
        LOG.warning(
            "Node %(node)s goes on to %(step)s although %(why)s: attestation is report-only",
            {"node": task.node.uuid, "step": name, "why": failure.reason},
        )


def check(node: Any, phase: str, *, same_boot: bool) -> None:
    """Raises AttestationFailure unless this phase has a verdict of now that lets the node go on."""
    record = Record(node)
    verdict = record.verdict(phase)
    settings = settings_.read(node.driver_info)[0]
    if verdict is None:
        why = f"there is no {phase} verdict of this deployment"
        raise AttestationFailure(f"{why}: {FOREIGN}" if record.foreign else why)
    if verdict["verdict"] != "trusted" and not launch.tolerated(verdict, settings):
        raise AttestationFailure(verdict["reason"], verdict["findings"])
    if verdict["settings"] != settings.digest:
        raise AttestationFailure("the attestation settings have changed since the verdict")
    if same_boot and verdict["token"] != boot_token(node):
        raise AttestationFailure("the node has rebooted since the verdict; deploy it again")


def settled(node: Any, phase: str) -> bool:
    """Whether the phase is over in this cycle. Raises AttestationFailure if it ended badly."""
    verdict = Record(node).verdict(phase)
    if verdict is None:
        return False
    if verdict["verdict"] == "trusted" or not stops(node, phase, verdict):
        return True
    raise AttestationFailure(verdict["reason"], verdict["findings"])


def enforced(phase: str) -> bool:
    return not _only_reported(phase)


def stops(node: Any, phase: str, verdict: Mapping[str, Any]) -> bool:
    """Whether this bad verdict stops the node."""
    settings = settings_.read(node.driver_info)[0]
    return enforced(phase) and not launch.tolerated(verdict, settings)


def _only_reported(phase: str) -> bool:
    if CONF.libattest.require_attestation:
        return False
    return report_only("clean" if phase == "clean" else "deploy")


def refuse_adoption(task: Any) -> None:
    """Adoption makes a node active without a step, so without a verdict."""
    if task.node.provision_state != states.ADOPTING or not asked(task.node):
        return
    if CONF.libattest.allow_adopt:
        # It is not a deployment that lacks its verdict.
        record = Record(task.node)
        record.end()
        record.save()
    else:
        raise exception.InvalidParameterValue(
            "this node is attested and adoption would skip that: deploy it, or set "
            "[libattest]allow_adopt"
        )
