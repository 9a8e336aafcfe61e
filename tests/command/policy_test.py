# SPDX-License-Identifier: Apache-2.0
"""attest policy create and attest policy check."""

import json
import os
import stat
import subprocess
import unittest

from command_case import (
    BOOT,
    COMMAND,
    GRUB,
    CommandCase,
    log_options,
    pcr_values,
    quote_options,
    run,
    words,
)

CLEAN = words({**quote_options(), **log_options()})
TAMPERED = words({**quote_options("2-tampered"), **log_options("2-tampered")})


class Create(CommandCase):
    def learned(self):
        path = self.folder / "policy.json"
        self.assertEqual(self.good("policy", "create", *CLEAN, "--output", path), "")
        return path

    def test_what_is_learned_trusts_what_it_was_learned_from(self):
        for case in ["grub-ima-ng", "shim-sb-ima-sig", "grub-many"]:
            folder = self.evidence(case=BOOT / case, name=case)
            path = self.folder / f"{case}.json"
            self.good("policy", "create", "--evidence", folder, "--output", path)
            self.assertTrue(
                self.good("verify", "--evidence", folder, "--policy", path).startswith(
                    "verdict: trusted\n"
                )
            )

    def test_and_nothing_else(self):
        path = self.learned()
        self.assertIn("/opt/evil/echo", self.bad("verify", *TAMPERED, "--policy", path))
        # The same values under another key.
        ecc = words({**quote_options(quote="quote_ecc"), **log_options()})
        self.assertIn("ak-not-pinned", self.bad("verify", *ecc, "--policy", path))
        # The same evidence in answer to another nonce.
        options = {**quote_options(), **log_options(), "--nonce": "ee" * 16}
        self.assertIn("nonce-mismatch", self.bad("verify", *words(options), "--policy", path))

    def test_standard_output_and_a_file_get_the_same(self):
        text = self.good("policy", "create", *CLEAN)
        self.assertEqual(text, self.learned().read_text())
        self.assertTrue(text.endswith("\n}\n"))
        policy = json.loads(text)
        self.assertEqual(policy["version"], 1)
        self.assertEqual(policy["ak"]["names"], [(GRUB / "ak.name").read_bytes().hex()])
        self.assertIn("4", policy["pcrs"])

    def test_unsound_evidence_makes_no_policy(self):
        path = self.folder / "policy.json"
        violation = {**quote_options("3-violation"), **log_options("3-violation")}
        for options, why in [
            ({**quote_options(), **log_options(), "--nonce": "ee" * 16}, "nonce-mismatch"),
            (
                {
                    **quote_options(),
                    **log_options("2-tampered"),
                    "--eventlog": BOOT / "grub-many" / "binary_bios_measurements",
                },
                "",
            ),
            ({**quote_options("2-tampered"), **log_options()}, "ima-replay"),
            (violation, "ima-violation"),
        ]:
            for more in [[], ["--output", path]]:
                with self.subTest(why):
                    done = run("policy", "create", *words(options), *more)
                    self.assertEqual((done.returncode, done.stdout), (1, b""), done)
                    self.assertIn(b"not sound", done.stderr)
                    self.assertIn(why.encode(), done.stderr)
                    self.assertFalse(path.exists())

    def test_a_legacy_list_needs_sha1_and_says_so(self):
        folder = self.evidence(case=BOOT / "kernel-ima-legacy")
        path = self.folder / "policy.json"
        done = run("policy", "create", "--evidence", folder, "--output", path)
        self.assertEqual((done.returncode, done.stdout), (0, b""), done)
        self.assertRegex(
            done.stderr.decode(), r"\Aattest policy create: warning: policy-sha1: [^\n]*\n\Z"
        )
        self.good("verify", "--evidence", folder, "--policy", path)


class Whitelist(CommandCase):
    """OpenAttestation's, of a host."""

    def mle(self, name="bios", **changes):
        sha1 = pcr_values(bank="sha1")
        manifests = [{"Name": str(pcr), "Value": sha1[str(pcr)]} for pcr in range(8)]
        record = {"Name": name, "Version": "1", "OemName": "Vendor", "Attestation_Type": "PCR"}
        return {**record, "MLE_Type": "BIOS", "MLE_Manifests": manifests, **changes}

    def test_a_whitelist_becomes_a_policy(self):
        mles = self.write("mles.json", json.dumps([self.mle()]))
        path = self.folder / "policy.json"
        done = run("policy", "create", "--mle", mles, "--allow-sha1", "--output", path)
        self.assertEqual((done.returncode, done.stdout), (0, b""), done)
        self.assertRegex(
            done.stderr.decode(), r"\Aattest policy create: warning: [^\n]* pins no key[^\n]*\n\Z"
        )
        self.good("policy", "check", path)
        quote = words(quote_options(quote="quote_both"))
        self.assertIn("verdict: trusted\n", self.good("verify", *quote, "--policy", path))
        changed = self.mle()
        changed["MLE_Manifests"][4]["Value"] = "ee" * 20
        mles.write_text(json.dumps(changed))
        run("policy", "create", "--mle", mles, "--allow-sha1", "--output", path)
        self.assertIn("PCR 4", self.bad("verify", *quote, "--policy", path))

    def test_what_is_no_whitelist_makes_no_policy(self):
        path = self.folder / "policy.json"
        for text, why in [
            ("", ""),
            ("[]", "has no MLE"),
            (json.dumps([self.mle(), self.mle("other")]), "not mixed"),
            (json.dumps(self.mle(Attestation_Type="MODULE")), "/Attestation_Type"),
            (json.dumps(self.mle(color="blue")), "/color"),
            ('{"version": 1}', "/version"),
        ]:
            mles = self.write("mles.json", text)
            with self.subTest(why):
                self.refused(
                    "policy", "create", "--mle", mles, "--allow-sha1", "--output", path, says=[mles, why]
                )
                self.assertFalse(path.exists())
        self.refused("policy", "create", "--mle", "/nowhere", "--allow-sha1", says=["/nowhere"])

    def test_sha1_is_asked_for_and_evidence_is_not(self):
        mles = self.write("mles.json", json.dumps(self.mle()))
        self.refused("policy", "create", "--mle", mles, says=["--allow-sha1"])
        for more in [["--evidence", "x"], ["--ak", "x"], ["--profile", "trusted-boot"], ["--ima", "x"]]:
            self.refused(
                "policy", "create", "--mle", mles, "--allow-sha1", *more, says=["--mle", more[0]]
            )


class Output(CommandCase):
    def create(self, path, **how):
        return run("policy", "create", *CLEAN, "--output", path, **how)

    def test_an_old_file_is_replaced(self):
        path = self.write("policy.json", "old")
        path.chmod(0o600)
        self.assertEqual(self.create(path).returncode, 0)
        self.good("policy", "check", path)
        self.assertEqual(os.listdir(self.folder), ["policy.json"])

    def test_its_mode_follows_the_umask(self):
        for umask, mode in [(0o022, 0o644), (0o077, 0o600), (0o000, 0o644)]:
            path = self.folder / f"policy-{umask:o}.json"
            self.assertEqual(self.create(path, umask=umask).returncode, 0)
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), mode)

    def test_what_is_no_file_is_left_alone(self):
        target = self.write("target", "old")
        link = self.folder / "link"
        link.symlink_to(target)
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        for path in [link, pipe, self.folder, "/dev/null", "/dev/stdout"]:
            with self.subTest(path):
                self.refused(
                    "policy", "create", *CLEAN, "--output", path, says=[path, "not a regular file"]
                )
        self.assertEqual(target.read_text(), "old")
        self.assertTrue(link.is_symlink())

    def test_where_nothing_can_be_written(self):
        self.refused(
            "policy",
            "create",
            *CLEAN,
            "--output",
            self.folder / "no" / "policy.json",
            says=["No such file or directory"],
        )
        self.refused(
            "policy", "create", *CLEAN, "--output", "/proc/policy.json", says=["/proc/policy.json"]
        )
        self.refused(
            "policy",
            "create",
            *CLEAN,
            "--output",
            self.folder / ("x" * 255),
            says=["File name too long"],
        )

    def test_a_write_that_fails_leaves_the_old_file(self):
        path = self.write("policy.json", "old")
        done = subprocess.run(
            [
                "sh",
                "-c",
                'trap "" XFSZ; ulimit -f 1; exec "$0" "$@"',
                COMMAND,
                "policy",
                "create",
                *map(os.fspath, CLEAN),
                "--output",
                path,
            ],
            capture_output=True,
            check=False,
        )
        self.assertEqual((done.returncode, done.stdout), (2, b""), done)
        self.assertRegex(
            done.stderr.decode(), r"\Aattest policy create: [^\n]*: File too large\n\Z"
        )
        self.assertEqual(path.read_text(), "old")
        self.assertEqual(os.listdir(self.folder), ["policy.json"])


class Check(CommandCase):
    def test_a_good_policy(self):
        path = self.write("policy.json", '{"version": 1}')
        self.assertEqual(self.good("policy", "check", path), f"{path}: a valid policy\n")
        path = self.write("a\nb.json", '{"version": 1}')
        self.assertEqual(
            self.good("policy", "check", path), f"{self.folder}/a\\x0ab.json: a valid policy\n"
        )

    def test_policies_that_can_not_be_used(self):
        for text, why in [
            ("", ""),
            ("{}", "version"),
            ('{"version": 2}', "version"),
            ("[]", ""),
            ('{"version": 1, "ek": {}}', "/ek"),
            ('{"version": 1} x', ""),
            ('{"version": 1, "version": 1}', "version"),
            ('{"version": 1, "pcrs": {"0": ["00"]}}', "/pcrs/0"),
            ('{"version": 1, "bank": "sha1"}', "sha1"),
            ('{"version": 1, "refstate": {}}', "/refstate"),
            ("[" * 100_000, ""),
        ]:
            path = self.write("policy.json", text)
            with self.subTest(text[:40]):
                self.refused("policy", "check", path, says=[path, why])
                self.refused("verify", *words(quote_options()), "--policy", path, says=[path, why])

    def test_other_formats_are_no_policies(self):
        self.refused("policy", "check", self.write("list.txt", f"{'0' * 64}  /bin/sh\n"))
        self.refused("policy", "check", self.write("tpm.json", f'{{"22": ["{"0" * 64}"]}}'))


if __name__ == "__main__":
    unittest.main()
