# SPDX-License-Identifier: Apache-2.0
"""Whole flows with real evidence: software TPMs behind a Keylime agent.

Registrar and verifier are doubles (keylime_doubles.py); RealKeylime has the real ones where PyPI
is reached.
"""

import base64
import hashlib
import pathlib
import shutil
import tempfile
import time
import unittest
import urllib.parse

import libattest
from fake_ipa import wait_until
from keylime_agent import KeylimeAgent, Tpm, missing_programs
from keylime_doubles import Keylime
from service import Ironic

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
        seen = self.ironic.wait(node, "deploy failed", "active", timeout=120)
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
        self.ironic.bury()
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

    def not_asked_while_away(self) -> None:
        time.sleep(1)  # what was under way may end
        self.agent.requests.clear()
        time.sleep(3)
        self.assertEqual([], self.entries_asked())

    def attested_anew(self, node: str) -> None:
        self.ironic.wait(node, "active")
        wait_until(lambda: len(self.entries_asked()) > 1)
        self.assertEqual(0, self.entries_asked()[0])
        self.until(node, "trusted")

    def test_what_comes_back_from_rescue_is_attested_anew(self):
        node = self.start()
        wait_until(lambda: self.entries_asked()[-1] == len(self.agent.ima))
        self.ironic.provision(node, "rescue", rescue_password="secret")
        self.ironic.wait(node, "rescue")
        self.not_asked_while_away()
        self.ironic.provision(node, "unrescue")
        self.attested_anew(node)

    def test_what_comes_back_from_service_is_attested_anew(self):
        if self.ironic.newest < (1, 87):
            self.skipTest("this Ironic has no service steps")
        node = self.start()
        wait_until(lambda: self.entries_asked()[-1] == len(self.agent.ima))
        # Ironic 39.0 drops steps of this name, so the service is over at once.
        hold = {"step": "hold", "interface": "deploy", "args": {}}
        seen = self.ironic.node(node)["provision_updated_at"]
        self.agent.requests.clear()
        self.ironic.provision(node, "service", version="1.87", service_steps=[hold])
        wait_until(lambda: self.ironic.node(node)["provision_updated_at"] != seen)
        self.ironic.wait(node, "active")
        # Its list is read from the beginning, not from where it was.
        wait_until(lambda: 0 in self.entries_asked())
        self.until(node, "trusted")
        self.agent.measure("/usr/bin/ncat", hashlib.sha256(b"ncat").digest())
        self.in_maintenance(node, "/usr/bin/ncat")

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


class ActiveByVerifier(Active):
    """The same where a Keylime verifier attests the instance's agent."""

    interface = "keylime"

    def test_the_verifier_is_given_the_instances_lists_and_its_word_is_acted_upon(self):
        node = self.start()
        given = self.keylime.attested[UUID]["runtime_policy"]
        self.assertIn("/usr/bin/listed", base64.b64decode(given).decode())
        self.keylime.state, self.keylime.event = 9, "ima.validation.ima-ng.not_in_allowlist"
        self.in_maintenance(node, "ima.validation.ima-ng.not_in_allowlist")
        # Maintenance cleared by hand: asked anew, with the same end.
        self.ironic.request("DELETE", f"/v1/nodes/{node}/maintenance")
        self.in_maintenance(node, "ima.validation.ima-ng.not_in_allowlist")

    def test_a_verifier_that_has_no_verdict_is_a_failure_where_it_is_required(self):
        node = self.start()
        self.keylime.count = 0
        self.until(node, "unknown")
        self.assertFalse(self.ironic.node(node)["maintenance"])
        self.in_maintenance(node, "no verdict for")

    def test_another_tpm_under_the_agents_name_after_a_take_over(self):
        node = self.start()
        self.ironic.stop(9)
        self.keylime.register(self.agent, tpm=self.other_tpm)
        self.ironic.start()
        self.in_maintenance(node, "another TPM answers")

    for _name in dir(Active):
        if _name.startswith("test_") and _name not in locals():
            locals()[_name] = None
    del _name


del ByAgent  # only what derives from it is run

if __name__ == "__main__":
    unittest.main(verbosity=2)
