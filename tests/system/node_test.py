# SPDX-License-Identifier: Apache-2.0
"""The way without Keylime, from end to end: libattest asks, collect answers, over two software TPMs.

usage: node_test.py COLLECT TPM OTHER    (folders made and started by swtpm.sh; libattest on PYTHONPATH)
"""

from __future__ import annotations

import base64
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest
from typing import Any

import libattest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
COLLECT, TPM, OTHER = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
# Quoted, and the same at each boot of the simulated machine, but for 10.
PCRS = "sha256:0-10,14"


class Machine:
    """A machine with one of the TPMs: what ironic-python-agent's extension is to the conductor."""

    def __init__(self, tpm: pathlib.Path, folder: pathlib.Path) -> None:
        self.tpm = tpm
        self.folder = folder

    def collect(self, command: str, *arguments: str) -> dict[str, Any]:
        call = [
            str(COLLECT),
            command,
            "--state",
            str(self.folder / "state"),
            "--tcti",
            f"swtpm:path={self.tpm}/tpm",
        ]
        done = subprocess.run([*call, *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        answer = json.loads(done.stdout)
        return {
            name: (
                base64.b64decode(value)
                if isinstance(value, str) and name != "ek_template"
                else value
            )
            for name, value in answer.items()
        }

    def activate(self, challenge: libattest.CredentialChallenge) -> bytes:
        words = [
            f"--{name}={base64.b64encode(value).decode()}"
            for name, value in (("credential", challenge.credential), ("secret", challenge.secret))
        ]
        answer: bytes = self.collect("activate", *words)["answer"]
        return answer

    def simulate(self, action: str, *files: str) -> None:
        script = SOURCE / "examples/quickstart/simulated_node.py"
        options = ["--tpm", f"{self.tpm}/tpm", "--logs", str(self.folder)]
        subprocess.run([sys.executable, "-B", str(script), action, *files, *options], check=True)

    def evidence(self, nonce: bytes, first_entry: int = 0) -> libattest.Evidence:
        logs = [
            "--eventlog",
            str(self.folder / "eventlog.bin"),
            "--ima",
            str(self.folder / "ima.bin"),
        ]
        quote = self.collect(
            "quote", "--nonce", nonce.hex(), "--pcrs", PCRS, "--ima-entry", str(first_entry), *logs
        )
        assert quote["ima_entry"] == first_entry
        evidence = libattest.Evidence(
            quote=(quote["quote"], quote["signature"], quote["pcrs"]),
            ak=quote["ak_public"],
            eventlog=quote["eventlog"],
        )
        evidence.set_ima(quote["ima"], first_entry=first_entry)
        self.ima_size = len(quote["ima"])
        return evidence


class NodeTest(unittest.TestCase):
    def machine(self, tpm: pathlib.Path = TPM) -> Machine:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return Machine(tpm, pathlib.Path(folder.name))

    def test_every_template_answers_the_librarys_challenge_once(self) -> None:
        for ek in ("L-1", "L-2", "H-1", "H-2", "H-3"):
            with self.subTest(ek=ek):
                machine = self.machine()
                identity = machine.collect("identity", "--ek", ek)
                key = libattest.EndorsementKey(identity["ek_public"], identity["ek_certificate"])
                challenge = libattest.CredentialChallenge(
                    key, libattest.Key.load(identity["ak_public"])
                )
                answer = machine.activate(challenge)
                self.assertTrue(challenge.check(answer))
                self.assertFalse(challenge.check(answer))

    def test_the_certificate_leads_to_its_makers_ca(self) -> None:
        identity = self.machine().collect("identity")
        key = libattest.EndorsementKey(identity["ek_public"], identity["ek_certificate"])
        root = (TPM / "ca/swtpm-localca-rootca-cert.pem").read_bytes()
        issuer = (TPM / "ca/issuercert.pem").read_bytes()
        key.verify_chain([root], [issuer], now=int(time.time()))
        other = (OTHER / "ca/swtpm-localca-rootca-cert.pem").read_bytes()
        with self.assertRaises(libattest.Error):
            key.verify_chain([other], [issuer], now=int(time.time()))
        theirs = self.machine(OTHER).collect("identity")
        with self.assertRaises(libattest.Error):
            libattest.EndorsementKey(theirs["ek_public"], identity["ek_certificate"])

    def test_another_tpm_cannot_answer(self) -> None:
        mine, theirs = self.machine(), self.machine(OTHER)
        identity, other = mine.collect("identity"), theirs.collect("identity")
        key = libattest.EndorsementKey(identity["ek_public"])
        relayed = libattest.CredentialChallenge(key, libattest.Key.load(other["ak_public"]))
        for machine in (theirs, mine):  # neither the one with that AK nor the one with that EK
            with self.assertRaisesRegex(RuntimeError, "is it for this TPM"):
                machine.activate(relayed)
        self.assertFalse(relayed.check(bytes(32)))

    def test_a_machine_is_judged_again_by_what_is_new(self) -> None:
        machine = self.machine()
        machine.simulate("boot")
        machine.collect("identity")
        nonce = libattest.make_nonce()
        policy, report = libattest.Policy.learn(machine.evidence(nonce), nonce=nonce)
        self.assertIsNotNone(policy, report)

        node = libattest.Node()
        self.assertEqual(node.ima_entries, 0)
        nonce = libattest.make_nonce()
        report = libattest.appraise(machine.evidence(nonce), policy, nonce=nonce, node=node)
        self.assertTrue(report.trusted, report.findings)
        whole, known = machine.ima_size, node.ima_entries
        self.assertGreater(known, 0)

        nonce = libattest.make_nonce()
        report = libattest.appraise(machine.evidence(nonce, known), policy, nonce=nonce, node=node)
        self.assertTrue(report.trusted, report.findings)
        self.assertEqual(machine.ima_size, 0)
        self.assertEqual(node.ima_entries, known)

        program = machine.folder / "cryptominer"
        program.write_text("a program that nobody expects")
        machine.simulate("run", str(program))
        nonce = libattest.make_nonce()
        report = libattest.appraise(machine.evidence(nonce, known), policy, nonce=nonce, node=node)
        self.assertFalse(report.trusted)
        self.assertTrue(any(str(program) in finding.message for finding in report.findings))
        self.assertLess(machine.ima_size, whole)
        self.assertEqual(node.ima_entries, known)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
