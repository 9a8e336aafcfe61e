# SPDX-License-Identifier: Apache-2.0
"""What firmware, boot loader and kernel of a real machine do, against a software TPM: measure each
part of the boot into a PCR and write it to a log. The parts are made up; the TPM's answers are not.

usage: simulated_node.py boot --tpm SOCKET --logs DIR
       simulated_node.py run FILE... --tpm SOCKET --logs DIR    (as IMA measures FILE; runs nothing)
"""

import argparse
import hashlib
import pathlib
import socket
import struct
import sys
import uuid

BANKS = {"sha1": 0x0004, "sha256": 0x000B}  # TPM_ALG_ID

EV_NO_ACTION = 0x00000003
EV_SEPARATOR = 0x00000004
EV_S_CRTM_VERSION = 0x00000008
EV_IPL = 0x0000000D
EV_EFI_VARIABLE_DRIVER_CONFIG = 0x80000001
EV_EFI_VARIABLE_BOOT = 0x80000002
EV_EFI_BOOT_SERVICES_APPLICATION = 0x80000003
EV_EFI_ACTION = 0x80000007
EV_EFI_PLATFORM_FIRMWARE_BLOB = 0x80000008

GLOBAL_VARIABLE = uuid.UUID("8be4df61-93ca-11d2-aa0d-00e098032b8c")
IMAGE_SECURITY_DATABASE = uuid.UUID("d719b2cb-3d3a-4596-a3bc-dad00e67656f")

IMA_PCR = 10
BOOTED_PROGRAMS = ("/init", "/usr/lib/systemd/systemd", "/usr/bin/bash", "/usr/sbin/sshd")


class Tpm:
    """A TPM 2.0 behind the UNIX socket of swtpm, which takes commands as they are."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)

    def exchange(self, tag: int, code: int, body: bytes) -> bytes:
        self.socket.sendall(struct.pack(">HII", tag, 10 + len(body), code) + body)
        header = self.receive(10)
        return header + self.receive(struct.unpack(">HII", header)[1] - 10)

    def command(self, tag: int, code: int, body: bytes) -> bytes:
        answer = self.exchange(tag, code, body)
        status = struct.unpack(">HII", answer[:10])[2]
        if status != 0:
            raise OSError(f"TPM command {code:#x} failed with {status:#x}")
        return answer[10:]

    def receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise OSError("the TPM hung up")
            data += part
        return data

    def extend(self, pcr: int, digests: dict[str, bytes]) -> None:
        values = b"".join(struct.pack(">H", BANKS[bank]) + digest for bank, digest in digests.items())
        no_password = struct.pack(">IHBH", 0x40000009, 0, 0, 0)
        self.command(
            0x8002,  # TPM_ST_SESSIONS
            0x00000182,  # TPM_CC_PCR_Extend
            struct.pack(">II", pcr, len(no_password))
            + no_password
            + struct.pack(">I", len(digests))
            + values,
        )

    def read_pcr(self, pcr: int, bank: str) -> bytes:
        select = (1 << pcr).to_bytes(3, "little")
        answer = self.command(
            0x8001,  # TPM_ST_NO_SESSIONS
            0x0000017E,  # TPM_CC_PCR_Read
            struct.pack(">IHB", 1, BANKS[bank], len(select)) + select,
        )
        return answer[-hashlib.new(bank).digest_size :]


class Firmware:
    """Measures and logs as the TCG PC Client Platform Firmware Profile says (10, event logging)."""

    def __init__(self, tpm: Tpm) -> None:
        self.tpm = tpm
        algorithms = b"".join(
            struct.pack("<HH", number, hashlib.new(bank).digest_size)
            for bank, number in BANKS.items()
        )
        spec_id = (
            struct.pack("<16sIBBBBI", b"Spec ID Event03", 0, 0, 2, 0, 2, len(BANKS))
            + algorithms
            + b"\0"
        )
        self.log = struct.pack("<II20sI", 0, EV_NO_ACTION, b"", len(spec_id)) + spec_id

    def measure(self, pcr: int, kind: int, data: bytes, measured: bytes | None = None) -> None:
        """Extends PCR with the digest of measured, by default of the event data itself."""
        covered = data if measured is None else measured
        digests = {bank: hashlib.new(bank, covered).digest() for bank in BANKS}
        self.tpm.extend(pcr, digests)
        self.log += struct.pack("<III", pcr, kind, len(digests))
        for bank, digest in digests.items():
            self.log += struct.pack("<H", BANKS[bank]) + digest
        self.log += struct.pack("<I", len(data)) + data

    def variable(self, pcr: int, kind: int, guid: uuid.UUID, name: str, value: bytes) -> None:
        text = name.encode("utf-16-le")
        data = guid.bytes_le + struct.pack("<QQ", len(name), len(value)) + text + value
        # Firmware commonly measures only the value of a boot variable.
        self.measure(pcr, kind, data, value if kind == EV_EFI_VARIABLE_BOOT else None)

    def application(self, path: str, image: bytes) -> None:
        text = (path + "\0").encode("utf-16-le")
        device_path = struct.pack("<BBH", 4, 4, 4 + len(text)) + text + b"\x7f\xff\x04\x00"
        data = struct.pack("<QQQQ", 0x7E000000, len(image), 0, len(device_path)) + device_path
        self.measure(4, EV_EFI_BOOT_SERVICES_APPLICATION, data, image)

    def grub(self, prefix: str, text: str) -> None:
        """GRUB logs what it measures behind a word of its own, with a NUL."""
        self.measure(8, EV_IPL, f"{prefix}: {text}\0".encode(), text.encode())


def boot_firmware(tpm: Tpm) -> bytes:
    firmware = Firmware(tpm)
    firmware.measure(0, EV_S_CRTM_VERSION, "Example 1.0\0".encode("utf-16-le"))
    firmware.measure(
        0, EV_EFI_PLATFORM_FIRMWARE_BLOB, struct.pack("<QQ", 0xFF820000, 0xE0000), b"firmware volume"
    )
    driver_config = EV_EFI_VARIABLE_DRIVER_CONFIG
    firmware.variable(7, driver_config, GLOBAL_VARIABLE, "SecureBoot", b"\0")
    firmware.variable(7, driver_config, GLOBAL_VARIABLE, "PK", b"")
    firmware.variable(7, driver_config, GLOBAL_VARIABLE, "KEK", b"")
    firmware.variable(7, driver_config, IMAGE_SECURITY_DATABASE, "db", b"")
    firmware.variable(7, driver_config, IMAGE_SECURITY_DATABASE, "dbx", b"")
    firmware.variable(1, EV_EFI_VARIABLE_BOOT, GLOBAL_VARIABLE, "BootOrder", b"\x01\0")
    firmware.measure(4, EV_EFI_ACTION, b"Calling EFI Application from Boot Option")
    for pcr in range(8):
        firmware.measure(pcr, EV_SEPARATOR, bytes(4))
    firmware.application("\\EFI\\BOOT\\BOOTX64.EFI", b"boot loader")
    firmware.grub("grub_cmd", "linux /vmlinuz root=/dev/vda1 ima_policy=tcb")
    firmware.measure(9, EV_IPL, b"/vmlinuz\0", b"kernel")
    firmware.grub("kernel_cmdline", "/vmlinuz root=/dev/vda1 ima_policy=tcb")
    firmware.grub("grub_cmd", "initrd /initrd.img")
    firmware.measure(9, EV_IPL, b"/initrd.img\0", b"initial RAM disk")
    firmware.measure(5, EV_EFI_ACTION, b"Exit Boot Services Invocation")
    firmware.measure(5, EV_EFI_ACTION, b"Exit Boot Services Returned with Success")
    return firmware.log


def ima_measure(tpm: Tpm, digest: bytes, name: str) -> bytes:
    """One entry of template ima-ng; the entry's own digest is SHA-1, each bank gets its own."""
    file_digest = b"sha256:\0" + digest
    file_name = name.encode() + b"\0"
    data = b"".join(struct.pack("<I", len(field)) + field for field in (file_digest, file_name))
    tpm.extend(IMA_PCR, {bank: hashlib.new(bank, data).digest() for bank in BANKS})
    template = b"ima-ng"
    return (
        struct.pack("<I", IMA_PCR)
        + hashlib.sha1(data).digest()
        + struct.pack("<I", len(template))
        + template
        + struct.pack("<I", len(data))
        + data
    )


def boot_kernel(tpm: Tpm) -> bytes:
    boot_values = b"".join(tpm.read_pcr(pcr, "sha256") for pcr in range(10))
    log = ima_measure(tpm, hashlib.sha256(boot_values).digest(), "boot_aggregate")
    for name in BOOTED_PROGRAMS:
        log += ima_measure(tpm, hashlib.sha256(f"contents of {name}".encode()).digest(), name)
    return log


def main() -> int:
    parser = argparse.ArgumentParser(description="A machine that boots, around a software TPM.")
    parser.add_argument("action", choices=("boot", "run"))
    parser.add_argument("--tpm", required=True, metavar="SOCKET")
    parser.add_argument("--logs", required=True, metavar="DIR", type=pathlib.Path)
    parser.add_argument("files", nargs="*", metavar="FILE", type=pathlib.Path)
    arguments = parser.parse_args()
    tpm = Tpm(arguments.tpm)
    ima = arguments.logs / "ima.bin"
    if arguments.action == "boot":
        arguments.logs.mkdir(parents=True, exist_ok=True)
        (arguments.logs / "eventlog.bin").write_bytes(boot_firmware(tpm))
        ima.write_bytes(boot_kernel(tpm))
    for file in arguments.files:
        entry = ima_measure(tpm, hashlib.sha256(file.read_bytes()).digest(), str(file.resolve()))
        with ima.open("ab") as log:
            log.write(entry)
    return 0


if __name__ == "__main__":
    sys.exit(main())
