# SPDX-License-Identifier: Apache-2.0
"""Unit tests on Ironic's own test bases: settings, lists, identity, gate, active nodes."""

import base64
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
import uuid
from unittest import mock

# The first of Ironic's: it chooses between eventlet and threads.
import ironic.tests.unit  # noqa: F401, I001
import libattest
import yaml
from ironic.common import exception, states
from ironic.conductor import task_manager
from ironic.drivers.modules import agent
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
    keylime,
    lists,
    notify,
    pace,
    settings,
    waiting,
)
from libattest_ironic.attestation import Evidenced, Subject  # noqa: E402
from libattest_ironic.conf import CONF  # noqa: E402
from libattest_ironic.deploy import DirectDeploy  # noqa: E402
from libattest_ironic.exceptions import (  # noqa: E402
    AttestationFailure,
    AttestationPending,
    StepRefused,
)
from libattest_ironic import record as record_module  # noqa: E402
from libattest_openstack.words import one_line  # noqa: E402
from libattest_ironic.record import (  # noqa: E402
    FIELD,
    MAX_FINDINGS,
    UNREADABLE,
    Record,
    boot_token,
)

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


REAL_EK = libattest.EndorsementKey


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
        self.assertEqual({}, identity.to_pin(pins, EK, "ak", False))
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

    def test_a_certificate_is_checked_in_each_mode_where_authorities_are_known(self):
        self.config(ek_ca_dir=str(self.folder), group="libattest")
        read, _ = settings.read(GOOD)
        for trust in ("enrolled", "first_use", "ca"):
            self.config(ek_trust=trust, group="libattest")
            with self.assertRaisesRegex(AttestationFailure, "there is no certificate in"):
                identity.check_ek(read, {}, EK.encode(), b"a certificate")

    def test_a_certificate_of_nobody_known_is_refused(self):
        self.config(ek_ca_dir=str(self.folder), group="libattest")
        (self.folder / "root.pem").write_bytes(b"a root")
        read, _ = settings.read(GOOD)
        for error in (libattest.ChainError("of nobody"), None):
            with mock.patch.object(FakeEk, "verify_chain", create=True, side_effect=error) as chain:
                if error is None:
                    identity.check_ek(read, {}, EK.encode(), b"a certificate")
                else:
                    with self.assertRaisesRegex(AttestationFailure, "certificate: of nobody"):
                        identity.check_ek(read, {}, EK.encode(), b"a certificate")
            self.assertEqual([b"a root"], chain.call_args.args[0])

    def test_ca_pins_too(self):
        self.config(ek_trust="ca", ek_ca_dir=str(self.folder), group="libattest")
        with mock.patch.object(identity, "_check_chain"):
            self.refused("another TPM answers", "f" * 64, {"ek_sha256": EK}, tpm_ek_sha256=None)

    def test_a_key_that_is_none_of_a_tpm_20_is_refused_in_words(self):
        vectors = pathlib.Path(__file__).resolve().parents[2] / "vectors" / "tpm12"
        keys = [(vectors / name).read_bytes() for name in ("aik.tpm_pubkey", "aik.pem")]
        for public in (b"", b"no key", *keys):
            with mock.patch.object(libattest, "EndorsementKey", REAL_EK), \
                 self.assertRaisesRegex(AttestationFailure, "not usable, only a TPM 2.0's is"):
                identity.check_ek(settings.read(GOOD)[0], {}, public, b"")

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

    def test_requests_and_templates_may_not_name_a_step_of_ours(self):
        node = self.deploying()
        ours = {"interface": "deploy", "step": "attest_deploy", "args": {}, "priority": 0}
        other = {**ours, "interface": "bios"}
        template = mock.Mock(steps=[ours])
        template.name = "CUSTOM_UNATTESTED"
        with self.task(node) as task, mock.patch.object(
            gate.deploy_template.DeployTemplate, "list_by_names", return_value=[template]
        ):
            own = task.driver.deploy.deploy_steps
            task.node.set_driver_internal_info("user_deploy_steps", [other])
            gate.refuse_user_steps(task, own)
            task.node.set_driver_internal_info("user_deploy_steps", [other, ours])
            with self.assertRaisesRegex(StepRefused, "the deploy request names"):
                gate.refuse_user_steps(task, own)
            with self.assertRaisesRegex(StepRefused, "the deploy request names"):
                task.driver.deploy.get_deploy_steps(task)
            task.node.set_driver_internal_info("user_deploy_steps", [])
            task.node.instance_info = {"traits": ["CUSTOM_UNATTESTED"]}
            with self.assertRaisesRegex(StepRefused, "template CUSTOM_UNATTESTED names"):
                gate.refuse_user_steps(task, own)

    def test_a_bad_verdict_ends_its_phase(self):
        node = self.deploying()
        self.assertFalse(gate.settled(node, "deploy"))
        record = Record(node)
        record.set_verdict("deploy", "failed", "a bad file", interface="keylime", settings="s")
        record.save()
        with self.assertRaisesRegex(AttestationFailure, "a bad file"):
            gate.settled(node, "deploy")
        record.set_verdict(
            "deploy",
            "failed",
            "a bad file",
            interface="keylime",
            settings=settings.read(node.driver_info)[0].digest,
        )
        record.save()
        with self.assertRaisesRegex(AttestationFailure, "a bad file"):
            gate.check(node, "deploy", same_boot=True)
        self.config(fail_deploy_on_attestation_failure=False, group="keylime")
        self.assertTrue(gate.settled(node, "deploy"))

    def test_a_step_is_refused_in_the_way_that_ironic_handles(self):
        self.assertTrue(issubclass(StepRefused, exception.InstanceDeployFailure))
        self.assertTrue(issubclass(StepRefused, exception.InvalidParameterValue))

    def test_a_ramdisk_step_of_the_same_name_is_not_ours(self):
        node = self.node(driver_internal_info={"agent_cached_clean_steps": {"deploy": [
            {"interface": "deploy", "step": "attest_clean", "priority": 0}]}})
        with self.task(node) as task:
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
            record = Record(task.node)
            record.begin(asked=True)
            record.save()
            self.assertNotEqual("", active.unattested(task.node))
            task.driver.deploy.take_over(task)
            self.assertEqual("", active.unattested(task.node))


class Execution(Base):
    """The second look, where a step runs: lists of steps that Ironic made without asking us."""

    def setUp(self) -> None:
        super().setUp()
        self.deploy = DirectDeploy()
        self.stock = self.enterContext(mock.patch.object(agent.AgentDeploy, "execute_deploy_step"))
        self.steps = [dict(step) for step in self.deploy.deploy_steps]
        node = self.node(provision_state=states.DEPLOYING)
        with self.task(node) as task:
            gate.begin(task)
        node.refresh()
        node.set_driver_internal_info("deploy_steps", self.steps)
        node.save()
        self.deployed = node

    def execute(self, name: str) -> None:
        step = next(step for step in self.steps if step["step"] == name)
        with self.task(self.deployed) as task:
            self.deploy.execute_deploy_step(task, step)

    def test_a_core_step_waits_for_its_verdict(self):
        for name in ("write_image", "prepare_instance_boot"):
            self.assertRaises(AttestationFailure, self.execute, name)
        self.stock.assert_not_called()
        self.trusted(self.deployed, "deploy")
        self.execute("write_image")
        self.stock.assert_called_once()
        for name in ("tear_down_agent", "boot_instance"):
            self.assertRaises(AttestationFailure, self.execute, name)
        self.trusted(self.deployed, "handover")
        self.execute("boot_instance")

    def test_no_step_runs_by_a_list_that_lacks_or_moves_one(self):
        for phase in ("deploy", "handover"):
            self.trusted(self.deployed, phase)
        for name in ("attest_deploy", "attest_handover", "write_image"):
            moved = [{**s, "priority": 1} if s["step"] == name else s for s in self.steps]
            lacking = [step for step in self.steps if step["step"] != name]
            for steps in (moved, lacking):
                self.deployed.set_driver_internal_info("deploy_steps", steps)
                self.deployed.save()
                self.assertRaises(StepRefused, self.execute, "boot_instance")
        self.stock.assert_not_called()

    def test_nothing_changes_for_a_node_that_does_not_ask(self):
        self.deployed.driver_info = {}
        self.deployed.set_driver_internal_info("deploy_steps", [])
        self.deployed.del_driver_internal_info(FIELD)
        self.deployed.save()
        self.execute("boot_instance")
        self.stock.assert_called_once()


class InProcess(Base):
    """What is asked before evidence is, and what it is judged by."""

    LISTS = lists.Lists(b"0" * 64 + b" /a\n", None)

    def subject(self, **pinned: str) -> Subject:
        lists_of_instance = {"keylime_instance_container": "run", "attest_active": "optional"}
        read, problems = settings.read({**GOOD, **lists_of_instance})
        self.assertEqual([], problems)
        subject = Subject("node", read, pinned, agent_uuid_found="agent")
        subject.scratch["lists"] = self.LISTS
        subject.scratch["node"] = libattest.Node()
        return subject

    def answering(self, ek: str) -> mock.Mock:
        found = mock.Mock(ek=ek.encode(), ek_certificate=b"", ak=b"")
        patches = {"registered": mock.Mock(return_value=found), "keylime": mock.Mock()}
        self.enterContext(mock.patch.multiple(inprocess.peers, **patches))
        self.enterContext(mock.patch.object(libattest, "EndorsementKey", FakeEk, create=True))
        self.enterContext(
            mock.patch.object(inprocess.lists_, "load", return_value=self.LISTS)
        )
        return self.enterContext(mock.patch.object(inprocess, "agent_evidence"))

    def test_another_tpm_is_not_asked_for_a_quote(self):
        quoted = self.answering("f" * 64)
        driver = inprocess.InProcessAttestation()
        for ask in (driver.validate_security_status, driver.validate_active):
            with self.assertRaisesRegex(AttestationFailure, "another TPM answers"):
                ask(self.subject())
        quoted.assert_not_called()

    def test_a_key_that_only_a_registrar_vouches_for_does_not_change(self):
        self.config(ek_trust="first_use", group="libattest")
        self.answering(EK)
        verdict = inprocess.Verdict("other", (1, 0), ())
        with mock.patch.object(inprocess, "appraise", return_value=verdict), \
             mock.patch.object(inprocess, "load_ak"), \
             self.assertRaisesRegex(AttestationFailure, "attestation key has changed"):
            inprocess.InProcessAttestation().validate_security_status(
                self.subject(ek_sha256=EK, ak_name="a"))

    def test_the_policy_asks_for_all_of_it(self):
        policy = json.loads(inprocess.make_policy(self.LISTS).to_json())
        self.assertEqual("required", policy["ak"]["attributes"])
        self.assertTrue(policy["ima"]["required"])
        self.assertEqual("sha256", policy["bank"])
        self.assertFalse(policy["allow_sha1"])
        self.assertEqual(["/a"], list(policy["ima"]["runtime_policy"]["digests"]))

    def test_fields_of_a_ramdisk_are_bounded(self):
        good = base64.b64encode(b"x" * 9).decode()
        self.assertEqual(b"x" * 9, inprocess.peers.field({"a": good}, "a", 9))
        self.assertEqual(b"", inprocess.peers.field({"a": None}, "a", 9, required=False))
        for answer in ({}, {"a": None}, {"a": 1}, {"a": [good]}, {"a": good * 2}, {"a": "%%%%"},
                       {"a": good[:-1]}, {"b": good}):
            with self.subTest(str(answer)), self.assertRaisesRegex(AttestationFailure, ""):
                inprocess.peers.field(answer, "a", 9)


class ByVerifier(Base):
    """What the interface `keylime` does with what registrar, agent and verifier say."""

    def setUp(self) -> None:
        super().setUp()
        self.agent = mock.Mock(uuid="agent", ek=EK.encode(), ek_certificate=b"")
        self.client = mock.Mock()
        self.says("trusted")
        one_list = lists.Lists(b"0" * 64 + b" /a\n", None)
        for name, value in (("keylime", self.client), ("registered", self.agent)):
            self.enterContext(mock.patch.object(keylime.peers, name, return_value=value))
        self.enterContext(mock.patch.object(keylime.lists_, "load", return_value=one_list))
        self.enterContext(mock.patch.object(libattest, "EndorsementKey", FakeEk, create=True))
        self.identity = self.enterContext(
            mock.patch.object(keylime, "_verify_identity", return_value=("a", (1, 0)))
        )
        self.driver = keylime.KeylimeAttestation()

    def says(self, verdict: str) -> None:
        self.client.status.return_value = mock.Mock(
            verdict=verdict, state_name="a state", last_event_id="an event"
        )

    def subject(self, **pinned: str) -> Subject:
        return Subject("node", settings.read(GOOD)[0], pinned, agent_uuid_found="agent")

    def test_what_the_verifier_knew_before_is_deleted_first(self):
        evidenced = self.driver.validate_security_status(self.subject())
        self.assertEqual((EK, "a", (1, 0)),
                         (evidenced.ek_sha256, evidenced.ak_name, evidenced.boot))
        calls = [call[0] for call in self.client.method_calls]
        self.assertLess(calls.index("delete"), calls.index("add"))
        self.assertLess(calls.index("add"), calls.index("status"))

    def test_only_trusted_is_trusted(self):
        for verdict, kind in (("failed", AttestationFailure), ("not-attested", AttestationFailure),
                              ("pending", AttestationPending), ("unreachable", AttestationPending),
                              ("unknown", AttestationPending), ("", AttestationPending)):
            self.says(verdict)
            for ask in (self.driver.validate_security_status, self.driver.validate_active):
                with self.subTest(verdict), self.assertRaisesRegex(kind, ""):
                    ask(self.subject())
        self.client.status.return_value = None
        with self.assertRaisesRegex(AttestationFailure, "no longer attests"):
            self.driver.validate_security_status(self.subject())

    def test_a_reboot_under_an_attestation(self):
        for now in (("a", (2, 0)), ("a", (1, 1)), ("b", (1, 0))):
            self.identity.side_effect = [("a", (1, 0)), now]
            with self.assertRaisesRegex(AttestationFailure, "rebooted"):
                self.driver.validate_security_status(self.subject())

    def test_another_tpm_is_not_given_to_the_verifier(self):
        self.agent.ek = b"f" * 64
        with self.assertRaisesRegex(AttestationFailure, "another TPM answers"):
            self.driver.start_attestation(self.subject())
        self.agent.ek = EK.encode()
        self.config(ek_trust="first_use", group="libattest")
        with self.assertRaisesRegex(AttestationFailure, "attestation key has changed"):
            self.driver.start_attestation(self.subject(ak_name="another"))
        self.client.add.assert_not_called()


class IdentityQuote(Base):
    def test_one_that_is_not_verified_is_refused(self):
        report = mock.Mock(quote_verified=False, findings=[])
        quote = mock.Mock(reset_count=1, restart_count=0)
        quote.verify.return_value = report
        key = mock.Mock()
        key.name.hex.return_value = "a"
        with mock.patch.object(libattest.Key, "load", return_value=key), \
             mock.patch.object(libattest.Quote, "parse_keylime", return_value=quote):
            with self.assertRaisesRegex(AttestationFailure, "not verified"):
                keylime._verify_identity(b"", "", "nonce")
            report.quote_verified = True
            self.assertEqual(("a", (1, 0)), keylime._verify_identity(b"", "", "nonce"))


class Records(Base):
    """Records that another version of ours wrote: its pins count, and nothing else."""

    def other(self, **changes) -> Record:
        node = self.node(provision_state=states.DEPLOYING, uuid=str(uuid.uuid4()))
        record = Record(node)
        record.begin(asked=True)
        record.data["pinned"] = {"ek_sha256": EK, "ak_name": "a"}
        record.data["active"] = {"verdict": "trusted", "pinned": {"ek_sha256": EK}}
        record.save()
        self.trusted(node, "deploy")
        self.assertTrue(gate.settled(node, "deploy"))
        stored = {**Record(node).data, **changes}
        node.set_driver_internal_info(FIELD, {k: v for k, v in stored.items() if v is not None})
        node.save()
        return Record(node)

    def test_ours_is_used(self):
        self.assertFalse(self.other().foreign)
        self.assertFalse(Record(self.node()).foreign)

    def test_of_others_nothing_is_trusted(self):
        for change in ({"version": 2}, {"version": 0}, {"version": "1"}, {"version": None},
                       {"of_tomorrow": True}):
            with self.subTest(change):
                record = self.other(**change)
                self.assertTrue(record.foreign)
                self.assertEqual({}, record.verdicts)
                self.assertEqual((None, None), (record.cycle, record.run))
                self.assertFalse(gate.settled(record.node, "deploy"))
                with self.assertRaisesRegex(AttestationFailure, "another version"):
                    gate.check(record.node, "deploy", same_boot=False)
                watched = active.resume(
                    record.node, settings.read(record.node.driver_info)[0], None, None)
                self.assertEqual("unknown", watched.verdict)

    def test_what_was_pinned_stays_pinned(self):
        self.config(ek_trust="first_use", group="libattest")
        record = self.other(version=2)
        self.assertEqual({"ek_sha256": EK, "ak_name": "a"}, record.pinned)
        self.assertEqual({"ek_sha256": EK, "ak_name": "a"}, active.active_pinned(record))
        record.save()
        self.assertEqual({"ek_sha256": EK, "ak_name": "a"}, Record(record.node).pinned)

    def test_pins_that_can_not_be_read_fit_no_key(self):
        self.config(ek_trust="first_use", group="libattest")
        read, _ = settings.read({k: v for k, v in GOOD.items() if k != "tpm_ek_sha256"})
        for pinned in ({"key": "x"}, {"ek_sha256": 7}, ["a"], "a", {"ek_sha256": EK, "more": "b"}):
            with self.subTest(str(pinned)):
                record = self.other(version=2, pinned=pinned)
                with mock.patch.object(libattest, "EndorsementKey", FakeEk, create=True), \
                     self.assertRaisesRegex(AttestationFailure, "forget_identity"):
                    identity.check_ek(read, record.pinned, EK.encode(), b"")
                record = self.other(version=2, active={"pinned": pinned})
                with self.assertRaisesRegex(AttestationFailure, "forget_identity"):
                    active._hold(active.active_pinned(record), Evidenced(
                        EK, "a", (1, 0), True, "l"))

    def test_what_is_no_record_at_all(self):
        for stored in ("trusted", ["trusted"], 1, True):
            node = self.node(driver_internal_info={FIELD: stored})
            record = Record(node)
            self.assertEqual((True, {}), (record.foreign, record.verdicts))
            self.assertEqual({UNREADABLE}, set(record.pinned.values()))
            node.destroy()

    def test_it_is_said_once_and_written_over(self):
        record = self.other(version=2)
        with mock.patch.object(record_module.LOG, "warning") as warned:
            record.save()
            Record(record.node).save()
        warned.assert_called_once()
        self.assertFalse(Record(record.node).foreign)

    def test_only_a_node_that_waits_in_a_step_of_ours_goes_on(self):
        for name, resumed in (("attest_deploy", 1), ("attest_handover", 1), ("write_image", 0)):
            with self.subTest(name):
                node = self.other(version=2).node
                node.provision_state = states.DEPLOYWAIT
                node.deploy_step = {"step": name, "interface": "deploy"}
                node.save()
                with task_manager.acquire(self.context, node.uuid, shared=True) as task, \
                     mock.patch.object(waiting.conductor_utils,
                                       "notify_conductor_resume_deploy") as resume:
                    waiting.look(task)
                self.assertEqual(resumed, resume.call_count)
                node.refresh()
                self.assertEqual({}, Record(node).verdicts)
                self.assertEqual(not resumed, Record(node).foreign)

    def test_a_run_that_begins_on_one_has_a_cycle(self):
        node = self.other(version=2).node
        with self.task(node) as task, mock.patch.object(waiting, "_submit"):
            waiting.start(task, "handover")
        node.refresh()
        self.assertIsNotNone(Record(node).cycle)
        self.assertEqual(Record(node).cycle, Record(node).run["cycle"])


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
        return waiting.Outcome("trusted", "trusted", self.evidenced(**changes),
                               settings=settings.read(GOOD)[0].digest)

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

    def test_settings_that_change_under_an_attestation_are_no_verdict(self):
        for phase in ("clean", "deploy"):
            node = self.waiting(phase)
            node.driver_info = {**GOOD, "keylime_container": "others"}
            node.save()
            entry = self.conclude(node, self.good())[phase]
            self.assertEqual(("unknown", waiting.SETTINGS_CHANGED),
                             (entry["verdict"], entry["reason"]))
            self.assertEqual(["unknown"], self.went_on)
            node.destroy()

    def test_a_round_goes_on_with_what_its_own_settings_loaded(self):
        node, scratch = self.waiting(), {"agent_uuid": "agent"}
        driver = mock.Mock(**{"validate.return_value": [],
                              "validate_security_status.side_effect": AttestationPending("not yet"),
                              })  # fmt: skip
        with mock.patch.object(attestation, "get", return_value=driver):
            def work():
                return waiting._work(node.uuid, Record(node).run["id"], scratch)

            self.assertEqual("pending", work().verdict)
            driver.validate_security_status.side_effect = [self.evidenced()] * 2
            good = work()
            self.assertEqual(("trusted", settings.read(GOOD)[0].digest),
                             (good.verdict, good.settings))
            node.driver_info = {**GOOD, "keylime_container": "others"}
            node.save()
            self.assertEqual(("unknown", waiting.SETTINGS_CHANGED),
                             (work().verdict, work().reason))
        driver.start_attestation.assert_called_once()

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

    def test_a_handover_alone_is_no_verdict_of_the_image(self):
        node = self.waiting("handover")
        entry = self.conclude(node, self.good())["handover"]
        self.assertEqual("failed", entry["verdict"])

    def test_what_is_pinned_is_said(self):
        self.config(ek_trust="first_use", group="libattest")
        node = self.waiting()
        with mock.patch.object(waiting.LOG, "warning") as warned:
            self.conclude(node, self.good())
        self.assertIn(EK, str(warned.call_args))
        self.assertEqual({"ek_sha256": EK, "ak_name": "a"}, Record(node).pinned)

    def test_what_was_seen_and_not_held_against_the_node_is_told(self):
        node = self.waiting()
        notes = ("PCR 0 is not appraised\n", *(["x" * 1000] * 10))
        entry = self.conclude(node, self.good(notes=notes))["deploy"]
        self.assertEqual("PCR 0 is not appraised", entry["notes"][0])
        self.assertEqual(MAX_FINDINGS, len(entry["notes"]))
        self.assertLess(len(str(entry)), 3000)
        with self.task(node) as task:
            shown = task.driver.vendor.attestation_status(task)["verdicts"]["deploy"]
        self.assertEqual(entry["notes"], shown["notes"])

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

    def test_nobody_is_passed_over_where_there_is_more_work_than_workers(self):
        self.config(workers=2, workers_per_peer=1, group="libattest")
        for key in ("a", "b"):
            self.hold(key, key)

        def work(key: str) -> None:
            time.sleep(0.01)
            self.done.append(key)

        for number in range(4):
            self.pool.submit(f"new {number}", "registrar", lambda _, n=number: work(f"new {n}"))
        known = [f"known {number}" for number in range(100)]
        for key in known:
            self.pool.submit(key, key, lambda _, key=key: work(key))
        self.gate.set()
        self.result(known[-1])
        self.assertIn("new 3", self.done[:60])

    def test_what_is_cancelled_at_the_head_of_a_line_holds_up_nobody(self):
        self.config(workers=2, workers_per_peer=1, group="libattest")
        for key in range(5):
            self.hold(key, "stuck")
        for key in (1, 2):
            self.pool.forget(key)
        self.gate.set()
        self.result(4)
        self.assertEqual([0, 3, 4], self.done)
        self.assertEqual({}, self.pool._lines)

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
        driver = mock.Mock(**{"validate.return_value": []})
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

    def test_a_node_that_may_not_be_powered_off_is_left_on(self):
        self.config(on_active_failure="power_off", group="libattest")
        node = self.running()
        if "disable_power_off" in node.fields:
            node.disable_power_off = True
            node.save()
        else:  # older Ironics have no such nodes
            refuses = mock.patch.object(type(node), "disable_power_off", True, create=True)
            self.enterContext(refuses)
        self.round(node, AttestationFailure("bad"))
        self.assertEqual(states.POWER_ON, node.power_state)
        self.assertIn("it was not powered off: the node refuses that", node.last_error)
        self.assertTrue(node.maintenance)

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

    def test_settings_that_come_back_are_those_that_are_judged(self):
        node = self.running()
        first = settings.read(node.driver_info)[0]
        watched = self.round(node, self.good())
        other = settings.read({**node.driver_info, "keylime_instance_container": "other"})[0]
        changed = active.resume(node, other, None, watched)
        self.assertEqual(other.digest, changed.subject.settings.digest)
        again = active.resume(node, first, None, changed)
        self.assertEqual(first.digest, again.subject.settings.digest)
        self.assertIs(again, active.resume(node, first, None, again))

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
        driver.validate.return_value = []
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

    def test_nodes_that_have_their_turn_late_are_told(self):
        watch, names = active.Watch(), [f"node-{number}" for number in range(4)]
        interval = CONF.libattest.active_interval
        for name, ago in zip(names, (0, 2 * interval - 5, 2 * interval + 5, 10**6), strict=True):
            subject = Subject(name, settings.read(GOOD)[0], scratch={"node": libattest.Node()})
            watch.nodes[name] = active.Watched(
                name, 1, "", subject, "trusted", "", time.time(), due=time.time() + 60,
                round_at=time.time() - ago,
            )  # fmt: skip
        rows = [(name, "libattest-fake", "", 1, name == names[3], None) for name in names]
        manager = mock.Mock(**{"iter_nodes.return_value": rows})
        with mock.patch.object(notify.METRICS, "send_gauge") as gauge:
            with mock.patch.object(active.LOG, "warning") as warning:
                for _ in range(3):
                    watch.look(manager, self.context, object)
        # The fourth is in maintenance, and it does not begin late when that ends.
        self.assertEqual([1] * 3, [call.args[1] for call in gauge.call_args_list])
        self.assertTrue(gauge.call_args.args[0].endswith("libattest.attestation.active.late"))
        warning.assert_called_once()
        text, values = warning.call_args.args
        self.assertIn("1 of 4 active nodes have had no attestation for more than 120 s", text % values)
        self.assertGreater(watch.nodes[names[3]].round_at, time.time() - 60)

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

    def test_with_other_settings_it_begins_anew(self):
        node = self.running()
        self.round(node, self.good())
        node.driver_info = {**node.driver_info, "keylime_vp": 9}
        other = active.resume(node, settings.read(node.driver_info)[0], None, None)
        self.assertEqual(("unknown", 0.0), (other.verdict, other.saved_at))

    def test_what_was_found_before_it_left_is_not_held_against_it(self):
        node = self.running()
        watched = active.resume(node, settings.read(node.driver_info)[0], None, None)
        watched.since = "before it left"
        self.again(node, watched, AttestationFailure("a bad file"))
        self.assertFalse(node.maintenance)
        self.assertNotIn("active", Record(node).data)

    def test_nothing_is_built_on_what_was_bad(self):
        node = self.running()
        watched = active.resume(node, settings.read(node.driver_info)[0], None, None)
        before = watched.subject.scratch["node"]
        watched.subject.scratch["policy"] = "of then"
        self.again(node, watched, AttestationFailure("a bad file"))
        self.assertEqual({"node"}, set(watched.subject.scratch))
        self.assertIsNot(before, watched.subject.scratch["node"])

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
        driver = mock.Mock(**{"validate_active.return_value": self.good(),
                              "validate.return_value": []})
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


class Status(Base):
    def test_an_interface_that_is_enabled_and_not_there_is_a_problem_like_others(self):
        self.config(enabled_attestation_interfaces=["typo"], group="libattest")
        node = self.node({**GOOD, "attestation_interface": "typo"})
        with self.task(node) as task:
            shown = task.driver.vendor.attestation_status(task)
        self.assertIn("there is no attestation interface 'typo'", shown["problems"])

    def test_a_record_of_another_version_is_a_warning(self):
        node = self.node(driver_internal_info={FIELD: {"version": 2}})
        with self.task(node) as task:
            shown = task.driver.vendor.attestation_status(task)
        self.assertTrue(any("another version" in line for line in shown["warnings"]))


class Notifications(Base):
    """A verdict as a metric and as a notification."""

    def told(self, verdict: str, level: str | None = "debug", **entry) -> list:
        self.config(notification_level=level)
        node = self.node()
        shown = {"reason": "why", "interface": "keylime", "at": 7, "findings": ["f"],
                 "only_launch": False, "token": "secret"}  # fmt: skip
        self.notifier = mock.Mock()
        with mock.patch.object(notify.rpc, "get_versioned_notifier", return_value=self.notifier), \
             mock.patch.object(notify.METRICS, "_counter") as counter, \
             mock.patch.object(notify.METRICS, "_timer") as timer:
            notify.verdict(self.context, node, "deploy", {"verdict": verdict, **shown, **entry}, 2)
        self.metrics = [call.args for call in (*counter.mock_calls, *timer.mock_calls)]
        node.destroy()
        return self.notifier.method_calls

    def node(self, *args, **fields):
        return super().node(*args, uuid=str(uuid.uuid4()), **fields)

    def test_every_verdict_is_a_metric(self):
        for verdict in ("trusted", "failed", "unknown"):
            self.told(verdict, None)
            self.assertEqual([(f"libattest.attestation.deploy.{verdict}", 1),
                              ("libattest.attestation.deploy.duration", 2000)], self.metrics)

    def test_and_a_notification_of_its_level(self):
        for verdict, level in (("trusted", "info"), ("unknown", "warning"), ("failed", "error")):
            (call,) = self.told(verdict, notes=["a note"], launch="the deploy ramdisk's launch")
            self.assertEqual(level, call[0])
            self.assertEqual(f"libattest.attestation.{verdict}", call.kwargs["event_type"])
            payload = call.kwargs["payload"]
            self.assertEqual(("deploy", verdict, "why", ["f"], ["a note"], "refuse"), tuple(
                payload[key] for key in
                ("phase", "verdict", "reason", "findings", "notes", "launch_on_failure")))
            self.assertNotIn("secret", str(payload))

    def test_only_of_the_levels_that_are_wanted(self):
        for wanted, number in ((None, 0), ("debug", 3), ("info", 3), ("warning", 2), ("error", 1),
                               ("critical", 0)):
            calls = [self.told(v, wanted) for v in ("trusted", "unknown", "failed")]
            self.assertEqual(number, sum(map(len, calls)), wanted)

    def test_a_verdict_stands_without_one(self):
        with mock.patch.object(notify.LOG, "exception") as logged, mock.patch.object(
            notify.rpc, "get_versioned_notifier", side_effect=RuntimeError("no bus")
        ):
            self.config(notification_level="debug")
            entry = {"verdict": "trusted", "reason": "", "interface": "keylime", "at": 7,
                     "findings": [], "only_launch": False}  # fmt: skip
            notify.verdict(self.context, self.node(), "clean", entry, 1.0)
        logged.assert_called_once()


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

    def test_required_is_for_every_node(self):
        self.config(
            require_attestation=True,
            enabled_attestation_interfaces=["keylime"],
            default_attestation_interface="keylime",
            group="libattest",
        )
        hardware.check_configuration()
        refused = [line for line in settings.read({"attestation_interface": "no-attestation"})[1]
                   if "require_attestation" in line]  # fmt: skip
        self.assertEqual(1, len(refused))
        for group, changes in (
            (None, {"enabled_hardware_types": ["libattest-ipmi", "ipmi"]}),
            ("keylime", {"fail_clean_on_attestation_failure": False}),
            ("keylime", {"fail_deploy_on_attestation_failure": False}),
            ("libattest", {"enabled_attestation_interfaces": ["keylime", "no-attestation"]}),
        ):
            with self.subTest(str(changes)):
                before = {name: (CONF[group] if group else CONF)[name] for name in changes}
                self.config(**changes, group=group)
                with self.assertRaisesRegex(exception.DriverLoadError, "require_attestation is"):
                    hardware.check_configuration()
                self.config(**before, group=group)
        hardware.check_configuration()

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
