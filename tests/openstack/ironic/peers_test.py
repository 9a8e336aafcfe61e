# SPDX-License-Identifier: Apache-2.0
"""Whole flows with real evidence: software TPMs behind a Keylime agent or a deploy ramdisk.

Registrar and verifier are doubles (keylime_doubles.py); RealKeylime has the real ones where PyPI
is reached.
"""

import hashlib
import io
import os
import pathlib
import shutil
import tarfile
import tempfile
import threading
import time
import unittest
import urllib.parse

import libattest
from fake_ipa import FakeIpa, wait_until
from keylime_agent import KeylimeAgent, Tpm, missing_programs
from keylime_doubles import Keylime
from service import ApiError, Ironic

LS = hashlib.sha256(b"ls").digest()
UUID = "d432fbb3-d2f1-4a97-9ef7-75bd81c00000"
OTHER = "d432fbb3-d2f1-4a97-9ef7-75bd81c00001"


class Peers(unittest.TestCase):
    """Two machines with a TPM each, and the services."""

    interface = "libattest"
    options: dict[str, dict[str, str]] = {}

    @classmethod
    def setUpClass(cls) -> None:
        missing = missing_programs()
        if missing:
            raise unittest.SkipTest(f"not installed: {', '.join(missing)}")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="libattest-ironic-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.keylime = cls.enterClassContext(Keylime(cls.folder / "cv_ca"))
        cls.tpm, cls.other_tpm = (
            cls.enterClassContext(Tpm(cls.folder / name)) for name in ("tpm", "other")
        )
        options = {
            "libattest": {
                "enabled_attestation_interfaces": "no-attestation,keylime,libattest",
                **cls.keylime.options(),
                **cls.options.get("libattest", {}),
            },
            **{key: value for key, value in cls.options.items() if key != "libattest"},
        }
        cls.ironic = cls.enterClassContext(Ironic(cls.folder / "ironic", options))

    def write_lists(self, allowlist: bytes, excludelist: bytes | None = None) -> dict:
        folder = self.ironic.folder / "lists"
        (folder / "allowlist").write_bytes(allowlist)
        (folder / "sum").write_text(hashlib.sha256(allowlist).hexdigest())
        info = {"keylime_allowlist": "allowlist", "keylime_allowlist_checksum": "sum"}
        if excludelist is not None:
            (folder / "exclude").write_bytes(excludelist)
            info["keylime_excludelist"] = "exclude"
        return info

    def ek_sha256(self, tpm=None) -> str:
        return libattest.EndorsementKey(public=(tpm or self.tpm).ek).sha256

    def verdicts(self, node: str) -> dict:
        return self.ironic.passthru(node, "attestation_status")["verdicts"]

    def fails(self, node: str, words: str) -> None:
        self.ironic.provision(node, "active")
        seen = self.ironic.wait(node, "deploy failed", "active", timeout=60)
        self.assertEqual("deploy failed", seen["provision_state"])
        self.assertIn(words, seen["last_error"])


class ByAgent(Peers):
    """Evidence from the node's Keylime agent."""

    def setUp(self) -> None:
        folder = self.folder / "agent"
        self.tpm.reboot()
        self.agent = self.enterContext(
            KeylimeAgent(UUID, self.tpm, folder, client_ca=self.keylime.ca)
        )
        self.agent.measure("/usr/bin/ls", LS)
        self.keylime.state, self.keylime.count, self.keylime.event = 3, 1, ""
        self.keylime.answer, self.keylime.delay = None, 0.0
        self.info = {
            "attestation_interface": self.interface,
            **self.keylime.driver_info(),
            **self.write_lists(self.agent.allowlist()),
        }

    def node(self, agent: KeylimeAgent | None = None, **info) -> str:
        """Available, by way of a cleaning that was attested."""
        agent = agent or self.agent
        own = {"keylime_agent_uuid": agent.uuid, "tpm_ek_sha256": self.ek_sha256(agent.tpm)}
        node = self.ironic.enroll({**self.info, **own, **info})
        self.ironic.provision(node, "manage")
        self.ironic.wait(node, "manageable")
        self.keylime.register(agent)
        self.ironic.provision(node, "provide")
        self.ironic.wait(node, "available")
        # The registrar forgets the agent, whose AK is of one boot; it registers at the next.
        wait_until(lambda: agent.uuid not in self.keylime.agents)
        self.keylime.register(agent)
        return node

    def test_from_enrolment_to_undeployment(self):
        node = self.node()
        self.ironic.provision(node, "active")
        self.ironic.wait(node, "active")
        shown = self.verdicts(node)
        self.assertEqual({"clean", "deploy", "handover"}, set(shown))
        self.assertEqual({self.ek_sha256()}, {verdict["ek_sha256"] for verdict in shown.values()})
        wait_until(lambda: UUID not in self.keylime.agents)
        self.ironic.provision(node, "deleted")
        self.keylime.register(self.agent)
        self.ironic.wait(node, "available")

    def test_another_tpm_is_registered_under_the_nodes_agent(self):
        node = self.node()
        self.keylime.register(self.agent, tpm=self.other_tpm)
        self.fails(node, "another TPM answers")

    def test_another_tpm_answers_for_the_registered_one(self):
        node = self.node()
        self.agent.tpm = self.other_tpm
        self.fails(node, "Attestation failed")
        self.agent.tpm = self.tpm

    def test_an_old_quote(self):
        node = self.node()
        self.agent.replay = True
        self.fails(node, "nonce")

    def test_agents_that_are_gone_or_say_nonsense(self):
        node = self.node()
        for answer in ((200, b"{}"), (200, b""), (200, b"[" * 100000), (404, b"{}")):
            with self.subTest(answer=answer[1][:10]):
                self.keylime.register(self.agent)
                self.agent.answer = answer
                self.fails(node, "Attestation failed")

    def test_a_registrar_that_misbehaves(self):
        node = self.node()
        redirect = {"Location": "https://127.0.0.1/"}
        for answer in ((200, b"<html>", {}), (302, b"", redirect), (403, b"", {})):
            with self.subTest(answer=answer[0]):
                self.keylime.answer = answer
                self.fails(node, "registrar")


class InProcess(ByAgent):
    interface = "libattest"
    options = {"libattest": {"attestation_timeout": "15"}}

    def test_a_file_that_nobody_listed(self):
        node = self.node()
        self.agent.measure("/usr/bin/ncat", hashlib.sha256(b"ncat").digest())
        self.fails(node, "/usr/bin/ncat")

    def test_a_slow_agent_does_not_hold_up_the_service(self):
        node = self.node()
        self.agent.delay = 3
        asked = len(self.agent.requests)
        self.ironic.provision(node, "active")
        wait_until(lambda: len(self.agent.requests) > asked)
        slowest = 0.0
        for _ in range(20):
            begin = time.monotonic()
            self.ironic.request("GET", "/v1")
            slowest = max(slowest, time.monotonic() - begin)
        # The call blocks for three seconds in C: not in the one thread of an eventlet service.
        self.assertLess(slowest, 1.5)
        self.agent.delay = 0
        self.ironic.wait(node, "active")

    def test_a_wrong_checksum_sends_nothing(self):
        node = self.node()
        (self.ironic.folder / "lists" / "sum").write_text("0" * 64)
        before = len(self.agent.requests)
        self.fails(node, "nothing was sent")
        self.assertEqual(before, len(self.agent.requests))

    def test_an_agent_that_does_not_register_in_time(self):
        node = self.node()
        self.keylime.agents.clear()
        self.fails(node, "is not registered")


class KeylimeDouble(ByAgent):
    interface = "keylime"
    options = {"libattest": {"attestation_timeout": "15"}}

    def test_the_verifier_is_given_the_agent_and_deleted_again(self):
        node = self.node()
        self.assertEqual({}, self.keylime.attested)
        self.ironic.provision(node, "active")
        self.ironic.wait(node, "active")
        wait_until(lambda: not self.keylime.attested)

    def test_the_verifier_fails_it(self):
        node = self.node()
        self.keylime.state, self.keylime.event = 9, "ima.validation.ima-ng.not_in_allowlist"
        self.fails(node, "ima.validation.ima-ng.not_in_allowlist")
        wait_until(lambda: not self.keylime.attested)

    def test_a_state_without_a_verdict_is_none(self):
        node = self.node()
        self.keylime.count = 0
        self.fails(node, "no verdict in time")

    def test_a_wrong_checksum_sends_nothing(self):
        node = self.node()
        (self.ironic.folder / "lists" / "sum").write_text("0" * 64)
        before = len(self.keylime.requests)
        self.fails(node, "nothing was sent")
        asked = self.keylime.requests[before:]
        self.assertEqual([], [line for line in asked if line.startswith("POST")])


class Active(ByAgent):
    """Nodes that run, with an agent in the instance."""

    interface = "libattest"
    options = {
        "DEFAULT": {"enabled_rescue_interfaces": "fake", "hash_ring_reset_interval": "1"},
        "conductor": {"heartbeat_interval": "2", "heartbeat_timeout": "15"},
        "libattest": {
            "attestation_timeout": "15",
            "active_interval": "1",
            "active_poll_interval": "1",
            "active_unreachable_after": "4",
            "call_timeout": "2",
            "workers": "2",
            "workers_per_peer": "1",
        }
    }

    def start(self, active: str = "required", agent: KeylimeAgent | None = None) -> str:
        agent = agent or self.agent
        node = self.node(
            agent,
            attest_active=active,
            keylime_agent_address="127.0.0.1",
            keylime_instance_allowlist="instance",
            keylime_instance_allowlist_checksum="instance.sum",
        )
        self.ironic.provision(node, "active")
        self.ironic.wait(node, "active")
        wait_until(lambda: agent.uuid not in self.keylime.agents)
        # The instance boots: another agent, whose list is longer.
        self.keylime.register(agent)
        self.until(node, "trusted")
        return node

    def setUp(self) -> None:
        super().setUp()
        allowlist = self.agent.allowlist() + f"{LS.hex()} /usr/bin/listed\n".encode()
        folder = self.ironic.folder / "lists"
        (folder / "instance").write_bytes(allowlist)
        (folder / "instance.sum").write_text(hashlib.sha256(allowlist).hexdigest())

    def tearDown(self) -> None:
        # They are attested while they are active: each test ends that.
        for node in self.ironic.request("GET", "/v1/nodes")["nodes"]:
            self.ironic.set(node["uuid"], maintenance=True)

    def until(self, node: str, verdict: str) -> dict:
        def there() -> bool:
            return self.status(node).get("verdict") == verdict

        wait_until(there)
        return self.status(node)

    def status(self, node: str) -> dict:
        return self.ironic.passthru(node, "attestation_status")["active"]

    def in_maintenance(self, node: str, words: str) -> None:
        wait_until(lambda: self.ironic.node(node)["maintenance"])
        seen = self.ironic.node(node)
        self.assertEqual("attestation failure", seen["fault"])
        self.assertIn(words, seen["maintenance_reason"])

    def entries_asked(self) -> list[int]:
        asked = []
        for path in self.agent.requests:
            if "integrity" in path:
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query)
                asked.append(int(query.get("ima_ml_entry", ["0"])[0]))
        return asked

    def test_only_what_is_new_is_read_and_a_bad_file_is_found(self):
        node = self.start()
        before = len(self.agent.ima)
        wait_until(lambda: self.entries_asked()[-1] == before)
        self.agent.measure("/usr/bin/listed", LS)
        wait_until(lambda: self.entries_asked()[-1] == before + 1)
        self.assertEqual("trusted", self.status(node)["verdict"])
        self.agent.measure("/usr/bin/ncat", hashlib.sha256(b"ncat").digest())
        self.in_maintenance(node, "/usr/bin/ncat")
        self.ironic.request("DELETE", f"/v1/nodes/{node}/maintenance")
        self.in_maintenance(node, "/usr/bin/ncat")

    def test_another_conductor_goes_on_from_the_checkpoint(self):
        node = self.start()
        saved = len(self.agent.ima)
        wait_until(lambda: self.entries_asked()[-1] == saved)
        # Seen by the first conductor, and behind its checkpoint: that was the verdict before.
        self.agent.measure("/usr/bin/listed", LS)
        wait_until(lambda: self.entries_asked()[-1] == saved + 1)
        self.ironic.stop(9)
        self.agent.requests.clear()
        # Another name is another conductor; it resolves to the same address.
        self.ironic.configure("DEFAULT", host="127.0.0.1")
        self.ironic.start()
        wait_until(lambda: len(self.entries_asked()) > 2)
        self.assertEqual([saved, saved + 1, saved + 1], self.entries_asked()[:3])
        self.assertEqual("trusted", self.status(node)["verdict"])
        self.agent.measure("/usr/bin/ncat", hashlib.sha256(b"ncat").digest())
        self.in_maintenance(node, "/usr/bin/ncat")

    def test_an_agent_that_hangs_delays_no_other_node(self):
        node = self.start()
        self.other_tpm.reboot()
        folder = self.folder / "other-agent"
        other = self.enterContext(
            KeylimeAgent(OTHER, self.other_tpm, folder, client_ca=self.keylime.ca)
        )
        hanging = self.start("optional", other)
        other.delay = 30
        self.until(hanging, "unknown")
        other.requests.clear()
        self.agent.requests.clear()
        # Each try ends by its deadline, which is longer than a round.
        wait_until(lambda: len(other.requests) >= 3)
        self.assertGreaterEqual(len(self.entries_asked()), 3)
        self.assertEqual("trusted", self.status(node)["verdict"])
        other.delay = 0
        self.until(hanging, "trusted")

    def test_a_reboot_is_read_from_its_beginning(self):
        node = self.start()
        self.agent.reboot()
        self.agent.measure("/usr/bin/ls", LS)
        self.agent.requests.clear()
        wait_until(lambda: self.entries_asked()[-2:] == [2, 2])
        self.assertEqual("trusted", self.status(node)["verdict"])
        self.assertFalse(self.ironic.node(node)["maintenance"])

    def test_what_comes_back_from_rescue_is_attested_anew(self):
        node = self.start()
        wait_until(lambda: self.entries_asked()[-1] == len(self.agent.ima))
        self.ironic.provision(node, "rescue", rescue_password="secret")
        self.ironic.wait(node, "rescue")
        time.sleep(1)  # what was under way may end
        self.agent.requests.clear()
        time.sleep(3)
        self.assertEqual([], self.entries_asked())
        self.ironic.provision(node, "unrescue")
        self.ironic.wait(node, "active")
        wait_until(lambda: len(self.entries_asked()) > 1)
        self.assertEqual(0, self.entries_asked()[0])
        self.until(node, "trusted")

    def test_silence_is_a_failure_where_it_is_required(self):
        node = self.start()
        self.agent.gone()
        self.until(node, "unknown")
        self.assertFalse(self.ironic.node(node)["maintenance"])
        self.in_maintenance(node, "no verdict for")
        self.agent.start()

    def test_another_tpm_answers(self):
        node = self.start()
        self.agent.tpm = self.other_tpm
        self.in_maintenance(node, "Attestation of the active node failed")
        self.agent.tpm = self.tpm

    for _name in dir(ByAgent):
        if _name.startswith("test_"):
            locals()[_name] = None
    del _name


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
        self.ironic.wait(node, "available", timeout=60)
        return node

    def test_from_enrolment_to_undeployment(self):
        node = self.start()
        self.ironic.provision(node, "active")
        self.ironic.wait(node, "active", timeout=60)
        # Attested before the image is written, and again before the ramdisk ends.
        asked = [name for name in self.ipa.asked if name in ("quote", "prepare_image", "power_off")]
        steps = [c["command_params"]["step"]["step"] for c in self.ipa.commands
                 if c["command_name"] == "execute_deploy_step"]  # fmt: skip
        self.assertGreaterEqual(asked.count("quote"), 3)
        self.assertIn("write_image", steps)
        self.assertLess(self.ipa.asked.index("quote"), self.ipa.asked.index("execute_deploy_step"))
        self.ironic.provision(node, "deleted")
        self.ironic.wait(node, "available", timeout=60)

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
        self.ironic.wait(node, "active", timeout=60)
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


del ByAgent  # only what derives from it is run

if __name__ == "__main__":
    unittest.main(verbosity=2)
