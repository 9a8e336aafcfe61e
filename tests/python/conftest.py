# SPDX-License-Identifier: Apache-2.0
"""Real evidence for the tests: what QEMU guests with a software TPM measured (tests/vectors/boot)."""

import dataclasses
import pathlib

import pytest

import libattest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BOOT = ROOT / "tests" / "vectors" / "boot"


@dataclasses.dataclass(frozen=True)
class Boot:
    """One boot of a guest, quoted at one moment of it."""

    folder: pathlib.Path

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def node_file(self, name: str) -> bytes:
        return (self.folder.parent / name).read_bytes()

    @property
    def ak(self) -> bytes:
        return self.node_file("ak.tss")

    @property
    def nonce(self) -> bytes:
        return bytes.fromhex(self.node_file("nonce.hex").decode())

    @property
    def eventlog(self) -> bytes:
        return self.node_file("binary_bios_measurements")

    @property
    def ima(self) -> bytes:
        return self.read("ima.bin")

    @property
    def quote(self) -> tuple[bytes, bytes, bytes]:
        parts = ("msg", "sig", "pcrs")
        msg, sig, pcrs = (self.read(f"quote_sha256.{part}") for part in parts)
        return msg, sig, pcrs

    def evidence(self, **changes) -> libattest.Evidence:
        parts = {"ak": self.ak, "quote": self.quote, "eventlog": self.eventlog, "ima": self.ima}
        return libattest.Evidence(**(parts | changes))


@pytest.fixture(scope="session")
def clean() -> Boot:
    """The node as its owner wants it."""
    return Boot(BOOT / "grub-ima-ng" / "1-clean")


@pytest.fixture(scope="session")
def tampered() -> Boot:
    """The same boot after a program that nobody listed has run."""
    return Boot(BOOT / "grub-ima-ng" / "2-tampered")


@pytest.fixture(scope="session")
def policy(clean: Boot) -> libattest.Policy:
    """What the clean node taught."""
    learned, _ = libattest.Policy.learn(clean.evidence(), nonce=clean.nonce)
    assert learned is not None
    return learned
