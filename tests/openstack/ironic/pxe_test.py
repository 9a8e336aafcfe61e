# SPDX-License-Identifier: Apache-2.0
"""Trusted boot in whole flows of a real Ironic: who gets which boot file, and who is refused.

Nothing boots by the files that are made here; tests/system boots such ones.
"""

import hashlib
import pathlib
import re
import shutil
import tempfile
import unittest

import peers_test
from fake_ipa import FakeIpa, wait_until
from service import ApiError

LS = hashlib.sha256(b"ls").digest()
ROOT_UUID = "12345678-1234-1234-1234-1234567890ab"
BOOT_FILES = ("pxelinux.0", "ldlinux.c32", "libcom32.c32", "mboot.c32", "tboot.gz")


class TrustedBoot(peers_test.Peers):
    """One Ironic, on libattest-pxe and real AgentDeploy."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.images = pathlib.Path(tempfile.mkdtemp(prefix="libattest-ironic-"))
        cls.addClassCleanup(shutil.rmtree, cls.images, ignore_errors=True)
        cls.tftp = cls.images / "tftp_root"
        folders = ("tftp_root", "tftp_master_path", "images_path", "instance_master_path")
        cls.options = {
            "DEFAULT": {
                "enabled_boot_interfaces": "pxe,ipxe,libattest-pxe",
                "hash_ring_reset_interval": "1",
            },
            "conductor": {"sync_local_state_interval": "2"},
            "libattest": {
                "attestation_timeout": "15",
                "active_interval": "1",
                "active_poll_interval": "1",
            },
            "agent": {
                "require_tls": "false",
                "deploy_logs_collect": "never",
                "post_deploy_get_power_state_retry_interval": "1",
                "post_deploy_get_power_state_retries": "1",
                "command_wait_attempts": "3",
            },
            "deploy": {
                "image_download_source": "http",
                "http_url": "http://127.0.0.1:1",
                "http_root": str(cls.images),
                "power_off_after_deploy_failure": "true",
            },
            "pxe": {key: str(cls.images / key) for key in folders},
            "dhcp": {"dhcp_provider": "dnsmasq"},
            "dnsmasq": {key: str(cls.images) for key in ("dhcp_optsdir", "dhcp_hostsdir")},
        }  # fmt: skip
        super().setUpClass()
        cls.tftp.mkdir(exist_ok=True)
        for name in BOOT_FILES:
            (cls.tftp / name).write_bytes(b"\x1f\x8b")

    def available(self, **info) -> str:
        """A node whose ramdisk answers, cleaned; self.ipa is its ramdisk."""
        node = self.ironic.enroll(
            info,
            deploy_interface="libattest-direct",
            boot_interface="libattest-pxe",
            properties={"capabilities": "boot_mode:bios,trusted_boot:true", "cpu_arch": "x86_64"},
        )
        address = ":".join(["52", *re.findall("..", node.replace("-", ""))[:5]])
        self.ironic.request("POST", "/v1/ports", {"node_uuid": node, "address": address})
        self.ipa = self.enterContext(FakeIpa(self.ironic.url, node, self.tpm, {"/usr/bin/ls": LS}))
        self.ipa.root_uuid = ROOT_UUID
        image = self.ipa.image_url
        if "attestation_interface" in info:
            aggregate = self.ipa._boot_aggregate().hex()
            info = self.write_lists(
                f"{aggregate} boot_aggregate\n{LS.hex()} /usr/bin/ls\n".encode()
            )
        else:
            info = {}
        info |= {"deploy_kernel": f"{image}-dk", "deploy_ramdisk": f"{image}-dr"}
        self.ironic.set(node, **{f"driver_info__{key}": value for key, value in info.items()})
        digest = hashlib.sha256(b"an image").hexdigest()
        self.instance = {
            "image_source": image,
            "image_checksum": hashlib.md5(b"an image").hexdigest(),
            "image_disk_format": "raw",
            "image_os_hash_algo": "sha256",
            "image_os_hash_value": digest,
        }
        self.set_instance(node)
        self.ironic.provision(node, "manage")
        self.ironic.wait(node, "manageable")
        self.ironic.provision(node, "provide")
        self.ironic.wait(node, "available", timeout=60)
        return node

    def set_instance(self, node: str, **info) -> None:
        instance = {**self.instance, **info}
        self.ironic.set(node, **{f"instance_info__{key}": value for key, value in instance.items()})

    def boot_file(self, node: str) -> pathlib.Path:
        return self.tftp / node / "config"

    def deploy(self, node: str) -> dict:
        self.ironic.provision(node, "active")
        return self.ironic.wait(node, "active", "deploy failed", timeout=60)


class BootFiles(TrustedBoot):
    """Nothing is attested here: what is booted is the boot interface's affair alone."""

    def asked(self, node: str, capabilities: object = '{"trusted_boot": "True"}', **info) -> None:
        image = self.ipa.image_url
        self.set_instance(node, capabilities=capabilities, kernel=f"{image}-k",
                          ramdisk=f"{image}-r", root_gb=10, **info)  # fmt: skip

    def test_from_a_refusal_to_the_tear_down(self):
        node = self.available()
        self.assertFalse((self.tftp / node).exists())
        self.refused_combinations(node)
        self.asked(node)
        seen = self.deploy(node)
        self.assertEqual("active", seen["provision_state"], seen["last_error"])
        text = self.boot_file(node).read_text()
        self.assertEqual("default trusted_boot", text.splitlines()[0])
        self.assertIn(f" root=UUID={ROOT_UUID} ", text)
        self.assertNotIn("ipa-global-request-id", text)
        self.assertNotIn("{{ ROOT }}", text)
        self.assertEqual(b"an image", (self.tftp / node / "kernel").read_bytes())
        self.assertNotIn("install_bootloader", self.ipa.asked)
        self.reboot(node, text)
        self.take_over(node, text)
        self.ironic.provision(node, "deleted")
        self.ironic.wait(node, "available", timeout=60)
        self.assertFalse((self.tftp / node).exists())
        self.assertEqual([], list((self.tftp / "pxelinux.cfg").iterdir()))
        self.as_stock(node)

    def refused_combinations(self, node: str) -> None:
        rule = "Trusted boot is only supported in BIOS boot mode with netboot and without"
        for capabilities, info, words in (
            ({"trusted_boot": "true", "secure_boot": "true"}, {}, "boot_mode: uefi"),
            ({"trusted_boot": "true", "boot_option": "local"}, {}, "boot_option: local"),
            ({"trusted_boot": "true"}, {"image_type": "whole-disk"}, "is_whole_disk_image: True"),
            ({"trusted_boot": "maybe"}, {}, "Acceptable values are: true, false."),
            ({"trusted_boot": True}, {}, "It must be a text, not bool."),
            ("trusted_boot:true", {}, "dictionary is expected"),
        ):
            with self.subTest(words):
                self.asked(node, capabilities, **{"image_type": "partition", **info})
                if words.partition(":")[0] in ("boot_mode", "boot_option", "is_whole_disk_image"):
                    self.refused(node, rule)
                self.refused(node, words)
        self.asked(node, image_type="partition")
        (self.tftp / "mboot.c32").rename(self.tftp / "away")
        self.refused(node, "conductor localhost lacks mboot.c32 in [pxe]tftp_root")
        (self.tftp / "away").rename(self.tftp / "mboot.c32")
        self.ironic.set(node, boot_interface="ipxe")
        self.refused(node, "boot interface ipxe does not do it")
        self.ironic.set(node, boot_interface="libattest-pxe")
        self.assertTrue(self.ironic.request("GET", f"/v1/nodes/{node}/validate")["boot"]["result"])

    def refused(self, node: str, words: str) -> None:
        with self.assertRaises(ApiError) as refused:
            self.ironic.provision(node, "active")
        self.assertIn(words, refused.exception.text)
        self.assertEqual("available", self.ironic.node(node)["provision_state"])

    def reboot(self, node: str, text: str) -> None:
        """Ironic asks no boot interface when a node is rebooted: the file has to be there."""
        self.ironic.request("PUT", f"/v1/nodes/{node}/states/power", {"target": "rebooting"})
        wait_until(lambda: self.ironic.node(node)["target_power_state"] is None)
        self.assertEqual(text, self.boot_file(node).read_text())

    def take_over(self, node: str, text: str) -> None:
        self.ironic.stop()
        shutil.rmtree(self.tftp / node)
        options = self.images / f"ironic-{node}.conf"
        options.unlink()
        self.ironic.configure("DEFAULT", host="127.0.0.1")
        self.ironic.start()
        path = self.boot_file(node)
        # A node that reboots just now finds what it found before.
        wait_until(path.exists)
        self.assertEqual(text, path.read_text())
        self.assertEqual(b"an image", (self.tftp / node / "kernel").read_bytes())
        wait_until(lambda: options.exists() and ",pxelinux.0\n" in options.read_text())

    def as_stock(self, node: str) -> None:
        """The next instance does not ask: Ironic's own way, local boot, and no file is left."""
        self.ipa.asked.clear()
        self.set_instance(node, image_type="partition", root_gb=10,
                          kernel=f"{self.ipa.image_url}-k",
                          ramdisk=f"{self.ipa.image_url}-r")  # fmt: skip
        self.assertEqual("active", self.deploy(node)["provision_state"])
        self.assertIn("install_bootloader", self.ipa.asked)
        self.assertFalse(self.boot_file(node).exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
