# SPDX-License-Identifier: Apache-2.0
"""Thousands of machines for the benchmark of active nodes: one software key signs for all of them.

Their quotes are real: RSA-2048 signatures over the nonce of now and over a PCR 10 that the IMA list
explains. A software TPM a machine would measure the TPMs. All machines have the same list, and at
each round a machine's has grown by NEW_ENTRIES.
"""

import base64
import hashlib
import pathlib
import struct
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from keylime_agent import ima_entry

BOOT_ENTRIES = 1000
NEW_ENTRIES = 50
ROUNDS = 60
PCR_0_TO_9 = [bytes([7]) * 32] * 10
FILES = 5000


def sized(data: bytes) -> bytes:
    """A TPM2B."""
    return struct.pack(">H", len(data)) + data


def rsa_public(key: rsa.RSAPrivateKey, attributes: int, policy: bytes, parameters: bytes) -> bytes:
    """TPMT_PUBLIC (TPM 2.0 Part 2, 12.2.4) of an RSA-2048 key."""
    modulus = key.public_key().public_numbers().n.to_bytes(256, "big")
    head = struct.pack(">HHI", 0x0001, 0x000B, attributes)
    return head + sized(policy) + parameters + struct.pack(">HI", 2048, 0) + sized(modulus)


def key_of(path: pathlib.Path) -> rsa.RSAPrivateKey:
    """The key in this file, made there if it is not there."""
    if not path.exists():
        made = rsa.generate_private_key(65537, 2048)
        path.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


class Machines:
    """What all of them have in common, and what one says when it is asked."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._key = key_of(folder / "ak.pem")
        endorsement = key_of(folder / "ek.pem")
        # As tpm2_createak makes it: RSASSA with SHA-256; and template L-1 of the EK profile.
        scheme = struct.pack(">HHH", 0x0010, 0x0014, 0x000B)
        self.ak = sized(rsa_public(self._key, 0x00050072, b"", scheme))
        aes_128_cfb = struct.pack(">HHHH", 0x0006, 128, 0x0043, 0x0010)
        self.ek = sized(rsa_public(endorsement, 0x000300B2, bytes([0xAA]) * 32, aes_128_cfb))
        paths = [f"/usr/lib/part-{i % 40}/file-{i}" for i in range(FILES)]
        files = [(path, hashlib.sha256(path.encode()).digest()) for path in paths]
        aggregate = hashlib.sha256(b"".join(PCR_0_TO_9)).digest()
        self.lines: list[str] = []
        self._pcr_10 = [bytes(32)]
        entries = [("boot_aggregate", aggregate)]
        entries += [files[i % FILES] for i in range(BOOT_ENTRIES + NEW_ENTRIES * ROUNDS)]
        for path, digest in entries:
            data, line = ima_entry(path, digest)
            extend = hashlib.sha256(data).digest()
            self._pcr_10.append(hashlib.sha256(self._pcr_10[-1] + extend).digest())
            self.lines.append(line)
        lines = [f"{digest.hex()} {path}\n" for path, digest in [entries[0], *files]]
        self.allowlist = "".join(lines).encode()

    def answer(self, nonce: bytes, first_entry: int) -> tuple[str, str]:
        """Keylime's quote string, and the list from first_entry on."""
        grown = NEW_ENTRIES if first_entry else BOOT_ENTRIES
        end = min(first_entry + grown, len(self.lines))
        values = [*PCR_0_TO_9, self._pcr_10[end]]
        attest = self._attest(nonce, values)
        signature = self._key.sign(attest, padding.PKCS1v15(), hashes.SHA256())
        parts = (attest, struct.pack(">HH", 0x0014, 0x000B) + sized(signature), self._pcrs(values))
        quote = "r" + ":".join(base64.b64encode(part).decode() for part in parts)
        return quote, "".join(self.lines[first_entry:end])

    @staticmethod
    def _attest(nonce: bytes, values: list[bytes]) -> bytes:
        """TPMS_ATTEST (Part 2, 10.12.12) of PCRs 0 to 10."""
        name = b"\x00\x0b" + bytes([0x11]) * 32
        clock = struct.pack(">QIIBQ", int(time.time() * 1000), 3, 1, 1, 7)
        selection = struct.pack(">IHB3s", 1, 0x000B, 3, b"\xff\x07\x00")
        digest = hashlib.sha256(b"".join(values)).digest()
        head = b"\xff\x54\x43\x47\x80\x18" + sized(name) + sized(nonce)
        return head + clock + selection + sized(digest)

    @staticmethod
    def _pcrs(values: list[bytes]) -> bytes:
        """As tpm2_quote writes them: a TPML_PCR_SELECTION and TPML_DIGESTs of eight, as C has them."""
        out = struct.pack("<IHB3sxx", 1, 0x000B, 3, b"\xff\x07\x00") + bytes(8 * 15)
        out += struct.pack("<I", (len(values) + 7) // 8)
        for start in range(0, len(values), 8):
            block = values[start : start + 8]
            out += struct.pack("<I", len(block))
            for value in block + [b""] * (8 - len(block)):
                out += struct.pack("<H", len(value)) + value.ljust(64, b"\0")
        return out
