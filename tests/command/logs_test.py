# SPDX-License-Identifier: Apache-2.0
"""attest eventlog and attest ima on real logs."""

import re
import unittest

from command_case import BOOT, GRUB, TPM2_CASES, VECTORS, CommandCase
from command_case import pcr_values, quote_options, words


def changed_header():
    """A list whose second record has another digest than its data."""
    content = bytearray((GRUB / "1-clean" / "ima.bin").read_bytes())
    content[content.index(b"\x0a\0\0\0", 4) + 4] ^= 1
    return bytes(content)


class EventLog(CommandCase):
    def test_it_leads_to_the_tpms_values(self):
        for case in TPM2_CASES:
            path = BOOT / case / "binary_bios_measurements"
            log = self.json(self.good("eventlog", path, "--json"))
            self.assertGreater(len(log["banks"]), 0)
            for bank, pcrs in log["banks"].items():
                values = pcr_values(BOOT / case, bank)
                for index, value in pcrs.items():
                    with self.subTest((case, bank, index)):
                        self.assertEqual(value, values[index])

    def test_a_sha1_log(self):
        folder = BOOT / "bios12-tpm12"
        log = self.json(self.good("eventlog", folder / "binary_bios_measurements", "--json"))
        self.assertEqual(list(log["banks"]), ["sha1"])
        text = (folder / "1-clean" / "pcrs.sysfs").read_text()
        for index, value in log["banks"]["sha1"].items():
            self.assertIn(f"PCR-{index}: {value.upper()}\n", text)
        self.assertIsNone(log["secure_boot"])
        self.assertTrue(
            self.good("eventlog", folder / "binary_bios_measurements").startswith("format: SHA-1\n")
        )

    def test_secure_boot(self):
        for case, state in [("shim-sb-ima-sig", "enabled"), ("grub-ima-ng", "disabled")]:
            log = self.json(
                self.good("eventlog", BOOT / case / "binary_bios_measurements", "--json")
            )
            self.assertEqual(log["secure_boot"], state)

    def test_both_outputs_say_the_same(self):
        path = GRUB / "binary_bios_measurements"
        text = self.good("eventlog", path)
        log = self.json(self.good("eventlog", path, "--json"))
        self.assertIn(f"\nevents: {len(log['events'])}\n", text)
        for event in log["events"]:
            self.assertRegex(text, rf"(?m)^ +{event['index']} +{event['pcr']}  .*{event['type']}$")
        for bank, pcrs in log["banks"].items():
            for index, value in pcrs.items():
                self.assertRegex(text, rf"(?m)^  {bank} +{index}  {value}$")

    def test_every_cut_is_malformed_or_a_shorter_log(self):
        content = (GRUB / "binary_bios_measurements").read_bytes()
        whole = len(
            self.json(self.good("eventlog", self.write("log", content), "--json"))["events"]
        )
        for length in range(1, len(content), 211):
            path = self.write("log", content[:length])
            self.refused("eventlog", path, "--json", says=[path])
        self.refused("eventlog", self.write("log", content + b"\0"), says=["log"])
        self.assertGreater(whole, 40)

    def test_a_changed_event_is_a_finding(self):
        content = bytearray((GRUB / "binary_bios_measurements").read_bytes())
        at = content.rindex(b"Exit Boot Services Returned with Success")
        content[at] ^= 0x20
        path = self.write("log", bytes(content))
        self.assertRegex(self.good("eventlog", path), r"(?m)^warning: event-data: ")
        findings = self.json(self.good("eventlog", path, "--json"))["findings"]
        self.assertIn("event-data", [f["id"] for f in findings])

    def test_an_empty_log(self):
        log = self.json(self.good("eventlog", self.write("log", b""), "--json"))
        self.assertEqual((log["events"], [p for p in log["banks"].values() if p]), ([], []))


class Ima(CommandCase):
    def test_it_leads_to_the_quoted_values(self):
        for case in TPM2_CASES:
            for snapshot in ["1-clean", "2-tampered", "3-violation"]:
                quote = words(quote_options(snapshot, "quote_both", BOOT / case))
                quoted = self.json(self.good("quote", *quote, "--json"))["claims"]["pcrs"]
                for name in ["ima.bin", "ima.ascii"]:
                    path = BOOT / case / snapshot / name
                    for bank in ["sha1", "sha256"]:
                        with self.subTest((case, snapshot, name, bank)):
                            result = self.json(self.good("ima", path, "--bank", bank, "--json"))
                            self.assertEqual(result["pcrs"], {"10": quoted[bank]["10"]["value"]})

    def test_counts(self):
        for snapshot in ["1-clean", "2-tampered", "3-violation"]:
            folder = GRUB / snapshot
            result = self.json(self.good("ima", folder / "ima.bin", "--json"))
            self.assertEqual(result["entries"], int((folder / "ima.count").read_text()))
            self.assertEqual(result["violations"], int((folder / "ima.violations").read_text()))
            self.assertEqual(result["templates"], ["ima-ng"])
            self.assertRegex(result["boot_aggregate"], r"\Asha256:[0-9a-f]{64}\Z")

    def test_both_outputs_say_the_same(self):
        path = GRUB / "3-violation" / "ima.bin"
        text = self.good("ima", path)
        result = self.json(self.good("ima", path, "--json"))
        self.assertIn(f"entries: {result['entries']}\nviolations: {result['violations']}\n", text)
        self.assertIn(f"  sha256   10  {result['pcrs']['10']}\n", text)
        self.assertEqual(
            len(re.findall(r"(?m)^warning: ima-violation: ", text)), result["violations"]
        )

    def test_known_answers(self):
        for name in ["list.bin", "list.ascii"]:
            result = self.json(self.good("ima", VECTORS / "ima" / "known-answer" / name, "--json"))
            self.assertEqual(
                result["pcrs"]["10"],
                "95d2c330c5205c1e08c72188cbb745787428ec3a771363c75a09e7fa627f8f2f",
            )

    def test_a_digest_that_does_not_check(self):
        path = self.write("list", changed_header())
        self.assertIn("failure: ima-header-digest: IMA entry 1: ", self.bad("ima", path))
        result = self.json(self.bad("ima", path, "--json"))
        self.assertEqual(self.ids(result, "failure"), ["ima-header-digest"])

    def test_a_first_digest_that_does_not_check_tells_no_bank(self):
        content = bytearray((GRUB / "1-clean" / "ima.bin").read_bytes())
        content[4] ^= 1
        self.refused("ima", self.write("list", bytes(content)), says=["bank"])

    def test_a_template_that_nobody_knows(self):
        content = (GRUB / "1-clean" / "ima.bin").read_bytes().replace(b"ima-ng", b"ima-xx")
        text = self.bad("ima", self.write("list", content))
        self.assertIn("failure: ima-template: IMA entry 0: ", text)

    def test_failures_behind_a_thousand_findings_count(self):
        violation = (
            b"\x0a\0\0\0"
            + bytes(20)
            + b"\x06\0\0\0ima-ng"
            + b"\x32\0\0\0"
            + b"\x28\0\0\0"
            + b"sha256:\0"
            + bytes(32)
            + b"\x02\0\0\0"
            + b"x\0"
        )
        first = (GRUB / "1-clean" / "ima.bin").read_bytes()
        many = first + 1500 * violation
        self.assertIn("violations: 1500\n", self.good("ima", self.write("list", many)))
        text = self.bad("ima", self.write("list", many + changed_header()))
        self.assertIn("failure: ima-header-digest: ", text)

    def test_an_empty_list(self):
        result = self.json(self.good("ima", self.write("list", b""), "--json"))
        self.assertEqual(
            (result["entries"], result["pcrs"], result["boot_aggregate"]), (0, {}, None)
        )


if __name__ == "__main__":
    unittest.main()
