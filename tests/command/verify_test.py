# SPDX-License-Identifier: Apache-2.0
"""attest verify on real evidence."""

import hashlib
import time
import unittest

from command_case import (
    BOOT,
    GRUB,
    NONCE,
    TPM2_CASES,
    CommandCase,
    log_options,
    pcr_values,
    quote_options,
    run,
    words,
)


class Verify(CommandCase):
    def test_without_rules_nothing_is_trusted(self):
        for case in TPM2_CASES:
            options = words({**quote_options(case=BOOT / case), **log_options(case=BOOT / case)})
            with self.subTest(case):
                self.assertTrue(self.bad("verify", *options).startswith("verdict: unknown\n"))
                report = self.json(self.bad("verify", *options, "--json"))
                self.assertEqual(report["verdict"], "unknown")
                self.assertIn("policy-missing", self.ids(report))

    def test_an_empty_policy_trusts_nothing(self):
        empty = self.write("policy.json", '{"version": 1}')
        options = words(quote_options())
        for rules in [["--policy", empty], ["--allow-sha1"]]:
            report = self.json(self.bad("verify", *options, *rules, "--json"))
            self.assertEqual(report["verdict"], "unknown")

    def test_reference_values(self):
        values = pcr_values()
        right = self.write(
            "right.json", f'{{"4": ["{values["4"]}"], "7": "{values["7"]}", "mask": "0x90"}}'
        )
        options = words(quote_options())
        self.assertTrue(
            self.good("verify", *options, "--tpm-policy", right).startswith("verdict: trusted\n")
        )
        wrong = self.write("wrong.json", f'{{"4": ["{values["5"]}"]}}')
        text = self.bad("verify", *options, "--tpm-policy", wrong)
        self.assertTrue(text.startswith("verdict: untrusted\n"))
        self.assertIn("failure: pcr-value: ", text)
        self.assertIn(values["5"], text)

    def test_an_allowlist(self):
        allowlist = ["--allowlist", self.allowlist()]
        clean = words({**quote_options(), **log_options()})
        tampered = words({**quote_options("2-tampered"), **log_options("2-tampered")})
        self.good("verify", *clean, *allowlist)
        text = self.bad("verify", *tampered, *allowlist)
        self.assertRegex(text, r"(?m)^failure: ima-not-listed: IMA entry 51: /opt/evil/echo ")
        finding = next(
            f
            for f in self.json(self.bad("verify", *tampered, *allowlist, "--json"))["findings"]
            if f["severity"] == "failure"
        )
        self.assertEqual(
            (finding["id"], finding["component"], finding["pcr"], finding["index"]),
            ("ima-not-listed", "ima", 10, 51),
        )

    def test_an_excludelist(self):
        allowlist = self.allowlist()
        tampered = words({**quote_options("2-tampered"), **log_options("2-tampered")})
        excludes = self.write("excludes.txt", "# what the tenant runs\n/opt/evil/.*\n")
        self.good("verify", *tampered, "--allowlist", allowlist, "--excludelist", excludes)
        other = self.write("other.txt", "/opt/good/.*\n")
        self.bad("verify", *tampered, "--allowlist", allowlist, "--excludelist", other)
        wrong = self.write("wrong.txt", "/opt/(\n")
        self.refused("verify", *tampered, "--allowlist", allowlist, "--excludelist", wrong)

    def test_an_allowlists_checksum(self):
        allowlist = self.allowlist()
        clean = words({**quote_options(), **log_options(), "--allowlist": allowlist})
        digest = hashlib.sha256(allowlist.read_bytes()).hexdigest()
        right = self.write("right", f"{digest}  allowlist.txt\n")
        self.good("verify", *clean, "--allowlist-checksum", right)
        wrong = self.write("wrong", f"{digest[1:]}0  allowlist.txt\n")
        self.refused("verify", *clean, "--allowlist-checksum", wrong, says=[allowlist])

    def test_two_sources_of_rules_are_refused(self):
        policy = self.folder / "policy.json"
        clean = words({**quote_options(), **log_options()})
        self.good("policy", "create", *clean, "--output", policy)
        self.refused("verify", *clean, "--policy", policy, "--allowlist", self.allowlist())

    def test_a_list_that_was_cut_or_changed(self):
        list_ = log_options()["--ima"].read_bytes()
        options = {**quote_options(), "--allowlist": self.allowlist()}
        cut = self.write("cut", list_[:-5])
        self.refused("verify", *words({**options, "--ima": cut}), says=[cut])
        tampered = log_options("2-tampered")["--ima"].read_bytes()
        whole = self.write("shorter", list_)
        # The last entry is gone: the list ends before the quote.
        self.assertIn(
            "failure: ima-replay: ",
            self.bad("verify", *words({**options, **quote_options("2-tampered"), "--ima": whole})),
        )
        # An entry after the quote is a tail, and not a failure.
        self.assertIn(
            "ima-tail",
            self.good("verify", *words({**options, "--ima": self.write("longer", tampered)})),
        )

    def test_an_ima_digest(self):
        clean = words({**quote_options(), **log_options(), "--allowlist": self.allowlist()})
        self.good("verify", *clean, "--ima-digest", "native")
        self.assertIn("ima-replay", self.bad("verify", *clean, "--ima-digest", "padded"))

    def test_a_missing_list_fails_its_rules(self):
        self.assertIn(
            "failure: ima-missing: ",
            self.bad("verify", *words(quote_options()), "--allowlist", self.allowlist()),
        )

    def test_twice_in_a_row_is_the_same(self):
        line = [
            "verify",
            *words({**quote_options(), **log_options()}),
            "--allowlist",
            self.allowlist(),
        ]
        self.assertEqual(self.good(*line), self.good(*line))


class Folder(CommandCase):
    def test_it_stands_for_the_single_files(self):
        for snapshot in ["1-clean", "2-tampered"]:
            folder = self.evidence(snapshot, name=snapshot)
            single = words({**quote_options(snapshot), **log_options(snapshot)})
            allowlist = ["--allowlist", self.allowlist(), "--json"]
            reports = []
            for evidence in [["--evidence", folder], single]:
                done = run("verify", *evidence, *allowlist)
                self.assertEqual((done.returncode, done.stderr), (snapshot != "1-clean", b""))
                reports.append(self.json(done.stdout.decode()))
                self.assertAlmostEqual(reports[-1]["claims"].pop("time"), time.time(), delta=60)
            self.assertEqual(*reports)
        self.good("quote", "--evidence", folder)
        self.good("quote", "--evidence", f"{folder}/")

    def test_what_came_along_is_mentioned(self):
        folder = self.evidence()
        notes = {
            "--nonce": ("the nonce came with the evidence", NONCE),
            "--ak": ("the key came with the evidence", GRUB / "ak.tss"),
        }
        for command in ["quote", "verify"]:
            for option, (note, _) in notes.items():
                self.assertIn(note, run(command, "--evidence", folder).stdout.decode())
                for other, (_, value) in notes.items():
                    text = run(command, "--evidence", folder, other, value).stdout.decode()
                    self.assertEqual(note in text, option != other)
        self.assertNotIn("came with", self.good("quote", *words(quote_options())))
        self.json(self.good("quote", "--evidence", folder, "--json"))

    def test_ones_own_nonce_counts(self):
        folder = self.evidence()
        self.assertIn(
            "nonce-mismatch", self.bad("quote", "--evidence", folder, "--nonce", "ee" * 16)
        )
        (folder / "nonce.hex").unlink()
        self.good("quote", "--evidence", folder, "--nonce", NONCE)
        self.refused("quote", "--evidence", folder, says=["nonce.hex"])

    def test_ones_own_key_counts(self):
        folder = self.evidence()
        other = BOOT / "grub-many" / "ak.tss"
        self.assertIn("signature-invalid", self.bad("quote", "--evidence", folder, "--ak", other))
        (folder / "ak.tss").unlink()
        self.good("quote", "--evidence", folder, "--ak", GRUB / "ak.tss")

    def test_the_nonces_file(self):
        folder = self.evidence()
        for text in [NONCE, NONCE + "\r\n", NONCE.upper() + "\n"]:
            (folder / "nonce.hex").write_text(text, newline="")
            self.good("quote", "--evidence", folder)
        for text in ["", "\n", NONCE + " x", "0x" + NONCE, NONCE + "\n" + NONCE]:
            (folder / "nonce.hex").write_text(text)
            self.refused("quote", "--evidence", folder, says=["nonce.hex"])

    def test_each_file_of_the_quote_is_needed(self):
        for name in ["ak.tss", "quote.msg", "quote.sig", "quote.pcrs"]:
            folder = self.evidence(name=f"without-{name}")
            (folder / name).unlink()
            self.refused("verify", "--evidence", folder, says=[name, "No such file"])

    def test_logs_may_be_absent_and_not_unreadable(self):
        folder = self.evidence()
        policy = self.folder / "policy.json"
        self.good("policy", "create", "--evidence", folder, "--output", policy)
        self.good("verify", "--evidence", folder, "--policy", policy)
        for name, id_ in [("ima.bin", "ima-missing"), ("eventlog.bin", "eventlog-missing")]:
            content = (folder / name).read_bytes()
            (folder / name).unlink()
            # A policy that asks for the log fails without it.
            self.assertIn(
                f"failure: {id_}: ", self.bad("verify", "--evidence", folder, "--policy", policy)
            )
            (folder / name).mkdir()
            self.refused("verify", "--evidence", folder, "--policy", policy, says=[name])
            (folder / name).rmdir()
            (folder / name).write_bytes(content)

    def test_other_files_are_not_read(self):
        folder = self.evidence()
        plain = self.good("quote", "--evidence", folder)
        (folder / "ek.crt.der").write_bytes(b"garbage")
        (folder / "ima.bin").write_bytes(b"garbage")
        self.assertEqual(self.good("quote", "--evidence", folder), plain)


if __name__ == "__main__":
    unittest.main()
