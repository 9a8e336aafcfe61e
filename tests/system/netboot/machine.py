# SPDX-License-Identifier: Apache-2.0
"""A machine that boots from the network, under QEMU, and what it says on its serial line.

QEMU's user network is its DHCP and TFTP server: nothing is set up, and nothing leaves this machine.
`network` is restrict=on, or restrict=off for a boot that fetches from an HTTP server of the host.
"""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import time
from collections.abc import Callable

SERVER = "10.0.2.2"
MAC = "52:54:00:12:34:56"
OVMF = pathlib.Path("/usr/share/OVMF")
# A boot takes 10 to 20 s. A machine that is busy with other things may take much longer.
DEADLINE = 240


def command(
    folder: pathlib.Path, bootfile: str, firmware: str, network: str, log: pathlib.Path
) -> list[str]:
    """What starts a machine that is served the files of `folder`."""
    # Emulated, not KVM: in many virtual machines /dev/kvm opens and then fails in the firmware. The
    # processor is Intel's, for tboot looks no further at others. graphics=off sends BIOS output to
    # the serial line.
    words = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "Skylake-Server-v4", "-m", "512"]
    words += ["-nodefaults", "-display", "none", "-no-reboot", "-serial", f"file:{log}"]
    words += ["-netdev", f"user,id=net,{network},tftp={folder},bootfile={bootfile}"]
    if firmware == "bios":
        words += ["-machine", "q35,graphics=off"]
        return [*words, "-device", f"e1000,netdev=net,mac={MAC},bootindex=1"]
    variables = log.with_suffix(".fd")
    shutil.copy(OVMF / "OVMF_VARS_4M.fd", variables)
    flash = "if=pflash,format=raw,unit={},file={}"
    words += ["-machine", "q35", "-device", f"virtio-net-pci,netdev=net,mac={MAC},bootindex=1"]
    words += ["-drive", flash.format(0, OVMF / "OVMF_CODE_4M.fd") + ",readonly=on"]
    return [*words, "-drive", flash.format(1, variables)]


def boot(
    folder: pathlib.Path,
    bootfile: str,
    firmware: str,
    network: str,
    log: pathlib.Path,
    done: Callable[[str], bool],
) -> str:
    """Boots until `done` is true of what was said, or the machine ends; returns what was said."""
    log.write_bytes(b"")
    end = time.monotonic() + DEADLINE
    with log.with_suffix(".qemu").open("wb") as errors:
        machine = subprocess.Popen(
            command(folder, bootfile, firmware, network, log),
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
        )
        try:
            while True:
                ended = machine.poll() is not None or time.monotonic() > end
                said = log.read_bytes().decode("ascii", "replace")
                if ended or done(said):
                    return said
                time.sleep(0.2)
        finally:
            machine.kill()
            machine.wait()


class Silence:
    """True when nothing more was said for `seconds`, for what hangs without a word."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.said = ""
        self.since = time.monotonic()

    def __call__(self, said: str) -> bool:
        if said != self.said:
            self.said, self.since = said, time.monotonic()
        return time.monotonic() > self.since + self.seconds
