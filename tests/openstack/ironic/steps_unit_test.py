# SPDX-License-Identifier: Apache-2.0
"""Where Ironic calls us, on its own test bases: steps, their order, a cycle's begin and end."""

import concurrent.futures
import uuid
from unittest import mock

# The first of Ironic's: it chooses between eventlet and threads.
import ironic.tests.unit  # noqa: F401, I001
from ironic.common import exception, states
from ironic.drivers import base
from ironic.drivers.modules import agent

import unit_test
from libattest_ironic import active, gate, hardware, settings, steps, waiting
from libattest_ironic.deploy import DirectDeploy
from libattest_ironic.exceptions import AttestationFailure, AttestationPending, StepRefused
from libattest_ironic.record import Record

GOOD, EK = unit_test.GOOD, unit_test.EK


class Base(unit_test.Base):
    def node(self, info: dict | None = None, **fields):
        return super().node(info, **{"uuid": str(uuid.uuid4()), **fields})

    def record(self, node) -> Record:
        node.refresh()
        return Record(node)


class Order(Base):
    def test_of_a_deployment(self):
        order = sorted(DirectDeploy().deploy_steps, key=lambda step: -step["priority"])
        names = [step["step"] for step in order if step["priority"]]
        for before, after in (("deploy", "attest_deploy"), ("attest_deploy", "write_image"),
                              ("prepare_instance_boot", "attest_handover"),
                              ("attest_handover", "tear_down_agent")):  # fmt: skip
            self.assertLess(names.index(before), names.index(after), (before, after))

    def test_only_nodes_that_ask_have_steps_of_ours(self):
        for info, number in ((GOOD, 1), ({}, 0)):
            node = self.node(info)
            with self.task(node) as task:
                deploy = task.driver.deploy
                listed = [*deploy.get_deploy_steps(task), *deploy.get_clean_steps(task)]
            names = [step["step"] for step in listed]
            for name in gate.OWN:
                self.assertEqual(number, names.count(name), name)
            self.assertIn("deploy", names)

    def test_a_step_of_ours_is_run_here_and_a_ramdisks_there(self):
        node, deploy = self.node(), DirectDeploy()
        ours, theirs = ({"step": name, "interface": "deploy", "args": {}}
                        for name in ("attest_clean", "erase_devices"))  # fmt: skip
        with self.task(node) as task, mock.patch.object(
            agent.AgentDeploy, "execute_clean_step"
        ) as of_ramdisk, mock.patch.object(base.DeployInterface, "execute_clean_step") as of_ours:
            deploy.execute_clean_step(task, ours)
            of_ours.assert_called_once_with(deploy, task, ours)
            of_ramdisk.assert_not_called()
            deploy.execute_clean_step(task, theirs)
            of_ramdisk.assert_called_once_with(task, theirs)

    def test_a_list_with_our_step_under_another_interface(self):
        node = self.node(provision_state=states.DEPLOYING)
        with self.task(node) as task:
            own = task.driver.deploy.deploy_steps
            others = [{**step, "interface": "bios"} for step in own]
            task.node.set_driver_internal_info("deploy_steps", others)
            self.assertRaises(StepRefused, gate.check_order, task, own)


class Waits(Base):
    """What a step of ours does."""

    def attest(self, phase: str, node):
        name, state = {
            "clean": ("attest_clean", states.CLEANING),
            "deploy": ("attest_deploy", states.DEPLOYING),
            "handover": ("attest_handover", states.DEPLOYING),
        }[phase]
        node.provision_state = state
        if phase == "clean":
            node.clean_step = {"step": name, "interface": "deploy"}
        node.save()
        with self.task(node) as task, mock.patch.object(waiting, "_submit") as self.submitted:
            return getattr(task.driver.deploy, name)(task)

    def begun(self, info: dict | None = None):
        node = self.node(info)
        record = Record(node)
        record.begin(asked=info is None)
        record.save()
        return node

    def test_it_waits_for_a_verdict_and_is_asked_again(self):
        for phase, state, prefix in (("clean", states.CLEANWAIT, "clean"),
                                     ("deploy", states.DEPLOYWAIT, "deploy"),
                                     ("handover", states.DEPLOYWAIT, "deploy")):  # fmt: skip
            node = self.begun()
            self.assertEqual(state, self.attest(phase, node))
            self.submitted.assert_called_once()
            self.assertEqual(phase, self.record(node).run["phase"])
            info = node.driver_internal_info
            polling = "cleaning_polling" if prefix == "clean" else "deployment_polling"
            self.assertTrue(info[polling])
            self.assertFalse(info[f"skip_current_{prefix}_step"])

    def test_it_is_over_when_there_is_a_good_one(self):
        node = self.begun()
        self.trusted(node, "deploy")
        self.assertIsNone(self.attest("deploy", node))
        self.submitted.assert_not_called()
        # One phase's is none of another's.
        self.assertEqual(states.DEPLOYWAIT, self.attest("handover", node))

    def test_it_fails_with_a_bad_one(self):
        node = self.begun()
        record = Record(node)
        record.set_verdict("deploy", "failed", "a bad file", interface="keylime",
                           settings=settings.read(GOOD)[0].digest)  # fmt: skip
        record.save()
        with self.assertRaisesRegex(AttestationFailure, "a bad file"):
            self.attest("deploy", node)

    def test_it_is_nothing_for_a_node_that_does_not_ask(self):
        node = self.begun({})
        for phase in ("clean", "deploy", "handover"):
            self.assertIsNone(self.attest(phase, node))
            self.submitted.assert_not_called()

    def test_the_agent_must_be_gone_before_the_boot_may_be_another(self):
        node = self.begun()
        for phase in ("deploy", "handover"):
            self.trusted(node, phase)
        with self.task(node) as task:
            task.node.set_driver_internal_info("agent_secret_token", "of the next boot")
            for name in ("tear_down_agent", "write_image"):
                with self.assertRaisesRegex(AttestationFailure, "rebooted"):
                    gate.check_step(task, name)
            for name in ("switch_to_tenant_network", "boot_instance"):
                gate.check_step(task, name)

    def test_the_tenants_network_waits_for_the_second_verdict(self):
        node = self.begun()
        self.trusted(node, "deploy")
        with self.task(node) as task:
            for name in ("tear_down_agent", "switch_to_tenant_network", "boot_instance"):
                with self.assertRaisesRegex(AttestationFailure, "no handover verdict"):
                    gate.check_step(task, name)


class Cycles(Base):
    """What begins a cleaning or a deployment, and what ends one."""

    def test_each_begins_without_a_verdict(self):
        for state, method in ((states.DEPLOYING, "prepare"), (states.CLEANING, "prepare_cleaning")):
            node = self.node(provision_state=state)
            record = Record(node)
            record.begin(asked=True)
            record.save()
            for phase in ("deploy", "handover"):
                self.trusted(node, phase)
            before = self.record(node).cycle
            with self.task(node) as task:
                getattr(task.driver.deploy, method)(task)
            after = self.record(node)
            self.assertNotEqual(before, after.cycle)
            self.assertEqual((True, {}), (after.asked, after.verdicts))

    def test_a_take_over_begins_nothing(self):
        node = self.node(provision_state=states.ACTIVE)
        record = Record(node)
        record.begin(asked=True)
        record.save()
        self.trusted(node, "handover")
        before = self.record(node).data
        with self.task(node) as task:
            task.driver.deploy.prepare(task)
            task.driver.deploy.take_over(task)
        self.assertEqual(before, self.record(node).data)

    def test_who_does_not_ask_may_be_adopted(self):
        node = self.node({}, provision_state=states.ADOPTING)
        with self.task(node) as task:
            task.driver.deploy.prepare(task)
            task.driver.deploy.take_over(task)
        self.assertEqual({}, self.record(node).data)

    def test_tear_down_ends_what_was_proven(self):
        node = self.node(provision_state=states.DELETING)
        record = Record(node)
        record.begin(asked=True)
        record.start_run("handover")
        record.data["active"] = {"verdict": "trusted"}
        record.data["pinned"] = {"ek_sha256": EK}
        record.save()
        for phase in ("clean", "handover"):
            self.trusted(node, phase)
        with self.task(node) as task, mock.patch.object(waiting, "unregister") as forgotten:
            task.driver.deploy.tear_down(task)
        self.assertEqual(2, forgotten.call_count)  # the ramdisk's agent, and the instance's
        data = self.record(node).data
        self.assertEqual({"version", "verdicts", "pinned"}, set(data))
        self.assertEqual({"clean"}, set(data["verdicts"]))

    def test_a_cleaning_that_ends_asks_no_more(self):
        node = self.node(provision_state=states.CLEANING)
        record = Record(node)
        record.begin(asked=True)
        record.start_run("clean")
        record.save()
        with self.task(node) as task, mock.patch.object(waiting, "unregister") as forgotten:
            task.driver.deploy.tear_down_cleaning(task)
        forgotten.assert_called_once()
        self.assertIsNone(self.record(node).run)

    def test_a_verdict_without_a_cycle_is_none(self):
        node = self.node()
        self.trusted(node, "handover")
        self.assertIsNone(Record(node).verdict("handover"))

    def test_report_only_nodes_are_not_missing_a_verdict(self):
        node = self.node(provision_state=states.ACTIVE)
        record = Record(node)
        record.begin(asked=True)
        record.save()
        self.assertNotEqual("", active.unattested(node))
        self.config(fail_deploy_on_attestation_failure=False, group="keylime")
        self.assertEqual("", active.unattested(node))


class Validation(Base):
    def refused(self, node, *words: str) -> None:
        with self.task(node) as task:
            for validate in (task.driver.deploy.validate, task.driver.deploy.verify_attestation):
                refused = self.assertRaises(exception.InvalidParameterValue, validate, task)
                for word in words:
                    self.assertIn(word, str(refused))

    def test_everything_that_is_wrong_is_named(self):
        info = {"attestation_interface": "keylime", "keylime_vp": "x"}
        self.refused(self.node(info), "keylime_vp", "keylime_v ", "keylime_r", "tpm_ek_sha256",
                     "keylime_container")  # fmt: skip

    def test_good_settings_are_let_through(self):
        for info in (GOOD, {}):
            with self.task(self.node(info)) as task:
                task.driver.deploy.validate(task)
                task.driver.deploy.verify_attestation(task)

    def test_what_another_interface_finds_wrong_is_told_beside_it(self):
        info = {key: value for key, value in GOOD.items() if key != "keylime_container"}
        lists = {"keylime_allowlist": "nowhere", "keylime_allowlist_checksum": "0" * 64}
        instance = {"capabilities": {"trusted_boot": "true"}}
        self.config(fail_clean_on_attestation_failure=False, group="keylime")
        for more, word in ((lists, "nowhere is not a file on conductor"),
                           ({}, "keylime_container nor keylime_allowlist")):  # fmt: skip
            node = self.node({**info, **more}, instance_info=instance)
            with self.task(node) as task:
                refused = self.assertRaises(
                    exception.InvalidParameterValue, task.driver.deploy.validate, task
                )
            for words in (word, "report-only: [keylime]fail_clean", "boot interface fake"):
                self.assertIn(words, str(refused))

    def test_what_does_not_stop_a_node_is_in_the_log(self):
        instance = {"keylime_instance_allowlist": "run", "keylime_instance_allowlist_checksum":
                    "0" * 64, "attest_active": "optional"}  # fmt: skip
        self.config(fail_deploy_on_attestation_failure=False, group="keylime")
        with self.task(self.node({**GOOD, **instance})) as task, mock.patch.object(
            steps.LOG, "warning"
        ) as warned:
            task.driver.deploy.validate(task)
        told = [call.args[1]["line"] for call in warned.call_args_list]
        self.assertEqual(2, len(told), told)
        self.assertIn("run is not a file on conductor", told[0])
        self.assertIn("report-only: [keylime]fail_deploy", told[1])

    def test_settings_of_a_node_that_is_not_attested(self):
        self.refused(self.node({"attest_active": "required"}), "attest_active is set for a node")


class Configuration(Base):
    """What keeps a conductor from starting, and what it warns of."""

    def refused(self, words: str) -> None:
        with self.assertRaisesRegex(exception.DriverLoadError, words):
            hardware.FakeHardware()

    def test_every_hardware_type_looks_at_it(self):
        self.config(ek_trust="ca", group="libattest")
        for kind in (hardware.IPMIHardware, hardware.RedfishHardware, hardware.FakeHardware):
            with self.assertRaisesRegex(exception.DriverLoadError, "ek_ca_dir is not set"):
                kind()
        self.config(ek_ca_dir=str(self.folder), group="libattest")
        hardware.FakeHardware()

    def test_a_default_that_is_not_enabled(self):
        self.config(default_attestation_interface="typo", group="libattest")
        self.refused("default_attestation_interface typo is not enabled")

    def test_required_by_name_of_a_hardware_type_and_of_the_default(self):
        required = {"require_attestation": True, "enabled_attestation_interfaces": ["keylime"]}
        self.config(**required, default_attestation_interface="keylime", group="libattest")
        hardware.check_configuration()
        self.config(default_attestation_interface="no-attestation", group="libattest")
        self.refused("no-attestation is enabled or the default")
        self.config(default_attestation_interface="keylime", group="libattest")
        # A name like ours is not ours.
        self.config(enabled_hardware_types=["libattest-fake", "libattest-like"])
        self.refused("do not attest: libattest-like")

    def test_what_it_warns_of(self):
        self.config(fail_clean_on_attestation_failure=False, group="keylime")
        self.config(clean_step_priority_override=[{"deploy.attest_clean": "0"}], group="conductor")
        with mock.patch.object(hardware.LOG, "warning") as warned:
            hardware.check_configuration()
        told = "\n".join(str(call.args) for call in warned.call_args_list)
        self.assertIn("fail_clean_on_attestation_failure", told)
        self.assertIn("clean_step_priority_override", told)
        self.assertNotIn("fail_deploy_on_attestation_failure", told)

    def test_defaults_are_the_strict_ones_that_change_nothing_for_others(self):
        shown = {name: unit_test.CONF.libattest[name] for name in (
            "require_attestation", "allow_adopt", "ek_trust", "default_attestation_interface")}
        self.assertEqual({"require_attestation": False, "allow_adopt": False, "ek_trust":
                          "enrolled", "default_attestation_interface": "no-attestation"}, shown)
        for phase in ("clean", "deploy"):
            self.assertTrue(unit_test.CONF.keylime[f"fail_{phase}_on_attestation_failure"])

    def test_each_phase_has_its_option(self):
        self.config(fail_clean_on_attestation_failure=False, group="keylime")
        enforced = {phase: gate.enforced(phase) for phase in ("clean", "deploy", "handover")}
        self.assertEqual({"clean": False, "deploy": True, "handover": True}, enforced)


class Looks(Base):
    """The periodics' looks at nodes that wait and at nodes that run."""

    def look(self, started: float, future: object, limit: int = 10) -> list:
        """What is concluded of a node whose run began `started` seconds ago."""
        self.config(attestation_timeout=limit, group="libattest")
        node = self.node(provision_state=states.DEPLOYWAIT)
        record = Record(node)
        record.begin(asked=True)
        record.start_run("deploy")
        record.data["run"]["started"] -= started
        record.save()
        job = None if future is None else mock.Mock(future=future)
        with self.task(node) as task, \
             mock.patch.object(waiting.JOBS, "look", return_value=job), \
             mock.patch.object(waiting, "_submit") as self.submitted, \
             mock.patch.object(waiting, "_conclude") as conclude:  # fmt: skip
            waiting.look(task)
        return [call.args[2] for call in conclude.call_args_list]

    @staticmethod
    def done(*outcome) -> concurrent.futures.Future:
        future: concurrent.futures.Future = concurrent.futures.Future()
        future.set_result(waiting.Outcome(*outcome))
        return future

    def test_a_job_that_was_torn_down_is_begun_again_until_it_is_late(self):
        future: concurrent.futures.Future = concurrent.futures.Future()
        future.set_exception(KeyboardInterrupt("no Exception, as eventlet's Timeout is none"))
        self.assertEqual([], self.look(1, future))
        self.submitted.assert_called_once()
        (outcome,) = self.look(11, future)
        self.assertEqual("unknown", outcome.verdict)
        self.assertIn("KeyboardInterrupt", outcome.reason)

    def test_a_verdict_that_does_not_come_is_none(self):
        working: concurrent.futures.Future = concurrent.futures.Future()
        for future in (None, working, self.done("pending", "no word")):
            self.assertEqual([], self.look(1, future))
            (outcome,) = self.look(11, future)
            self.assertEqual("unknown", outcome.verdict)
        self.assertIn("no word", outcome.reason)

    def test_what_comes_is_concluded_and_what_was_lost_is_begun_again(self):
        for verdict in ("trusted", "failed", "unknown"):
            self.assertEqual(verdict, self.look(1, self.done(verdict, "why"))[0].verdict)
        for future, submitted in ((None, 1), (self.done("pending", ""), 1),
                                  (concurrent.futures.Future(), 0)):
            self.look(1, future)
            self.assertEqual(submitted, self.submitted.call_count)

    def work(self, error: Exception | None = None, problems: tuple = ()):
        node = self.node()
        record = Record(node)
        record.begin(asked=True)
        record.start_run("deploy")
        record.save()
        made = mock.Mock(**{"validate.return_value": list(problems)})
        made.validate_security_status.side_effect = error
        found = mock.patch.object(waiting, "_find_agent")
        with mock.patch.object(waiting.attestation, "get", return_value=made), found:
            return waiting._work(node.uuid, record.run["id"], {}), made

    def test_only_what_an_interface_returns_is_trusted(self):
        for error, verdict in (
            (AttestationFailure("x"), "failed"),
            (AttestationPending("x"), "pending"),
            (exception.InvalidParameterValue("x"), "failed"),
            (ZeroDivisionError(), "unknown"),
        ):
            self.assertEqual(verdict, self.work(error)[0].verdict)
        outcome, driver = self.work(None, ("a setting is missing",))
        self.assertEqual(("failed", "a setting is missing"), (outcome.verdict, outcome.reason))
        driver.start_attestation.assert_not_called()

    def test_an_agent_with_an_impossible_name_is_not_asked_for(self):
        subject = waiting.subject_of(self.node())
        subject.task = mock.Mock(**{"node.driver_internal_info": {"agent_url": "u"}})
        for name, kind in (("../x", AttestationFailure), ("", AttestationPending),
                           ("a b", AttestationFailure), (7, AttestationFailure)):  # fmt: skip
            answer = mock.Mock(**{"command.return_value": {"keylime_agent_uuid": name}})
            with mock.patch.object(waiting.peers, "Ramdisk", return_value=answer):
                self.assertRaises(kind, waiting._find_agent, subject)
        self.assertIsNone(subject.agent_uuid)

    def test_a_bad_verdict_stops_the_node_and_its_agent_is_forgotten(self):
        for verdict, enforced, goes_on in (("trusted", True, True), ("failed", True, False),
                                           ("unknown", True, False), ("failed", False, True)):
            self.config(fail_deploy_on_attestation_failure=enforced, group="keylime")
            node = self.node(provision_state=states.DEPLOYWAIT)
            record = Record(node)
            record.begin(asked=True)
            record.start_run("deploy")
            record.save()
            with self.task(node) as task, mock.patch.object(waiting, "_go_on") as go_on, \
                 mock.patch.object(waiting, "unregister") as forgotten:
                waiting._conclude(task, record.run["id"], waiting.Outcome(verdict, "why"))
            self.assertEqual(goes_on, go_on.call_args.kwargs["goes_on"])
            forgotten.assert_called_once()

    def test_which_active_nodes_are_asked(self):
        rows = [("good", "libattest-ipmi", "", 1, False, None),
                ("maintained", "libattest-ipmi", "", 1, True, None),
                ("locked", "libattest-ipmi", "", 1, False, "a conductor"),
                ("other", "ipmi", "", 1, False, None)]  # fmt: skip
        manager = mock.Mock(**{"iter_nodes.return_value": rows})
        watch = active.Watch()
        with mock.patch.object(watch, "_watched", return_value=None) as watched:
            watch.look(manager, self.context, object)
        self.assertEqual(["good"], [call.args[1] for call in watched.call_args_list])
        self.assertEqual({"provision_state": states.ACTIVE},
                         manager.iter_nodes.call_args.kwargs["filters"])


class Rounds(unit_test.Active):
    """More rounds of active nodes."""

    def test_a_bug_is_no_verdict(self):
        node = self.running(required=False)
        self.assertEqual("unknown", self.round(node, ZeroDivisionError()).verdict)

    def test_of_a_node_that_is_no_longer_active_nothing_is_written(self):
        node = self.running()
        watched = active.resume(node, settings.read(node.driver_info)[0], None, None)
        node.provision_state = states.DELETING
        node.save()
        node.refresh()
        watched.since = str(node.provision_updated_at)  # a database may count whole seconds
        self.again(node, watched, AttestationFailure("a bad file"))
        self.assertFalse(node.maintenance)
        self.assertNotIn("active", Record(node).data)

    def test_what_is_known_of_before_it_left_is_not_known_now(self):
        node = self.running()
        read = settings.read(node.driver_info)[0]
        known = self.round(node, self.good())
        self.assertIs(known, active.resume(node, read, None, known))
        known.since = "before it left"
        self.assertIsNot(known, active.resume(node, read, None, known))

    def test_pins_of_the_ramdisk_hold_for_the_instance(self):
        record = Record(self.node())
        record.data["pinned"] = {"ek_sha256": EK, "ak_name": "of the ramdisk"}
        record.data["active"] = {"pinned": {"ak_name": "a"}}
        self.assertEqual({"ek_sha256": EK, "ak_name": "a"}, active.active_pinned(record))

    def test_a_bad_launch_of_another_tpm_is_more_than_a_bad_launch(self):
        node = self.running()
        self.round(node, self.good())
        for change, words in (({"ek_sha256": "f" * 64}, "the EK of"), ({"ak_name": "b"}, "the AK")):
            bad = AttestationFailure("PCR 17")
            failure = active.launch.LaunchFailure(bad, self.good(**change))
            watched = active.resume(node, settings.read(node.driver_info)[0], None, None)
            self.again(node, watched, failure)
            self.assertIn(words, watched.reason)
            self.assertFalse(watched.only_launch)

    def test_a_launch_that_is_tolerated_is_told_and_not_acted_upon(self):
        node = self.running()
        info = {**node.driver_info, "attestation_interface": "libattest",
                "trusted_boot_instance_policy": "p", "trusted_boot_on_failure": "warn"}
        node.driver_info = info
        node.save()
        failure = active.launch.LaunchFailure(AttestationFailure("PCR 17"), self.good())
        with mock.patch.object(active.LOG, "warning") as warned:
            self.round(node, failure)
        warned.assert_called_once()
        self.assertFalse(node.maintenance)
        self.assertEqual(("failed", True), (Record(node).data["active"]["verdict"],
                                            Record(node).data["active"]["only_launch"]))

    def test_notes_are_told_with_a_new_verdict(self):
        node = self.running()
        with mock.patch.object(active.notify, "verdict") as told:
            self.round(node, self.good(notes=("PCR 0 is not appraised",)))
        self.assertEqual(["PCR 0 is not appraised"], told.call_args.args[3]["notes"])

    for _name in dir(unit_test.Active):
        if _name.startswith("test_"):
            locals()[_name] = None
    del _name


class Launches(unit_test.InProcess):
    """Nothing else than what was asked for is judged in a launch's place."""

    def test_a_node_that_is_good_is_asked_for_its_launch(self):
        module = unit_test.inprocess
        driver, policy = module.InProcessAttestation(), mock.Mock()
        good = module.Verdict("a", (1, 0), ())
        bad = AttestationFailure("PCR 17")
        self.answering(EK)
        for ask, which in ((driver.validate_security_status, module.launch.OF_RAMDISK),
                           (driver.validate_active, module.launch.OF_INSTANCE)):
            for second, kind in ((bad, module.launch.LaunchFailure), (good, None)):
                subject = self.subject()
                subject.scratch.update(launch=policy)
                with mock.patch.object(module, "appraise", side_effect=[good, second]), \
                     mock.patch.object(module, "load_ak"), \
                     mock.patch.object(module, "_launch_policy", return_value=policy):
                    if kind is None:
                        self.assertEqual(which, ask(subject).launch)
                    else:
                        with self.assertRaisesRegex(kind, which):
                            ask(subject)

    for _name in dir(unit_test.InProcess):
        if _name.startswith("test_"):
            locals()[_name] = None
    del _name


if __name__ == "__main__":
    import unittest

    unittest.main()
