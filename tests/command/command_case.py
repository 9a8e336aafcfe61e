# SPDX-License-Identifier: Apache-2.0
"""What the tests of the attest command share: running it, and what each exit status promises."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

COMMAND = os.environ["ATTEST_COMMAND"]
SOURCE = pathlib.Path(os.environ["ATTEST_SOURCE"])
VECTORS = SOURCE / "tests" / "vectors"
BOOT = VECTORS / "boot"
GRUB = BOOT / "grub-ima-ng"
TPM2_CASES = ["grub-ima-ng", "shim-sb-ima-sig", "kernel-ima-legacy", "grub-many"]
NONCE = "00112233445566778899aabbccddeeff"


def run(*arguments, **how):
    how.setdefault("stdin", subprocess.DEVNULL)
    how.setdefault("stdout", subprocess.PIPE)
    how.setdefault("stderr", subprocess.PIPE)
    if "input" in how:
        del how["stdin"]
    # An empty environment: nothing of it may matter.
    how.setdefault("env", {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
    return subprocess.run([COMMAND, *map(os.fspath, arguments)], timeout=120, check=False, **how)


def quote_options(snapshot="1-clean", quote="quote_sha256", case=GRUB):
    """--ak, --quote, --signature and --pcrs of a sample."""
    folder = case / snapshot
    ak = "akecc.tss" if quote == "quote_ecc" else "ak.tss"
    return {
        "--ak": case / ak,
        "--quote": folder / f"{quote}.msg",
        "--signature": folder / f"{quote}.sig",
        "--pcrs": folder / f"{quote}.pcrs",
        "--nonce": NONCE,
    }


def log_options(snapshot="1-clean", case=GRUB):
    return {"--eventlog": case / "binary_bios_measurements", "--ima": case / snapshot / "ima.bin"}


def words(options):
    return [word for pair in options.items() for word in pair]


def pcr_values(case=GRUB, bank="sha256"):
    """What the TPM itself said when the machine was clean (tpm2_pcrread)."""
    values, current = {}, None
    for line in (case / "1-clean" / "pcrs.yaml").read_text().splitlines():
        key, _, value = line.strip().partition(":")
        if not value:
            current = key
        elif current == bank:
            values[key.strip()] = value.strip().removeprefix("0x").lower()
    return values


class CommandCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="attest-command-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def evidence(self, snapshot="1-clean", quote="quote_sha256", case=GRUB, name="evidence"):
        """An evidence folder as collect writes it."""
        folder = self.folder / name
        folder.mkdir()
        options = quote_options(snapshot, quote, case)
        shutil.copyfile(options["--ak"], folder / "ak.tss")
        shutil.copyfile(options["--quote"], folder / "quote.msg")
        shutil.copyfile(options["--signature"], folder / "quote.sig")
        shutil.copyfile(options["--pcrs"], folder / "quote.pcrs")
        (folder / "nonce.hex").write_text(NONCE + "\n")
        logs = log_options(snapshot, case)
        shutil.copyfile(logs["--eventlog"], folder / "eventlog.bin")
        shutil.copyfile(logs["--ima"], folder / "ima.bin")
        return folder

    def allowlist(self, snapshot="1-clean", case=GRUB):
        """A flat allowlist of what a sample's list names."""
        lines = []
        for line in (case / snapshot / "ima.ascii").read_text().splitlines():
            _, _, _, digest, path = line.split(" ", 4)
            digest = digest.rpartition(":")[2]
            if set(digest) != {"0"}:
                lines.append(f"{digest} {path.split(' ')[0]}\n")
        return self.write("allowlist.txt", "".join(lines))

    # What an exit status promises.

    def good(self, *arguments, **how):
        done = run(*arguments, **how)
        self.assertEqual((done.returncode, done.stderr), (0, b""), done)
        return done.stdout.decode()

    def bad(self, *arguments, **how):
        done = run(*arguments, **how)
        self.assertEqual((done.returncode, done.stderr), (1, b""), done)
        return done.stdout.decode()

    def refused(self, *arguments, says=(), **how):
        done = run(*arguments, **how)
        self.assertEqual((done.returncode, done.stdout), (2, b""), done)
        line = done.stderr.decode()
        self.assertRegex(line, r"\Aattest[^\n]*: [^\n]+\n\Z")
        for word in says:
            self.assertIn(os.fspath(word), line)
        return line

    def json(self, text):
        """Exactly one JSON object, on lines that end."""
        self.assertTrue(text.endswith("}\n"), text[-80:])
        value = json.loads(text)
        self.assertIsInstance(value, dict)
        return value

    def ids(self, report, severity=None):
        return [f["id"] for f in report["findings"] if severity in (None, f["severity"])]
