# SPDX-License-Identifier: Apache-2.0
"""The client and the command against a real Keylime verifier and registrar, and an agent of ours.

usage: keylime_test.py VERSION ENVIRONMENTS ATTEST     (the libattest package on PYTHONPATH)
Exit 77: this machine can not have it (no PyPI, no software TPM).
"""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from keylime_agent import KeylimeAgent, Tpm, missing_programs, new_nonce  # noqa: E402
from keylime_service import OLDEST, KeylimeService, Unavailable, environment  # noqa: E402

import libattest  # noqa: E402

VERSION, ENVIRONMENTS, ATTEST = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
OLD = VERSION == OLDEST
UUID = "d432fbb3-d2f1-4a97-9ef7-75bd81c00000"
LS, NC = (hashlib.sha256(name).digest() for name in (b"ls", b"nc"))


class Keylime(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = pathlib.Path(tempfile.mkdtemp(prefix="keylime-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.work, ignore_errors=True)
        cls.service = KeylimeService(VERSION, ENVIRONMENTS, cls.work)
        cls.enterClassContext(cls.service)
        cls.tpm = cls.enterClassContext(Tpm(cls.work / "tpm"))

    def setUp(self):
        self.client = self.new_client()
        self.tpm.reboot()
        folder = self.work / self.id().rpartition(".")[2]
        self.agent = self.enterContext(
            KeylimeAgent(UUID, self.tpm, folder, client_ca=self.service.pem("cacert.crt"),
                         api="2.0" if OLD else "2.1"))  # fmt: skip
        self.agent.measure("/usr/bin/ls", LS)
        self.addCleanup(self.clear)

    def clear(self):
        self.client.delete(UUID)
        self.client.delete_registration(UUID)

    def new_client(self, **changes) -> libattest.Keylime:
        pem = self.service.pem
        how = {
            "verifier": self.service.verifier,
            "registrar": self.service.registrar,
            "ca": pem("cacert.crt"),
            "cert": pem("client-cert.crt"),
            "key": pem("client-private.pem"),
            "check_name": not OLD,  # 6.3 makes certificates without any address
        }
        return libattest.Keylime(**(how | changes))

    def registered(self) -> libattest.KeylimeAgent:
        self.agent.register("127.0.0.1", self.service.agents_port)
        agent = self.client.lookup(UUID)
        assert agent is not None
        return agent

    def added(self) -> libattest.KeylimeAgent:
        agent = self.registered()
        self.client.add(agent, runtime_policy=self.agent.runtime_policy())
        return agent

    def until_failed(self) -> libattest.KeylimeStatus:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            status = self.client.status(UUID)
            if status.verdict == "failed":
                return status
            time.sleep(0.3)
        self.fail(f"still {status}")

    def attest(self, *arguments: str) -> subprocess.CompletedProcess:
        ca = self.service.cv_ca
        connection = ["--verifier", self.service.verifier, "--registrar", self.service.registrar]
        connection += ["--ca", ca / "cacert.crt", "--cert", ca / "client-cert.crt"]
        connection += ["--key", ca / "client-private.pem", *(["--no-name-check"] if OLD else [])]
        command = [ATTEST, "keylime", *map(os.fspath, connection), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    # The way of a node.

    def test_versions(self):
        self.assertEqual(self.client.versions(), ("2.0", "2.0") if OLD else ("2.6", "2.6"))

    def test_a_node_is_looked_up_with_what_it_registered(self):
        self.assertIsNone(self.client.lookup(UUID))
        agent = self.registered()
        self.assertEqual(agent.ak, self.tpm.ak)
        self.assertEqual(agent.ek, self.tpm.ek)
        self.assertEqual(agent.ek_certificate, self.tpm.ek_certificate)
        self.assertEqual((agent.ip, agent.port), ("127.0.0.1", self.agent.port))

    def test_a_good_node_is_trusted_and_goes_on_being(self):
        self.added()
        status = self.client.wait(UUID, 60.0)
        self.assertTrue(status.trusted)
        self.assertEqual(self.client.list(), [UUID])
        time.sleep(3)
        later = self.client.status(UUID)
        self.assertTrue(later.trusted)
        if not OLD:
            self.assertGreater(later.attestation_count, status.attestation_count)

    def test_an_allowlist_and_an_excludelist_are_what_is_judged_by(self):
        agent = self.registered()
        self.agent.measure("/tmp/anything", NC)
        allowlist = self.agent.allowlist().replace(b"/tmp/anything", b"/elsewhere")
        self.client.add(agent, allowlist=allowlist, excludelist="/tmp/.*\n")
        self.assertTrue(self.client.wait(UUID, 60.0).trusted)
        self.client.delete(UUID)
        self.client.add(agent, allowlist=allowlist)
        self.assertEqual(self.client.wait(UUID, 60.0).verdict, "failed")

    def test_a_node_that_runs_what_nobody_allowed_fails(self):
        self.added()
        self.assertTrue(self.client.wait(UUID, 60.0).trusted)
        self.agent.measure("/usr/bin/ncat", NC)
        status = self.until_failed()
        self.assertEqual(status.last_event_id, "ima.validation.ima-ng.not_in_allowlist")

    def test_a_node_with_a_wrong_pcr_fails(self):
        agent = self.registered()
        self.client.add(agent, tpm_policy=json.dumps({"7": ["11" * 32]}))
        status = self.client.wait(UUID, 60.0)
        self.assertEqual((status.verdict, status.last_event_id), ("failed", "pcr_validation.invalid_pcr_7"))

    def test_a_measured_boot_policy_is_taken(self):
        self.client.add(self.registered(), mb_policy="{}")
        self.assertTrue(self.client.wait(UUID, 60.0).trusted)

    def test_a_deleted_node_is_gone_and_may_come_again(self):
        agent = self.added()
        with self.assertRaises(libattest.KeylimeError) as raised:
            self.client.add(agent, runtime_policy=self.agent.runtime_policy())
        self.assertEqual((raised.exception.reason, raised.exception.status), ("refused", 409))
        self.client.wait(UUID, 60.0)
        self.client.delete(UUID)
        self.assertIsNone(self.client.status(UUID))
        self.assertEqual(self.client.list(), [])
        self.client.delete(UUID)  # nothing to do
        self.client.add(agent, runtime_policy=self.agent.runtime_policy())
        self.assertTrue(self.client.wait(UUID, 60.0).trusted)

    def test_stored_policies(self):
        if OLD:
            with self.assertRaisesRegex(libattest.KeylimeError, "stores no runtime policies"):
                self.client.list_policies()
            return
        policy = self.agent.runtime_policy()
        self.client.create_policy("golden", policy)
        self.addCleanup(self.client.delete_policy, "golden")
        self.assertEqual(self.client.list_policies(), ["golden"])
        self.assertEqual(json.loads(self.client.read_policy("golden")), json.loads(policy))
        self.assertIsNone(self.client.read_policy("none"))
        self.client.add(self.registered(), policy_name="golden")
        self.assertTrue(self.client.wait(UUID, 60.0).trusted)
        self.agent.measure("/usr/bin/ncat", NC)
        self.assertEqual(self.until_failed().verdict, "failed")
        self.client.delete(UUID)
        self.client.create_policy("boot", "{}", kind="mb")
        self.assertEqual(self.client.read_policy("boot", kind="mb"), b"{}")
        self.client.delete_policy("boot", kind="mb")
        self.assertEqual(self.client.list_policies(kind="mb"), [])

    # Quotes of the agent itself.

    def test_an_agents_quotes_verify_with_its_registered_key(self):
        agent = self.registered()
        key = libattest.Key.load(agent.ak)

        def verified(quote: libattest.KeylimeQuote, nonce: str) -> bool:
            parsed = libattest.Quote.parse_keylime(quote.quote)
            return parsed.verify(key, nonce=nonce.encode()).quote_verified

        nonces = [new_nonce() for _ in range(3)]
        quote = self.client.integrity_quote(agent, nonces[0], 0x400, 1)
        self.assertTrue(verified(quote, nonces[0]))
        self.assertEqual((quote.ima_entry, quote.ima.decode()), (1, self.agent.ima[1]))
        self.assertTrue(verified(self.client.identity_quote(agent, nonces[1]), nonces[1]))
        self.agent.replay = True
        self.assertFalse(verified(self.client.identity_quote(agent, nonces[2]), nonces[2]))

    # What goes wrong with an agent.

    def test_an_agent_that_never_answers_is_never_trusted(self):
        self.agent.answer = (500, b"")
        agent = self.registered()
        self.agent.answer = None
        self.client.add(agent, runtime_policy=self.agent.runtime_policy())
        self.agent.answer = (500, b"")
        seen = set()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            status = self.client.status(UUID)
            self.assertFalse(status.trusted, status)
            seen.add((status.state, status.verdict))
            if status.verdict == "failed":
                break
            time.sleep(0.1)
        self.assertIn((3, "pending"), seen)  # what makes state 3 alone worth nothing
        self.assertEqual(status.last_event_id, "internal.verifier.not_reachable")

    def test_a_stale_quote_another_tpm_and_a_relayed_quote_fail(self):
        with Tpm(self.work / "tpm2") as other:
            relayed = KeylimeAgent("other", other, self.work / "other")
            for knob, value in (("replay", True), ("tpm", other), ("relay", relayed)):
                with self.subTest(knob):
                    self.added()
                    self.assertTrue(self.client.wait(UUID, 60.0).trusted)
                    before = getattr(self.agent, knob)
                    setattr(self.agent, knob, value)
                    self.assertEqual(self.until_failed().verdict, "failed")
                    setattr(self.agent, knob, before)
                    self.client.delete(UUID)
                    self.client.delete_registration(UUID)

    def test_a_node_that_rebooted_is_attested_anew(self):
        self.added()
        self.assertTrue(self.client.wait(UUID, 60.0).trusted)
        self.agent.reboot()
        time.sleep(4)
        self.assertTrue(self.client.wait(UUID, 60.0).trusted)

    # What goes wrong with the verifier.

    def test_without_a_verifier_there_is_an_error_and_later_none(self):
        self.service.stop_verifier()
        try:
            with self.assertRaises(libattest.KeylimeError) as raised:
                self.client.status(UUID)
            self.assertEqual(raised.exception.reason, "network")
        finally:
            self.service.start_verifier()
        self.assertIsNone(self.client.status(UUID, 60.0))

    def test_names_are_checked_unless_told_otherwise(self):
        client = self.new_client(check_name=True)
        if OLD:
            with self.assertRaises(libattest.KeylimeError) as raised:
                client.versions()
            self.assertEqual(raised.exception.reason, "peer")
        else:
            client.versions()

    # The command.

    def test_the_command_manages_stored_policies(self):
        done = self.attest("policy", "list")
        if OLD:
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn("stores no runtime policies", done.stderr)
            return
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        policies = {"runtime": self.agent.runtime_policy().decode(), "measured-boot": "{}"}
        for kind, text in policies.items():
            with self.subTest(kind):
                file = self.work / f"{kind}.json"
                file.write_text(text)
                option = "--runtime-policy" if kind == "runtime" else "--mb-policy"
                create = ("policy", "create", "by-command", option, str(file))
                self.assertEqual(self.attest(*create).stdout, "by-command: stored\n")
                again = self.attest(*create)
                self.assertEqual((again.returncode, again.stdout), (2, ""))
                self.assertEqual(self.attest("policy", "list", "--kind", kind).stdout, "by-command\n")
                shown = self.attest("policy", "show", "by-command", "--kind", kind)
                self.assertEqual(json.loads(shown.stdout), json.loads(text))
                gone = self.attest("policy", "delete", "by-command", "--kind", kind)
                self.assertEqual(gone.stdout, "by-command: deleted\n")
                self.assertEqual(self.attest("policy", "show", "by-command", "--kind", kind).returncode, 1)

    def test_the_command_does_the_same(self):
        self.assertEqual(self.attest("status", UUID).returncode, 1)
        self.agent.register("127.0.0.1", self.service.agents_port)
        self.assertEqual(self.attest("quote", UUID).returncode, 0)
        allowlist = self.work / "allowlist"
        allowlist.write_bytes(self.agent.allowlist())
        self.assertEqual(self.attest("add", UUID, "--allowlist", os.fspath(allowlist)).returncode, 0)
        done = self.attest("wait", UUID, "--json")
        self.assertEqual((done.returncode, json.loads(done.stdout)["verdict"]), (0, "trusted"))
        self.assertEqual(self.attest("list").stdout, UUID + "\n")
        self.agent.measure("/usr/bin/ncat", NC)
        self.until_failed()
        done = self.attest("status", UUID)
        self.assertEqual(done.returncode, 1)
        self.assertIn("ima.validation", done.stdout)
        self.assertEqual(self.attest("delete", UUID).returncode, 0)
        done = self.attest("doctor", "--json")
        health = {check["id"]: check["health"] for check in json.loads(done.stdout)["checks"]}
        self.assertEqual((done.returncode, health["verifier"], health["registrar"]), (0, "ok", "ok"))


def main() -> None:
    missing = missing_programs()
    if missing:
        print("skipped: no", ", ".join(missing))
        sys.exit(77)
    try:
        environment(VERSION, ENVIRONMENTS.resolve())
    except Unavailable as why:
        print("skipped:", why)
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)


main()
