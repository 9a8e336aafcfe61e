# SPDX-License-Identifier: Apache-2.0
"""Dynamic launches and the profiles of attest policy create."""

import json
import shutil
import unittest

from command_case import GRUB, VECTORS, CommandCase, quote_options, run, words

DRTM = VECTORS / "drtm"
PARTS = {
    "--ak": DRTM / "ak.tss",
    "--quote": DRTM / "quote.msg",
    "--signature": DRTM / "quote.sig",
    "--pcrs": DRTM / "quote.pcrs",
    "--nonce": (DRTM / "nonce.hex").read_text().strip(),
    "--launch-log": DRTM / "launchlog.agile.bin",
}


class Launch(CommandCase):
    def policy(self):
        path = self.folder / "policy.json"
        done = self.run_create("--profile", "trusted-boot", "--output", path)
        self.assertIn(b"warning: policy-pcr: the quote lacks PCRs 0,1,2,3,4,5,6,7,19", done.stderr)
        return path

    def run_create(self, *options):
        done = run("policy", "create", *words(PARTS), *options)
        self.assertEqual(done.returncode, 0, done)
        return done

    def test_a_launch_is_trusted_with_a_policy_of_it(self):
        report = self.json(self.good("verify", *words(PARTS), "--policy", self.policy(), "--json"))
        self.assertEqual(report["verdict"], "trusted")
        self.assertIs(report["claims"]["measured_launch"], True)

    def test_the_folder_may_hold_its_log(self):
        folder = self.folder / "evidence"
        folder.mkdir()
        for name in ("ak.tss", "quote.msg", "quote.sig", "quote.pcrs", "nonce.hex"):
            shutil.copyfile(DRTM / name, folder / name)
        policy = self.policy()
        self.assertIn(
            "failure: launchlog-missing: ", self.bad("verify", "--evidence", folder, "--policy", policy)
        )
        shutil.copyfile(DRTM / "launchlog.legacy.bin", folder / "launchlog.bin")
        self.good("verify", "--evidence", folder, "--policy", policy)
        self.refused(
            "verify", "--evidence", folder, "--launch-log", folder / "launchlog.bin",
            says=["--evidence and --launch-log contradict each other"],
        )  # fmt: skip
        (folder / "launchlog.bin").write_bytes(b"\x11")
        self.refused("verify", "--evidence", folder, says=["launchlog.bin", "launch log"])

    def test_a_changed_module_is_named(self):
        log = bytearray((DRTM / "launchlog.legacy.bin").read_bytes())
        shown = self.json(
            self.good("eventlog", "--launch", DRTM / "launchlog.legacy.bin", "--json")
        )
        log[shown["events"][11]["offset"] + 8] ^= 1
        changed = {**PARTS, "--launch-log": self.write("changed", bytes(log))}
        text = self.bad("verify", *words(changed), "--policy", self.policy())
        self.assertIn(
            "failure: event-unknown: launch log event 11 (TBOOT_MEASUREMENT, module 0 (the kernel))",
            text,
        )

    def test_its_log_is_shown(self):
        for form, name in [
            ("agile", "crypto-agile"),
            ("legacy", "TXT, one bank"),
            ("container", "TXT event container, SHA-1"),
        ]:
            path = DRTM / f"launchlog.{form}.bin"
            text = self.good("eventlog", path, "--launch")
            self.assertTrue(text.startswith(f"format: {name}\nevents: 20\n"), text)
            self.assertRegex(text, r"(?m)^ +1 +17  opaque +0  HASH_START$")
            log = self.json(self.good("eventlog", "--launch", path, "--json"))
            self.assertEqual(len(log["events"]), 20)
        # Nobody takes it for a firmware log.
        self.refused("eventlog", DRTM / "launchlog.container.bin", says=["event log"])

    def test_no_launch_no_policy_of_one(self):
        options = words(quote_options())
        done = run("policy", "create", *options, "--profile", "trusted-boot")
        self.assertEqual((done.returncode, done.stdout), (1, b""), done)
        self.assertIn(b"PCR 17", done.stderr)

    def test_measured_boot_is_the_firmware_and_the_boot_loader(self):
        options = {**quote_options(), "--eventlog": GRUB / "binary_bios_measurements"}
        policy = json.loads(
            self.good("policy", "create", *words(options), "--profile", "measured-boot")
        )
        self.assertEqual(sorted(map(int, policy["pcrs"])), list(range(10)))
        self.assertEqual(policy["event_log"]["known_events"]["9"][-1]["description"], "/initrd.gz")
        self.assertFalse(policy["launch"]["required"])

    def test_profiles_have_names(self):
        self.refused(
            "policy", "create", *words(PARTS), "--profile", "tboot",
            says=["--profile wants everything, trusted-boot or measured-boot, not 'tboot'"],
        )  # fmt: skip


if __name__ == "__main__":
    unittest.main()
