# SPDX-License-Identifier: Apache-2.0
"""Configurations, what `attest boot-config check` says of each, and how each boots."""

from __future__ import annotations

import dataclasses
from typing import Any

from machine import MAC, SERVER

NODE = "1be26c0b-03f2-4d2e-ae87-c02d7f33c123"
ROOT = "9a1f3e6c-52d8-4b7e-8c05-6f2d9b1e7a44"

BANNER = "TBOOT: *********************** TBOOT ***********************"
CONTROL = "TBOOT: transfering control to kernel @0x"
# The guest's init says from which ramdisk it comes.
GUEST = "GUEST: "
INSTANCE = "GUEST: init of the ramdisk runs"
DEPLOY = "GUEST: init of the deploy_ramdisk runs"
LAUNCH = (BANNER, CONTROL, INSTANCE)


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    # On the serial line, in this order, and what is not there. The boot is over with the last.
    says: tuple[str, ...] = LAUNCH
    never: tuple[str, ...] = ()
    # In the guest's command line, and not in it.
    arguments: tuple[str, ...] = ("intel_iommu=on", f"root=UUID={ROOT} ")
    no_arguments: tuple[str, ...] = ()
    # All that check finds: "SEVERITY ID".
    problems: tuple[str, ...] = ()
    append: str = ""
    render: tuple[str, ...] = ()  # further options
    label: str | None = "trusted_boot"  # switched to; None: not switched
    edits: tuple[tuple[str, str], ...] = ()  # replaced in the configuration
    without: str = ""  # taken out of the boot root
    empty: str = ""  # without content in the boot root
    modules: tuple[str, ...] = ()  # of Syslinux, in the boot root, too
    hangs: bool = False  # nothing more is said after the last of `says`
    http: bool = False  # iPXE: the files come over HTTP


def dead(name: str, problem: str, *says: str, also: tuple[str, ...] = (), **more: Any) -> Case:
    """No kernel starts."""
    problems = (f"failure {problem}", *also)
    return Case(name, says, never=(GUEST,), arguments=(), problems=problems, **more)


def otherwise(name: str, problem: str, **more: Any) -> Case:
    """A kernel starts, but not as it should."""
    return Case(name, problems=(problem,), **more)


# What render writes around what the cases append.
BEFORE = f" root=UUID={ROOT} ro text console=ttyS0 "
BEHIND = " intel_iommu=on"


def filled(path: str, length: int) -> str:
    """An argument with which PATH ARGUMENTS is `length` bytes long."""
    return "filled=".ljust(length - len(path + BEFORE + BEHIND), "x")


def longest(argument: str) -> Case:
    # Render keeps room for the longest root that may come into a placeholder.
    return Case("the longest command line", append=argument, render=("--root-uuid", ROOT))


REQUEST = "ipa-global-request-id=req-{}0c7a3f-11d2-4ab8-9e50-0f6f2b8f9c1e"

MENU = ("menu.c32", "libutil.c32")

PXELINUX = [
    longest(filled(f"{NODE}/kernel", 1023)),
    otherwise(
        "a byte more than tboot keeps",
        "failure arguments-cut",
        edits=(("console=ttyS0 ", "console=ttyS0 " + filled(f"{NODE}/kernel", 1023) + "x "),),
        arguments=("filled=xx", "intel_iommu=o"),
        no_arguments=("intel_iommu=on",),
    ),
    Case(
        "all in the kernel line",
        edits=(("kernel mboot.c32\nappend tboot.gz", "kernel mboot.c32 tboot.gz"),),
    ),
    # The first label is deploy.
    Case(
        "the menu of a ui line",
        edits=(("default trusted_boot", "ui menu.c32\ntimeout 10\ndefault trusted_boot"),),
        modules=MENU,
    ),
    Case(
        "a menu that hides its default",
        (DEPLOY,),
        never=("TBOOT: ",),
        arguments=(),
        edits=(
            ("default trusted_boot", "ui menu.c32\ntimeout 10\ndefault trusted_boot"),
            ("label trusted_boot", "label trusted_boot\nmenu hide"),
        ),
        modules=MENU,
    ),
    dead(
        "a menu that is not there",
        "file-missing",
        "Failed to load COM32 file menu.c32",
        edits=(("default trusted_boot", "ui menu.c32\ndefault trusted_boot"),),
        modules=("libutil.c32",),
    ),
    Case(
        "a menu without a ui line",
        (DEPLOY,),
        never=("TBOOT: ",),
        arguments=(),
        edits=(("default trusted_boot", "timeout 10\ndefault trusted_boot\ndefault menu.c32"),),
        modules=MENU,
    ),
    Case(
        "the first of two ramdisks",
        (DEPLOY,),
        arguments=(),
        label=None,
        edits=(
            (f"initrd={NODE}/deploy_ramdisk", f"initrd={NODE}/deploy_ramdisk initrd={NODE}/none"),
        ),
    ),
    Case(
        "the deploy ramdisk is started by tboot",
        (BANNER, CONTROL, DEPLOY),
        arguments=("intel_iommu=on",),
        render=("--trusted-deploy",),
        label=None,
    ),
    dead(
        "the seed's kernel mboot",
        "literal-mboot",
        "Loading mboot... failed: No such file or directory",
        render=("--literal-mboot",),
    ),
    dead(
        "no ldlinux.c32",
        "file-missing",
        "Failed to load ldlinux.c32",
        without="ldlinux.c32",
    ),
    dead(
        "no libcom32.c32",
        "file-missing",
        "Failed to load libcom32.c32",
        "Failed to load COM32 file mboot.c32",
        without="libcom32.c32",
    ),
    dead(
        "no mboot.c32",
        "file-missing",
        "Failed to load COM32 file mboot.c32",
        without="mboot.c32",
    ),
    dead(
        "no tboot.gz",
        "file-missing",
        "Loading tboot.gz... failed!",
        without="tboot.gz",
    ),
    dead(
        "an empty tboot.gz",
        "file-unusable",
        "Loading tboot.gz... failed!",
        empty="tboot.gz",
    ),
    dead(
        "a kernel beside the boot root",
        "file-outside",
        "Loading ../kernel... failed!",
        edits=((f"--- {NODE}/kernel", "--- ../kernel"),),
    ),
    dead(
        "no space at ---",
        "separator",
        BANNER,
        "TBOOT: transfering control to kernel @0x0...",
        also=("warning module-missing", "warning iommu-missing"),
        edits=((f"--- {NODE}/kernel", f"---{NODE}/kernel"),),
    ),
    dead(
        "nothing is chosen",
        "default-missing",
        "boot:",
        edits=(("default trusted_boot\n", ""),),
    ),
    dead(
        "a label without a kernel",
        "kernel-missing",
        "Loading trusted_boot... failed: No such file or directory",
        edits=(("kernel mboot.c32\n", ""),),
    ),
    dead(
        "a template",
        "template",
        "Loading {{... failed!",
        also=("failure file-missing",),
        edits=((f"--- {NODE}/kernel", "--- {{ pxe_options.aki_path }}"),),
    ),
    dead(
        "a label that is not there",
        "default-unknown",
        "Loading trusted_boots... failed: No such file or directory",
        edits=(("default trusted_boot", "default trusted_boots"),),
    ),
    otherwise(
        "two default lines",
        "failure default-twice",
        says=(DEPLOY,),
        never=("TBOOT: ",),
        arguments=(),
        edits=(("default trusted_boot", "default trusted_boot\ndefault deploy"),),
    ),
    otherwise(
        "not switched",
        "failure placeholder",
        arguments=("root={{ ROOT }} ", "intel_iommu=on"),
        label=None,
        edits=(("default deploy", "default trusted_boot"),),
    ),
    otherwise(
        "no intel_iommu=on",
        "warning iommu-missing",
        arguments=(),
        no_arguments=("intel_iommu",),
        edits=((" intel_iommu=on", ""),),
    ),
]

# The same node, deployed twice: nothing else differs, and what tboot measures does.
DEPLOYMENTS = [
    otherwise(
        f"deployment {number}",
        "warning per-deployment",
        append=REQUEST.format(number),
        arguments=(REQUEST.format(number),),
    )
    for number in (1, 2)
]

FETCHED = f"tftp://{SERVER}/"
# iPXE keeps the command lines of all images in one place of 512 bytes, each with a NUL.
IPXE_ROOM = 512 - len(f"{FETCHED}tboot") - 1 - 1

IPXE = [
    longest(filled(f"{FETCHED}{NODE}/kernel", IPXE_ROOM)),
    Case("over HTTP", http=True),
    otherwise(
        "a byte more than iPXE keeps",
        "failure arguments-cut",
        edits=(
            (
                "console=ttyS0 ",
                "console=ttyS0 " + filled(f"{FETCHED}{NODE}/kernel", IPXE_ROOM) + "x ",
            ),
        ),
        arguments=("filled=xx", "intel_iommu=o"),
        no_arguments=("intel_iommu=on",),
    ),
    otherwise(
        "the machine's own address",
        "info per-machine",
        arguments=(f"BOOTIF={MAC}", "intel_iommu=on"),
        edits=((" intel_iommu=on", " BOOTIF=${mac} intel_iommu=on"),),
    ),
    dead(
        "a compressed tboot",
        "tboot-compressed",
        "tboot.gz... ok",
        "ramdisk... ok",
        edits=((f"{FETCHED}tboot ", f"{FETCHED}tboot.gz "),),
        hangs=True,
    ),
    dead(
        "no tboot",
        "file-missing",
        f"{FETCHED}tboot... No such file or directory",
        without="tboot",
    ),
    dead(
        "a line before the first",
        "first-line",
        "config : ",
        "[PXE-NBP]",
        edits=(("#!ipxe\n", "# Made by hand\n#!ipxe\n"),),
        hangs=True,
    ),
    dead(
        "no kernel to start",
        "module-missing",
        BANNER,
        "shutdown_system() called for shutdown_type: TB_SHUTDOWN_HALT",
        edits=(("module ", "#module "),),
    ),
]

GRUB = [
    longest(filled("", 1023 + 1)),
    dead(
        "no tboot.gz",
        "file-missing",
        "error: File not found.",
        without="tboot.gz",
    ),
    dead(
        "tboot started as if it were Linux",
        "syntax",
        "error: invalid magic number.",
        edits=(("multiboot2 ", "linux "),),
    ),
]

CASES = {"pxelinux": PXELINUX, "ipxe": IPXE, "grub": GRUB}
