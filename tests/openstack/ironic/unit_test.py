# SPDX-License-Identifier: Apache-2.0
"""Unit tests on Ironic's own test bases: settings, lists, identity, gate, active nodes."""

import collections
import gzip
import hashlib
import io
import json
import os
import pathlib
import sys
import tarfile
import tempfile
import threading
import time
from unittest import mock

# The first of Ironic's: it chooses between eventlet and threads.
import ironic.tests.unit  # noqa: F401, I001
import libattest
import yaml
from ironic.common import exception, states
from ironic.conductor import task_manager
from ironic.tests.unit.db import base as db_base
from ironic.tests.unit.objects import utils as obj_utils

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "bindings" / "openstack"))

from libattest_ironic import (  # noqa: E402
    active,
    attestation,
    capture,
    gate,
    hardware,
    identity,
    inprocess,
    jobs,
    lists,
    pace,
    settings,
    waiting,
)
from libattest_ironic.attestation import Evidenced, Subject  # noqa: E402
from libattest_ironic.exceptions import (  # noqa: E402
    AttestationFailure,
    AttestationPending,
    StepRefused,
    one_line,
)
from libattest_ironic.record import MAX_FINDINGS, Record, boot_token  # noqa: E402

EK = "e" * 64
GOOD = {
    "attestation_interface": "keylime",
    "tpm_ek_sha256": EK,
    "keylime_v": "verifier.example",
    "keylime_r": "192.0.2.1",
    "keylime_container": "lists",
}


class Base(db_base.DbTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.config(enabled_hardware_types=["libattest-fake"])
        self.config(enabled_deploy_interfaces=["libattest-fake"], enabled_boot_interfaces=["fake"])
        self.config(enabled_vendor_interfaces=["libattest"], enabled_power_interfaces=["fake"])
        self.config(enabled_management_interfaces=["noop"], enabled_bios_interfaces=["no-bios"])
        self.config(
            enabled_attestation_interfaces=["no-attestation", "keylime", "libattest"],
            group="libattest",
        )
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.config(lists_dir=str(self.folder), group="libattest")

    def node(self, info: dict | None = None, **fields):
        return obj_utils.create_test_node(
            self.context,
            driver="libattest-fake",
            driver_info=GOOD if info is None else info,
            **{"network_interface": "noop", "driver_internal_info": {}, **fields},
        )

    def task(self, node):
        return task_manager.acquire(self.context, node.uuid, shared=False)

    def trusted(self, node, phase: str, **evidenced) -> None:
        record = Record(node)
        shown = {"ek_sha256": EK, "ak_name": "a", "boot": (1, 0), "ak_proven": True, "lists": "l"}
        record.set_verdict(
            phase,
            "trusted",
            "trusted",
            interface="keylime",
            settings=settings.read(node.driver_info)[0].digest,
            evidenced=Evidenced(**{**shown, **evidenced}),
        )
        record.save()


class Settings(Base):
    def problems(self, **changes) -> str:
        info = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
        return "\n".join(settings.read(info)[1])

    def test_good_settings_have_no_problems(self):
        read, problems = settings.read(GOOD)
        self.assertEqual([], problems)
        self.assertEqual("verifier.example:8881", read.verifier)
        self.assertEqual("192.0.2.1:8891", read.registrar)

    def test_each_missing_one_is_named(self):
        for key in ("keylime_v", "keylime_r", "keylime_container", "tpm_ek_sha256"):
            with self.subTest(key):
                self.assertIn(f"driver_info/{key}", self.problems(**{key: None}))

    def test_each_wrong_one_is_named(self):
        for key, values in {
            "keylime_v": [" ", "a b", "host/path", "host:1", "-a", "a" * 254, 7, ["x"], "a\n"],
            "keylime_vp": ["0", "65536", -1, "1.5", "x", True, "٣", "9" * 5000],
            "keylime_rp": [0, 70000, {}],
            "tpm_ek_sha256": ["e" * 63, "g" * 64, "e" * 64 + "\n", 12],
            "keylime_agent_uuid": ["../x", "a/b", "a b", "-x", "a\n", "é", "a" * 200, 5],
            "keylime_agent_address": ["http://x", "[::1]", "1.2.3.4:5"],
            "keylime_container": ["a/b", "a\n", "x" * 257],
            "attest_active": ["yes", "Required", 1],
            "attestation_interface": ["other", "KEYLIME", "a\nb"],
        }.items():
            for value in values:
                with self.subTest(key=key, value=str(value)[:20]):
                    self.assertIn(key, self.problems(**{key: value}))

    def test_ipv6_has_brackets_where_there_is_a_port(self):
        self.assertEqual("[2001:db8::1]:9", settings.read(
            {**GOOD, "keylime_v": "2001:db8::1", "keylime_vp": 9})[0].verifier)

    def test_other_names_of_the_prototype(self):
        read, _ = settings.read(
            {**GOOD, "keylime_u": "uuid", "keylime_t": "192.0.2.9", "keylime_tp": "9"}
        )
        self.assertEqual(("uuid", "192.0.2.9", 9),
                         (read.agent_uuid, read.agent_address, read.agent_port))

    def test_files_and_container_together_are_a_question(self):
        self.assertIn("which of them", self.problems(keylime_allowlist="a",
                                                     keylime_allowlist_checksum="b"))

    def test_an_allowlist_without_checksum(self):
        self.assertIn("keylime_allowlist_checksum is missing",
                      self.problems(keylime_container=None, keylime_allowlist="a"))

    def test_required_active_attestation_needs_address_and_policy(self):
        found = self.problems(attest_active="required")
        self.assertIn("keylime_agent_address is missing", found)
        self.assertIn("keylime_instance_container", found)

    def test_active_attestation_without_keylime_is_said_to_end(self):
        info = {**GOOD, "attestation_interface": "libattest", "attest_active": "optional"}
        del info["keylime_r"], info["keylime_v"]
        self.assertIn("attestation ends when the deploy ramdisk does",
                      "\n".join(settings.read(info)[1]))

    def test_the_digest_changes_with_every_setting(self):
        one = settings.read(GOOD)[0].digest
        for key, value in (("tpm_ek_sha256", "f" * 64), ("keylime_vp", 1), ("keylime_v", "b"),
                           ("keylime_container", "other"), ("attest_active", "optional")):
            self.assertNotEqual(one, settings.read({**GOOD, key: value})[0].digest, key)

    def test_an_unknown_interface_is_not_no_attestation(self):
        self.assertTrue(settings.read({"attestation_interface": "typo"})[0].asked)


class Lists(Base):
    def source(self, allowlist: bytes = b"0 /a\n", checksum: str | None = None, **more):
        (self.folder / "allowlist").write_bytes(allowlist)
        right = hashlib.sha256(allowlist).hexdigest() + "  a\n"
        (self.folder / "sum").write_text(checksum or right)
        return settings.ListSource(**{"allowlist": "allowlist", "checksum": "sum", **more})

    def fails(self, words: str, source) -> None:
        with self.assertRaisesRegex(AttestationFailure, words):
            lists.load(source)

    def test_files(self):
        (self.folder / "ex").write_text("/tmp\n")
        got = lists.load(self.source(excludelist="ex"))
        self.assertEqual((b"0 /a\n", b"/tmp\n"), (got.allowlist, got.excludelist))

    def test_the_checksum_may_stand_in_driver_info(self):
        lists.load(self.source(checksum=None) and settings.ListSource(
            allowlist="allowlist", checksum=hashlib.sha256(b"0 /a\n").hexdigest().upper()))

    def test_a_wrong_checksum(self):
        self.fails("nothing was sent", self.source(checksum="0" * 64))

    def test_what_is_no_checksum(self):
        for text in (" ", "sha256", "0" * 63, "0" * 65, "0" * 64 + "x"):
            with self.subTest(text):
                self.fails("not a SHA-256", self.source(checksum=text))

    def test_an_empty_allowlist(self):
        self.fails("is empty", self.source(b""))

    def test_too_big(self):
        self.config(max_list_size=1024, group="libattest")
        self.fails("bigger than 1024", self.source(b"x" * 1025))
        lists.load(self.source(b"x" * 1024))

    def test_missing(self):
        self.fails("No such file", self.source(excludelist="none"))

    def test_files_elsewhere_are_refused(self):
        outside = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "secret"
        outside.write_text("secret")
        (self.folder / "link").symlink_to(outside)
        for name in (str(outside), "../" + outside.name, "link", ".", "", "sub/../../x"):
            with self.subTest(name):
                source = self.source(excludelist=name) if name else None
                if source:
                    self.fails("lists_dir", source)

    def test_a_pipe_makes_nobody_wait(self):
        os.mkfifo(self.folder / "pipe")
        source = self.source()
        begin = time.monotonic()
        self.fails("empty|can not be read|not a SHA", settings.ListSource(
            allowlist="pipe", checksum="sum"))
        self.assertLess(time.monotonic() - begin, 2)
        del source

    def test_what_this_conductor_lacks(self):
        self.assertEqual([], lists.missing_files(self.source()))
        (self.folder / "allowlist").unlink()
        self.assertIn("not a file on conductor", lists.missing_files(
            settings.ListSource(allowlist="allowlist", checksum="sum"))[0])


class FakeEk:
    """Stands for libattest.EndorsementKey where the digest alone matters."""

    def __init__(self, public=None, certificate=None) -> None:
        self.sha256 = (public or certificate).decode()


@mock.patch.object(libattest, "EndorsementKey", FakeEk, create=True)
class Identity(Base):
    def check(self, ek: str, pinned: dict | None = None, **info):
        read, _ = settings.read({key: v for key, v in {**GOOD, **info}.items() if v is not None})
        return identity.check_ek(read, pinned or {}, ek.encode(), b"")

    def refused(self, words: str, *args, **kwargs) -> None:
        with self.assertRaisesRegex(AttestationFailure, words):
            self.check(*args, **kwargs)

    def test_enrolled(self):
        self.check(EK)
        self.refused("another TPM answers", "f" * 64)
        self.refused("tpm_ek_sha256 is missing", EK, tpm_ek_sha256=None)

    def test_first_use_pins(self):
        self.config(ek_trust="first_use", group="libattest")
        self.check(EK, tpm_ek_sha256=None)
        pins = identity.to_pin({}, EK, "ak", False)
        self.assertEqual({"ek_sha256": EK, "ak_name": "ak"}, pins)
        self.refused("forget_identity", "f" * 64, pins, tpm_ek_sha256=None)
        identity.check_ak(pins, "ak", False)
        with self.assertRaisesRegex(AttestationFailure, "attestation key has changed"):
            identity.check_ak(pins, "other", False)
        identity.check_ak(pins, "other", True)

    def test_an_enrolled_key_counts_in_every_mode(self):
        for trust in ("enrolled", "first_use"):
            self.config(ek_trust=trust, group="libattest")
            self.refused("another TPM answers", "f" * 64)

    def test_ca_without_certificate_or_folder(self):
        self.config(ek_trust="ca", group="libattest")
        self.refused("ek_ca_dir is not set", EK)
        self.config(ek_ca_dir=str(self.folder), group="libattest")
        self.refused("shows no endorsement key certificate", EK)

    def test_ca_pins_too(self):
        self.config(ek_trust="ca", ek_ca_dir=str(self.folder), group="libattest")
        with mock.patch.object(identity, "_check_chain"):
            self.refused("another TPM answers", "f" * 64, {"ek_sha256": EK}, tpm_ek_sha256=None)

    def test_nothing_is_pinned_where_it_is_enrolled(self):
        self.assertEqual({}, identity.to_pin({}, EK, "ak", False))


class Gate(Base):
    def deploying(self, **internal):
        node = self.node(provision_state=states.DEPLOYING, driver_internal_info=internal)
        with self.task(node) as task:
            gate.begin(task)
        node.refresh()
        return node

    def test_no_verdict_no_step(self):
        node = self.deploying()
        with self.task(node) as task:
            for step in ("write_image", "prepare_instance_boot", "tear_down_agent",
                         "boot_instance", "switch_to_tenant_network", "a_step_of_tomorrow"):
                with self.subTest(step), self.assertRaisesRegex(AttestationFailure, ""):
                    gate.check_step(task, step)
            gate.check_step(task, "deploy")

    def test_a_verdict_of_this_deployment(self):
        node = self.deploying()
        self.trusted(node, "deploy")
        with self.task(node) as task:
            gate.check_step(task, "write_image")
            with self.assertRaisesRegex(AttestationFailure, "no handover verdict"):
                gate.check_step(task, "tear_down_agent")

    def test_a_verdict_of_another_deployment(self):
        node = self.deploying()
        self.trusted(node, "deploy")
        kept = Record(node).verdicts
        with self.task(node) as task:
            gate.begin(task)
            self.assertNotIn("deploy", Record(task.node).verdicts)
            record = Record(task.node)
            record.data["verdicts"] = kept
            record.save()
            with self.assertRaisesRegex(AttestationFailure, "no deploy verdict"):
                gate.check_step(task, "write_image")

    def test_a_verdict_of_another_boot(self):
        node = self.deploying(agent_secret_token="one")
        self.trusted(node, "deploy")
        with self.task(node) as task:
            gate.check_step(task, "write_image")
            task.node.set_driver_internal_info("agent_secret_token", "two")
            with self.assertRaisesRegex(AttestationFailure, "rebooted"):
                gate.check_step(task, "write_image")

    def test_a_verdict_of_other_settings(self):
        node = self.deploying()
        self.trusted(node, "deploy")
        node.driver_info = {**GOOD, "keylime_container": "others"}
        node.save()
        with self.task(node) as task, self.assertRaisesRegex(AttestationFailure, "settings"):
            gate.check_step(task, "write_image")

    def test_asking_no_more_after_the_deployment_began(self):
        node = self.deploying()
        node.driver_info = {}
        node.save()
        with self.task(node) as task:
            self.assertTrue(gate.asked(task.node))
            with self.assertRaisesRegex(AttestationFailure, ""):
                gate.check_step(task, "write_image")

    def test_the_list_lacks_a_step_or_has_it_elsewhere(self):
        node = self.deploying()
        with self.task(node) as task:
            own = task.driver.deploy.deploy_steps
            good = [dict(step) for step in own]
            task.node.set_driver_internal_info("deploy_steps", good)
            gate.check_order(task, own)
            for number, step in enumerate(good):
                without = good[:number] + good[number + 1 :]
                moved = [*without, {**step, "priority": 7}]
                for steps in (without, moved):
                    task.node.set_driver_internal_info("deploy_steps", steps)
                    with self.subTest(step["step"]), self.assertRaisesRegex(StepRefused, ""):
                        gate.check_order(task, own)

    def test_a_step_is_refused_in_the_way_that_ironic_handles(self):
        self.assertTrue(issubclass(StepRefused, exception.InstanceDeployFailure))
        self.assertTrue(issubclass(StepRefused, exception.InvalidParameterValue))

    def test_a_ramdisk_step_of_the_same_name_is_not_ours(self):
        node = self.node(driver_internal_info={"agent_cached_clean_steps": {"deploy": [
            {"interface": "deploy", "step": "attest_clean", "priority": 0}]}})
        with self.task(node) as task:
            from libattest_ironic.deploy import DirectDeploy

            steps = DirectDeploy().get_clean_steps(task)
        self.assertEqual([95], [s["priority"] for s in steps if s["step"] == "attest_clean"])

    def test_report_only_is_nothing_where_attestation_is_required(self):
        self.config(fail_deploy_on_attestation_failure=False, group="keylime")
        self.assertFalse(gate.enforced("deploy"))
        self.config(require_attestation=True, group="libattest")
        self.assertTrue(gate.enforced("deploy"))

    def test_adoption(self):
        node = self.node(provision_state=states.ADOPTING)
        with self.task(node) as task:
            with self.assertRaisesRegex(exception.InvalidParameterValue, ""):
                task.driver.deploy.take_over(task)
            self.config(allow_adopt=True, group="libattest")
            Record(task.node).begin(asked=True)
            task.driver.deploy.take_over(task)
            self.assertEqual("", active.unattested(task.node))


class Waiting(Base):
    """Verdicts that arrive at the wrong time, or of the wrong thing."""

    def waiting(self, phase: str = "deploy"):
        node = self.node(provision_state=states.DEPLOYWAIT, target_provision_state=states.ACTIVE)
        record = Record(node)
        record.begin(asked=True)
        record.start_run(phase)
        record.save()
        return node

    def conclude(self, node, outcome) -> dict:
        with task_manager.acquire(self.context, node.uuid, shared=True) as task, \
             mock.patch.object(waiting, "_go_on") as go_on, \
             mock.patch.object(waiting, "unregister"):
            waiting._conclude(task, Record(node).run["id"], outcome)
            self.went_on = [call.args[2].verdict for call in go_on.call_args_list]
        node.refresh()
        return Record(node).verdicts

    def evidenced(self, **changes) -> Evidenced:
        return Evidenced(**{"ek_sha256": EK, "ak_name": "a", "boot": (1, 0), "ak_proven": False,
                            "lists": "l", **changes})

    def good(self, **changes):
        return waiting.Outcome("trusted", "trusted", self.evidenced(**changes))

    def test_a_verdict_is_written_with_what_it_is_about(self):
        node = self.waiting()
        entry = self.conclude(node, self.good())["deploy"]
        self.assertEqual(Record(node).cycle, entry["cycle"])
        self.assertEqual(boot_token(node), entry["token"])
        self.assertEqual(["trusted"], self.went_on)

    def test_a_run_that_was_abandoned_says_nothing(self):
        node = self.waiting()
        with task_manager.acquire(self.context, node.uuid, shared=True) as task, \
             mock.patch.object(waiting, "_go_on") as go_on:
            other = Record(obj_utils.objects.Node.get_by_uuid(self.context, node.uuid)) \
                if hasattr(obj_utils, "objects") else Record(node)
            other.start_run("deploy")
            other.save()
            waiting._conclude(task, Record(node).run["id"], self.good())
            go_on.assert_not_called()
        node.refresh()
        self.assertEqual({}, Record(node).verdicts)

    def test_a_reboot_under_an_attestation_is_no_verdict(self):
        node = self.waiting()
        node.set_driver_internal_info("agent_secret_token", "of the next boot")
        node.save()
        self.assertEqual("unknown", self.conclude(node, self.good())["deploy"]["verdict"])

    def test_a_run_of_another_cycle_is_no_verdict(self):
        node = self.waiting()
        record = Record(node)
        record.data["cycle"] = "another"
        record.save()
        self.assertEqual("unknown", self.conclude(node, self.good())["deploy"]["verdict"])

    def test_handover_is_of_the_same_boot_and_tpm(self):
        for change in ({"boot": (2, 0)}, {"boot": (1, 1)}, {"ek_sha256": "f" * 64}):
            with self.subTest(change):
                node = self.waiting("handover")
                self.trusted(node, "deploy")
                node.refresh()
                entry = self.conclude(node, self.good(**change))["handover"]
                self.assertEqual("failed", entry["verdict"])
                node.destroy()

    def test_what_is_pinned_is_said(self):
        self.config(ek_trust="first_use", group="libattest")
        node = self.waiting()
        with mock.patch.object(waiting.LOG, "warning") as warned:
            self.conclude(node, self.good())
        self.assertIn(EK, str(warned.call_args))
        self.assertEqual({"ek_sha256": EK, "ak_name": "a"}, Record(node).pinned)

    def test_records_stay_small(self):
        node = self.waiting()
        long = waiting.Outcome("failed", "x" * 100000, findings=("y" * 100000,) * 1000)
        entry = self.conclude(node, long)["deploy"]
        self.assertEqual(MAX_FINDINGS, len(entry["findings"]))
        self.assertLess(len(str(entry)), 3000)

    def test_words_of_a_peer_are_one_line(self):
        self.assertEqual("a b [31m c", one_line("a\nb\x1b[31m\x00c"))
        self.assertEqual(500, len(one_line("x" * 10**6)))


class Work(Base):
    def setUp(self) -> None:
        super().setUp()
        self.config(workers=4, workers_per_peer=2, group="libattest")
        self.pool, self.gate, self.done = jobs.Jobs(), threading.Event(), []
        self.addCleanup(self.gate.set)

    def hold(self, key: object, peer: str) -> bool:
        """A job that ends with the test, or when the gate opens."""

        def wait(_: dict) -> None:
            self.gate.wait(60)
            self.done.append(key)

        return self.pool.submit(key, peer, wait)

    def result(self, key: object):
        return self.pool.look(key).future.result(20)

    def test_a_busy_peer_leaves_workers_to_others(self):
        for number in range(20):
            self.assertTrue(self.hold(number, "stuck"))
        self.assertTrue(self.pool.submit("a", "other", lambda _: 7))
        self.assertEqual(7, self.result("a"))
        self.assertEqual([], self.done)

    def test_who_comes_later_waits_in_line(self):
        for number in range(9):
            self.hold(number, "stuck")
        self.assertFalse(self.hold(0, "third"))  # under way
        self.assertFalse(self.hold(8, "third"))  # in line
        self.pool.forget(7)
        self.gate.set()
        for number in (0, 1, 2, 3, 4, 5, 6, 8):
            self.result(number)
        self.assertEqual({0, 1, 2, 3, 4, 5, 6, 8}, set(self.done))
        self.assertTrue(self.hold(0, "third"))

    def test_work_that_fails_makes_room_for_the_next(self):
        for number in range(9):
            self.pool.submit(number, "peer", lambda _: 1 // 0)
        for number in range(9):
            self.assertRaises(ZeroDivisionError, self.result, number)

    def test_active_nodes_leave_deployments_their_workers(self):
        self.pool = jobs.ACTIVE_JOBS
        for number in range(20):
            self.hold(number, f"agent {number}")
        self.pool = jobs.JOBS
        self.pool.submit("deployment", "registrar", lambda _: 7)
        self.assertEqual(7, self.result("deployment"))

    def test_a_loop_gives_way_by_the_clock(self):
        clock, slept = [100.0], []

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            clock[0] += seconds

        fake = mock.Mock(**{"monotonic.side_effect": lambda: clock[0], "sleep.side_effect": sleep})
        with mock.patch.object(pace, "time", fake):
            loop = pace.Pace()
            for _ in range(1000):  # nodes that take 20 microseconds each
                clock[0] += 0.00002
                loop.give_way()
            self.assertLess(len(slept), 5)
            self.assertEqual({0}, set(slept))
            # Starts are apart, on average: who was held up for a while does not lose its turns.
            begin, slept[:] = clock[0], []
            for number in range(100):
                loop.started(0.01)
                clock[0] += 0.2 if number == 50 else 0
                loop.give_way()
            self.assertAlmostEqual(1.0, clock[0] - begin, delta=0.05)
            self.assertLess(max(slept), 0.02)
            clock[0] += 1000
            begin, slept[:] = clock[0], []
            for _ in range(100):
                loop.started(0.01)
                loop.give_way()
            self.assertGreaterEqual(clock[0] - begin, 0.5 - 0.01)

    def test_nothing_is_started_before_it_is_needed(self):
        self.assertIsNone(jobs.Jobs()._pool)


class Active(Base):
    def running(self, required: bool = True):
        info = {**GOOD, "attest_active": "required" if required else "optional",
                "keylime_agent_address": "192.0.2.2", "keylime_instance_container": "run"}
        return self.node(info, provision_state=states.ACTIVE, power_state=states.POWER_ON)

    def round(self, node, result):
        watched = active.resume(node, settings.read(node.driver_info)[0], None, None)
        return self.again(node, watched, result)

    def again(self, node, watched, result):
        driver = mock.Mock()
        driver.validate_active.side_effect = [result]
        with mock.patch.object(attestation, "get", return_value=driver):
            active.run(watched)
        node.refresh()
        return watched

    def good(self, **changes) -> Evidenced:
        return Evidenced(**{"ek_sha256": EK, "ak_name": "a", "boot": (1, 0), "ak_proven": False,
                            "lists": "l", **changes})

    def test_a_trusted_node_is_left_alone(self):
        node = self.running()
        self.round(node, self.good())
        self.assertFalse(node.maintenance)
        self.assertEqual("trusted", Record(node).data["active"]["verdict"])

    def test_a_failed_one_is_put_into_maintenance(self):
        node = self.running()
        self.round(node, AttestationFailure("a bad file"))
        self.assertTrue(node.maintenance)
        self.assertEqual(active.FAULT, node.fault)
        self.assertIn("a bad file", node.maintenance_reason)
        self.assertIn("a bad file", node.last_error)

    def test_maintenance_cleared_by_hand_does_not_last(self):
        node = self.running()
        watched = self.round(node, AttestationFailure("a bad file"))
        node.maintenance = False
        node.save()
        self.again(node, watched, AttestationFailure("a bad file"))
        self.assertTrue(node.maintenance)

    def test_power_off_and_its_refusal_are_said(self):
        self.config(on_active_failure="power_off", group="libattest")
        node = self.running()
        self.round(node, AttestationFailure("bad"))
        self.assertEqual(states.POWER_OFF, node.power_state)
        self.assertIn("it was powered off", node.last_error)
        other = self.node(node.driver_info, provision_state=states.ACTIVE, uuid=
                          "3f0a1f5e-9c1d-4b0c-8f59-111111111111")
        with mock.patch.object(active.conductor_utils, "node_power_action",
                               side_effect=exception.PowerStateFailure(pstate="off")):
            self.round(other, AttestationFailure("bad"))
        self.assertIn("powering it off failed", other.last_error)

    def test_silence_is_unknown_and_then_a_failure_if_required(self):
        self.config(active_unreachable_after=10, group="libattest")
        for required in (True, False):
            with self.subTest(required=required):
                node = self.running(required)
                watched = self.round(node, AttestationPending("no route"))
                self.assertEqual(("unknown", False), (watched.verdict, node.maintenance))
                watched.good_at -= 11
                self.again(node, watched, AttestationPending("no route"))
                self.assertEqual(required, node.maintenance)
                node.destroy()

    def test_another_key_needs_an_operator(self):
        node = self.running()
        watched = self.round(node, self.good())
        self.again(node, watched, self.good(ak_name="b"))
        self.assertIn("forget_identity", node.last_error)

    def test_the_state_is_taken_over(self):
        node = self.running()
        watched = self.round(node, self.good())
        watched.good_at = 5.0
        active._write(mock.Mock(node=node), watched, self.good())
        self.assertIn("state", Record(node).data["active"])
        with mock.patch.object(active.LOG, "warning") as warned:
            other = active.resume(node, settings.read(node.driver_info)[0], None, None)
        warned.assert_not_called()
        self.assertEqual(("trusted", 5.0), (other.verdict, other.good_at))

    def test_a_state_that_is_not_usable_is_read_anew(self):
        for state in ("", "!", "AAAA", "A" * 4096):
            self.assertEqual(0, active.restore(state, "node").ima_entries)

    def test_good_nodes_that_are_taken_over_are_not_asked_all_at_once(self):
        self.config(active_interval=1000, group="libattest")
        node = self.running()

        def due() -> float:
            return active.resume(node, settings.read(node.driver_info)[0], None, None).due

        self.assertEqual(0.0, due())
        self.round(node, self.good())
        now = time.time()
        dues = [due() - now for _ in range(50)]
        self.assertTrue(all(0 <= when <= 1060 for when in dues), dues)
        self.assertGreater(max(dues) - min(dues), 250)
        self.round(node, AttestationFailure("bad"))
        self.assertEqual(0.0, due())

    def test_nodes_that_are_not_attested_are_read_when_they_change(self):
        node = self.running()
        node.driver_info = {**node.driver_info, "attest_active": "off"}
        node.save()
        watch, context = active.Watch(), self.context
        with mock.patch.object(
            active.node_object.Node, "get_by_uuid", wraps=active.node_object.Node.get_by_uuid
        ) as read:
            for at in ("1", "1", "1", "2", "2"):
                self.assertIsNone(watch._watched(context, node.uuid, at))
            self.assertEqual(2, read.call_count)
            node.driver_info = {**node.driver_info, "attest_active": "required"}
            node.save()
            self.assertIsNotNone(watch._watched(context, node.uuid, "3"))

    def test_silent_agents_delay_no_others(self):
        self.config(workers=4, workers_per_peer=2, active_interval=1, group="libattest")
        silent = {f"dead-{number}" for number in range(30)}
        gate, rounds, begun = threading.Event(), collections.Counter(), set()
        self.addCleanup(gate.set)

        def validate_active(subject: Subject) -> Evidenced:
            if subject.uuid in silent:
                begun.add(subject.uuid)
                gate.wait(60)
                raise AttestationPending("no route")
            rounds[subject.uuid] += 1
            return self.good()

        driver = mock.Mock(**{"peer.side_effect": lambda subject: subject.uuid})
        driver.validate_active.side_effect = validate_active
        watch, names = active.Watch(), [*silent, "alive"]
        for name in names:
            subject = Subject(name, settings.read(GOOD)[0], scratch={"node": libattest.Node()})
            watched = active.Watched(name, 1, "", subject, "trusted", "", time.time())
            watched.slow = name in silent
            watch.nodes[name] = watched
        rows = [(name, "libattest-fake", "", 1, False, None) for name in names]
        manager = mock.Mock(**{"iter_nodes.return_value": rows})
        with mock.patch.multiple(active, _save=mock.Mock(), ACTIVE_JOBS=jobs.Jobs()):
            with mock.patch.object(attestation, "get", return_value=driver):
                deadline = time.monotonic() + 60
                while rounds["alive"] < 4 and time.monotonic() < deadline:
                    watch.look(manager, self.context, object)
                    watch.nodes["alive"].due = 0.0
                    time.sleep(0.01)
                self.assertGreaterEqual(rounds["alive"], 4)
                self.assertEqual(2, len(begun))
                gate.set()
                while len(begun) < len(silent) and time.monotonic() < deadline:
                    time.sleep(0.01)
                self.assertEqual(silent, begun)

    def test_an_agent_is_its_own_peer_once_the_registrar_was_asked(self):
        driver = inprocess.InProcessAttestation()
        subject = Subject("node", settings.read(GOOD)[0])
        self.assertEqual("verifier.example:8881", driver.peer(subject))
        subject.scratch["policy"] = libattest.Policy()
        self.assertEqual("node", driver.peer(subject))

    def test_nodes_with_the_same_lists_share_a_policy(self):
        text = b"0" * 64 + b" boot_aggregate\n"
        one, again, other = (
            inprocess.shared_policy(found, found.digest)
            for found in (lists.Lists(text, None), lists.Lists(text, None), lists.Lists(text, b"/a"))
        )
        self.assertIs(one, again)
        self.assertIsNot(one, other)
        del one, again
        self.assertEqual([other], list(inprocess._POLICIES.values()))

    def test_who_is_silent_or_takes_long_is_slow_until_it_is_not(self):
        node = self.running()
        watched = self.round(node, self.good())
        self.assertFalse(watched.slow)
        self.again(node, watched, AttestationPending("no route"))
        self.assertTrue(watched.slow)
        self.again(node, watched, self.good())
        self.assertFalse(watched.slow)
        with mock.patch.object(active, "SLOW", -1.0):
            self.again(node, watched, self.good())
        self.assertTrue(watched.slow)

    def test_a_node_that_is_gone_when_its_turn_comes_is_not_asked(self):
        watch, driver = active.Watch(), mock.Mock()
        subject = Subject("gone", settings.read(GOOD)[0], scratch={"node": libattest.Node()})
        with mock.patch.object(attestation, "get", return_value=driver):
            watch._run(active.Watched("gone", 1, "", subject, "trusted", "", 0.0))
        driver.validate_active.assert_not_called()

    def test_a_node_that_can_not_be_looked_at_leaves_the_others(self):
        watch, seen = active.Watch(), []
        rows = [(name, "libattest-fake", "", None, False, None) for name in "abc"]
        manager = mock.Mock(**{"iter_nodes.return_value": rows})

        def breaks(_context, uuid, _updated_at):
            seen.append(uuid)
            raise ZeroDivisionError

        with mock.patch.object(watch, "_watched", side_effect=breaks):
            watch.look(manager, self.context, object)
        self.assertEqual(["a", "b", "c"], seen)

    def test_what_left_active_and_came_back_begins_anew(self):
        node = self.running()
        self.round(node, self.good())
        node.provision_updated_at = node.provision_updated_at or None
        record = Record(node)
        record.data["active"]["since"] = "another time"
        record.save()
        other = active.resume(node, settings.read(node.driver_info)[0], None, None)
        self.assertEqual("unknown", other.verdict)

    def test_a_new_verdict_is_saved_at_once_and_the_same_at_checkpoints(self):
        node = self.running()
        watched = self.round(node, self.good())
        silence = AttestationPending("no route")
        rounds = [(self.good(), 0)] * 5 + [(silence, 1), (silence, 0), (self.good(), 1)]
        for result, writes in rounds:
            with mock.patch.object(active, "_write", wraps=active._write) as write:
                self.again(node, watched, result)
            self.assertEqual(writes, write.call_count)
        before = Record(node).data["active"]["at"]
        watched.saved_at -= 601
        self.again(node, watched, self.good())
        self.again(node, watched, self.good())
        self.assertGreater(Record(node).data["active"]["at"], before)

    def test_what_is_saved_of_a_node_is_bounded(self):
        node = self.running()
        watched = self.round(node, self.good())
        for size, saved in ((2000, True), (1 << 16, False)):
            state = os.urandom(size)
            watched.subject.scratch["node"] = mock.Mock(**{"export.return_value": state})
            watched.saved_at = 0
            self.again(node, watched, self.good())
            entry = Record(node).data["active"]
            self.assertEqual("trusted", entry["verdict"])
            self.assertEqual(saved, "state" in entry)
            self.assertLessEqual(len(json.dumps(entry)), 4096)
        node.refresh()
        # Who takes over begins at entry 0: the same as with no checkpoint at all.
        other = active.resume(node, settings.read(node.driver_info)[0], None, None)
        self.assertEqual(0, other.subject.scratch["node"].ima_entries)

    def test_a_failure_of_many_words_is_bounded(self):
        node = self.running()
        self.round(node, AttestationFailure("word " * 10000, ["finding " * 1000] * 20))
        self.assertLessEqual(len(json.dumps(Record(node).data["active"])), 4096)

    def test_a_locked_node_is_written_later(self):
        node = self.running()
        with self.task(node):
            watched = self.round(node, AttestationFailure("bad"))
        self.assertTrue(watched.unsaved)
        self.again(node, watched, AttestationFailure("bad"))
        self.assertTrue(node.maintenance)

    def test_a_verdict_that_the_database_did_not_take_is_written_later(self):
        node, watch = self.running(), active.Watch()
        watched = watch._watched(self.context, node.uuid, None)
        driver = mock.Mock(**{"validate_active.return_value": self.good()})
        with mock.patch.object(attestation, "get", return_value=driver):
            with mock.patch.object(active, "_write", side_effect=exception.IronicException("down")):
                watch._run(watched)
            watch._run(watched)
        node.refresh()
        self.assertEqual("trusted", Record(node).data["active"]["verdict"])

    def test_active_without_a_verdict_is_acted_upon(self):
        node = self.node(provision_state=states.ACTIVE)
        record = Record(node)
        record.begin(asked=True)
        record.save()
        watched = active.Watch()._watched(self.context, node.uuid, None)
        self.again(node, watched, self.good())
        self.assertIn("without a trusted verdict", node.maintenance_reason)

    def test_active_without_a_verdict_is_found(self):
        node = self.running()
        self.assertEqual("", active.unattested(node))
        record = Record(node)
        record.begin(asked=True)
        record.save()
        self.assertIn("without a trusted verdict", active.unattested(node))
        self.trusted(node, "handover")
        self.assertEqual("", active.unattested(node))


class Capture(Base):
    GOOD = b"0" * 64 + b" boot_aggregate\n"

    def packed(self, **changes) -> bytes:
        files = {
            "root/allowlist.txt": self.GOOD,
            "root/checksum.txt": hashlib.sha256(self.GOOD).hexdigest().encode() + b"  allowlist\n",
        }
        files = {k: v for k, v in {**files, **changes}.items() if v is not None}
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as archive:
            for name, data in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        return out.getvalue()

    def refused(self, packed: bytes) -> None:
        self.assertRaises(AttestationFailure, capture.unpack, packed)

    def test_the_two_files(self):
        self.assertEqual(self.GOOD, capture.unpack(self.packed()))

    def test_anything_else(self):
        self.refused(self.packed(**{"root/checksum.txt": None}))
        self.refused(self.packed(**{"root/more": b"x"}))
        self.refused(self.packed(**{"root/allowlist.txt": b"other"}))
        self.refused(self.packed(**{"root/checksum.txt": b""}))
        self.refused(b"")

    def test_a_link_for_a_file(self):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as archive:
            for name in capture.MEMBERS:
                member = tarfile.TarInfo(name)
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
                archive.addfile(member)
        self.refused(out.getvalue())

    def test_cut_short_anywhere_and_followed_by_more(self):
        whole = self.packed()
        for length in range(len(whole)):
            self.refused(whole[:length])
        self.refused(whole + b"x")

    def test_a_bomb(self):
        with mock.patch.object(capture, "MAX_UNPACKED", 1 << 16):
            self.refused(gzip.compress(b"0" * (1 << 20)))

    def test_only_what_was_approved_is_stored(self):
        node = self.node()
        with self.task(node) as task, mock.patch.object(capture, "SwiftStore") as store:
            other = "0" * 64
            self.assertRaises(
                exception.InvalidParameterValue, capture.store, task, self.GOOD, other
            )
            store.assert_not_called()
            capture.store(task, self.GOOD, hashlib.sha256(self.GOOD).hexdigest())
            self.assertEqual(["allowlist", "allowlist_checksum"],
                             [call.args[0] for call in store.return_value.put.call_args_list])


class PolicySample(Base):
    def test_its_rules_are_ironics(self):
        from ironic.common import policy

        sample = pathlib.Path(identity.__file__).resolve().parents[1] / "policy-sample.yaml"
        known = {rule.name for rule in policy.list_policies()}
        rules = yaml.safe_load(sample.read_text())
        self.assertTrue(rules)
        for name, text in rules.items():
            self.assertIn(name, known)
            self.assertNotIn("lessee", text)


class Options(Base):
    def test_keylime_has_the_two_of_the_specification(self):
        from libattest_ironic import conf

        names = {group: [option.name for option in options] for group, options in conf.list_opts()}
        self.assertEqual(
            ["fail_clean_on_attestation_failure", "fail_deploy_on_attestation_failure"],
            names["keylime"],
        )

    def test_no_hardware_type_is_ironics_fake_one_or_supports_what_does_not_attest(self):
        from ironic.drivers import fake_hardware
        from libattest_ironic.steps import AttestationMixin

        for kind in (hardware.IPMIHardware, hardware.RedfishHardware, hardware.FakeHardware):
            self.assertFalse(issubclass(kind, fake_hardware.FakeHardware))
            for deploy in kind().supported_deploy_interfaces:
                self.assertTrue(issubclass(deploy, AttestationMixin))


if __name__ == "__main__":
    import unittest

    unittest.main()
