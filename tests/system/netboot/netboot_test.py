# SPDX-License-Identifier: Apache-2.0
"""Network boots of configurations that attest made, and of broken ones, under QEMU.

usage: netboot_test.py pxelinux|ipxe|grub ATTEST CACHE WORK [UNITTEST-OPTION...]
  CACHE  keeps what is fetched
  WORK   is made anew: a folder a case, with its configuration and serial.log
Exit 77: this machine can not have it (a program or Debian's archive is not there).
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import subprocess
import sys
import threading
import unittest
from collections.abc import Callable

from cases import CASES, DEPLOYMENTS, GUEST, NODE, ROOT, Case
from machine import SERVER, Silence, boot

MODULES = pathlib.Path("/usr/lib/syslinux/modules/bios")
HERE = pathlib.Path(__file__).resolve().parent
FORMAT, ATTEST = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
CACHE, WORK = (pathlib.Path(argument).resolve() for argument in sys.argv[3:5])
NEEDED = [
    "/usr/bin/qemu-system-x86_64",
    "/usr/bin/grub-mkimage",
    "/usr/lib/grub/x86_64-efi/multiboot2.mod",
    "/usr/lib/PXELINUX/pxelinux.0",
    "/usr/lib/syslinux/modules/bios/mboot.c32",
    "/usr/lib/ipxe/qemu/pxe-e1000.rom",
    "/usr/share/OVMF/OVMF_CODE_4M.fd",
    "/usr/bin/cpio",
    "/bin/busybox",
]
BOOTFILE = {"pxelinux": "pxelinux.0", "ipxe": f"{NODE}/config", "grub": "grubx64.efi"}
MODE = {"pxelinux": ["--boot-mode=bios"], "ipxe": ["--ipxe"], "grub": ["--boot-mode=uefi"]}
COMMAND_LINE = re.compile(r"GUEST: command line <(.*)>\n")


def skip(why: str) -> None:
    print(f"skipped: {why}")
    sys.exit(77)


def attest(*words: str) -> tuple[int, str]:
    done = subprocess.run(
        [str(ATTEST), "boot-config", *words], capture_output=True, text=True, check=False
    )
    if done.returncode == 2:
        raise AssertionError(f"attest boot-config {' '.join(words)}: {done.stderr}")
    return done.returncode, done.stdout


def plain(said: str) -> str:
    """Without what moves a terminal's cursor."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", said)


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def serve(folder: pathlib.Path) -> http.server.ThreadingHTTPServer:
    """An HTTP server for `folder`, which the machine reaches at QEMU's own address."""
    handler = functools.partial(Files, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def slug(case: Case) -> str:
    return re.sub(r"\W+", "_", case.name)


class NetworkBoot(unittest.TestCase):
    """Each case in a folder of its own, laid out as Ironic lays out its TFTP root."""

    def fill_root(self, case: Case) -> pathlib.Path:
        root = WORK / slug(case)
        (root / NODE).mkdir(parents=True)
        for file in (WORK / "files").iterdir():
            of_node = file.name in ("kernel", "ramdisk", "deploy_ramdisk")
            os.link(file, root / NODE / file.name if of_node else root / file.name)
        for name in case.modules:
            shutil.copy(MODULES / name, root)
        for name in filter(None, (case.without, case.empty)):
            (root / name).unlink()
        if case.empty:
            (root / case.empty).touch()
        if FORMAT == "pxelinux":
            (root / "pxelinux.cfg").mkdir()
            (root / "pxelinux.cfg" / "default").symlink_to(f"../{NODE}/config")
        if FORMAT == "grub":
            (root / "grub.cfg").symlink_to(f"{NODE}/config")
        return root

    def configure(self, case: Case, config: pathlib.Path, server: str) -> None:
        words = ["--format", FORMAT, "--complete", "--output", str(config)]
        words += ["--kernel", f"{server}{NODE}/kernel", "--ramdisk", f"{server}{NODE}/ramdisk"]
        words += ["--deploy-kernel", f"{server}{NODE}/kernel"]
        words += ["--deploy-ramdisk", f"{server}{NODE}/deploy_ramdisk"]
        if FORMAT == "ipxe":
            words += ["--tboot", f"{server}tboot"]
        attest("render", *words, "--append", f"console=ttyS0 {case.append}".strip(), *case.render)
        if case.label:
            words = [str(config), "--label", case.label, "--root-uuid", ROOT, *MODE[FORMAT]]
            attest("switch", *words)
        text = config.read_text()
        for old, new in case.edits:
            self.assertIn(old, text)
            text = text.replace(old, new)
        config.write_text(text)

    def check(self, case: Case, config: pathlib.Path, root: pathlib.Path) -> None:
        status, found = attest("check", str(config), "--boot-root", str(root), "--json")
        problems = json.loads(found)["problems"]
        self.assertEqual(
            sorted(f"{problem['severity']} {problem['id']}" for problem in problems),
            sorted(case.problems),
            problems,
        )
        wrong = any(not problem.startswith("info ") for problem in case.problems)
        self.assertEqual(status, 1 if wrong else 0)

    def run_machine(self, case: Case, root: pathlib.Path) -> str:
        silence = Silence(8)
        no_guest = GUEST in case.never

        def done(said: str) -> bool:
            text = plain(said)
            if COMMAND_LINE.search(text):
                return True
            quiet = silence(said)
            return no_guest and case.says[-1] in text and (quiet or not case.hangs)

        firmware = "uefi" if FORMAT == "grub" else "bios"
        network = "restrict=off" if case.http else "restrict=on"
        return plain(boot(root, BOOTFILE[FORMAT], firmware, network, root / "serial.log", done))

    def hold(self, case: Case) -> str:
        """Renders, switches, checks and boots; returns the guest's command line."""
        root = self.fill_root(case)
        config = root / NODE / "config"
        server = f"tftp://{SERVER}/" if FORMAT == "ipxe" else ""
        if case.http:
            web = serve(root)
            self.addCleanup(web.server_close)
            self.addCleanup(web.shutdown)
            server = f"http://{SERVER}:{web.server_port}/"
        self.configure(case, config, server)
        self.check(case, config, root)
        said = self.run_machine(case, root)
        at = 0
        for text in case.says:
            found = said.find(text, at)
            self.assertGreaterEqual(
                found, 0, f"{text!r} is not in {root}/serial.log, or comes too early"
            )
            at = found + len(text)
        for text in case.never:
            self.assertNotIn(text, said)
        line = COMMAND_LINE.search(said)
        command_line = line[1] if line else ""
        for text in case.arguments:
            self.assertIn(text, command_line)
        for text in case.no_arguments:
            self.assertNotIn(text, command_line)
        print(f"ok: {FORMAT}: {case.name}", flush=True)
        return command_line

    @unittest.skipUnless(FORMAT == "pxelinux", "the same for each format")
    def test_a_request_id_changes_what_is_measured(self) -> None:
        first, second = (self.hold(case) for case in DEPLOYMENTS)
        self.assertNotEqual(first, second)


def test_of(case: Case) -> Callable[[NetworkBoot], None]:
    def test(self: NetworkBoot) -> None:
        self.hold(case)

    return test


for each in CASES[FORMAT]:
    setattr(NetworkBoot, f"test_{slug(each)}", test_of(each))


if __name__ == "__main__":
    if platform.machine() != "x86_64":
        skip("the machine is an x86-64 one")
    for needed in NEEDED:
        if not pathlib.Path(needed).exists():
            skip(f"there is no {needed} (sh cmake/setup.sh boot installs it)")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and no machine stays behind
    shutil.rmtree(WORK, ignore_errors=True)
    made = subprocess.run(
        ["sh", str(HERE / "make-files.sh"), str(CACHE), str(WORK / "files")], check=False
    )
    if made.returncode != 0:
        if all((CACHE / f"{name}.ready").exists() for name in ("kernel", "tboot")):
            sys.exit("FAIL: the files cannot be made")
        skip("tboot or a kernel could not be fetched")
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]])
