# SPDX-License-Identifier: Apache-2.0
"""attest boot-config render, switch and check."""

import json
import os
import stat
import unittest

from command_case import CommandCase

RENDER = ("boot-config", "render", "--kernel", "node/kernel", "--ramdisk", "node/ramdisk")
PXELINUX = (*RENDER, "--format", "pxelinux")
UUID = "12345678-1234-1234-1234-1234567890ab"


class Render(CommandCase):
    def test_the_label_in_each_format(self):
        self.assertEqual(
            self.good(*PXELINUX, "--append", "quiet", "--tboot-args", "logging=serial"),
            "label trusted_boot\nkernel mboot.c32\nappend tboot.gz logging=serial --- node/kernel "
            "root={{ ROOT }} ro text quiet intel_iommu=on --- node/ramdisk\n",
        )
        ipxe = self.good(*RENDER, "--format", "ipxe", "--root-uuid", UUID, "--ipxe-timeout", "5")
        self.assertIn("\nkernel --timeout 5000 tboot || goto trusted_boot\n", ipxe)
        self.assertIn(f" root=UUID={UUID} ", ipxe)
        grub = self.good(*RENDER, "--format", "grub", "--tboot", "/tboot.gz")
        self.assertIn("\n    multiboot2 /tboot.gz\n    module2 node/kernel root=(( ROOT )) ", grub)

    def test_pxelinux_has_two_names_for_mboot(self):
        self.assertIn("\nkernel mboot\n", self.good(*PXELINUX, "--literal-mboot"))
        self.assertIn("\nkernel bios/x.c32\n", self.good(*PXELINUX, "--mboot", "bios/x.c32"))

    def test_a_whole_configuration_to_a_file(self):
        path = self.folder / "config"
        deploy = ("--deploy-kernel", "d1", "--deploy-ramdisk", "d2", "--deploy-append", "d3")
        more = ("--ramdisk-append", "r1", "--kickstart", "k1", "--stage2", "s1")
        words = (*PXELINUX, "--complete", *deploy, *more)
        self.assertEqual(self.good(*words, "--output", path), "")
        text = path.read_text()
        self.assertTrue(text.startswith("default deploy\n"))
        for part in ("kernel d1\nappend initrd=d2 ", "text d3\n", " r1\n", "ks=k1 inst.stage2=s1\n"):
            self.assertIn(part, text)
        self.assertEqual(self.good(*words), text)
        trusted = self.good(*words, "--trusted-deploy")
        self.assertEqual(trusted.count("kernel mboot.c32\n"), 2)
        grub = (*RENDER, "--format", "grub", "--complete", *deploy)
        text = self.good(*grub, "--repository", "p1", "--tftp-server", "192.0.2.1")
        self.assertIn("boot_server=192.0.2.1\n", text)
        self.assertIn("inst.repo=p1\n", text)

    def test_what_is_refused_is_named_as_the_option(self):
        self.assertIn(
            "--tboot-args: byte 1: a line end",
            self.refused(*PXELINUX, "--tboot-args", "a\nlabel x"),
        )
        self.assertIn("--root-uuid: byte 1", self.refused(*PXELINUX, "--root-uuid", "a b"))
        self.assertIn("--append: byte 2", self.refused(*PXELINUX, "--append", "a --- b"))
        self.assertIn("tboot keeps 1023", self.refused(*PXELINUX, "--append", "x" * 1000))
        self.assertIn("need complete", self.refused(*PXELINUX, "--stage2", "s"))
        path = self.folder / "config"
        self.refused(*PXELINUX, "--append", "{x}", "--output", path)
        self.assertFalse(path.exists())

    def test_usage(self):
        self.assertIn("--format is missing", self.refused(*RENDER))
        self.assertIn("--format is none of", self.refused(*RENDER, "--format", "lilo"))
        self.assertIn(
            "--kernel is missing",
            self.refused("boot-config", "render", "--format", "grub", "--ramdisk", "r"),
        )
        self.assertIn(
            "--ipxe-timeout is not",
            self.refused(*RENDER, "--format", "ipxe", "--ipxe-timeout", "0"),
        )
        self.assertIn("unknown option --label", self.refused(*PXELINUX, "--label", "x"))


class Switch(CommandCase):
    def config(self, *more):
        return self.write("config", self.good(*PXELINUX, "--complete", *more))

    def switch(self, path, *words):
        return ("boot-config", "switch", path, *words)

    def test_a_file_boots_another_label(self):
        path = self.config("--deploy-kernel", "d", "--deploy-ramdisk", "e")
        path.chmod(0o604)
        words = self.switch(path, "--label", "trusted_boot", "--root-uuid", UUID)
        before = path.read_text()
        self.assertEqual(self.good(*words), f"{path}: boots trusted_boot now\n")
        after = before.replace("default deploy", "default trusted_boot")
        self.assertEqual(path.read_text(), after.replace("{{ ROOT }}", f"UUID={UUID}"))
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o604)
        self.assertEqual(self.good(*words), f"{path}: boots trusted_boot already\n")
        self.assertEqual(
            json.loads(self.good(*words, "--json")), {"label": "trusted_boot", "changed": False}
        )
        self.good(*self.switch(path, "--label", "boot_whole_disk", "--disk-identifier", "0x1"))
        self.assertIn("append mbr:0x1\n", path.read_text())

    def test_the_other_formats(self):
        for name, words in (
            ("grub", ("--boot-mode", "uefi")),
            ("ipxe", ("--ipxe",)),
            ("ipxe", ("--ipxe", "--boot-mode", "uefi")),
            ("pxelinux", ("--boot-mode", "bios")),
        ):
            path = self.write(name, self.good(*RENDER, "--format", name, "--complete"))
            label = ("--label", "trusted_boot", "--root-uuid", UUID)
            self.good(*self.switch(path, *label, *words))
            self.good("boot-config", "check", path)

    def test_a_file_that_can_not_be_switched_stays_as_it_is(self):
        path = self.config()
        text = path.read_text()
        for words, said in (
            (("--label", "deploy"), f"{path}: line 1: can not be switched to 'deploy'"),
            (("--label", "boot_ramdisk", "--ipxe"), "asks for one for iPXE"),
            (("--label", "a b"), "--label: byte 1"),
            (("--label", "trusted_boot", "--disk-identifier", "1"), "is for boot_whole_disk"),
        ):
            self.assertIn(said, self.refused(*self.switch(path, *words)))
            self.assertEqual(path.read_text(), text)
        link = self.folder / "link"
        link.symlink_to(path)
        self.assertIn("symbolic link", self.refused(*self.switch(link, "--label", "boot_ramdisk")))
        gone = self.folder / "gone"
        self.assertIn("No such file", self.refused(*self.switch(gone, "--label", "boot_ramdisk")))

    def test_usage(self):
        path = self.config()
        self.assertIn("--label is missing", self.refused(*self.switch(path)))
        self.assertIn(
            "neither bios nor uefi",
            self.refused(*self.switch(path, "--label", "x", "--boot-mode", "UEFI")),
        )
        self.assertIn("FILE is missing", self.refused("boot-config", "switch", "--label", "x"))


class Check(CommandCase):
    BAD = (
        "default trusted_boot\nlabel trusted_boot\nkernel mboot\n"
        "append tboot.gz --- k root={{ ROOT }} intel_iommu=on BOOTIF=x --- r\n"
    )

    def test_problems_are_printed_with_their_lines(self):
        path = self.write("config", self.BAD)
        lines = self.bad("boot-config", "check", path).splitlines()
        self.assertEqual(len(lines), 3)
        self.assertTrue(lines[0].startswith("failure literal-mboot: line 3: 'kernel mboot' "))
        self.assertTrue(lines[1].startswith("failure placeholder: line 4: the label that boots"))
        self.assertTrue(lines[2].startswith("info per-machine: line 4: 'BOOTIF=x' is "))
        found = json.loads(self.bad("boot-config", "check", path, "--json"))
        self.assertEqual(found["format"], "pxelinux")
        self.assertIs(found["good"], False)
        self.assertEqual(
            [(p["code"], p["severity"], p["line"]) for p in found["problems"]],
            [(201, "failure", 3), (106, "failure", 4), (207, "info", 4)],
        )
        self.assertEqual(
            [p["id"] for p in found["problems"]], ["literal-mboot", "placeholder", "per-machine"]
        )

    def test_notes_are_no_problems(self):
        text = self.BAD.replace("mboot", "mboot.c32").replace("{{ ROOT }}", "x")
        path = self.write("config", text)
        words = self.good("boot-config", "check", path)
        self.assertIn("info per-machine: line 4", words)
        self.assertIn("nothing is wrong with this pxelinux configuration", words)
        self.assertIs(json.loads(self.good("boot-config", "check", path, "--json"))["good"], True)

    def test_the_boot_root(self):
        path = self.write("config", self.good(*PXELINUX, "--complete", "--root-uuid", UUID))
        root = self.folder / "root"
        (root / "node").mkdir(parents=True)
        words = ("boot-config", "check", path, "--boot-root", root)
        self.assertEqual(self.bad(*words).count("file-missing"), 6)
        for name in "ldlinux.c32 libcom32.c32 mboot.c32 tboot.gz node/kernel node/ramdisk".split():
            (root / name).write_text("x")
        self.good(*words)
        (root / "node/kernel").unlink()
        (root / "node/kernel").symlink_to(os.path.relpath("/etc/passwd", root / "node"))
        self.assertIn("file-outside", self.bad(*words))
        gone = self.folder / "gone"
        self.assertIn("No such file", self.refused("boot-config", "check", path, "--boot-root", gone))

    def test_labels_and_formats(self):
        path = self.write("config", self.BAD.replace("default trusted_boot", "default x"))
        self.assertIn("default-unknown", self.bad("boot-config", "check", path))
        words = self.bad("boot-config", "check", path, "--label", "trusted_boot")
        self.assertNotIn("default-unknown", words)
        self.good("boot-config", "check", path, "--format", "grub")
        self.assertIn(
            "--format is none of", self.refused("boot-config", "check", path, "--format", "x")
        )

    def test_what_is_no_configuration(self):
        for content in ("", "hello\n", "label x\n\0", b"label x\n\xff\n"):
            path = self.write("config", content)
            self.assertIn("boot configuration: line", self.refused("boot-config", "check", path))
            self.assertIn("boot configuration", self.refused("boot-config", "check", path, "--json"))
        large = self.write("large", "label x\n" * 200_000)
        self.assertIn("larger than 1 MiB", self.refused("boot-config", "check", large))
        self.refused("boot-config", "check", self.folder / "gone")
        self.refused("boot-config", "check")


class Help(CommandCase):
    def test_the_group_and_its_commands_explain_themselves(self):
        self.assertIn("attest boot-config switch FILE", self.good("boot-config", "--help"))
        for name in ("render", "switch", "check"):
            text = self.good("boot-config", name, "--help")
            self.assertTrue(text.startswith(f"Usage: attest boot-config {name} "))
        self.assertIn("render, switch or check is missing", self.refused("boot-config"))
        self.assertIn("unknown command 'x'", self.refused("boot-config", "x"))


if __name__ == "__main__":
    unittest.main()
