# SPDX-License-Identifier: Apache-2.0
"""Network boot configurations: rendered, switched, checked."""

import os
import stat

import pytest

import libattest
from libattest import Severity

FORMATS = ("pxelinux", "ipxe", "grub")
GOOD = {"kernel": "node/kernel", "ramdisk": "node/ramdisk"}
CONFIG = """\
default deploy
label deploy
kernel k
label trusted_boot
kernel mboot.c32
append tboot.gz --- k root={{ ROOT }} intel_iommu=on --- r
"""


def test_the_label_that_starts_tboot():
    assert libattest.render_boot_config(
        "pxelinux", **GOOD, root_uuid="12-ab", append="quiet", tboot_args="logging=serial"
    ) == (
        "label trusted_boot\nkernel mboot.c32\nappend tboot.gz logging=serial --- node/kernel "
        "root=UUID=12-ab ro text quiet intel_iommu=on --- node/ramdisk\n"
    )
    literal = libattest.render_boot_config("pxelinux", **GOOD, literal_mboot=True)
    assert "\nkernel mboot\n" in literal


@pytest.mark.parametrize("name", FORMATS)
def test_a_whole_configuration_says_what_it_was_given(name):
    options = {
        **GOOD,
        "append": "a1",
        "tboot": "t1",
        "deploy_kernel": "d1",
        "deploy_ramdisk": "d2",
        "deploy_append": "d3",
        "ramdisk_append": "r1",
        "kickstart": "k1",
    }
    if name == "pxelinux":
        options |= {"mboot": "m1.c32", "stage2": "s1"}
    else:
        options |= {"repository": "p1"}
    if name == "ipxe":
        options["ipxe_timeout"] = 1.5
    if name == "grub":
        options["tftp_server"] = "192.0.2.1"
    text = libattest.render_boot_config(name, **options, complete=True)
    expected = [v for k, v in options.items() if k != "ipxe_timeout"]
    assert all(value in text for value in expected)
    assert ("--timeout 1500 " in text) == (name == "ipxe")
    assert libattest.check_boot_config(text) == []
    assert libattest.boot_config_format(text) == name
    text = libattest.render_boot_config(name, **options, complete=True, trusted_deploy=True)
    assert text.count("t1") == 2


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("value", ["a\nb", "a\0b", "a --- b", "{{ ROOT }}", "é", "a\\"])
@pytest.mark.parametrize(
    "option", ["kernel", "ramdisk", "append", "root_uuid", "tboot", "tboot_args"]
)
def test_what_could_break_out_is_refused_by_its_name(name, option, value):
    with pytest.raises(ValueError, match=f"^{option}"):
        libattest.render_boot_config(name, **{**GOOD, option: value})


def test_calls_that_make_no_sense():
    with pytest.raises(ValueError, match="none of pxelinux"):
        libattest.render_boot_config("lilo", **GOOD)
    with pytest.raises(ValueError, match="PXELINUX only"):
        libattest.render_boot_config("grub", **GOOD, literal_mboot=True)
    for seconds in (-1, float("nan"), float("inf"), 1e9):
        with pytest.raises(ValueError, match="ipxe_timeout"):
            libattest.render_boot_config("ipxe", **GOOD, ipxe_timeout=seconds)
    with pytest.raises(libattest.MalformedError, match="iPXE keeps 512 bytes"):
        libattest.render_boot_config("ipxe", **GOOD, append="x" * 1000)
    with pytest.raises(TypeError):
        libattest.render_boot_config("ipxe", "kernel", "ramdisk")


@pytest.mark.parametrize("kind", [str, os.fsencode, lambda path: path])
def test_a_file_is_switched_once(tmp_path, kind):
    path = tmp_path / "config"
    path.write_text(CONFIG)
    path.chmod(0o640)
    assert libattest.switch_boot_config(kind(path), "trusted_boot", root_uuid="12-ab") is True
    after = CONFIG.replace("default deploy", "default trusted_boot")
    after = after.replace("{{ ROOT }}", "UUID=12-ab")
    assert path.read_text() == after
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert libattest.switch_boot_config(kind(path), "trusted_boot", root_uuid="12-ab") is False
    assert path.read_text() == after
    assert os.listdir(tmp_path) == ["config"]


def test_each_boot_mode_has_its_format(tmp_path):
    path = tmp_path / "config"
    for name, mode, ipxe in (
        ("pxelinux", "bios", False),
        ("grub", "uefi", False),
        ("ipxe", "bios", True),
        ("ipxe", "uefi", True),
    ):
        text = libattest.render_boot_config(name, **GOOD, complete=True)
        for other_mode, other_ipxe in (("bios", False), ("uefi", False), ("bios", True)):
            path.write_text(text)
            if (other_ipxe, ipxe or other_mode) == (ipxe, ipxe or mode):
                assert libattest.switch_boot_config(
                    path, "boot_whole_disk", boot_mode=mode, ipxe=ipxe, disk_identifier="0x1"
                )
                continue
            with pytest.raises(libattest.MalformedError, match="line 1: this is a configuration"):
                libattest.switch_boot_config(
                    path, "boot_ramdisk", boot_mode=other_mode, ipxe=other_ipxe
                )
            assert path.read_text() == text
    with pytest.raises(ValueError, match="neither bios nor uefi"):
        libattest.switch_boot_config(path, "x", boot_mode="UEFI")


@pytest.mark.parametrize(
    "text, words",
    [
        (CONFIG.replace("label trusted_boot", "label x"), "line 1: can not be switched"),
        (CONFIG.replace("{{ ROOT }}", "/dev/sda"), "line 4: neither this label"),
        (CONFIG + "default x\n", "line 7: a second 'default ' line"),
        (CONFIG.replace("default", "DEFAULT"), "line 1: 'DEFAULT deploy' chooses"),
        ("hello\n", "line 1: this is no PXELINUX"),
        ("", "line 1: this is no PXELINUX"),
    ],
)
def test_a_file_that_can_not_be_switched_stays_as_it_is(tmp_path, text, words):
    path = tmp_path / "config"
    path.write_text(text)
    before = path.stat()
    with pytest.raises(libattest.MalformedError) as error:
        libattest.switch_boot_config(path, "trusted_boot", root_uuid="12-ab")
    assert str(error.value).startswith(f"{path}: {words}")
    assert path.read_text() == text
    assert path.stat().st_ino == before.st_ino


def test_a_file_that_is_not_there_or_not_one(tmp_path):
    path = tmp_path / "config"
    for call in (str, os.fsencode):
        with pytest.raises(libattest.FileError, match="No such file"):
            libattest.switch_boot_config(call(path), "trusted_boot")
    path.write_text(CONFIG)
    link = tmp_path / "link"
    link.symlink_to("config")
    with pytest.raises(OSError, match="is a symbolic link"):
        libattest.switch_boot_config(link, "trusted_boot")
    with pytest.raises(ValueError, match="path has a NUL"):
        libattest.switch_boot_config("a\0b", "trusted_boot")
    assert path.read_text() == CONFIG


def test_problems_have_codes_and_lines(tmp_path):
    text = CONFIG.replace("mboot.c32", "mboot")
    (problem,) = libattest.check_boot_config(text)
    assert (problem.code, problem.id, problem.line) == (201, "literal-mboot", 5)
    assert problem.severity == Severity.FAILURE
    assert str(problem) == f"failure: line 5: {problem.message}"
    assert libattest.check_boot_config(text.encode()) == [problem]
    path = tmp_path / "config"
    path.write_text(text)
    assert libattest.check_boot_config(path) == [problem]
    codes = [p.id for p in libattest.check_boot_config(text, label="trusted_boot")]
    assert codes == ["literal-mboot", "placeholder"]
    (problem,) = libattest.check_boot_config(CONFIG, label="none")
    assert (problem.line, str(problem)) == (None, "failure: no label 'none'")
    assert libattest.check_boot_config(CONFIG, format="pxelinux") == []


def test_files_are_looked_for_in_the_boot_root(tmp_path):
    found = [p.id for p in libattest.check_boot_config(CONFIG, boot_root=tmp_path)]
    assert found == ["file-missing"] * 6
    for name in ("ldlinux.c32", "mboot.c32", "libcom32.c32", "tboot.gz", "k", "r"):
        (tmp_path / name).write_bytes(b"x")
    for root in (tmp_path, str(tmp_path), os.fsencode(tmp_path)):
        assert libattest.check_boot_config(CONFIG, boot_root=root) == []
    (problem,) = libattest.check_boot_config(
        CONFIG.replace("--- r", "--- ../../etc/passwd"), boot_root=tmp_path
    )
    assert problem.id == "file-outside"
    with pytest.raises(libattest.FileError):
        libattest.check_boot_config(CONFIG, boot_root=tmp_path / "none")


def test_what_is_no_configuration(tmp_path):
    for text in ("", "hello\n", "label x\n\0", b"label x\n\xff"):
        with pytest.raises(libattest.MalformedError, match="boot configuration: line"):
            libattest.check_boot_config(text)
    large = tmp_path / "large"
    large.write_bytes(b"label x\n" * 200_000)
    with pytest.raises(libattest.MalformedError, match="larger than 1 MiB"):
        libattest.check_boot_config(large)
    with pytest.raises(FileNotFoundError):
        libattest.check_boot_config(tmp_path / "none")
    with pytest.raises(ValueError, match="none of pxelinux"):
        libattest.check_boot_config(CONFIG, format="lilo")
