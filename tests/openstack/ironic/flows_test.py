# SPDX-License-Identifier: Apache-2.0
"""Whole flows on real Ironic, with verdicts from a script: what Ironic does with each of them."""

import pathlib
import tempfile
import time
import unittest

from fake_ipa import wait_until
from service import ApiError, Ironic

ASKED = {
    "attestation_interface": "scripted",
    "tpm_ek_sha256": "e" * 64,
    "keylime_allowlist": "allowlist",
    "keylime_allowlist_checksum": "0" * 64,
}
CORE = ("deploy", "attest_deploy", "attest_handover")


class Flows(unittest.TestCase):
    """One Ironic for all: nodes are independent."""

    options: dict[str, dict[str, str]] = {}

    @classmethod
    def setUpClass(cls) -> None:
        cls._folder = tempfile.TemporaryDirectory(prefix="libattest-ironic-")
        cls.ironic = Ironic(pathlib.Path(cls._folder.name), cls.options)
        cls.addClassCleanup(cls._folder.cleanup)
        cls.enterClassContext(cls.ironic)

    def available(self, **fields) -> str:
        return self.ironic.available(ASKED, **fields)

    def never_active(self, node: str, *states: str) -> dict:
        """The node ends in one of these states, without having been active on the way."""
        seen = self.ironic.wait(node, *states, "active")
        self.assertNotEqual("active", seen["provision_state"])
        return seen

    def calls(self, node: str) -> list[str]:
        path = self.ironic.verdicts / f"{node}.calls"
        return path.read_text().split() if path.exists() else []


class Verdicts(Flows):
    def test_a_node_that_asks_for_nothing_is_as_before(self):
        node = self.ironic.enroll({})
        self.ironic.provision(node, "manage")
        self.ironic.wait(node, "manageable")
        self.ironic.provision(node, "provide")
        self.ironic.wait(node, "available")
        self.ironic.provision(node, "active")
        self.ironic.wait(node, "active")
        self.assertEqual({}, self.ironic.passthru(node, "attestation_status")["verdicts"])
        self.assertEqual([], self.calls(node))

    def test_trusted_from_enrolment_to_undeployment(self):
        node = self.available()
        self.ironic.provision(node, "active")
        self.ironic.wait(node, "active")
        status = self.ironic.passthru(node, "attestation_status")
        self.assertEqual({"clean", "deploy", "handover"}, set(status["verdicts"]))
        self.assertEqual({"trusted"}, {v["verdict"] for v in status["verdicts"].values()})
        self.ironic.provision(node, "deleted")
        self.ironic.wait(node, "available")
        status = self.ironic.passthru(node, "attestation_status")
        self.assertEqual({"clean"}, set(status["verdicts"]))

    def test_cleaning_fails_with_the_reason(self):
        node = self.ironic.enroll(ASKED)
        self.ironic.provision(node, "manage")
        self.ironic.wait(node, "manageable")
        self.ironic.say(node, "failed")
        self.ironic.provision(node, "provide")
        seen = self.ironic.wait(node, "clean failed")
        self.assertTrue(seen["maintenance"])
        self.assertIn("PCR 7 is not what it should be", seen["last_error"])

    def test_a_deployment_fails_with_the_reason_and_powered_off(self):
        node = self.available()
        self.ironic.say(node, "failed")
        self.ironic.provision(node, "active")
        seen = self.never_active(node, "deploy failed")
        self.assertEqual("power off", seen["power_state"])
        self.assertIn("PCR 7 is not what it should be", seen["last_error"])

    def test_what_turns_bad_between_the_two_attestations_fails(self):
        node = self.available()
        self.ironic.say(node, "")
        self.ironic.provision(node, "active")
        self.ironic.wait(node, "wait call-back")
        self.ironic.say(node, "trusted\nfailed")
        self.never_active(node, "deploy failed")

    def test_a_reboot_between_the_two_attestations_fails(self):
        node = self.available()
        self.ironic.say(node, "")
        self.ironic.provision(node, "active")
        self.ironic.wait(node, "wait call-back")
        self.ironic.say(node, "trusted 1\ntrusted 2")
        seen = self.never_active(node, "deploy failed")
        self.assertIn("rebooted", seen["last_error"])

    def test_no_verdict_in_time_is_a_failure(self):
        node = self.available()
        self.ironic.say(node, "")
        self.ironic.provision(node, "active")
        seen = self.never_active(node, "deploy failed")
        self.assertIn("no verdict in time: no word yet", seen["last_error"])

    def test_a_bug_of_ours_is_a_failure(self):
        node = self.available()
        self.ironic.say(node, "error")
        self.ironic.provision(node, "active")
        seen = self.never_active(node, "deploy failed")
        self.assertIn("unexpected error", seen["last_error"])

    def test_settings_are_named_before_anything_runs(self):
        node = self.ironic.enroll({"attestation_interface": "scripted", "keylime_vp": "99999"})
        self.ironic.provision(node, "manage")
        self.ironic.wait(node, "enroll")
        seen = self.ironic.node(node)
        for key in ("keylime_vp", "tpm_ek_sha256", "keylime_container"):
            self.assertIn(key, seen["last_error"])
        validated = self.ironic.request("GET", f"/v1/nodes/{node}/validate")
        self.assertFalse(validated["deploy"]["result"])
        self.assertIn("tpm_ek_sha256", validated["deploy"]["reason"])

    def test_what_ironic_finds_does_not_hide_what_is_wrong_with_the_settings(self):
        info = {"attestation_interface": "scripted"}
        node = self.ironic.enroll(info, deploy_interface="libattest-direct")
        reason = self.ironic.request("GET", f"/v1/nodes/{node}/validate")["deploy"]["reason"]
        for words in ("tpm_ek_sha256", "keylime_container", "image_source"):
            self.assertIn(words, reason)

    def test_a_slow_peer_holds_up_nobody(self):
        slow, quick = self.available(), self.available()
        self.ironic.say(slow, "slow 8")
        self.ironic.provision(slow, "active")
        self.ironic.wait(slow, "wait call-back")
        self.assertIsNone(self.ironic.node(slow)["reservation"])
        begin = time.monotonic()
        self.ironic.provision(quick, "active")
        self.ironic.wait(quick, "active")
        self.assertLess(time.monotonic() - begin, 7)

    def test_a_conductor_killed_while_waiting_goes_on(self):
        node = self.available()
        self.ironic.say(node, "")
        self.ironic.provision(node, "active")
        self.ironic.wait(node, "wait call-back")
        self.ironic.stop(9)
        self.ironic.start()
        self.ironic.say(node, "trusted")
        self.ironic.wait(node, "active")

    def test_notifications_and_unregistering(self):
        node = self.available()
        self.assertEqual(["start", "unregister"], self.calls(node))
        self.assertIn("libattest.attestation.trusted", self.ironic.log())
        self.ironic.say(node, "failed")
        self.ironic.provision(node, "active")
        self.ironic.wait(node, "deploy failed")
        self.assertIn("libattest.attestation.failed", self.ironic.log())


class TwoVersions(Flows):
    """A conductor of another version began; ours goes on, and trusts nothing that it wrote."""

    options = {"libattest": {"attestation_timeout": "120"}}

    def forge(self, node: str) -> None:
        def change(info: dict) -> None:
            record = info["libattest"]
            verdict = {
                "verdict": "trusted",
                "reason": "trusted",
                "at": 1,
                "cycle": record["cycle"],
                "token": record["run"]["token"],
                "interface": "scripted",
                "settings": "0" * 32,
                "findings": [],
            }
            record.update(version=2, verdicts={"deploy": verdict, "handover": verdict})

        self.ironic.rewrite(node, change)

    def wait_in(self, node: str, step: str) -> None:
        wait_until(lambda: (self.ironic.node(node)["deploy_step"] or {}).get("step") == step)
        self.ironic.wait(node, "wait call-back")

    def test_what_it_left_behind_is_attested_anew(self):
        nodes = good, bad, late = [self.available() for _ in range(3)]
        for node in nodes:
            self.ironic.say(node, "trusted\n-" if node == late else "")
            self.ironic.provision(node, "active")
        for node in nodes:
            self.wait_in(node, "attest_handover" if node == late else "attest_deploy")
        self.ironic.stop()
        for node in nodes:
            self.forge(node)
        self.ironic.say(good, "trusted")
        self.ironic.say(bad, "failed")
        self.ironic.say(late, "trusted")
        self.ironic.start()
        self.ironic.wait(good, "active")
        self.assertIn("PCR 7", self.never_active(bad, "deploy failed")["last_error"])
        # Whether the image was written in this boot is what the other version alone knew.
        self.assertIn("deploy again", self.never_active(late, "deploy failed")["last_error"])
        for node in nodes:
            told = f"Node {node}: the attestation record was written by another version"
            self.assertEqual(1, self.ironic.log().count(told))


class WaysRound(Flows):
    """Each way round the gate that is known, tried. Verdicts are bad throughout."""

    def setUp(self) -> None:
        self.node = self.available()
        self.ironic.say(self.node, "failed")

    def deploy(self, *steps: dict) -> dict:
        try:
            self.ironic.provision(self.node, "active", deploy_steps=list(steps))
        except ApiError as error:
            self.assertEqual(400, error.status, error.text)
            return self.ironic.node(self.node)
        return self.never_active(self.node, "deploy failed")

    @staticmethod
    def step(name: str, priority: int, interface: str = "deploy", **args) -> dict:
        return {"interface": interface, "step": name, "args": args, "priority": priority}

    def test_a_user_step_disables_or_moves_a_step_of_ours(self):
        for name in CORE:
            for priority in (0, 1, 95):
                with self.subTest(name=name, priority=priority):
                    seen = self.deploy(self.step(name, priority))
                    self.assertIn(name, seen["last_error"])

    def test_all_steps_are_disabled_and_one_of_another_interface_is_left(self):
        bios = self.step("apply_configuration", 50, "bios", settings=[])
        self.deploy(*(self.step(name, 0) for name in CORE), bios)

    def test_a_deploy_template_disables_the_step(self):
        self.ironic.request(
            "POST",
            "/v1/deploy_templates",
            {"name": "CUSTOM_UNATTESTED", "steps": [self.step("attest_deploy", 0)]},
        )
        traits = ["CUSTOM_UNATTESTED"]
        self.ironic.request("PUT", f"/v1/nodes/{self.node}/traits", {"traits": traits})
        self.ironic.set(self.node, instance_info__traits=traits)
        self.deploy()
        self.assertIn(
            "deploy template CUSTOM_UNATTESTED names deploy step attest_deploy", self.ironic.log()
        )

    def test_another_deploy_interface_by_instance_info(self):
        self.ironic.set(self.node, instance_info__deploy_interface="fake")
        with self.assertRaises(ApiError):
            self.ironic.provision(self.node, "active")
        self.assertEqual("available", self.ironic.node(self.node)["provision_state"])

    def test_automated_clean_is_off(self):
        node = self.ironic.enroll(ASKED, automated_clean=False)
        self.ironic.provision(node, "manage")
        self.ironic.wait(node, "manageable")
        self.ironic.say(node, "failed")
        self.ironic.provision(node, "provide")
        self.ironic.wait(node, "available")
        self.node = node
        self.deploy()

    def test_adoption_is_refused(self):
        node = self.ironic.enroll(ASKED)
        self.ironic.provision(node, "manage")
        self.ironic.wait(node, "manageable")
        self.ironic.set(node, instance_info__image_source="http://127.0.0.1/image")
        self.ironic.provision(node, "adopt")
        seen = self.never_active(node, "adopt failed")
        self.assertIn("adoption would skip", seen["last_error"])

    def test_rebuild_with_an_old_verdict(self):
        # Ironic 39.0 answers 500 to the rebuild of a node whose image's type it can not tell
        # (deployments.py: auto_lessee without a value).
        self.ironic.set(
            self.node,
            instance_info__image_source="http://127.0.0.1/image",
            instance_info__image_type="whole-disk",
        )
        self.ironic.say(self.node, "trusted")
        self.ironic.provision(self.node, "active")
        self.ironic.wait(self.node, "active")
        self.ironic.say(self.node, "failed")
        self.ironic.provision(self.node, "rebuild")
        self.ironic.wait(self.node, "deploy failed")

    def test_redeploy_from_deploy_failed(self):
        self.deploy()
        self.deploy()

    def test_settings_do_not_change_under_a_deployment(self):
        self.ironic.say(self.node, "")
        self.ironic.provision(self.node, "active")
        self.ironic.wait(self.node, "wait call-back")
        with self.assertRaises(ApiError) as refused:
            self.ironic.set(self.node, driver_info__attestation_interface="no-attestation")
        self.assertEqual(409, refused.exception.status)

    def test_maintenance_cleared_by_hand(self):
        self.ironic.provision(self.node, "manage")
        self.ironic.wait(self.node, "manageable")
        self.ironic.provision(self.node, "provide")
        self.assertTrue(self.ironic.wait(self.node, "clean failed")["maintenance"])
        self.ironic.request("DELETE", f"/v1/nodes/{self.node}/maintenance")
        self.ironic.provision(self.node, "manage")
        self.ironic.wait(self.node, "manageable")
        self.ironic.provision(self.node, "provide")
        self.ironic.wait(self.node, "clean failed")


class CleanStepOverridden(Flows):
    options = {"conductor": {"clean_step_priority_override": "deploy.attest_clean:0"}}

    def test_the_deployment_is_still_attested(self):
        node = self.available()
        self.assertEqual([], self.calls(node))
        self.assertIn("clean_step_priority_override changes deploy.attest_clean", self.ironic.log())
        self.ironic.say(node, "failed")
        self.ironic.provision(node, "active")
        self.never_active(node, "deploy failed")


class ReportOnly(Flows):
    options = {
        "keylime": {
            "fail_clean_on_attestation_failure": "false",
            "fail_deploy_on_attestation_failure": "false",
        }
    }

    def test_failures_are_only_reported_and_said_so(self):
        self.assertIn("report-only: [keylime]fail_clean_on_attestation_failure", self.ironic.log())
        node = self.ironic.enroll(ASKED)
        self.ironic.provision(node, "manage")
        self.ironic.wait(node, "manageable")
        self.ironic.say(node, "failed")
        self.ironic.provision(node, "provide")
        self.ironic.wait(node, "available")
        self.ironic.provision(node, "active")
        self.ironic.wait(node, "active")
        status = self.ironic.passthru(node, "attestation_status")
        self.assertEqual({"failed"}, {v["verdict"] for v in status["verdicts"].values()})
        self.assertEqual(2, sum(line.startswith("report-only") for line in status["warnings"]))

    def test_validation_says_so_and_is_clean_once_the_node_has_an_image(self):
        node = self.ironic.enroll(ASKED, deploy_interface="libattest-direct")
        validated = self.ironic.request("GET", f"/v1/nodes/{node}/validate")["deploy"]
        self.assertFalse(validated["result"])
        for words in ("report-only: [keylime]fail_clean", "report-only: [keylime]fail_deploy",
                      "allowlist is not a file on conductor", "image_source"):  # fmt: skip
            self.assertIn(words, validated["reason"])
        self.ironic.set(
            node,
            instance_info__image_source="http://127.0.0.1/image",
            instance_info__image_checksum="0" * 32,
        )
        validated = self.ironic.request("GET", f"/v1/nodes/{node}/validate")
        # What Nova asks for before it deploys.
        for interface in ("deploy", "power", "storage"):
            self.assertTrue(validated[interface]["result"], validated[interface])
        self.assertIn("allowlist is not a file on conductor", self.ironic.log())


class Required(Flows):
    options = {
        "libattest": {
            "require_attestation": "true",
            "enabled_attestation_interfaces": "scripted",
            "default_attestation_interface": "scripted",
        }
    }

    def test_no_attestation_is_refused(self):
        node = self.ironic.enroll({**ASKED, "attestation_interface": "no-attestation"})
        self.ironic.provision(node, "manage")
        self.ironic.wait(node, "enroll")
        self.assertIn("require_attestation", self.ironic.node(node)["last_error"])

    def test_the_conductor_does_not_start_beside_others_or_report_only(self):
        for section, values in (
            ("DEFAULT", {"enabled_hardware_types": "libattest-fake,fake-hardware"}),
            ("keylime", {"fail_deploy_on_attestation_failure": "false"}),
            ("libattest", {"enabled_attestation_interfaces": "scripted,no-attestation"}),
        ):
            with self.subTest(section=section), tempfile.TemporaryDirectory() as folder:
                words = "require_attestation is set"
                changed = {**self.options, section: {**self.options.get(section, {}), **values}}
                other = Ironic(pathlib.Path(folder), changed, refusal=words)
                with self.assertRaisesRegex(RuntimeError, words):
                    other.__enter__()
                other.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
