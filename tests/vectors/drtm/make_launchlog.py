# SPDX-License-Identifier: Apache-2.0
"""Writes the events of events.json as launch logs in the three forms that the TXT heap points to.

usage: python3 make_launchlog.py    in this folder, where the files are written
"""

import json
import struct
from pathlib import Path

TYPES = {
    "HASH_START": 0x402,
    "MLE_HASH": 0x404,
    "BIOSAC_REG_DATA": 0x40A,
    "CPU_SCRTM_STAT": 0x40B,
    "LCP_CONTROL_HASH": 0x40C,
    "STM_HASH": 0x40E,
    "OSSINITDATA_CAP_HASH": 0x40F,
    "SINIT_PUBKEY_HASH": 0x410,
    "LCP_DETAILS_HASH": 0x412,
    "LCP_AUTHORITIES_HASH": 0x413,
    "NV_INFO_HASH": 0x414,
    "tb_policy": 0x501,
    "vmlinuz": 0x501,
    "initrd": 0x501,
}
SHA1, SHA256 = 0x0004, 0x000B
NO_ACTION, PCR_MAPPING = 3, 0x401


def data_of(event: dict[str, object]) -> bytes:
    """SINIT logs what it hashes of these, so that their digests cover the data."""
    label = str(event["label"])
    return label.encode() if label in ("LCP_CONTROL_HASH", "CPU_SCRTM_STAT") else b""


def plain(pcr: int, kind: int, digest: bytes, data: bytes) -> bytes:
    return struct.pack("<II", pcr, kind) + digest + struct.pack("<I", len(data)) + data


def agile(events: list[dict[str, object]]) -> bytes:
    spec = b"Spec ID Event03\0" + struct.pack("<IBBBBI", 0, 0, 2, 0, 2, 2)
    spec += struct.pack("<HHHHB", SHA1, 20, SHA256, 32, 0)
    out = plain(0, NO_ACTION, bytes(20), spec)
    for e in events:
        sha1, sha256 = bytes.fromhex(str(e["sha1"])), bytes.fromhex(str(e["sha256"]))
        out += struct.pack("<III", int(str(e["pcr"])), TYPES[str(e["label"])], 2)
        out += struct.pack("<H", SHA1) + sha1 + struct.pack("<H", SHA256) + sha256
        out += struct.pack("<I", len(data_of(e))) + data_of(e)
    return out


def records(events: list[dict[str, object]], bank: str) -> bytes:
    return b"".join(
        plain(
            int(str(e["pcr"])), TYPES[str(e["label"])], bytes.fromhex(str(e[bank])), data_of(e)
        )
        for e in events
    )


def legacy(events: list[dict[str, object]]) -> bytes:
    descriptor = b"FRMT ID EVENT00\0" + struct.pack("<III", 1, SHA256, 32)
    return plain(0, NO_ACTION, bytes(20), descriptor) + records(events, "sha256")


def container(events: list[dict[str, object]], area: int) -> bytes:
    mapping = plain(255, PCR_MAPPING, b"\xa5" * 20, struct.pack("<I", 1))
    used = mapping + records(events, "sha1")
    header = b"TXT Event Container\0" + bytes(12) + bytes([1, 0, 1, 0])
    header += struct.pack("<III", area, 48, 48 + len(used))
    return (header + used).ljust(area, b"\0")


def main() -> None:
    here = Path(__file__).parent
    events = json.loads((here / "events.json").read_text())
    (here / "launchlog.agile.bin").write_bytes(agile(events))
    (here / "launchlog.legacy.bin").write_bytes(legacy(events))
    (here / "launchlog.container.bin").write_bytes(container(events, 1024))


if __name__ == "__main__":
    main()
