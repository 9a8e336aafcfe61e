# SPDX-License-Identifier: Apache-2.0
"""README's guides, command by command: a working Ironic on IPMI becomes one that attests.

The package is installed by pip, the commands are run as they stand there. The BMC is a script in
the place of ipmitool; the ramdisk is fake_ipa.py on a software TPM.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from fake_ipa import FakeIpa
from keylime_agent import Tpm, missing_programs
from service import PACKAGE, Ironic

LS = bytes(32)
FIRST = "From a working Ironic"

# What the guide adds to the lists that ironic.conf has.
OURS = {
    "enabled_hardware_types": "libattest-ipmi,libattest-redfish",
    "enabled_deploy_interfaces": "libattest-direct",
    "enabled_vendor_interfaces": "libattest",
}

# Chassis power, and "done" to everything else. The last word of a power command is the new state.
IPMITOOL = """#!/bin/sh
for last; do :; done
case "$*" in
  *'power status') printf 'Chassis Power is %s\\n' "$(cat "{state}")" ;;
  *'power on' | *'power off') echo "$last" >"{state}" ;;
  *'power soft') echo off >"{state}" ;;
esac
"""


def blocks(title: str) -> list[list[str]]:
    """The commands of README's section of this title, block by block.

    One that goes on behind a backslash or in a here-document is one.
    """
    text = (PACKAGE / "README.md").read_text()
    guide = text.partition(f"## {title}")[2].partition("\n## ")[0]
    found: list[list[str]] = []
    for block in re.findall(r"```sh\n(.*?)```", guide, re.DOTALL):
        commands: list[str] = []
        end = ""
        for line in block.splitlines():
            if end or (commands and commands[-1].endswith("\\")):
                commands[-1] += "\n" + line
            else:
                commands.append(line)
            if end and line == end:
                end = ""
            elif here := re.search(r"<<'(\w+)'$", line):
                end = here[1]
        found.append(commands)
    return found


class Guide(unittest.TestCase):
    """An Ironic on IPMI that knows nothing of us, and a machine with a TPM."""

    @classmethod
    def setUpClass(cls) -> None:
        if sys.prefix != sys.base_prefix:
            raise unittest.SkipTest("pip installs beside Debian's Ironic here")
        missing = missing_programs() + [n for n in ("baremetal",) if not shutil.which(n)]
        if missing:
            raise unittest.SkipTest(f"not installed: {', '.join(missing)}")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="libattest-guide-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        # What pip builds in the package's folder is not to be left in the source.
        shutil.copytree(PACKAGE, cls.folder / "bindings" / "openstack")
        environment = cls.folder / "python"
        subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", environment],
                       check=True)  # fmt: skip
        cls._programs(environment)
        cls.tpm = cls.enterClassContext(Tpm(cls.folder / "tpm"))
        cls.ironic = Ironic(
            cls.folder / "ironic", cls._options(), str(environment / "bin/python"), installed=True
        )
        cls.enterClassContext(cls.ironic)

    @classmethod
    def _programs(cls, environment: pathlib.Path) -> None:
        programs = cls.folder / "bin"
        programs.mkdir()
        state = cls.folder / "power"
        state.write_text("off\n")
        (programs / "ipmitool").write_text(IPMITOOL.format(state=state))
        (programs / "ipmitool").chmod(0o755)
        (programs / "pip").symlink_to(environment / "bin/pip")
        cls.enterClassContext(
            mock.patch.dict(
                os.environ,
                {
                    "PATH": f"{programs}:{os.environ['PATH']}",
                    # libattest itself is the build's, and there may be no PyPI.
                    "PYTHONPATH": os.environ["LIBATTEST_TEST_BUILD"] + "/bindings/python",
                    "PIP_NO_DEPS": "1",
                    "PIP_NO_BUILD_ISOLATION": "0",
                    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
                },
            )
        )

    @classmethod
    def _options(cls) -> dict[str, dict[str, str]]:
        """An Ironic as it was before: nothing of ours."""
        folders = {name: str(cls.folder / name) for name in ("tftp", "tftp-master", "images")}
        return {
            "DEFAULT": {
                "enabled_hardware_types": "ipmi,redfish",
                "enabled_deploy_interfaces": "direct",
                "enabled_boot_interfaces": "pxe",
                "enabled_power_interfaces": "ipmitool,redfish",
                "enabled_management_interfaces": "ipmitool,redfish,noop",
                "enabled_vendor_interfaces": "no-vendor",
                "enabled_bios_interfaces": "no-bios",
                "enabled_rescue_interfaces": "no-rescue",
                "enabled_inspect_interfaces": "no-inspect",
            },
            "libattest": {"lists_dir": str(cls.folder / "ironic" / "attestation")},
            "agent": {"require_tls": "false", "deploy_logs_collect": "never"},
            "ipmi": {"command_retry_timeout": "5", "min_command_interval": "1"},
            "conductor": {"file_url_allowed_paths": str(cls.folder)},
            "deploy": {"default_boot_mode": "bios"},
            "pxe": {
                "tftp_root": folders["tftp"],
                "tftp_master_path": folders["tftp-master"],
                "images_path": folders["images"],
            },
        }

    def run_command(self, command: str, **words: str) -> str:
        command = command.replace("/etc/ironic", str(self.folder / "ironic"))
        for word, value in words.items():
            command = re.sub(rf"\b{word}\b", value, command)
        environment = {
            **os.environ,
            "OS_AUTH_TYPE": "none",
            "OS_ENDPOINT": self.ironic.url,
            "TPM2TOOLS_TCTI": f"swtpm:path={self.tpm.folder / 'socket'}",
        }
        done = subprocess.run(
            ["sh", "-ec", command], cwd=self.folder, env=environment, capture_output=True, text=True
        )
        self.assertEqual(0, done.returncode, f"{command}\n{done.stderr}{self.ironic.log()[-3000:]}")
        return done.stdout

    def enroll(self, driver: str, **driver_info: str) -> str:
        node = self.ironic.request(
            "POST", "/v1/nodes", {"driver": driver, "driver_info": driver_info}
        )["uuid"]
        self.ironic.request(
            "POST", "/v1/ports", {"node_uuid": node, "address": f"52:54:00:{node[:2]}:00:01"}
        )
        return node

    def ramdisk_files(self) -> dict[str, str]:
        files = {}
        for name in ("deploy_kernel", "deploy_ramdisk"):
            (self.folder / name).write_bytes(b"a file")
            files[name] = f"file://{self.folder / name}"
        return files

    def install(self, install: str, configure: str) -> None:
        """The guide's two commands, and what it says of the lists that ironic.conf has."""
        self.run_command(install)
        for option, names in OURS.items():
            had = self.ironic.options["DEFAULT"][option]
            self.ironic.configure("DEFAULT", **{option: f"{names},{had}"})
        self.run_command(configure)
        self.ironic.stop()
        self.ironic.start()


class FromAWorkingIronic(Guide):
    def test_each_command_in_turn(self) -> None:
        install, configure, read_ek, sum_of, driver, settings, validate, provide, status = (
            self.at_most_ten()
        )
        node = self.enroll("ipmi", ipmi_address="192.0.2.1", **self.ramdisk_files())
        other = self.enroll("redfish", redfish_address="https://192.0.2.2", redfish_system_id="/s")
        ipa = self.enterContext(FakeIpa(self.ironic.url, node, self.tpm, {"/usr/bin/ls": LS}))
        lists = self.folder / "ironic" / "attestation"
        lists.mkdir()
        (lists / "allowlist").write_text(
            f"{ipa._boot_aggregate().hex()} boot_aggregate\n{LS.hex()} /usr/bin/ls\n"
        )

        self.install(install, configure)
        ek = self.run_command(read_ek).split()[-2]
        allowlist = self.run_command(sum_of).split()[0]
        self.run_command(driver, NODE=node)
        with_ek, _, with_list = settings.rpartition("DIGEST")
        settings = with_ek.replace("DIGEST", ek) + allowlist + with_list
        self.run_command(settings, NODE=node)
        shown = self.run_command(validate, NODE=node)
        self.assertRegex(shown, r"power +\| True")
        # Nothing is wrong but that there is no image yet.
        self.assertIn("image_source", shown)
        self.assertNotIn("driver_info/", shown)
        self.assertNotIn("not a file on conductor", shown)
        self.run_command(provide, NODE=node)
        self.ironic.wait(node, "available", timeout=120)
        self.assertIn("'verdict': 'trusted'", self.run_command(status, NODE=node))

        # The same two commands for the other hardware type, whose node nobody can reach here.
        self.run_command(driver.replace("libattest-ipmi", "libattest-redfish"), NODE=other)
        self.run_command(settings, NODE=other)
        shown = self.run_command(validate, NODE=other)
        self.assertRegex(shown, r"power +\| True")
        self.assertNotIn("driver_info/tpm", shown)
        seen = self.ironic.node(other)
        self.assertEqual(("libattest-redfish", "libattest-direct", "libattest"),
                         (seen["driver"], seen["deploy_interface"], seen["vendor_interface"]))

    def at_most_ten(self) -> list[str]:
        found = sum(blocks(FIRST), [])
        self.assertLessEqual(len(found), 10)
        return found


if __name__ == "__main__":
    unittest.main(verbosity=2)
