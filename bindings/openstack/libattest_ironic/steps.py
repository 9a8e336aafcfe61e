# SPDX-License-Identifier: Apache-2.0
"""Where Ironic calls us: a mixin for deploy interfaces that boot a ramdisk.

Order of a deployment: deploy 100 boots the ramdisk, attest_deploy 90, write_image 80,
prepare_instance_boot 60, attest_handover 41, tear_down_agent 40, then the tenant's network and
boot. The second attestation is of the same boot as the first and as late as a ramdisk is there.
"""

from typing import Any

from ironic.common import exception, states
from ironic.conductor import periodics
from ironic.conductor import steps as conductor_steps
from ironic.drivers import base
from ironic.drivers.modules import deploy_utils
from oslo_log import log

from . import active, attestation, gate, launch, lists, pxe, waiting
from . import settings as settings_
from .conf import CONF
from .record import Record, running

LOG = log.getLogger(__name__)

# A deploy interface of Ironic's, which has no types.
_Stock: Any = object


class AttestationMixin(_Stock):
    """Goes before the stock deploy interface among a class's bases."""

    def get_properties(self) -> dict[str, str]:
        return {**super().get_properties(), **settings_.PROPERTIES}

    def validate(self, task: Any) -> None:
        """Ironic's own validation and ours, in one text.

        What does not stop a node is told where something else does, as for each node without an
        image: `node validate` shows it then, and changes nothing. Alone it must not spoil a
        validation: Nova, Metal3 and others deploy only onto nodes whose validation is clean.
        """
        try:
            super().validate(task)
            pxe.check_interface(task)
        except exception.InvalidParameterValue as error:
            settings, lines = problems(task.node)
            lines += warnings(settings)
            if not lines:
                raise
            raise exception.InvalidParameterValue("; ".join([*lines, str(error)])) from error
        validate_node(task.node)

    # Cleaning.

    def prepare_cleaning(self, task: Any) -> Any:
        gate.begin(task)
        return super().prepare_cleaning(task)

    def tear_down_cleaning(self, task: Any) -> None:
        waiting.stop(task.node)
        record = Record(task.node)
        if record.run is not None:
            record.end_run()
            record.save()
        super().tear_down_cleaning(task)

    def get_clean_steps(self, task: Any) -> list[dict[str, Any]]:
        # The stock agent interfaces return the ramdisk's steps only. Ours come first, and one of
        # the ramdisk's of the same name is not ours.
        others = [s for s in super().get_clean_steps(task) if s["step"] not in gate.OWN]
        return [dict(s) for s in self._own(self.clean_steps, task)] + others

    def execute_clean_step(self, task: Any, step: dict[str, Any]) -> Any:
        if step["step"] in gate.OWN:
            return base.DeployInterface.execute_clean_step(self, task, step)
        return super().execute_clean_step(task, step)

    @base.clean_step(priority=95, abortable=True, requires_ramdisk=True)
    def attest_clean(self, task: Any) -> Any:
        """Attest the node's ramdisk."""
        return self._attest(task, "clean", states.CLEANWAIT)

    # Deployment.

    def prepare(self, task: Any) -> None:
        if task.node.provision_state == states.DEPLOYING:
            gate.begin(task)
        super().prepare(task)

    def take_over(self, task: Any) -> None:
        gate.refuse_adoption(task)
        super().take_over(task)

    def tear_down(self, task: Any) -> Any:
        waiting.stop(task.node)
        record = Record(task.node)
        if record.data:
            # After a verdict nobody knows the ramdisk's agent; an instance's may still be known.
            if "active" in record.data:
                waiting.unregister(task.node, {})
            record.end()
            record.save()
        return super().tear_down(task)

    def get_deploy_steps(self, task: Any) -> list[dict[str, Any]]:
        steps = super().get_deploy_steps(task)
        gate.refuse_user_steps(task, self.deploy_steps)
        own = {s["step"] for s in self._own(self.deploy_steps, task)}
        return [dict(s) for s in steps if s["step"] not in gate.OWN or s["step"] in own]

    def execute_deploy_step(self, task: Any, step: dict[str, Any]) -> Any:
        if gate.asked(task.node):
            gate.check_order(task, self.deploy_steps)
            if conductor_steps.find_step(self.deploy_steps, step):
                gate.check_step(task, step["step"])
        return super().execute_deploy_step(task, step)

    @base.deploy_step(priority=90)
    def attest_deploy(self, task: Any) -> Any:
        """Attest the ramdisk before it writes the image."""
        return self._attest(task, "deploy", states.DEPLOYWAIT)

    @base.deploy_step(priority=41)
    def attest_handover(self, task: Any) -> Any:
        """Attest it again, in the same boot, before the node is the tenant's."""
        return self._attest(task, "handover", states.DEPLOYWAIT)

    # Verification of settings when the node is managed: no network, and not the node's fault.

    @base.verify_step(priority=10)
    def verify_attestation(self, task: Any) -> None:
        """Check the attestation settings."""
        validate_node(task.node)

    @staticmethod
    def _own(steps: list[dict[str, Any]], task: Any) -> list[dict[str, Any]]:
        return [s for s in steps if s["step"] in gate.OWN] if gate.asked(task.node) else []

    @staticmethod
    def _attest(task: Any, phase: str, wait: str) -> Any:
        if not gate.asked(task.node):
            return None
        if gate.settled(task.node, phase):
            return None
        waiting.start(task, phase)
        # The step runs again when Ironic goes on: it looks for the verdict itself.
        deploy_utils.set_async_step_flags(task.node, polling=True, skip_current_step=False)
        return wait

    @periodics.node_periodic(
        purpose="attestation of waiting nodes",
        spacing=CONF.libattest.poll_interval,
        filters={
            "reserved": False,
            "provision_state_in": [states.CLEANWAIT, states.DEPLOYWAIT],
        },
        predicate_extra_fields=["driver_internal_info"],
        predicate=lambda node: running(node.driver_internal_info),
    )
    def look_at_waiting(self, task: Any, manager: Any, context: Any) -> None:
        waiting.look(task)

    @periodics.periodic(spacing=CONF.libattest.active_poll_interval)
    def look_at_active(self, manager: Any, context: Any) -> None:
        active.WATCH.look(manager, context, type(self))


def problems(node: Any) -> tuple[settings_.Settings, list[str]]:
    """A node's settings, and one line for each that is missing or wrong."""
    settings = settings_.read(node.driver_info)[0]
    return settings, attestation.problems(settings)


def validate_node(node: Any) -> None:
    """Raises InvalidParameterValue with everything that is missing or wrong in one text."""
    settings, lines = problems(node)
    if lines:
        raise exception.InvalidParameterValue("; ".join(lines))
    for line in warnings(settings):
        LOG.warning("Node %(node)s: %(line)s", {"node": node.uuid, "line": line})


def warnings(settings: settings_.Settings) -> list[str]:
    """What does not stop the node and still should be known."""
    if not settings.asked:
        return []
    lines = lists.missing_files(settings.lists, settings.launch.policy)
    lines += lists.missing_files(settings.instance_lists, settings.launch.instance_policy)
    lines += launch.warnings(settings)
    lines += [
        f"report-only: [keylime]fail_{phase}_on_attestation_failure is false, a node that fails "
        "goes on"
        for phase in ("clean", "deploy")
        if not gate.enforced(phase)
    ]
    return lines
