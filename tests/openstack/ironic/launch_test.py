# SPDX-License-Identifier: Apache-2.0
"""Measured launches in whole flows of a real Ironic: the deploy ramdisk's, and the instance's.

A software TPM has a dynamic launch where the text says so: no TXT machine is needed.
"""

import hashlib
import json
import struct
import unittest

import libattest
import pxe_test
from fake_ipa import wait_until
from keylime_agent import KeylimeAgent

LS, NCAT = pxe_test.LS, hashlib.sha256(b"ncat").digest()
PCRS = [*range(8), *range(17, 20)]

ACM = b"an authenticated code module"
LAUNCH = [(17, b"the measured launch environment"), (18, b"tboot's policy"), (18, b"a kernel"),
          (19, b"a ramdisk")]  # fmt: skip


def launch_log(acm: bytes, events: list[tuple[int, bytes]]) -> bytes:
    """What SINIT and tboot log of Tpm.launch(): TXT's legacy form, one log for a bank."""

    def event(pcr: int, kind: int, digest: bytes, data: bytes) -> bytes:
        return struct.pack("<II", pcr, kind) + digest + struct.pack("<I", len(data)) + data

    descriptor = b"FRMT ID EVENT00\0" + struct.pack("<III", 1, 0x000B, 32)
    log = event(0, 3, bytes(20), descriptor)
    log += event(17, 0x402, hashlib.sha256(acm).digest(), b"")  # HASH_START
    for pcr, data in events:
        log += event(pcr, 0x501, hashlib.sha256(data).digest(), b"")  # tboot's own
    return log


class Launches(pxe_test.TrustedBoot):
    """The deploy ramdisk's launch, and the instance's, by the library in the conductor."""

    def boot(self, acm: bytes | None = ACM, events: list[tuple[int, bytes]] | None = None) -> None:
        """The node boots, by tboot unless `acm` is None."""
        self.tpm.reboot()
        if acm is not None:
            self.tpm.launch(acm, LAUNCH if events is None else events)

    def boot_ramdisk(self, *launch) -> None:
        self.boot(*launch)
        self.ipa.ima = b""
        self.ipa.measure("boot_aggregate", self.ipa._boot_aggregate())
        self.ipa.measure("/usr/bin/ls", LS)

    def write_policy(self, name: str, log: bytes | None = None) -> None:
        """From a node that is known to be good: the one that has just booted."""
        nonce = bytes(20)
        pcrs = ",".join(map(str, PCRS))
        self.tpm.tool("quote", "-c", "0x81010002", "-l", f"sha256:{pcrs}", "-q", nonce.hex(),
                      "-m", "l.msg", "-s", "l.sig", "-o", "l.pcrs", "-F", "values")  # fmt: skip
        quote = tuple(self.tpm.file(f"l.{part}") for part in ("msg", "sig", "pcrs"))
        policy, report = libattest.Policy.learn(
            libattest.Evidence(quote=quote, ak=self.tpm.ak, launch_log=log),
            nonce=nonce,
            profile="trusted-boot",
        )
        assert policy is not None, report.findings
        (self.ironic.folder / "lists" / name).write_text(policy.to_json())

    def start(self, **info) -> str:
        self.boot()
        self.write_policy("launch.json")
        return self.available(
            attestation_interface="libattest",
            tpm_ek_sha256=self.ek_sha256(),
            trusted_boot_ramdisk="true",
            trusted_boot_policy="launch.json",
            **info,
        )

    def test_the_deploy_ramdisks_launch(self):
        node = self.start()
        self.policies_that_let_any_launch_pass(node)
        self.launches_that_are_other(node)
        self.a_changed_event_is_named(node)
        self.good_ones_go_on(node)

    def policies_that_let_any_launch_pass(self, node: str) -> None:
        path = self.ironic.folder / "lists" / "launch.json"
        good = json.loads(path.read_text())
        for change, words in (
            ({"launch": {"required": False}}, "does not demand one"),
            ({"pcrs": {k: v for k, v in good["pcrs"].items() if k != "18"}}, "none for PCR 18"),
            ({"version": 2}, "the policy of the launch: "),
        ):
            with self.subTest(words):
                path.write_text(json.dumps({**good, **change}))
                self.fails(node, words)
        path.unlink()
        self.fails(node, "launch.json can not be read on conductor")
        path.write_text(json.dumps(good))

    def launches_that_are_other(self, node: str) -> None:
        for launch, words in (
            ((None,), "PCR 17"),
            ((b"another module",), "PCR 17"),
            ((ACM, LAUNCH[:3]), "PCR 19"),
        ):
            with self.subTest(words=words, launch=launch):
                self.boot_ramdisk(*launch)
                self.ipa.asked.clear()
                self.fails(node, "the deploy ramdisk's launch: ")
                self.assertIn(words, self.ironic.node(node)["last_error"])
                self.assertNotIn("execute_deploy_step", self.ipa.asked)

    def a_changed_event_is_named(self, node: str) -> None:
        self.boot_ramdisk()
        self.write_policy("launch.json", launch_log(ACM, LAUNCH))
        changed = [*LAUNCH[:2], (18, b"another kernel"), LAUNCH[3]]
        self.boot_ramdisk(ACM, changed)
        self.ipa.launch_log = launch_log(ACM, changed)
        self.fails(node, "the deploy ramdisk's launch: launch log event 4 ")
        self.assertIn("PCR 18", self.ironic.node(node)["last_error"])
        # The log of before does not explain the launch of now.
        self.ipa.launch_log = launch_log(ACM, LAUNCH)
        self.fails(node, "the deploy ramdisk's launch: ")

    def good_ones_go_on(self, node: str) -> None:
        self.boot_ramdisk()
        execute, texts = self.ipa._execute, []

        def look(command: dict) -> dict:
            if not texts:
                texts.append(self.boot_file(node).read_text())
            return execute(command)

        self.ipa._execute = look
        seen = self.deploy(node)
        self.assertEqual("active", seen["provision_state"], seen["last_error"])
        for verdict in self.verdicts(node).values():
            self.assertEqual("trusted, and so is the deploy ramdisk's launch", verdict["reason"])
            self.assertEqual("the deploy ramdisk's launch", verdict["launch"])
        section = texts[0].partition("label deploy\n")[2].splitlines()
        self.assertEqual("kernel mboot.c32", section[0])
        self.assertIn(f" --- {node}/deploy_kernel ", section[1])
        self.assertNotIn("ipa-global-request-id", section[1])

    def test_warn_goes_on_and_is_seen_everywhere(self):
        node = self.start(trusted_boot_on_failure="warn")
        # All else still stops it.
        self.boot_ramdisk(None)
        self.ipa.measure("/usr/bin/ncat", NCAT)
        self.fails(node, "/usr/bin/ncat")
        self.boot_ramdisk(None)
        seen = self.deploy(node)
        self.assertEqual("active", seen["provision_state"], seen["last_error"])
        status = self.ironic.passthru(node, "attestation_status")
        self.assertTrue(any("trusted_boot_on_failure is warn" in w for w in status["warnings"]))
        for phase in ("deploy", "handover"):
            verdict = status["verdicts"][phase]
            self.assertEqual(("failed", True), (verdict["verdict"], verdict["only_launch"]))
            self.assertTrue(verdict["reason"].startswith("the deploy ramdisk's launch: "))
        log = self.ironic.log()
        self.assertIn("trusted_boot_on_failure is warn, the node goes on", log)
        self.assertRegex(log, "libattest.attestation.failed.*the deploy ramdisk's launch")

    def test_the_instances_launch(self):
        uuid = "d432fbb3-d2f1-4a97-9ef7-75bd81c00001"
        self.boot()
        self.write_policy("launch.json")
        self.boot(b"the instance's module")
        self.write_policy("instance.json")
        agent = self.enterContext(
            KeylimeAgent(uuid, self.tpm, self.folder / "agent", client_ca=self.keylime.ca)
        )
        agent.measure("/usr/bin/ls", LS)
        self.keylime.register(agent)
        allowlist = agent.allowlist()
        folder = self.ironic.folder / "lists"
        (folder / "instance").write_bytes(allowlist)
        node = self.ironic.enroll({})
        self.activate(node, agent, allowlist, trusted_boot_on_failure="refuse")
        wait_until(lambda: self.active(node).get("verdict") == "trusted")
        self.assertEqual("the instance's launch", self.active(node)["launch"])
        # It boots again, and not by tboot. Nobody asks it while it does.
        self.ironic.set(node, maintenance=True)
        agent.gone()
        agent.reboot()
        agent.measure("/usr/bin/ls", LS)
        agent.start()
        self.ironic.request("DELETE", f"/v1/nodes/{node}/maintenance")
        wait_until(lambda: self.ironic.node(node)["maintenance"])
        self.assertRegex(self.ironic.node(node)["maintenance_reason"],
                         "Attestation of the active node failed: the instance's launch: .*17")
        self.ironic.set(node, driver_info__trusted_boot_on_failure="warn")
        self.ironic.request("DELETE", f"/v1/nodes/{node}/maintenance")
        wait_until(lambda: "The active node " + node + " goes on" in self.ironic.log())
        self.assertFalse(self.ironic.node(node)["maintenance"])
        self.assertEqual(("failed", True),
                         (self.active(node)["verdict"], self.active(node)["only_launch"]))
        self.ironic.set(node, maintenance=True)

    def activate(self, node: str, agent, allowlist: bytes, **info) -> None:
        """Active, without a ramdisk: the instance is what is of interest."""
        self.ironic.provision(node, "manage")
        self.ironic.wait(node, "manageable")
        self.ironic.provision(node, "provide")
        self.ironic.wait(node, "available")
        self.ironic.provision(node, "active")
        self.ironic.wait(node, "active")
        info |= {
            "attestation_interface": "libattest",
            "tpm_ek_sha256": self.ek_sha256(),
            "keylime_agent_uuid": agent.uuid,
            "keylime_agent_address": "127.0.0.1",
            **self.keylime.driver_info(),
            **self.write_lists(allowlist),
            "attest_active": "required",
            "keylime_instance_allowlist": "instance",
            "keylime_instance_allowlist_checksum": hashlib.sha256(allowlist).hexdigest(),
            "trusted_boot_instance_policy": "instance.json",
        }
        self.ironic.set(node, **{f"driver_info__{key}": value for key, value in info.items()})

    def active(self, node: str) -> dict:
        return self.ironic.passthru(node, "attestation_status")["active"]


if __name__ == "__main__":
    unittest.main(verbosity=2)
