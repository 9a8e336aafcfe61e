# SPDX-License-Identifier: Apache-2.0
"""attest on evidence of TPMs 1.2."""

import json
import shutil
import unittest

from command_case import BOOT, VECTORS, CommandCase, run, words

TPM12 = VECTORS / "tpm12"
BIOS12 = BOOT / "bios12-tpm12"
NONCE12 = (TPM12 / "nonce.hex").read_text().strip()
BOOT_NONCE = (BIOS12 / "nonce.hex").read_text().strip() + "00000000"


def quote12(quote="quote2", pcrs=None, ak="aik.tpm_key"):
    return {
        "--ak": TPM12 / ak,
        "--quote": TPM12 / f"{quote}.info",
        "--signature": TPM12 / f"{quote}.sig",
        "--pcrs": TPM12 / (pcrs or f"{quote}.pcrs"),
        "--nonce": NONCE12,
    }


class Tpm12(CommandCase):
    def booted(self, name="node"):
        """The boot of bios12-tpm12 as an evidence folder, its PCR values as tpm_getquote's."""
        folder = self.folder / name
        folder.mkdir()
        clean = BIOS12 / "1-clean"
        for source, target in [
            (clean / "aik.tpm_key12", "ak.tss"),
            (clean / "quote2.info", "quote.msg"),
            (clean / "quote2.sig", "quote.sig"),
            (clean / "ima.bin", "ima.bin"),
            (BIOS12 / "binary_bios_measurements", "eventlog.bin"),
        ]:
            shutil.copyfile(source, folder / target)
        (folder / "nonce.hex").write_text(BOOT_NONCE + "\n")
        lines = (clean / "pcrs.txt").read_text().splitlines()[:11]
        (folder / "quote.pcrs").write_text(
            "".join("{}={}\n".format(*line.upper().split()) for line in lines)
        )
        return folder

    def learned(self, folder):
        path = self.folder / "policy.json"
        done = self.run_warned("policy", "create", "--evidence", folder, "--allow-sha1")
        path.write_text(done)
        return path

    def run_warned(self, *arguments):
        done = run(*arguments)
        self.assertEqual(done.returncode, 0, done)
        self.assertRegex(done.stderr.decode(), r"\A(attest policy create: warning: [^\n]+\n)+\Z")
        self.assertIn(b"policy-sha1", done.stderr)
        return done.stdout.decode()

    def test_quotes_verify_where_sha1_is_allowed(self):
        for options in [
            quote12("quote1"),
            quote12("quote2"),
            quote12("quote2", "quote2.text"),
            quote12("quote2", ak="aik.tpm_pubkey"),
            quote12("quote1", ak="aik.pem"),
        ]:
            with self.subTest(options):
                text = self.good("quote", *words(options), "--allow-sha1")
                self.assertTrue(text.startswith("quote: verified\n"))
                self.assertIn("warning: quote-tpm12: ", text)
                report = self.json(self.good("quote", *words(options), "--allow-sha1", "--json"))
                self.assertEqual(report["claims"]["scheme"], "RSASSA with sha1")
                for clock in ["clock", "reset_count", "restart_count", "clock_safe"]:
                    self.assertIsNone(report["claims"][clock])
                self.assertEqual(len(report["claims"]["pcrs"]["sha1"]), 11)
                self.assertIn("failure: signature-sha1: ", self.bad("quote", *words(options)))

    def test_another_nonce_key_or_value(self):
        def refused(options, id_):
            self.assertIn(f"failure: {id_}: ", self.bad("quote", *words(options), "--allow-sha1"))

        refused({**quote12(), "--nonce": NONCE12[:-1] + "f"}, "nonce-mismatch")
        refused({**quote12(), "--nonce": NONCE12 + "00"}, "nonce-mismatch")
        refused({**quote12(), "--ak": BIOS12 / "1-clean" / "aik.tpm_key12"}, "signature-invalid")
        refused({**quote12(), "--ak": BOOT / "grub-ima-ng" / "ak.tss"}, "quote-family")
        refused({**quote12("quote1"), "--pcrs": TPM12 / "quote2.pcrs"}, "pcr-digest-mismatch")

    def test_what_is_no_evidence_of_a_tpm_1_2_is_malformed(self):
        cut = self.write("cut", (TPM12 / "quote2.info").read_bytes()[:51])
        for options, says in [
            (quote12("quote1", "quote2.text"), ["TPM_PCR_COMPOSITE"]),
            ({**quote12(), "--pcrs": TPM12 / "pcrs.txt"}, ["PCR values (text)", "line 1"]),
            ({**quote12(), "--signature": self.write("none", b"")}, ["TPM 1.2 signature"]),
            ({**quote12(), "--ak": self.write("ak", b"\x01\x01\x00\x00")}, ["TPM_KEY"]),
            ({**quote12(), "--quote": cut}, ["TPM_QUOTE_INFO2"]),
        ]:
            with self.subTest(says):
                self.refused("quote", *words(options), "--allow-sha1", says=says)

    def test_a_boot_is_trusted_by_what_was_learned_from_it(self):
        folder = self.booted()
        policy = self.learned(folder)
        content = json.loads(policy.read_text())
        self.assertEqual((content["bank"], content["allow_sha1"]), ("sha1", True))
        self.assertEqual(len(content["ak"]["keys"]), 1)
        text = self.good("verify", "--evidence", folder, "--nonce", BOOT_NONCE, "--policy", policy)
        self.assertTrue(text.startswith("verdict: trusted\n"))
        self.assertIn("quote-tpm12", text)
        # The key of another TPM, and a list in which a program is another.
        shutil.copyfile(TPM12 / "aik.tpm_key", folder / "ak.tss")
        text = self.bad("verify", "--evidence", folder, "--policy", policy)
        self.assertIn("signature-invalid", text)
        self.assertIn("ak-not-pinned", text)
        other = self.booted("other")
        (other / "ima.bin").write_bytes(
            (other / "ima.bin").read_bytes().replace(b"/init", b"/exit", 1)
        )
        self.assertIn("failure: ", self.bad("verify", "--evidence", other, "--policy", policy))
        # By the same policy without its word about SHA-1, nothing is.
        content["allow_sha1"] = False
        strict = self.write("strict.json", json.dumps(content))
        self.refused("verify", "--evidence", self.booted("again"), "--policy", strict)

    def test_nothing_is_learned_from_sha1_unasked(self):
        done = run("policy", "create", "--evidence", self.booted())
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b"signature-sha1", done.stderr)


if __name__ == "__main__":
    unittest.main()
