# SPDX-License-Identifier: Apache-2.0
"""attest keylime against recordings of a real verifier and registrar."""

import json
import os
import pathlib
import shutil
import sys
import tempfile
import unittest

from command_case import SOURCE, CommandCase, run

sys.path.insert(0, str(SOURCE / "tests" / "support"))
from fault_server import Pki  # noqa: E402
from keylime_double import KeylimeDouble  # noqa: E402

UUID = "7d1f5a3e-0000-4000-8000-00000000000a"
POLICY = json.dumps({"meta": {"version": 1}, "release": 0, "digests": {}, "excludes": []})
ALLOWLIST = "00" * 32 + " /usr/bin/a\n"


class Keylime(CommandCase):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="attest-keylime-"))
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.pki = Pki(folder)

    def setUp(self):
        super().setUp()
        self.double = self.enterContext(KeylimeDouble(self.pki))
        self.double.pending = 0
        self.double.register(UUID, ak=b"\x00\x04abcd")

    def words(self, command, *more, **changes):
        options = {
            "--verifier": self.double.verifier,
            "--registrar": self.double.registrar,
            "--ca": self.pki.folder / "ca.crt",
            "--cert": self.pki.folder / "client.crt",
            "--key": self.pki.folder / "client.key",
        } | changes
        pairs = [word for name, value in options.items() if value is not None for word in (name, value)]
        second = [more[0]] if command == "policy" else []
        return ["keylime", command, *second, *pairs, *more[len(second) :]]

    def added(self, verdict="trusted"):
        self.double.verdicts[UUID] = verdict
        self.good(*self.words("add", UUID, "--allowlist", self.write("allowlist", ALLOWLIST)))

    def test_a_node_is_added_waited_for_listed_and_deleted(self):
        excludelist = self.write("exclude", "/tmp/.*\n")
        allowlist = self.write("allowlist", ALLOWLIST)
        words = self.words("add", UUID, "--allowlist", allowlist, "--excludelist", excludelist)
        self.assertEqual(self.good(*words), f"{UUID}: added\n")
        self.assertIn("runtime_policy", self.double.added[UUID])
        waited = self.json(self.good(*self.words("wait", UUID, "--json")))
        self.assertEqual((waited["uuid"], waited["verdict"], waited["state"]), (UUID, "trusted", 3))
        self.assertIsNone(waited["last_event_id"])
        self.assertEqual(self.good(*self.words("list")), UUID + "\n")
        self.assertEqual(self.json(self.good(*self.words("list", "--json"))), {"agents": [UUID]})
        self.assertEqual(self.good(*self.words("delete", UUID)), f"{UUID}: deleted\n")
        self.good(*self.words("delete", UUID))
        self.assertEqual(self.good(*self.words("list")), "")

    def test_a_node_that_failed_is_status_1_with_keylimes_reason(self):
        self.added("failed")
        self.assertIn("ima.validation.ima-ng.not_in_allowlist", self.bad(*self.words("status", UUID)))
        self.assertEqual(self.json(self.bad(*self.words("wait", UUID, "--json")))["severity"], 6)

    def test_a_node_that_is_not_known_is_status_1(self):
        self.assertIn("does not know it", self.bad(*self.words("status", UUID)))
        status = self.json(self.bad(*self.words("status", UUID, "--json")))
        self.assertEqual((status["verdict"], status["state"]), ("unknown", None))
        self.assertIn("not registered", self.bad(*self.words("quote", "other")))
        allowlist = self.write("allowlist", ALLOWLIST)
        self.assertIn("not registered", self.bad(*self.words("add", "other", "--allowlist", allowlist)))

    def test_state_3_of_an_agent_that_never_answered_is_not_trusted(self):
        self.added("asked-in-vain")
        self.assertIn("pending (Get Quote", self.bad(*self.words("status", UUID)))
        self.refused(*self.words("wait", UUID, "--timeout", "1"), says=["time is over"])

    def test_what_fails_is_status_2_with_one_line(self):
        self.double.broken = 500
        self.refused(*self.words("status", UUID), says=["500"])
        self.double.broken = None
        self.refused(*self.words("status", UUID, **{"--verifier": "127.0.0.1:1"}), says=["127.0.0.1:1"])
        self.refused(*self.words("status", UUID, **{"--ca": self.pki.folder / "other.crt"}))
        self.refused(*self.words("status", "../x"), says=["../x"])
        self.refused(*self.words("status", UUID, **{"--ca": "/nonexistent"}), says=["/nonexistent"])
        self.refused(*self.words("status", UUID, **{"--verifier": "nowhere"}), says=["nowhere"])
        for timeout in ("0", "-1", "x", "1.5", "9999999"):
            self.refused(*self.words("status", UUID, "--timeout=" + timeout), says=["--timeout"])
        self.refused("keylime", "status", UUID, says=["/var/lib/keylime/cv_ca/cacert.crt"])

    def test_names_are_checked_unless_told_otherwise(self):
        with KeylimeDouble(self.pki, certificate="misnamed") as misnamed:
            words = self.words("list", **{"--verifier": misnamed.verifier})
            self.refused(*words, says=["name"])
            self.good(*words, "--no-name-check")

    def test_options_may_stand_before_the_command(self):
        words = self.words("list", "--json")
        before = [words[0], *words[2:], words[1]]
        self.assertEqual(self.json(self.good(*before)), {"agents": []})
        before = ["keylime", "--json", *words[2:-1], "status", UUID]
        self.assertEqual(self.json(self.bad(*before))["uuid"], UUID)
        before = ["keylime", "--json", *words[2:-1], "policy", "list"]
        self.assertEqual(self.json(self.good(*before))["policies"], [])

    def test_policies_must_make_sense(self):
        allowlist = self.write("allowlist", ALLOWLIST)
        self.refused(*self.words("add", UUID), says=["a policy is missing"])
        self.refused(*self.words("add", UUID, "--excludelist", allowlist), says=["--allowlist"])
        both = ("--allowlist", allowlist, "--runtime-policy", allowlist)
        self.refused(*self.words("add", UUID, *both))
        self.refused(*self.words("add", UUID, "--runtime-policy", allowlist), says=["runtime policy"])
        self.refused(*self.words("add", UUID, "--allowlist", self.write("x", "x y\n")), says=["line 1"])
        self.assertEqual(self.double.added, {})

    def test_a_named_policy_is_stored_listed_shown_and_deleted(self):
        policy = self.write("policy.json", POLICY)
        create = self.words("policy", "create", "golden", "--runtime-policy", policy)
        self.assertEqual(self.good(*create), "golden: stored\n")
        self.refused(*create, says=["409", "already exists"])
        self.assertEqual(self.good(*self.words("policy", "list")), "golden\n")
        listed = self.json(self.good(*self.words("policy", "list", "--json", "--kind=runtime")))
        self.assertEqual(listed, {"kind": "runtime", "policies": ["golden"]})
        self.assertEqual(self.good(*self.words("policy", "show", "golden")), POLICY + "\n")
        self.good(*self.words("add", UUID, "--policy-name", "golden"))
        done = self.json(self.good(*self.words("policy", "delete", "golden", "--json")))
        self.assertEqual(done, {"name": "golden", "kind": "runtime", "result": "deleted"})
        self.good(*self.words("policy", "delete", "golden"))
        self.assertEqual(self.good(*self.words("policy", "list")), "")

    def test_a_policy_that_is_not_there_is_status_1_and_no_text(self):
        done = run(*self.words("policy", "show", "golden"))
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b"no policy of that name", done.stderr)

    def test_a_stored_policy_that_would_steer_a_terminal_is_not_shown(self):
        for text in ("{}\x1b[2J", "{}\x7f", "\x08{}"):
            self.double.policies["golden"] = text
            self.refused(*self.words("policy", "show", "golden"), says=["control characters"])
        self.double.policies["golden"] = "{\r\n\t}"
        self.assertEqual(self.good(*self.words("policy", "show", "golden")), "{\r\n\t}\n")

    def test_policy_commands_must_make_sense(self):
        policy = self.write("policy.json", POLICY)
        both = ("--runtime-policy", policy, "--mb-policy", policy)
        self.refused(*self.words("policy", "create", "x"), says=["is wanted"])
        self.refused(*self.words("policy", "create", "x", *both), says=["is wanted"])
        self.refused(*self.words("policy", "create", "../x", *both[:2]), says=["../x"])
        self.refused(*self.words("policy", "create", "x", "--runtime-policy", "none"), says=["none"])
        bad = self.write("bad.json", "{")
        self.refused(*self.words("policy", "create", "x", "--runtime-policy", bad))
        self.refused(*self.words("policy", "create", "x", "--mb-policy", bad))
        self.refused(*self.words("policy", "list", "--kind", "tpm"), says=["--kind"])
        self.refused(*self.words("policy", "delete", "a/b"), says=["a/b"])
        self.assertEqual(self.double.policies, {})

    def test_a_verifier_that_stores_no_such_policies_says_so(self):
        self.double.become("6.3.1")
        self.refused(*self.words("policy", "list"), says=["stores no runtime policies"])
        measured_boot = ("--kind", "measured-boot")
        self.refused(*self.words("policy", "list", *measured_boot), says=["stores no measured-boot"])

    def test_the_doctor_says_what_is_wrong(self):
        key = self.folder / "key"
        shutil.copyfile(self.pki.folder / "client.key", key)
        os.chmod(key, 0o600)
        config = self.write("keylime.conf", "[registrar]\nregistrar_ip = 192.0.2.1\n")
        words = self.words("doctor", "--json", "--config", config, **{"--key": key})
        health = {c["id"]: c["health"] for c in self.json(self.good(*words))["checks"]}
        self.assertEqual(
            health,
            {
                "ca-certificate": "ok" if health["ca-certificate"] == "ok" else "warning",
                "client-certificate": "ok" if health["client-certificate"] == "ok" else "warning",
                "verifier": "ok",
                "registrar": "ok",
                "revocation": "unknown",
                "ek-certificate-check": "unknown",
                "addresses": "ok",
                "key-file": "ok",
            },
        )
        os.chmod(key, 0o644)
        config = self.write("keylime.conf", "[registrar]\nregistrar_ip = 0.0.0.0\n")
        said = self.bad(*self.words("doctor", "--config", config, **{"--key": key}))
        self.assertRegex(said, r"(?m)^bad +addresses: .*0\.0\.0\.0$")
        self.assertRegex(said, r"(?m)^warning +key-file: ")
        said = self.bad(*self.words("doctor", **{"--verifier": "127.0.0.1:1"}))
        self.assertRegex(said, r"(?m)^bad +verifier: ")


if __name__ == "__main__":
    unittest.main()
