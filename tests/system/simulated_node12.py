# SPDX-License-Identifier: Apache-2.0
"""What a BIOS and a kernel of a machine with a TPM 1.2 do, against a software one: measure each
part of the boot and write it to a log of the SHA-1 format, and to an IMA list.

usage: simulated_node12.py boot|run PORT DIR [FILE...]    (as IMA measures FILE; runs nothing)
"""

import hashlib
import pathlib
import socket
import struct
import sys

EV_SEPARATOR = 0x00000004
EV_S_CRTM_VERSION = 0x00000008
EV_IPL = 0x0000000D
IMA_PCR = 10


def sha1(data: bytes) -> bytes:
    return hashlib.sha1(data).digest()


class Tpm:
    """A TPM 1.2 behind the TCP port of swtpm, which takes commands as they are."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))

    def command(self, code: int, body: bytes) -> bytes:
        # TPM_TAG_RQU_COMMAND
        self.socket.sendall(struct.pack(">HII", 0x00C1, 10 + len(body), code) + body)
        header = self.receive(10)
        answer = self.receive(struct.unpack(">HII", header)[1] - 10)
        status = struct.unpack(">HII", header)[2]
        if status != 0:
            raise OSError(f"TPM command {code:#x} failed with {status:#x}")
        return answer

    def receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise OSError("the TPM hung up")
            data += part
        return data

    def extend(self, pcr: int, digest: bytes) -> None:
        self.command(0x14, struct.pack(">I", pcr) + digest)  # TPM_ORD_Extend

    def read_pcr(self, pcr: int) -> bytes:
        return self.command(0x15, struct.pack(">I", pcr))  # TPM_ORD_PcrRead


def boot_firmware(tpm: Tpm) -> bytes:
    log = b""

    def measure(pcr: int, kind: int, data: bytes) -> None:
        nonlocal log
        tpm.extend(pcr, sha1(data))
        log += struct.pack("<II", pcr, kind) + sha1(data) + struct.pack("<I", len(data)) + data

    measure(0, EV_S_CRTM_VERSION, "Example 1.2\0".encode("utf-16-le"))
    for pcr in range(8):
        measure(pcr, EV_SEPARATOR, bytes(4))
    measure(4, EV_IPL, b"boot loader")
    return log


def ima_measure(tpm: Tpm, digest: bytes, name: str, algorithm: str = "sha256") -> bytes:
    """One entry of template ima-ng."""
    fields = (algorithm.encode() + b":\0" + digest, name.encode() + b"\0")
    data = b"".join(struct.pack("<I", len(field)) + field for field in fields)
    tpm.extend(IMA_PCR, sha1(data))
    header = struct.pack("<I", IMA_PCR) + sha1(data) + struct.pack("<I", 6) + b"ima-ng"
    return header + struct.pack("<I", len(data)) + data


def boot_kernel(tpm: Tpm) -> bytes:
    # Of PCRs 0 to 7, as there is no SHA-256 bank.
    log = ima_measure(
        tpm, sha1(b"".join(map(tpm.read_pcr, range(8)))), "boot_aggregate", algorithm="sha1"
    )
    for name in ("/init", "/usr/bin/bash"):
        log += ima_measure(tpm, hashlib.sha256(name.encode()).digest(), name)
    return log


def main() -> None:
    action, port, folder, *files = sys.argv[1:]
    tpm = Tpm(int(port))
    logs = pathlib.Path(folder)
    if action == "boot":
        logs.mkdir(exist_ok=True)
        (logs / "eventlog.bin").write_bytes(boot_firmware(tpm))
        (logs / "ima.bin").write_bytes(boot_kernel(tpm))
    for file in map(pathlib.Path, files):
        entry = ima_measure(tpm, hashlib.sha256(file.read_bytes()).digest(), str(file.resolve()))
        with (logs / "ima.bin").open("ab") as log:
            log.write(entry)


if __name__ == "__main__":
    main()
