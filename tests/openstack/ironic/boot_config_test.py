# SPDX-License-Identifier: Apache-2.0
"""Boot configurations against Ironic's own: its templates rendered, its switch_pxe_config run."""

import io
import os
import pathlib
import random
import re
import tempfile
import unittest

# The first of Ironic's: it chooses between eventlet and threads.
import ironic.tests.unit  # noqa: F401, I001
import libattest
from ironic.common import utils
from ironic.drivers.modules import deploy_utils

MODULES = pathlib.Path(deploy_utils.__file__).parent
TEMPLATES = {
    "pxelinux": MODULES / "pxe_config.template",
    "ipxe": MODULES / "ipxe_config.template",
    "grub": MODULES / "pxe_grub_config.template",
}
# boot_mode and ipxe_enabled of switch_pxe_config.
MODES = {"pxelinux": ("bios", False), "ipxe": ("bios", True), "grub": ("uefi", False)}
TAGS = {"pxelinux": "{{ %s }}", "ipxe": "{{ %s }}", "grub": "(( %s ))"}
FLAGS = {
    "boot_partition": {},
    "boot_iscsi": {"iscsi_boot": True},
    "boot_ramdisk": {"ramdisk_boot": True},
    "boot_anaconda": {"anaconda_boot": True},
}
UUID = "12345678-1234-1234-1234-1234567890abcdef"
DISK = "0x1a2b3c4d"


def by_ironic(path, name, label, identifier, ipxe_uefi=False):
    """Switches the file as Ironic does."""
    mode, ipxe = MODES[name]
    if ipxe_uefi:
        mode = "uefi"
    if label == "trusted_boot":
        # What it did while it had that label, with the functions that it still has.
        if identifier is not None:
            deploy_utils._replace_root_uuid(path, identifier)
        word = {"pxelinux": "default", "ipxe": "goto"}.get(name)
        if word is None:
            deploy_utils._replace_lines_in_file(path, r"^((set )?default)=.*$", rf"\1={label}")
        else:
            deploy_utils._replace_lines_in_file(path, f"^{word} .*$", f"{word} {label}")
        return
    whole = label == "boot_whole_disk"
    flags = {} if whole else FLAGS[label]
    deploy_utils.switch_pxe_config(path, identifier, mode, whole, ipxe_enabled=ipxe, **flags)


def by_libattest(path, name, label, identifier, ipxe_uefi=False):
    mode, ipxe = MODES[name]
    key = "disk_identifier" if label == "boot_whole_disk" else "root_uuid"
    return libattest.switch_boot_config(
        path, label, boot_mode="uefi" if ipxe_uefi else mode, ipxe=ipxe, **{key: identifier}
    )


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="libattest-boot-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path


class Templates(Folder):
    """The labels that Ironic's templates have are theirs, byte for byte."""

    VALUES = {
        "deployment_aki_path": "uuid/deploy_kernel",
        "deployment_ari_path": "uuid/deploy_ramdisk",
        "aki_path": "uuid/kernel",
        "ari_path": "uuid/ramdisk",
        "pxe_append_params": "nofb console=ttyS0,115200 ipa-api-url=http://192.0.2.1:6385",
        "ramdisk_opts": "one two=2",
        "ks_cfg_url": "http://192.0.2.1:8080/uuid/ks.cfg",
        "stage2_url": "http://192.0.2.1:8080/uuid/stage2",
        "tftp_server": "192.0.2.1",
        "ipxe_timeout": 0,
        # What newer templates for GRUB leave open, and older ones say.
        "linux_cmd": "linuxefi",
        "initrd_cmd": "initrdefi",
    }

    def ironic(self, name, **changes):
        options = {**self.VALUES, **changes}
        if name == "ipxe":
            options.update(
                (key, f"http://192.0.2.1:8080/{options[key]}")
                for key in self.VALUES
                if key.endswith("_path")
            )
        tag = TAGS[name]
        params = {"ROOT": tag % "ROOT", "DISK_IDENTIFIER": tag % "DISK_IDENTIFIER"}
        text = utils.render_template(str(TEMPLATES[name]), {"pxe_options": options, **params})
        return options, text

    def ours(self, name, options, **changes):
        values = {
            "kernel": options["aki_path"],
            "ramdisk": options["ari_path"],
            "append": options["pxe_append_params"],
            "deploy_kernel": options["deployment_aki_path"],
            "deploy_ramdisk": options["deployment_ari_path"],
            "ramdisk_append": options["ramdisk_opts"],
            "kickstart": options["ks_cfg_url"],
            "stage2": options["stage2_url"],
        }
        if name == "grub":
            values["tftp_server"] = options["tftp_server"]
        return libattest.render_boot_config(name, complete=True, **{**values, **changes})

    @staticmethod
    def sections(name, text):
        """The text of each label, and what is before the first."""
        begin = {"pxelinux": r"label (\S+)$", "ipxe": r":(\S+)$", "grub": r'menuentry "(\S+)" .*'}
        found = {"": ""}
        label = ""
        for line in text.splitlines():
            if match := re.match(begin[name], line):
                label = match[1]
                found[label] = ""
            found[label] += line.rstrip() + "\n"
        return {key: value.strip("\n") for key, value in found.items()}

    def test_each_label_is_ironics(self):
        for name in TEMPLATES:
            for values in ({}, {"pxe_append_params": "", "ramdisk_opts": ""}):
                with self.subTest(name, **values):
                    options, theirs = self.ironic(name, **values)
                    ours = self.ours(name, options)
                    expected = self.sections(name, theirs)
                    found = self.sections(name, ours)
                    self.assertGreater(len(expected), 4)
                    more = {"trusted_boot", "boot_partition"}
                    self.assertEqual(found.keys() - expected.keys(), more)
                    self.assertEqual({k: v for k, v in found.items() if k not in more}, expected)
                    # White space at the ends of lines, too.
                    for line in theirs.splitlines():
                        self.assertIn(line, ours.splitlines())

    def test_timeouts_and_repositories(self):
        options, theirs = self.ironic("ipxe", ipxe_timeout=60000, repo_url="http://192.0.2.1/os")
        ours = self.ours("ipxe", options, ipxe_timeout=60, repository="http://192.0.2.1/os")
        for line in theirs.splitlines():
            self.assertIn(line, ours.splitlines())

    def test_the_seeds_label_is_its_template_rendered(self):
        seed = (
            "label trusted_boot\nkernel mboot\nappend tboot.gz --- {{pxe_options.aki_path}} "
            'root={{ ROOT }} ro text {{ pxe_options.pxe_append_params|default("", true) }} '
            "intel_iommu=on --- {{pxe_options.ari_path}}\n"
        )
        for append in ("", "console=ttyS0 quiet"):
            options = {**self.VALUES, "pxe_append_params": append}
            params = {"pxe_options": options, "ROOT": "{{ ROOT }}"}
            expected = utils.render_template(seed, params, is_file=False) + "\n"
            label = libattest.render_boot_config(
                "pxelinux",
                kernel="uuid/kernel",
                ramdisk="uuid/ramdisk",
                append=append,
                literal_mboot=True,
            )
            self.assertEqual(label, expected)

    def test_a_whole_configuration_survives_being_a_template_of_ironics(self):
        for name, path in TEMPLATES.items():
            options, _ = self.ironic(name)
            ours = self.ours(name, options)
            tag = TAGS[name]
            params = {"ROOT": tag % "ROOT", "DISK_IDENTIFIER": tag % "DISK_IDENTIFIER"}
            template = self.write(f"{path.name}.template", ours.encode())
            self.assertEqual(utils.render_template(str(template), params) + "\n", ours)


class Generated:
    """Texts that have what the rules are about, right and wrong, in any order."""

    LABELS = ("deploy", "trusted_boot", "boot_whole_disk", *FLAGS)

    def __init__(self, seed):
        self.random = random.Random(seed)

    def tag(self):
        open_, close = self.random.choice(["((", "{{"]), self.random.choice(["))", "}}"])
        return f"{open_} {self.random.choice(['ROOT', 'DISK_IDENTIFIER'])} {close}"

    def line(self, name):
        kinds = {
            "pxelinux": ["label {}", " label {}", "LABEL {}", "append root={} x", "#default {}"],
            "ipxe": [":{}", " goto {}", "kernel k root={} || goto retry", "iseq 1 && goto {} ||"],
            "grub": ['menuentry "{}" {{', "menuentry '{}' {{", "menuentry {} {{", "module2 k {}"],
        }
        odd = ["", "  ", "{} {}", "((( ROOT )))", "{{{{ ROOT }}}}", "(( ROOT ((", "é {}", "\tx", "a\x0bb{}"]
        odd += [f"root=UUID={UUID}", f"mbr:{DISK}", f"x{DISK}", "{{{{ROOT}}}}", "\u2028{}", "x\x85{}"]
        text = self.random.choice(kinds[name] * 3 + odd)
        value = self.tag() if self.random.random() < 0.5 else self.random.choice(self.LABELS)
        return text.format(value, self.tag())

    def default(self, name):
        label = self.random.choice([*self.LABELS, "", "a b", self.tag()])
        if name == "pxelinux":
            return self.random.choice(["default {}"] * 12 + ["DEFAULT {}", " default {}"]).format(label)
        if name == "ipxe":
            return self.random.choice(["goto {}"] * 12 + [" goto {}"]).format(label)
        words = ["set default={}"] * 6 + ["default={}"] * 3 + [" set default={}", "set  default={}"]
        return self.random.choice(words).format(label)

    def text(self, name):
        lines = [self.line(name) for _ in range(self.random.randrange(1, 9))]
        for _ in range(self.random.choice([1] * 8 + [0, 2])):
            lines.insert(self.random.randrange(len(lines) + 1), self.default(name))
        for label in self.random.sample(self.LABELS, self.random.randrange(3, 7)):
            begin = {"pxelinux": "label {}", "ipxe": ":{}", "grub": 'menuentry "{}"  {{'}[name]
            lines.insert(self.random.randrange(len(lines) + 1), begin.format(label))
        end = self.random.choice(["\n"] * 6 + ["\r\n", "\r"])
        return end.join(lines) + self.random.choice([end, ""])


def may_be_refused(text, name, label, identifier):
    """Whether something is wrong with the text: the reasons of boot_config.h, in other words."""
    lines = io.StringIO(text, newline=None).read().split("\n")
    begin = {
        "pxelinux": rf"\s*label\s+{label}\s*$",
        "ipxe": rf":\s*{label}\s*$",
        "grub": rf"\s*menuentry\s+([\"']?){label}\1(\s|$)",
    }[name]
    if not any(re.match(begin, line, re.IGNORECASE if name == "pxelinux" else 0) for line in lines):
        return "no label"
    chooses = {
        "pxelinux": (r"default ", r"(?i)\s*default(\s|$)"),
        "ipxe": (r"goto ", r"goto "),
        "grub": (r"(set )?default=", r"\s*(set\s+)?default="),
    }[name]
    ironics = sum(1 for line in lines if re.match(chooses[0], line))
    loaders = sum(1 for line in lines if re.match(chooses[1], line))
    if ironics == 0 or loaders != ironics:
        return "no default, or one that Ironic does not see"
    if ironics > 1 and name != "ipxe":
        return "two defaults"
    if identifier is None or label in ("boot_ramdisk", "boot_anaconda"):
        return ""
    whole = label == "boot_whole_disk"
    if whole and name == "ipxe":
        return ""
    text = "\n".join(line for line in lines if not re.match(chooses[0], line))
    tag = "DISK_IDENTIFIER" if whole else "ROOT"
    value = DISK if whole else f"UUID={UUID}"
    if re.search(rf"(\(\(|\{{\{{) {tag} (\)\)|\}}\}})", text):
        return ""
    if re.search(rf"(?<![\w-]){value}(?![\w-])", text, re.ASCII):
        return ""
    return "no placeholder"


class Switch(Folder):
    LABELS = ("trusted_boot", "boot_whole_disk", *FLAGS)

    def same(self, content, name, label, identifier, **how):
        """Whether both switch the text; what they make of it is the same then."""
        theirs = self.write("theirs", content)
        ours = self.write("ours", content)
        try:
            changed = by_libattest(ours, name, label, identifier, **how)
        except libattest.MalformedError as error:
            self.assertEqual(ours.read_bytes(), content)
            self.assertRegex(str(error), rf"^{re.escape(str(ours))}: line \d+: ")
            return False
        by_ironic(theirs, name, label, identifier, **how)
        self.assertEqual(ours.read_bytes(), theirs.read_bytes(), (content, label, identifier))
        self.assertEqual(changed, theirs.read_bytes() != content)
        # Twice is once: what stands apart is known again.
        tag = rb"(?:\(\(|\{\{) (?:ROOT|DISK_IDENTIFIER) (?:\)\)|\}\})"
        if re.search(rb"[\w-]%s|%s[\w-]|%s%s" % (tag, tag, tag, tag), content):
            return True
        self.assertFalse(by_libattest(ours, name, label, identifier, **how))
        self.assertEqual(ours.read_bytes(), theirs.read_bytes())
        return True

    def test_rendered_configurations(self):
        for name in TEMPLATES:
            text = libattest.render_boot_config(
                name, kernel="k", ramdisk="r", deploy_kernel="d", deploy_ramdisk="e", complete=True
            ).encode()
            for label in self.LABELS:
                if label == "boot_iscsi":  # it has none
                    continue
                for identifier in (DISK if label == "boot_whole_disk" else UUID, None):
                    for how in ({}, {"ipxe_uefi": True}) if name == "ipxe" else ({},):
                        with self.subTest(name, label=label, identifier=identifier, **how):
                            self.assertTrue(self.same(text, name, label, identifier, **how))

    def test_generated_texts(self):
        rounds = int(os.environ.get("LIBATTEST_BOOT_ROUNDS", "400"))
        for name in TEMPLATES:
            switched = refused = 0
            generated = Generated(f"{name} 1")
            for _ in range(rounds):
                text = generated.text(name)
                label = generated.random.choice(self.LABELS)
                identifier = DISK if label == "boot_whole_disk" else UUID
                identifier = generated.random.choice([identifier] * 4 + [None])
                good = self.same(text.encode(), name, label, identifier)
                why = may_be_refused(text, name, label, identifier)
                self.assertEqual(good, why == "", (text, label, identifier, why))
                switched += good
                refused += not good
            # Both kinds were there.
            self.assertGreater(switched, rounds // 5)
            self.assertGreater(refused, rounds // 5)

    def test_what_is_no_text_is_refused(self):
        for content in (b"default deploy\nlabel trusted_boot \xff\n", b"default deploy\0\nlabel x\n"):
            self.assertFalse(self.same(content, "pxelinux", "trusted_boot", None))


if __name__ == "__main__":
    unittest.main()
