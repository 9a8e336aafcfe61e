# SPDX-License-Identifier: Apache-2.0
"""README's guide for nodes that run: to our hardware type, to a newer package, back, and away.

The node was deployed by an Ironic that knew nothing of us. Commands are run as they stand there.
"""

import hashlib
import subprocess
import time
import unittest

import guide_test
import libattest
from fake_ipa import IMAGE, FakeIpa, wait_until
from keylime_agent import KeylimeAgent
from keylime_doubles import Keylime

UUID = "d432fbb3-d2f1-4a97-9ef7-75bd81c00002"
ACTIVE_NODES = "Active nodes"
STOCK = {
    "driver": "ipmi",
    "deploy_interface": "direct",
    "vendor_interface": "no-vendor",
    "boot_interface": "pxe",
    "power_interface": "ipmitool",
}


class Moving(guide_test.Guide):
    @classmethod
    def _options(cls) -> dict[str, dict[str, str]]:
        cls.keylime = cls.enterClassContext(Keylime(cls.folder / "cv_ca"))
        options = super()._options()
        options["libattest"] |= {
            **cls.keylime.options(),
            "active_interval": "1",
            "active_poll_interval": "1",
        }
        options["agent"] |= {
            "post_deploy_get_power_state_retry_interval": "1",
            "post_deploy_get_power_state_retries": "1",
            "command_wait_attempts": "3",
        }
        options["deploy"] |= {
            "image_download_source": "http",
            "http_url": "http://127.0.0.1:1",
            "http_root": str(cls.folder / "images"),
        }
        options["pxe"]["instance_master_path"] = str(cls.folder / "instance-master")
        return options

    def test_a_node_that_runs_moves_there_and_back(self) -> None:
        to, upgrade, back, uninstall = guide_test.blocks(ACTIVE_NODES)
        install, configure = guide_test.blocks(guide_test.FIRST)[0]
        node = self.deployed()
        self.assert_stock(node)
        agent = self.instance()
        self.install(install, configure)
        # Beside the other hardware types nothing changes for their nodes.
        self.assert_stock(node)

        self.move(to, node)
        self.attested(node, agent)
        seen = self.ironic.node(node)
        self.assertEqual(("libattest-ipmi", "libattest-direct", "libattest", "active", False),
                         (seen["driver"], seen["deploy_interface"], seen["vendor_interface"],
                          seen["provision_state"], seen["maintenance"]))  # fmt: skip
        # It was never deployed under our eyes, and nothing says so.
        status = self.ironic.passthru(node, "attestation_status")
        self.assertEqual({}, status["verdicts"])

        for command in upgrade:
            self.run_command(command)
        self.ironic.stop()
        self.ironic.start()
        self.attested(node, agent)

        agent.measure("/usr/bin/ncat", hashlib.sha256(b"ncat").digest())
        wait_until(lambda: self.ironic.node(node)["maintenance"])
        seen = self.ironic.node(node)
        self.assertEqual("attestation failure", seen["fault"])
        self.assertIn("/usr/bin/ncat", seen["maintenance_reason"])

        for command in back:
            self.run_command(command, NODE=node)
        self.assert_stock(node)
        time.sleep(2)  # what was under way may end
        agent.requests.clear()
        self.uninstall(uninstall)
        self.assertEqual([], agent.requests)
        self.assert_stock(node)
        # The rest of its life is Ironic's own.
        self.reboot(node)
        self.ironic.provision(node, "deleted")
        self.ironic.wait(node, "available", timeout=120)

    def deployed(self) -> str:
        """A node that Ironic's own interfaces have deployed."""
        node = self.enroll("ipmi", ipmi_address="192.0.2.1", **self.ramdisk_files())
        ipa = self.enterContext(FakeIpa(self.ironic.url, node, self.tpm, {}))
        self.ironic.provision(node, "manage")
        self.ironic.wait(node, "manageable")
        self.ironic.provision(node, "provide")
        self.ironic.wait(node, "available", timeout=120)
        self.ironic.set(
            node,
            instance_info__image_source=ipa.image_url,
            instance_info__image_checksum=hashlib.md5(IMAGE).hexdigest(),
            instance_info__image_disk_format="raw",
            instance_info__image_os_hash_algo="sha256",
            instance_info__image_os_hash_value=hashlib.sha256(IMAGE).hexdigest(),
        )
        self.ironic.provision(node, "active")
        self.ironic.wait(node, "active", timeout=120)
        return node

    def instance(self) -> KeylimeAgent:
        """What was deployed boots, with an agent. The lists are those of a good one."""
        self.tpm.reboot()
        agent = self.enterContext(
            KeylimeAgent(UUID, self.tpm, self.folder / "agent", client_ca=self.keylime.ca)
        )
        agent.measure("/usr/bin/ls", hashlib.sha256(b"ls").digest())
        self.keylime.register(agent)
        lists = self.folder / "ironic" / "attestation"
        lists.mkdir()
        (lists / "allowlist").write_bytes(b"0" * 64 + b" boot_aggregate\n")
        (lists / "instance").write_bytes(agent.allowlist())
        return agent

    def move(self, commands: list[str], node: str) -> None:
        lists = self.folder / "ironic" / "attestation"
        digests = {
            word: hashlib.sha256((lists / name).read_bytes()).hexdigest()
            for word, name in (("LIST_DIGEST", "allowlist"), ("INSTANCE_DIGEST", "instance"))
        }
        words = {
            "NODE": node,
            "EK_DIGEST": libattest.EndorsementKey(public=self.tpm.ek).sha256,
            # The double has no port of its own.
            "REGISTRAR": f"127.0.0.1 --driver-info keylime_rp={self.keylime.registrar_port}",
            "UUID": UUID,
            **digests,
        }
        for command in commands:
            shown = self.run_command(command, **words)
            if " validate " in command:
                self.assertRegex(shown, r"deploy +\| True")

    def attested(self, node: str, agent: KeylimeAgent) -> None:
        agent.requests.clear()
        wait_until(lambda: any("quotes/integrity" in path for path in agent.requests))
        wait_until(
            lambda: self.ironic.passthru(node, "attestation_status")["active"].get("verdict")
            == "trusted"
        )

    def assert_stock(self, node: str) -> None:
        seen = self.ironic.node(node)
        self.assertEqual(STOCK, {key: seen[key] for key in STOCK})
        self.assertEqual(("active", False, None),
                         (seen["provision_state"], seen["maintenance"], seen["fault"]))

    def reboot(self, node: str) -> None:
        self.ironic.request("PUT", f"/v1/nodes/{node}/states/power", {"target": "rebooting"})
        wait_until(lambda: self.ironic.node(node)["target_power_state"] is None)
        seen = self.ironic.node(node)
        self.assertEqual(("power on", None), (seen["power_state"], seen["last_error"]))

    def uninstall(self, commands: list[str]) -> None:
        """Our names leave ironic.conf, then the package goes."""
        for option, names in guide_test.OURS.items():
            had = self.ironic.options["DEFAULT"][option]
            self.ironic.configure("DEFAULT", **{option: had.removeprefix(f"{names},")})
        for command in commands:
            self.run_command(command)
        found = subprocess.run([self.ironic.python, "-c", "import libattest_ironic"],
                               cwd=self.folder, capture_output=True, check=False)  # fmt: skip
        self.assertIn(b"No module named 'libattest_ironic'", found.stderr)
        self.ironic.stop()
        self.ironic.start()


if __name__ == "__main__":
    unittest.main(verbosity=2)
