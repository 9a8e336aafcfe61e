# SPDX-License-Identifier: Apache-2.0
"""Whole flows with real evidence and no Keylime: software TPMs behind a deploy ramdisk."""

import base64
import hashlib
import io
import os
import pathlib
import shutil
import tarfile
import tempfile
import threading
import unittest

from fake_ipa import FakeIpa, wait_until
from keylime_agent import KeylimeAgent, Tpm
from peers_test import LS, UUID, Peers
from service import ApiError


class ByRamdisk(Peers):
    """Real AgentDeploy and no Keylime: the AK is proven by a credential challenge."""

    options = {
        "libattest": {"attestation_timeout": "15"},
        "agent": {
            "require_tls": "false",
            "deploy_logs_collect": "never",
            "post_deploy_get_power_state_retry_interval": "1",
            "post_deploy_get_power_state_retries": "1",
            "command_wait_attempts": "3",
        },
    }

    @classmethod
    def setUpClass(cls) -> None:
        images = pathlib.Path(tempfile.mkdtemp(prefix="libattest-ironic-"))
        cls.addClassCleanup(shutil.rmtree, images, ignore_errors=True)
        cls.options = {
            **cls.options,
            "deploy": {
                "image_download_source": "http",
                "http_url": "http://127.0.0.1:1",
                "http_root": str(images),
                "power_off_after_deploy_failure": "true",
            },
            "pxe": {
                key: str(images / key)
                for key in ("tftp_root", "tftp_master_path", "images_path", "instance_master_path")
            },
        }
        super().setUpClass()

    def start(self, **info) -> str:
        """Available, by way of a cleaning that was attested."""
        self.tpm.reboot()
        node = self.ironic.enroll(
            {"attestation_interface": "libattest", "tpm_ek_sha256": self.ek_sha256(), **info},
            deploy_interface="libattest-direct",
        )
        self.ipa = self.enterContext(FakeIpa(self.ironic.url, node, self.tpm, {"/usr/bin/ls": LS}))
        aggregate = self.ipa._boot_aggregate().hex()
        lists = self.write_lists(f"{aggregate} boot_aggregate\n{LS.hex()} /usr/bin/ls\n".encode())
        self.ironic.set(node, **{f"driver_info__{key}": value for key, value in lists.items()})
        self.ironic.set(
            node,
            instance_info__image_source=self.ipa.image_url,
            instance_info__image_checksum=hashlib.md5(b"an image").hexdigest(),
            instance_info__image_disk_format="raw",
            instance_info__image_os_hash_algo="sha256",
            instance_info__image_os_hash_value=hashlib.sha256(b"an image").hexdigest(),
        )
        self.ironic.provision(node, "manage")
        self.ironic.wait(node, "manageable")
        self.ironic.provision(node, "provide")
        self.ironic.wait(node, "available", timeout=120)
        return node

    def test_from_enrolment_to_undeployment(self):
        node = self.start()
        self.ironic.provision(node, "active")
        self.ironic.wait(node, "active", timeout=120)
        # Attested before the image is written, and again before the ramdisk ends.
        asked = [name for name in self.ipa.asked if name in ("quote", "prepare_image", "power_off")]
        steps = [c["command_params"]["step"]["step"] for c in self.ipa.commands
                 if c["command_name"] == "execute_deploy_step"]  # fmt: skip
        self.assertGreaterEqual(asked.count("quote"), 3)
        self.assertIn("write_image", steps)
        self.assertLess(self.ipa.asked.index("quote"), self.ipa.asked.index("execute_deploy_step"))
        self.ironic.provision(node, "deleted")
        self.ironic.wait(node, "available", timeout=120)

    def test_a_tpm_that_claims_to_be_the_nodes(self):
        node = self.start()
        self.ipa.tpm, self.ipa.identity_of = self.other_tpm, self.tpm
        self.fails(node, "activate_credential")
        for guess in (bytes(32), b"", os.urandom(64)):
            self.ipa.guess = guess
            self.fails(node, "the credential challenge was not answered")
        self.assertNotIn("execute_deploy_step", self.ipa.asked)

    def test_the_ramdisk_says_which_keylime_agent_it_runs(self):
        node = self.start()
        self.tpm.reboot()
        agent = self.enterContext(
            KeylimeAgent(UUID, self.tpm, self.folder / "agent", client_ca=self.keylime.ca)
        )
        info = {"keylime_r": "127.0.0.1", "keylime_rp": self.keylime.registrar_port}
        info |= self.write_lists(agent.allowlist())
        self.ironic.set(node, **{f"driver_info__{key}": value for key, value in info.items()})
        self.keylime.register(agent)
        self.ipa.agent_info = {
            "keylime_agent_uuid": UUID, "keylime_agent_ip": None, "keylime_agent_port": None}  # fmt: skip
        self.ironic.provision(node, "active")
        self.ironic.wait(node, "active", timeout=120)
        wait_until(lambda: UUID not in self.keylime.agents)

    def test_the_guides_way_to_the_digest(self):
        self.tpm.tool("readpublic", "-c", "0x81010001", "-f", "der", "-o", "ek.spki")
        digest = hashlib.sha256(self.tpm.file("ek.spki")).hexdigest()
        self.assertEqual(self.ek_sha256(), digest)

    def test_another_tpm(self):
        node = self.start()
        self.ipa.tpm = self.other_tpm
        self.fails(node, "another TPM answers")
        self.assertNotIn("execute_deploy_step", self.ipa.asked)

    def test_a_file_that_nobody_listed(self):
        node = self.start()
        self.ipa.measure("/usr/bin/ncat", hashlib.sha256(b"ncat").digest())
        self.fails(node, "/usr/bin/ncat")

    def test_a_log_that_lacks_an_entry(self):
        node = self.start()
        whole = self.ipa.ima
        self.ipa.measure("/usr/bin/ncat", hashlib.sha256(b"ncat").digest())
        self.ipa.ima = whole
        self.fails(node, "Attestation failed")

    def test_ramdisk_commands_that_fail(self):
        node = self.start()
        for name in ("get_identity", "activate_credential", "quote"):
            with self.subTest(name):
                self.ipa.failing = {name}
                self.fails(node, name)

    def test_an_operator_sees_what_the_node_would_allow(self):
        node = self.start()
        allowlist = b"0" * 64 + b" boot_aggregate\n"
        files = {"allowlist.txt": allowlist, "checksum.txt": hashlib.sha256(allowlist).hexdigest()}
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for name, data in files.items():
                data = data.encode() if isinstance(data, str) else data
                member = tarfile.TarInfo(f"root/{name}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        self.ipa.files = packed.getvalue()
        # A ramdisk runs while a deployment waits, here for a challenge that is answered late.
        self.ipa.held = threading.Event()
        self.addCleanup(self.ipa.held.set)
        self.ipa.asked.clear()
        self.ironic.provision(node, "active")
        wait_until(lambda: "activate_credential" in self.ipa.asked)
        shown = self.ironic.passthru(node, "capture", "POST", {})
        self.assertEqual(hashlib.sha256(allowlist).hexdigest(), shown["sha256"])
        with self.assertRaisesRegex(ApiError, "keylime_container is missing"):
            self.ironic.passthru(node, "capture", "POST", {"approve": shown["sha256"]})

    def test_a_reboot_after_the_image_was_written(self):
        node = self.start()
        execute = self.ipa._execute

        def reboot_after_writing(command: dict) -> dict:
            done = execute(command)
            if command["name"] == "deploy.execute_deploy_step":
                self.tpm.reboot()
                self.ipa.ima = b""
                self.ipa.measure("boot_aggregate", self.ipa._boot_aggregate())
                self.ipa.measure("/usr/bin/ls", LS)
            return done

        self.ipa._execute = reboot_after_writing
        self.fails(node, "rebooted")

    def test_ramdisk_steps_of_our_names_change_nothing(self):
        node = self.start()
        for name in ("attest_deploy", "attest_handover", "write_image"):
            self.ipa.deploy_steps.append(
                {"interface": "deploy", "step": name, "priority": 0, "reboot_requested": False,
                 "abortable": True})  # fmt: skip
        self.ipa.measure("/usr/bin/ncat", hashlib.sha256(b"ncat").digest())
        self.fails(node, "/usr/bin/ncat")


class FirstUse(ByRamdisk):
    """The first TPM is the node's: another one is refused until an operator says so."""

    options = {
        **ByRamdisk.options,
        "libattest": {"ek_trust": "first_use", "attestation_timeout": "15"},
    }

    def start(self, **info) -> str:
        return super().start(tpm_ek_sha256=None, **info)

    def test_another_tpm(self):
        node = self.start()
        self.assertIn("pinned ek_sha256", self.ironic.log())
        self.ipa.tpm = self.other_tpm
        self.fails(node, "forget_identity")

    def test_a_tpm_that_claims_to_be_the_nodes(self):
        super().test_a_tpm_that_claims_to_be_the_nodes()

    for _name in ("a_file_that_nobody_listed", "a_log_that_lacks_an_entry",
                  "ramdisk_commands_that_fail", "a_reboot_after_the_image_was_written",
                  "ramdisk_steps_of_our_names_change_nothing"):  # fmt: skip
        locals()[f"test_{_name}"] = None
    del _name


class ByAuthority(ByRamdisk):
    """Certificates of the TPMs' makers say which are genuine; the first such one is pinned."""

    options = {
        **ByRamdisk.options,
        "libattest": {"ek_trust": "ca", "attestation_timeout": "60"},
    }

    @classmethod
    def setUpClass(cls) -> None:
        authorities = pathlib.Path(tempfile.mkdtemp(prefix="libattest-ironic-"))
        cls.addClassCleanup(shutil.rmtree, authorities, ignore_errors=True)
        cls.options["libattest"]["ek_ca_dir"] = str(authorities)
        cls.authorities = authorities
        super().setUpClass()
        cls.stranger = cls.enterClassContext(Tpm(cls.folder / "stranger"))
        # Two makers are known, and the third TPM's is not.
        for tpm in (cls.tpm, cls.other_tpm):
            for name in ("issuercert.pem", "swtpm-localca-rootca-cert.pem"):
                target = authorities / f"{tpm.folder.name}-{name}"
                target.write_bytes((tpm.folder / "ca" / name).read_bytes())

    def start(self, **info) -> str:
        return super().start(tpm_ek_sha256=None, **info)

    def test_another_tpm(self):
        node = self.start()
        self.assertIn("pinned ek_sha256", self.ironic.log())
        # As genuine as the first, by its certificate.
        self.ipa.tpm = self.other_tpm
        self.fails(node, "forget_identity")
        self.ironic.passthru(node, "forget_identity", "POST", {})
        # Now it is that one's: the deployment gets as far as what it runs.
        self.fails(node, "IMA")

    def test_certificates_that_say_nothing_of_this_tpm(self):
        node = self.start()
        self.ironic.passthru(node, "forget_identity", "POST", {})
        self.ipa.claims = {"ek_certificate": None}
        self.fails(node, "shows no endorsement key certificate")
        other = base64.b64encode(self.other_tpm.ek_certificate).decode()
        self.ipa.claims = {"ek_certificate": other}
        self.fails(node, "endorsement key")
        self.ipa.claims, self.ipa.tpm = {}, self.stranger
        self.fails(node, "endorsement key's certificate")
        self.assertNotIn("execute_deploy_step", self.ipa.asked)
        # An authority that is taken away takes its TPMs with it.
        self.ipa.tpm = self.tpm
        for path in self.authorities.glob(f"{self.tpm.folder.name}-*"):
            path.rename(path.with_suffix(".gone"))
            self.addCleanup(path.with_suffix(".gone").rename, path)
        self.fails(node, "endorsement key's certificate")

    for _name in dir(ByRamdisk):
        if _name.startswith("test_") and _name not in locals():
            locals()[_name] = None
    test_from_enrolment_to_undeployment = ByRamdisk.test_from_enrolment_to_undeployment
    del _name


del Peers  # only what derives from it is run

if __name__ == "__main__":
    unittest.main(verbosity=2)
