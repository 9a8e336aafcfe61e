# SPDX-License-Identifier: Apache-2.0
"""Trusted boot on Ironic's own test bases: who asks for it, what is refused, which file is made.

The cases of Ironic's own tests for trusted boot, which left it in 21.0, are among them by name.
"""

import json
import os
import pathlib
import stat
import sys
import uuid
from unittest import mock

# The first of Ironic's: it chooses between eventlet and threads.
import ironic.tests.unit  # noqa: F401, I001
import libattest
from ironic.common import boot_devices, dhcp_factory, exception, pxe_utils, states
from ironic.conductor import utils as conductor_utils
from ironic.drivers.modules import boot_mode_utils, deploy_utils, pxe_base
from ironic.tests.unit.objects import utils as obj_utils
from oslo_utils import uuidutils

import unit_test
from libattest_ironic import (
    active,
    attestation,
    boot_file,
    gate,
    hardware,
    inprocess,
    launch,
    pxe,
    settings,
    steps,
    trusted_boot,
    waiting,
)
from libattest_ironic.attestation import Evidenced, Subject
from libattest_ironic.exceptions import AttestationFailure, AttestationPending
from libattest_ironic.record import Record
from libattest_openstack import library

ROOT_UUID = "12345678-1234-1234-1234-1234567890ab"
WRONG = "Trusted boot is only supported in BIOS boot mode with netboot and without whole_disk_image"
FILES = ("pxelinux.0", "ldlinux.c32", "libcom32.c32", "mboot.c32", "tboot.gz")
DEPLOY = {"deploy_kernel": "file:///k", "deploy_ramdisk": "file:///r"}

_BEFORE = """default deploy

label deploy
kernel deploy_kernel
append initrd=deploy_ramdisk
ipappend 3

label boot_partition
kernel kernel
append initrd=ramdisk root={{ ROOT }}

label boot_whole_disk
COM32 chain.c32
append mbr:{{ DISK_IDENTIFIER }}

label trusted_boot
kernel mboot
append tboot.gz --- kernel root={{ ROOT }} --- ramdisk
"""
_AFTER = _BEFORE.replace("default deploy", "default trusted_boot").replace(
    "{{ ROOT }}", f"UUID={ROOT_UUID}"
)


# Who is told what the interpreter does with files. A hook can not be taken away.
_watchers: list = []
sys.addaudithook(lambda event, args: [watcher(event, args) for watcher in _watchers])


def mac(node) -> str:
    return ":".join(["52", *(f"{byte:02x}" for byte in uuid.UUID(node.uuid).bytes[:5])])


class Base(unit_test.Base):
    """A node on libattest-pxe, and a conductor that has every boot file."""

    def setUp(self) -> None:
        super().setUp()
        self.config(enabled_boot_interfaces=["fake", "pxe", "libattest-pxe"])
        self.root = self.folder / "tftp"
        self.root.mkdir()
        for name in FILES:
            (self.root / name).write_bytes(b"\x1f\x8b")
        (self.root / "chain.c32").write_bytes(b"c32")
        self.config(tftp_root=str(self.root), tftp_master_path="", group="pxe")
        self.config(dhcp_provider="none", group="dhcp")

    def node(self, info: dict | None = None, **fields):
        node = super().node(
            {**DEPLOY, **(info or {})},
            **{
                "boot_interface": "libattest-pxe",
                "uuid": uuidutils.generate_uuid(),
                "driver_internal_info": {"is_whole_disk_image": False},
                **fields,
            },
        )
        obj_utils.create_test_port(
            self.context, node_id=node.id, uuid=uuidutils.generate_uuid(), address=mac(node)
        )
        return node

    def asking(self, capabilities: object = None, **fields):
        """A node whose instance asks for trusted boot."""
        instance_info = {
            "capabilities": {"trusted_boot": "true"} if capabilities is None else capabilities,
            "image_source": "http://127.0.0.1/image",
            "kernel": "file:///kernel",
            "ramdisk": "file:///ramdisk",
            **fields.pop("instance_info", {}),
        }
        internal = {
            "is_whole_disk_image": False,
            "root_uuid_or_disk_id": ROOT_UUID,
            **fields.pop("driver_internal_info", {}),
        }
        return self.node(instance_info=instance_info, driver_internal_info=internal, **fields)

    def validate(self, node) -> None:
        with self.task(node) as task:
            task.driver.boot.validate(task)

    def refused(self, words: str, node, kind: type = exception.InvalidParameterValue) -> None:
        with self.assertRaisesRegex(kind, words):
            self.validate(node)


class Asking(Base):
    """Capabilities, as an instance and a node have them."""

    def test_is_trusted_boot_requested_true(self):
        self.assertTrue(trusted_boot.requested(self.asking({"trusted_boot": "true"})))

    def test_is_trusted_boot_requested_false(self):
        self.assertFalse(trusted_boot.requested(self.asking({"trusted_boot": "false"})))

    def test_is_trusted_boot_requested_invalid(self):
        self.assertFalse(trusted_boot.requested(self.asking({"trusted_boot": "invalid"})))

    def test_every_form_that_is_understood(self):
        for value in ("true", "True", "TRUE"):
            for capabilities in ({"trusted_boot": value}, json.dumps({"trusted_boot": value})):
                with self.subTest(capabilities=capabilities):
                    node = self.asking(capabilities)
                    self.assertTrue(trusted_boot.requested(node))
                    self.validate(node)
        for capabilities in ({}, "{}", {"trusted_boot": ""}, {"trusted_boot": "False"}):
            with self.subTest(capabilities=capabilities):
                node = self.asking(capabilities)
                self.assertFalse(trusted_boot.requested(node))
                self.validate(node)

    def test_a_capability_of_the_node_alone_asks_for_nothing(self):
        node = self.asking({}, properties={"capabilities": "trusted_boot:true"})
        self.assertFalse(trusted_boot.requested(node))
        self.validate(node)

    def test_values_that_are_no_text_are_refused_in_words(self):
        for value in (True, False, 1, None, ["true"], {"a": "b"}):
            for capabilities in ({"trusted_boot": value}, json.dumps({"trusted_boot": value})):
                with self.subTest(capabilities=capabilities):
                    node = self.asking(capabilities)
                    self.refused("Acceptable values are: true, false. It must be a text", node)
                    self.assertRaises(
                        exception.InvalidParameterValue, trusted_boot.requested, node
                    )

    def test_validate_fail_invalid_trusted_boot_value(self):
        self.refused(
            "The parameter 'trusted_boot' from instance_info\\['capabilities'\\] has an invalid "
            "value: 'maybe'. Acceptable values are: true, false.",
            self.asking({"trusted_boot": "maybe"}),
        )

    def test_validate_trusted_boot_capability(self):
        self.refused(
            "The parameter 'trusted_boot' from properties/capabilities has an invalid value: "
            "'maybe'. Acceptable values are: true, false.",
            self.node(properties={"capabilities": "boot_mode:bios,trusted_boot:maybe"}),
        )
        for value in ("true", "True", "false"):
            self.validate(self.node(properties={"capabilities": f"trusted_boot:{value}"}))

    def test_capabilities_of_the_instance_that_can_not_be_read(self):
        for capabilities in ("trusted_boot:true", "[]", "{", 7, ["trusted_boot"]):
            with self.subTest(capabilities=capabilities):
                self.refused(
                    "Error parsing capabilities from Node .* instance_info field. A dictionary or "
                    'a "jsonified" dictionary is expected.',
                    self.asking(capabilities),
                )

    def test_capabilities_of_the_node_in_a_form_that_is_not_theirs(self):
        for stated in ({"trusted_boot": True}, {"boot_mode": "bios"}, '{"trusted_boot": true}',
                       "trusted_boot", ["trusted_boot:true"], "trusted_boot=true",
                       "trusted_boot:true:true"):
            for asks in (True, False):
                with self.subTest(stated=stated, asks=asks):
                    node = (self.asking if asks else self.node)(properties={"capabilities": stated})
                    self.refused("properties/capabilities is a text of the form", node)

    def test_other_capabilities_that_are_no_text(self):
        for name in ("secure_boot", "boot_mode", "boot_option"):
            node = self.asking({"trusted_boot": "true", name: True})
            self.refused(f"'{name}' from instance_info\\['capabilities'\\] is not a text", node)

    def test_a_boot_interface_that_can_not_do_it(self):
        for boot in ("fake", "pxe"):
            for node in (self.asking(boot_interface=boot),
                         self.node({"trusted_boot_ramdisk": True}, boot_interface=boot)):
                with self.task(node) as task, self.assertRaisesRegex(
                    exception.InvalidParameterValue, f"boot interface {boot} does not do it"
                ):
                    task.driver.deploy.validate(task)

    def test_an_ironic_that_prepares_no_boot(self):
        self.config(manage_agent_boot=False, group="agent")
        with self.task(self.asking()) as task, self.assertRaisesRegex(
            exception.InvalidParameterValue, "manage_agent_boot is false"
        ):
            task.driver.deploy.validate(task)

    def test_all_our_hardware_types_support_it_and_prefer_what_they_had(self):
        for kind in (hardware.IPMIHardware, hardware.RedfishHardware, hardware.FakeHardware):
            supported = kind().supported_boot_interfaces
            self.assertIs(pxe.TrustedPXEBoot, supported[-1])
            self.assertGreater(len(supported), 2)


class Combinations(Base):
    """What trusted boot needs. The one text of Ironic's own for all that is missing."""

    def wrong(self, node, **shown) -> None:
        words = "".join(f".*{name}: {value}" for name, value in shown.items())
        self.refused(WRONG + words, node)

    def test_validate_boot_parameters_for_trusted_boot_one(self):
        self.wrong(self.asking(properties={"capabilities": "boot_mode:uefi"}), boot_mode="uefi")

    def test_validate_boot_parameters_for_trusted_boot_two(self):
        capabilities = {"trusted_boot": "true", "boot_option": "local"}
        self.wrong(self.asking(capabilities), boot_mode="bios", boot_option="local")

    def test_validate_boot_parameters_for_trusted_boot_three(self):
        node = self.asking(driver_internal_info={"is_whole_disk_image": True})
        self.wrong(node, boot_option="netboot", is_whole_disk_image="True")

    def test_validate_boot_parameters_for_trusted_boot_pass(self):
        self.validate(
            self.asking(
                {"trusted_boot": "true", "boot_option": "netboot"},
                properties={"capabilities": "boot_mode:bios"},
            )
        )

    def test_validate_fail_trusted_boot(self):
        node = self.asking({"trusted_boot": "true", "secure_boot": "true"})
        self.wrong(node, boot_mode="uefi")

    def test_secure_boot_wins_over_a_boot_mode(self):
        capabilities = {"trusted_boot": "true", "secure_boot": "true", "boot_mode": "bios"}
        self.wrong(self.asking(capabilities), boot_mode="uefi")

    def test_every_place_that_names_another_boot_mode(self):
        self.wrong(self.asking({"trusted_boot": "true", "boot_mode": "uefi"}), boot_mode="uefi")
        self.wrong(self.asking(instance_info={"deploy_boot_mode": "uefi"}), boot_mode="uefi")
        # Also where another place says bios.
        node = self.asking({"trusted_boot": "true", "boot_mode": "bios"},
                           properties={"capabilities": "boot_mode:uefi"})  # fmt: skip
        self.wrong(node, boot_mode="uefi")

    def test_interfaces_without_a_disk_image(self):
        for name, option in (("ramdisk", "ramdisk"), ("anaconda", "kickstart")):
            node = self.asking()
            node.deploy_interface = name
            with mock.patch.object(deploy_utils, "get_boot_option", return_value=option):
                with self.task(node) as task, self.assertRaisesRegex(
                    exception.InvalidParameterValue, WRONG + f".*boot_option: {option}"
                ):
                    trusted_boot.check_instance(task)

    def test_a_volume(self):
        node = self.asking()
        with mock.patch.object(deploy_utils, "is_iscsi_boot", return_value=True):
            self.refused("boots from a volume", node)
        with self.task(node) as task, mock.patch.object(
            task.driver.storage, "should_write_image", return_value=False
        ), self.assertRaisesRegex(exception.InvalidParameterValue, "boots from a volume"):
            task.driver.boot.validate(task)

    def test_what_ironic_itself_asks_of_a_boot_interface(self):
        node = self.node({"deploy_kernel": None})
        self.refused("deploy_kernel", node, exception.MissingParameterValue)

    def test_an_image_without_kernel_or_ramdisk(self):
        for label, other in (("kernel", "ramdisk"), ("ramdisk", "kernel")):
            with self.subTest(label), mock.patch.object(
                deploy_utils, "get_image_properties", return_value={f"{other}_id": "glance"}
            ):
                node = self.asking(instance_info={label: None})
                self.refused(f"starts the instance's own kernel: {label} of Node", node,
                             exception.MissingParameterValue)

    def test_kernel_and_ramdisk_of_the_images_properties(self):
        node = self.asking(instance_info={"kernel": None, "ramdisk": None})
        properties = {"kernel_id": "glance-k", "ramdisk_id": "glance-r"}
        with mock.patch.object(deploy_utils, "get_image_properties", return_value=properties):
            with self.task(node) as task:
                images = pxe._instance_images(task)
        self.assertEqual(["glance-k", "glance-r"], [image for image, _ in images.values()])

    def test_a_kernel_alone_is_not_mixed_with_the_images(self):
        node = self.asking(instance_info={"ramdisk": None})
        properties = {"kernel_id": "glance-k", "ramdisk_id": "glance-r"}
        with mock.patch.object(deploy_utils, "get_image_properties", return_value=properties):
            with self.task(node) as task:
                images = pxe._instance_images(task)
        self.assertEqual(["glance-k", "glance-r"], [image for image, _ in images.values()])

    def test_what_is_no_file_is_lacking(self):
        (self.root / "tboot.gz").unlink()
        (self.root / "tboot.gz").mkdir()
        self.refused("lacks tboot.gz in", self.asking(), exception.MissingParameterValue)

    def test_a_boot_loader_of_the_nodes_architecture(self):
        for key, lacking in (("x86_64-bios", "lpxelinux.0"), ("x86_64", "lpxelinux.0"),
                             ("aarch64", None)):
            with self.subTest(key):
                self.config(pxe_bootfile_name_by_arch={key: "lpxelinux.0"}, group="pxe")
                node = self.asking(properties={"cpu_arch": "x86_64"})
                if lacking is None:
                    self.validate(node)
                else:
                    self.refused(f"lacks {lacking} in", node, exception.MissingParameterValue)

    def test_each_boot_file_that_this_conductor_lacks(self):
        for name in FILES:
            with self.subTest(name):
                os.rename(self.root / name, self.root / "away")
                for node in (self.asking(), self.node(
                        {"trusted_boot_ramdisk": True, "trusted_boot_policy": "p"},
                        properties={"capabilities": "boot_mode:bios"})):
                    self.refused(f"conductor {settings.CONF.host} lacks {name} in", node,
                                 exception.MissingParameterValue)
                os.rename(self.root / "away", self.root / name)

    def test_who_does_not_ask_needs_no_boot_file(self):
        for name in FILES:
            os.unlink(self.root / name)
        self.validate(self.node())

    def test_a_ramdisk_needs_bios(self):
        node = self.node({"trusted_boot_ramdisk": "true", "trusted_boot_policy": "p"})
        self.refused("trusted_boot_ramdisk needs boot mode bios", node)


class BootFile(Base):
    """The file that the node boots by."""

    def setUp(self) -> None:
        super().setUp()
        self.dhcp = self.enterContext(mock.patch.object(dhcp_factory.DHCPFactory, "update_dhcp"))
        self.device = self.enterContext(
            mock.patch.object(conductor_utils, "node_set_boot_device", autospec=True)
        )
        self.enterContext(
            mock.patch.object(pxe_utils, "cache_ramdisk_kernel", side_effect=self.fetch)
        )

    def fetch(self, task, images: dict, **_) -> None:
        for _, path in images.values():
            pathlib.Path(path).parent.mkdir(exist_ok=True)
            pathlib.Path(path).write_bytes(b"fetched")

    def prepare(self, node, state: str = states.DEPLOYING) -> str:
        node.provision_state = state
        node.save()
        with self.task(node) as task:
            task.driver.boot.prepare_instance(task)
        return (self.root / node.uuid / "config").read_text()

    def prepare_ramdisk(self, node, **params: str) -> str:
        node.provision_state = states.DEPLOYING
        node.save()
        with self.task(node) as task:
            task.context.global_request_id = "req-e1a7"
            task.driver.boot.prepare_ramdisk(task, {"ipa-api-url": "http://192.0.2.1", **params})
        return (self.root / node.uuid / "config").read_text()

    def test_switch_pxe_config_trusted_boot(self):
        path = self.folder / "config"
        path.write_text(_BEFORE)
        switch = libattest.switch_boot_config
        self.assertTrue(library.call(switch, str(path), "trusted_boot", root_uuid=ROOT_UUID))
        self.assertEqual(_AFTER, path.read_text())

    def test_the_whole_file(self):
        node = self.asking(instance_info={"kernel_append_params": "console=ttyS0 quiet"})
        text = self.prepare(node)
        self.assertEqual("default trusted_boot", text.splitlines()[0])
        section = text.partition("label trusted_boot\n")[2].splitlines()
        self.assertEqual("kernel mboot.c32", section[0])
        self.assertEqual(
            f"append tboot.gz --- {node.uuid}/kernel root=UUID={ROOT_UUID} ro text console=ttyS0 "
            f"quiet intel_iommu=on --- {node.uuid}/ramdisk".split(),
            section[1].split(),
        )
        for label in ("boot_whole_disk", "boot_ramdisk", "boot_anaconda"):
            self.assertIn(f"label {label}\n", text)
        self.assertNotIn("{{ ROOT }}", text)
        self.assertIn("mbr:{{ DISK_IDENTIFIER }}", text)

    def test_it_is_booted_by_the_nodes_ports_over_the_network(self):
        node = self.asking()
        self.prepare(node)
        link = self.root / "pxelinux.cfg" / ("01-" + mac(node).replace(":", "-"))
        self.assertIn("default trusted_boot", link.read_text())
        self.device.assert_called_once_with(mock.ANY, boot_devices.PXE, persistent=True)

    def test_options_go_to_the_tenants_port(self):
        node = self.asking()
        group = obj_utils.create_test_portgroup(
            self.context, node_id=node.id, internal_info={"tenant_vif_port_id": "g"}
        )
        with self.task(node) as task:
            port = task.ports[0]
            port.internal_info = {"provisioning_vif_port_id": "p", "tenant_vif_port_id": "t"}
            port.save()
        self.prepare(node)
        ports = self.dhcp.call_args.args[2]
        self.assertEqual({"ports": {port.uuid: "t"}, "portgroups": {group.uuid: "g"}}, ports)
        options = self.dhcp.call_args.args[1]
        self.assertIn("pxelinux.0", {option["opt_value"] for option in options})
        self.assertEqual({4, 6}, {option["ip_version"] for option in options})

    def test_without_a_tenants_port_ironic_chooses(self):
        self.prepare(self.asking())
        self.assertIsNone(self.dhcp.call_args.args[2])

    def test_the_instance_is_written_down_as_ironic_reads_it(self):
        node = self.asking('{"trusted_boot": "True", "other": "x"}')
        self.prepare(node)
        node.refresh()
        self.assertEqual({"trusted_boot": "true", "boot_mode": "bios", "other": "x"},
                         node.instance_info["capabilities"])
        self.assertEqual("bios", boot_mode_utils.get_boot_mode(node))
        # As soon as its ramdisk is booted, too.
        node = self.asking()
        self.prepare_ramdisk(node)
        node.refresh()
        self.assertEqual({"trusted_boot": "true", "boot_mode": "bios"},
                         node.instance_info["capabilities"])

    def test_its_boot_mode_is_known_when_the_node_is_set_to_it(self):
        seen = []

        def sync(task) -> None:
            seen.append(boot_mode_utils.get_boot_mode(task.node))

        with mock.patch.object(boot_mode_utils, "sync_boot_mode", side_effect=sync):
            self.prepare(self.asking())
            self.prepare_ramdisk(self.asking())
        self.assertEqual(["bios", "bios"], seen)

    def test_what_was_deployed_is_booted_whatever_becomes_of_its_image(self):
        node = self.asking(instance_info={"kernel": None, "ramdisk": None})
        properties = {"kernel_id": "glance-k", "ramdisk_id": "glance-r"}
        with mock.patch.object(deploy_utils, "get_image_properties", return_value=properties):
            self.prepare(node)
        node.refresh()
        self.assertEqual(("glance-k", "glance-r"),
                         (node.instance_info["kernel"], node.instance_info["ramdisk"]))
        with mock.patch.object(deploy_utils, "get_image_properties") as asked:
            self.prepare(node, states.ACTIVE)
        asked.assert_not_called()

    def test_a_file_that_is_there_is_made_again(self):
        node = self.asking()
        first = self.prepare(node)
        path = self.root / node.uuid / "config"
        path.write_text("default deploy\n")
        self.device.reset_mock()
        self.assertEqual(first, self.prepare(node, states.ACTIVE))
        path.unlink()
        self.assertEqual(first, self.prepare(node, states.UNRESCUING))
        self.assertEqual(1, self.device.call_count)  # not of a node that runs
        self.prepare(node, states.ADOPTING)
        self.assertEqual(1, self.device.call_count)

    def publications(self, node, state: str) -> list[str]:
        """What the node's file has been while it was prepared: one text for each change of it.

        Fails if the file, or a link to it, was not there for a moment, or was written over.
        """
        config = str(self.root / node.uuid / "config")
        links = str(self.root / "pxelinux.cfg") + "/"
        texts, wrong = [], []

        def watch(event: str, args: tuple) -> None:
            names = [str(arg) for arg in args if isinstance(arg, (str, os.PathLike))]
            published = [name for name in names if name == config or name.startswith(links)]
            if not published:
                return
            if event == "os.rename" and published == [names[1]]:
                if names[1] == config:
                    texts.append(pathlib.Path(names[0]).read_text())
                else:
                    texts.append(os.readlink(names[0]))
            elif event != "open" or args[2] & (os.O_WRONLY | os.O_RDWR):
                wrong.append((event, args))

        _watchers.append(watch)
        try:
            self.prepare(node, state)
        finally:
            _watchers.remove(watch)
        self.assertEqual([], wrong)
        return texts

    def test_a_node_that_runs_finds_a_whole_file_at_every_moment(self):
        node = self.asking()
        for words, state in (("one", states.DEPLOYING), ("two", states.ACTIVE)):
            node.instance_info = {**node.instance_info, "kernel_append_params": words}
            text, link = self.publications(node, state)
            self.assertEqual("default trusted_boot", text.splitlines()[0])
            self.assertIn(f" root=UUID={ROOT_UUID} ro text {words} ", text)
            self.assertNotIn("{{ ROOT }}", text)
            self.assertEqual(f"../{node.uuid}/config", link)
            node.refresh()

    def test_a_node_that_runs_keeps_its_file_when_the_new_one_would_not_boot(self):
        node = self.asking()
        before = self.prepare(node)
        self.dhcp.reset_mock()
        (self.root / node.uuid / "kernel").unlink()
        with mock.patch.object(pxe_utils, "cache_ramdisk_kernel"):
            with self.assertRaisesRegex(exception.InstanceDeployFailure, f"{node.uuid}/kernel"):
                self.prepare(node, states.ACTIVE)
        self.assertEqual(before, (self.root / node.uuid / "config").read_text())
        self.dhcp.assert_not_called()

    def test_what_an_interruption_left_behind_harms_nothing(self):
        node = self.asking()
        text = self.prepare(node)
        folder = self.root / node.uuid
        (folder / "config.new").write_text("default deploy\n")
        (folder / "config.link").symlink_to("config")
        self.assertEqual([text, f"../{node.uuid}/config"], self.publications(node, states.ACTIVE))

    def test_a_file_that_can_not_be_written_is_said_in_words(self):
        node = self.asking()
        (self.root / "pxelinux.cfg").write_text("a file where a folder should be")
        with self.assertRaisesRegex(exception.InstanceDeployFailure, "Trusted boot: .*pxelinux"):
            self.prepare(node)
        self.device.assert_not_called()

    def test_it_is_told_where_to_boot_once_the_file_is_there(self):
        node = self.asking()
        path = self.root / node.uuid / "config"
        self.dhcp.side_effect = lambda *_: self.assertTrue(path.exists())
        self.device.side_effect = lambda *_, **__: self.assertTrue(self.dhcp.called)
        self.prepare(node)
        self.device.assert_called_once()

    def test_what_differs_at_each_deployment_is_not_measured(self):
        node = self.asking(instance_info={
            "kernel_append_params": "a ipa-global-request-id=req-1 b ipa-agent-token=secret "
            "ipa-debug=1 c"})
        self.context.global_request_id = "req-e1a7"
        text = self.prepare(node)
        self.assertNotIn("ipa-", text)
        self.assertIn(" a b c intel_iommu=on", text)

    def test_values_that_would_break_out_of_their_line(self):
        for words in ("a --- other", "---", "a\nlabel x", "a\x0blabel x", "a\x1b[0m"):
            with self.subTest(words):
                # Ironic's newer releases refuse some of them first.
                options = {"pxe_append_params": words, "aki_path": "k", "ari_path": "r"}
                with mock.patch.object(
                    pxe_utils, "build_pxe_config_options", return_value=options
                ), self.assertRaisesRegex(exception.InstanceDeployFailure, "Trusted boot: append:"):
                    self.prepare(self.asking())
                self.device.assert_not_called()

    def test_values_that_the_library_does_not_even_take(self):
        options = {"pxe_append_params": "a\0b", "aki_path": "k", "ari_path": "r"}
        with mock.patch.object(
            pxe_utils, "build_pxe_config_options", return_value=options
        ), self.assertRaisesRegex(exception.InstanceDeployFailure, "Trusted boot: "):
            self.prepare(self.asking())

    def test_what_the_library_can_not_do(self):
        error = libattest.Error("out of memory")
        for name in ("render_boot_config", "check_boot_config"):
            with mock.patch.object(libattest, name, side_effect=error), self.assertRaisesRegex(
                exception.InstanceDeployFailure, "Trusted boot: out of memory"
            ):
                self.prepare(self.asking())

    def test_a_root_uuid_of_a_hostile_ramdisk(self):
        for uuid in ("x\nlabel y", "a --- b", "", None, "{{ ROOT }}", "a b", 7.5):
            with self.subTest(uuid=uuid):
                node = self.asking(driver_internal_info={"root_uuid_or_disk_id": uuid})
                self.assertRaises(exception.InstanceDeployFailure, self.prepare, node)
                self.device.assert_not_called()

    def test_a_command_line_that_tboot_would_cut(self):
        node = self.asking(instance_info={"kernel_append_params": "a" * 1100})
        with self.assertRaisesRegex(exception.InstanceDeployFailure, "1023"):
            self.prepare(node)
        self.device.assert_not_called()

    def test_a_file_that_would_not_boot_stops_the_deployment(self):
        node = self.asking()
        with mock.patch.object(pxe_utils, "cache_ramdisk_kernel"):
            with self.assertRaisesRegex(exception.InstanceDeployFailure, f"{node.uuid}/kernel"):
                self.prepare(node)
        self.device.assert_not_called()
        self.assertFalse((self.root / node.uuid / "config").exists())

    def test_rules_hold_when_the_file_is_made_too(self):
        for change in ({"driver_internal_info": {"is_whole_disk_image": True}},
                       {"properties": {"capabilities": "boot_mode:uefi"}}):
            node = self.asking(**change)
            with self.assertRaisesRegex(exception.InvalidParameterValue, WRONG):
                self.prepare(node)
            with self.assertRaisesRegex(exception.InvalidParameterValue, WRONG):
                self.prepare_ramdisk(node)
        node = self.asking({"trusted_boot": "maybe"})
        for prepare in (self.prepare, self.prepare_ramdisk):
            with self.assertRaisesRegex(exception.InvalidParameterValue, "Acceptable values are"):
                prepare(node)
        # Nobody has asked what this conductor has, where a node is taken over or cleaned.
        (self.root / "pxelinux.0").unlink()
        for prepare, node in ((self.prepare, self.asking()),
                              (self.prepare_ramdisk, self.by_tboot())):
            with self.assertRaisesRegex(exception.MissingParameterValue, "lacks pxelinux.0 in"):
                prepare(node)
        with self.assertRaisesRegex(exception.InvalidParameterValue, "needs boot mode bios"):
            self.prepare_ramdisk(self.by_tboot(properties={}))

    def by_tboot(self, **fields):
        """A node whose deploy ramdisk is started by tboot."""
        properties = {"capabilities": "boot_mode:bios"}
        info = {"trusted_boot_ramdisk": "True", "trusted_boot_policy": "p"}
        return self.node({**info, **fields.pop("info", {})}, **{"properties": properties, **fields})

    def test_a_ramdisk_that_would_not_boot_stops_the_node(self):
        with mock.patch.object(pxe_utils, "cache_ramdisk_kernel"):
            node = self.by_tboot()
            with self.assertRaisesRegex(exception.InstanceDeployFailure, "/deploy_kernel"):
                self.prepare_ramdisk(node)
        self.assertNotIn("mboot.c32", (self.root / node.uuid / "config").read_text())

    def test_a_rescue_ramdisk_is_ironics_own(self):
        node = self.by_tboot(info={"rescue_kernel": "file:///k", "rescue_ramdisk": "file:///r"})
        node.provision_state = states.RESCUING
        node.save()
        with self.task(node) as task:
            task.driver.boot.prepare_ramdisk(task, {"ipa-api-url": "http://192.0.2.1"})
        text = (self.root / node.uuid / "config").read_text()
        self.assertIn("rescue_kernel", text)
        self.assertNotIn("mboot.c32", text)

    def test_what_may_be_otherwise_does_not_stop_a_deployment(self):
        node = self.asking()
        problem = mock.Mock(severity=libattest.Severity.WARNING, line=1)
        with mock.patch.object(libattest, "check_boot_config", return_value=[problem]), \
             mock.patch.object(boot_file.LOG, "warning") as warned:
            self.prepare(node)
        self.assertIn(problem, warned.call_args.args)

    def test_the_label_that_is_meant_is_the_one_that_is_checked(self):
        node = self.asking()
        text = self.prepare(node)
        boot_file.check(node, text, "trusted_boot")
        other = text.replace("default trusted_boot", "default boot_whole_disk")
        other = other.replace(f"UUID={ROOT_UUID}", "{{ ROOT }}")
        with self.assertRaisesRegex(exception.InstanceDeployFailure, f"{node.uuid}/config: .*ROOT"):
            boot_file.check(node, other, "trusted_boot")

    def test_what_is_wrong_with_the_file_as_a_whole_counts(self):
        problem = mock.Mock(severity=libattest.Severity.FAILURE)
        for line in (None, 1):
            problem.line = line
            with mock.patch.object(libattest, "check_boot_config", return_value=[problem]):
                self.assertRaises(exception.InstanceDeployFailure, self.prepare, self.asking())

    def test_tear_down_removes_it(self):
        node = self.asking()
        obj_utils.create_test_port(
            self.context, node_id=node.id, uuid=uuidutils.generate_uuid(),
            address="54" + mac(node)[2:], extra={"client-id": "ff:00"},
        )  # fmt: skip
        text = self.prepare(node)
        ethernet = mac(node).replace(":", "-")
        for name in (f"01-{ethernet}", f"20-54{ethernet[2:]}"):
            self.assertEqual(text, (self.root / "pxelinux.cfg" / name).read_text())
        with self.task(node) as task:
            task.driver.boot.clean_up_instance(task)
        self.assertFalse((self.root / node.uuid).exists())
        self.assertEqual([], list((self.root / "pxelinux.cfg").iterdir()))

    def test_who_does_not_ask_has_ironics_own(self):
        for boot in ("pxe", "libattest-pxe"):
            node = self.node(boot_interface=boot)
            with mock.patch.object(pxe_base.PXEBaseMixin, "prepare_instance") as stock:
                with self.task(node) as task:
                    task.driver.boot.prepare_instance(task)
            stock.assert_called_once()
        texts = {
            boot: self.prepare_ramdisk(self.node(boot_interface=boot, properties={
                "capabilities": "boot_mode:bios"})).replace(node.uuid, "")
            for boot in ("pxe", "libattest-pxe")
        }
        lines = [[line.partition("/")[2] or line for line in text.splitlines()]
                 for text in texts.values()]
        self.assertEqual(lines[0], lines[1])

    def test_a_ramdisk_started_by_tboot(self):
        node = self.by_tboot()
        text = self.prepare_ramdisk(node, **{"ipa-agent-token": "secret"})
        self.assertEqual("default deploy", text.splitlines()[0])
        section = text.partition("label deploy\n")[2].splitlines()
        self.assertEqual("kernel mboot.c32", section[0])
        self.assertRegex(
            section[1],
            f"^append tboot.gz +--- {node.uuid}/deploy_kernel .* ipa-api-url=http://192.0.2.1 .*"
            f"intel_iommu=on --- {node.uuid}/deploy_ramdisk$",
        )
        for word in ("ipa-global-request-id", "ipa-agent-token", "secret"):
            self.assertNotIn(word, section[1])
        self.assertNotIn("ipappend", section[2])

    def test_tboots_own_arguments(self):
        self.config(tboot_args="logging=serial,memory", group="libattest")
        self.assertIn("append tboot.gz logging=serial,memory --- ", self.prepare(self.asking()))

    def test_permissions_are_those_that_ironic_gives(self):
        self.config(file_permission=0o640, group="pxe")
        node = self.asking()
        self.prepare(node)
        mode = stat.S_IMODE((self.root / node.uuid / "config").stat().st_mode)
        self.assertEqual(0o640, mode)
        self.config(file_permission=None, group="pxe")
        self.prepare(node)

    def test_it_is_on_the_disk_before_it_takes_its_place(self):
        node, order = self.asking(), []
        with mock.patch.object(os, "fsync", lambda _: order.append("fsync")), \
             mock.patch.object(os, "replace", lambda *_: order.append("replace")):
            boot_file._put(str(self.root / node.uuid / "config"), "text", [])
        self.assertEqual(["fsync", "replace"], order)


LAUNCH = {
    **unit_test.GOOD,
    "attestation_interface": "libattest",
    "trusted_boot_ramdisk": "true",
    "trusted_boot_policy": "launch.json",
}
ACTIVE = {
    "attest_active": "required",
    "keylime_agent_address": "192.0.2.9",
    "keylime_instance_container": "instance",
    "trusted_boot_instance_policy": "instance.json",
}


class LaunchSettings(Base):
    """What driver_info says of measured launches."""

    def problems(self, **changes) -> str:
        info = {key: value for key, value in {**LAUNCH, **changes}.items() if value is not None}
        return "\n".join(settings.read(info)[1])

    def test_good_ones(self):
        self.assertEqual("", self.problems())
        self.assertEqual("", self.problems(**ACTIVE, trusted_boot_on_failure="warn"))
        read = settings.read({**LAUNCH, **ACTIVE, "trusted_boot_on_failure": "warn"})[0].launch
        self.assertEqual(settings.Launch(True, "launch.json", "instance.json", True), read)

    def test_without_policy_or_ramdisk(self):
        self.assertIn("trusted_boot_policy is missing", self.problems(trusted_boot_policy=None))
        self.assertIn("trusted_boot_ramdisk is missing", self.problems(trusted_boot_ramdisk=None))
        self.assertIn("trusted_boot_ramdisk is missing",
                      self.problems(trusted_boot_ramdisk="false"))

    def test_an_interface_that_compares_nothing(self):
        for name in ("keylime", "no-attestation", None):
            with self.subTest(name):
                self.assertIn("need attestation_interface=libattest",
                              self.problems(attestation_interface=name))

    def test_an_instances_policy_that_nobody_reads(self):
        for active in ("off", None):
            self.assertIn("trusted_boot_instance_policy needs attest_active",
                          self.problems(**{**ACTIVE, "attest_active": active}))

    def test_wrong_values(self):
        for key, values in {
            "trusted_boot_ramdisk": ["yes", 1, "t", [], {"a": 1}],
            "trusted_boot_policy": [7, "a\nb", ["x"], "x" * 2000],
            "trusted_boot_on_failure": ["ignore", True, "Warn", []],
        }.items():
            for value in values:
                with self.subTest(key=key, value=str(value)[:20]):
                    self.assertIn(key, self.problems(**{key: value}))

    def test_what_is_no_answer_is_taken_for_yes(self):
        self.assertTrue(settings.read({**LAUNCH, "trusted_boot_ramdisk": "yes"})[0].launch.ramdisk)

    def test_warn_is_for_launches_and_never_where_attestation_is_required(self):
        self.assertIn("no launch is compared", self.problems(
            trusted_boot_on_failure="warn", trusted_boot_ramdisk=None, trusted_boot_policy=None))
        self.config(require_attestation=True, group="libattest")
        self.assertIn("trusted_boot_on_failure is warn: [libattest]require_attestation is set",
                      self.problems(trusted_boot_on_failure="warn"))

    def test_the_digest_changes_with_every_one(self):
        one = settings.read({**LAUNCH, **ACTIVE})[0].digest
        for key, value in (("trusted_boot_ramdisk", "false"), ("trusted_boot_policy", "x"),
                           ("trusted_boot_instance_policy", "x"),
                           ("trusted_boot_on_failure", "warn")):
            changed = {**LAUNCH, **ACTIVE, key: value}
            self.assertNotEqual(one, settings.read(changed)[0].digest, key)

    def test_warnings_say_that_it_is_on_and_which_file_is_missing(self):
        info = {**LAUNCH, **ACTIVE, "trusted_boot_on_failure": "warn",
                "keylime_container": None, "keylime_allowlist": "a",
                "keylime_allowlist_checksum": "0" * 64}  # fmt: skip
        read, problems = settings.read(info)
        self.assertEqual([], problems)
        lines = steps.warnings(read)
        self.assertTrue(any("trusted_boot_on_failure is warn" in line for line in lines))
        self.assertTrue(any("launch.json is not a file on conductor" in line for line in lines))


class BadLaunch(Base):
    """A verdict that is bad by its launch alone."""

    WARN = {**LAUNCH, "trusted_boot_on_failure": "warn"}

    def judged(self, info: dict, *, only_launch: bool = True):
        node = self.node(info)
        record = Record(node)
        record.begin(asked=True)
        for phase in ("deploy", "handover"):
            record.set_verdict(
                phase, "failed", "the deploy ramdisk's launch: PCR 17", interface="libattest",
                settings=settings.read(node.driver_info)[0].digest, only_launch=only_launch,
                evidenced=Evidenced("e" * 64, "a", (1, 0), True, "l", launch=launch.OF_RAMDISK),
            )  # fmt: skip
        record.save()
        return node

    def test_refuse_stops_the_node(self):
        node = self.judged(LAUNCH)
        for phase in ("deploy", "handover"):
            self.assertRaises(AttestationFailure, gate.settled, node, phase)
            self.assertRaises(AttestationFailure, gate.check, node, phase, same_boot=True)
        self.assertIn("without a trusted verdict", active.unattested(node))

    def test_warn_lets_it_go_on(self):
        node = self.judged(self.WARN)
        for phase in ("deploy", "handover"):
            self.assertTrue(gate.settled(node, phase))
            gate.check(node, phase, same_boot=True)
        self.assertEqual("", active.unattested(node))

    def test_warn_is_for_the_launch_alone(self):
        node = self.judged(self.WARN, only_launch=False)
        self.assertRaises(AttestationFailure, gate.settled, node, "deploy")
        self.assertRaises(AttestationFailure, gate.check, node, "deploy", same_boot=True)
        self.assertIn("without a trusted verdict", active.unattested(node))

    def test_warn_ends_where_attestation_is_required(self):
        node = self.judged(self.WARN)
        self.config(require_attestation=True, group="libattest")
        self.assertRaises(AttestationFailure, gate.settled, node, "deploy")
        self.assertRaises(AttestationFailure, gate.check, node, "deploy", same_boot=True)

    def test_warn_is_of_these_settings_and_this_boot(self):
        node = self.judged(self.WARN)
        node.driver_info = {**node.driver_info, "trusted_boot_policy": "other"}
        with self.assertRaisesRegex(AttestationFailure, "settings have changed"):
            gate.check(node, "deploy", same_boot=True)
        node = self.judged(self.WARN)
        node.set_driver_internal_info("agent_secret_token", "another boot's")
        with self.assertRaisesRegex(AttestationFailure, "rebooted"):
            gate.check(node, "deploy", same_boot=True)

    def test_a_reboot_before_the_handover_is_more_than_a_bad_launch(self):
        node = self.judged(self.WARN)
        evidenced = Evidenced("e" * 64, "a", (2, 0), True, "l", launch=launch.OF_RAMDISK)
        outcome = waiting.Outcome("failed", "r", evidenced, only_launch=True)
        outcome = waiting._same_boot(Record(node), "handover", outcome)
        self.assertEqual(("failed", False, None),
                         (outcome.verdict, outcome.only_launch, outcome.evidenced))

    def test_an_active_node_that_warns_has_answered(self):
        shown = Evidenced("e" * 64, "a", (1, 0), False, "l", launch=launch.OF_INSTANCE)
        bad = launch.LaunchFailure(AttestationFailure("PCR 17"), shown)
        node = self.node({**self.WARN, **ACTIVE}, provision_state=states.ACTIVE)
        watched = active.resume(node, settings.read(node.driver_info)[0], None, None)
        watched.good_at -= 10 * 24 * 3600
        driver = mock.Mock(**{"validate.return_value": [],
                              "validate_active.side_effect": [bad, AttestationPending("later")]})
        with mock.patch.object(attestation, "get", return_value=driver):
            for verdict in ("failed", "unknown"):
                active.run(watched)
                self.assertEqual(verdict, watched.verdict)
        node.refresh()
        self.assertFalse(node.maintenance)

    def test_nothing_is_pinned_by_it(self):
        self.config(ek_trust="first_use", group="libattest")
        node = self.judged(self.WARN)
        evidenced = Evidenced("e" * 64, "a", (1, 0), True, "l", launch=launch.OF_RAMDISK)
        record = Record(node)
        waiting._pin(record, waiting.Outcome("failed", "r", evidenced, only_launch=True))
        self.assertEqual({}, record.pinned)


class Judging(Base):
    """The second quote, by which a launch is judged."""

    GOOD = Evidenced("e" * 64, "a", (1, 0), True, "l", ("a note",))

    def judge(self, appraise, policy: object = "a policy"):
        masks = []
        with mock.patch.object(inprocess, "appraise", appraise):
            try:
                return masks, inprocess.judge_launch(
                    launch.OF_RAMDISK, masks.append, policy, self.GOOD
                )
            except AttestationFailure as failure:
                return masks, failure

    def test_without_a_policy_nothing_is_asked(self):
        self.assertEqual(([], self.GOOD), self.judge(None, policy=None))

    def test_exactly_the_pcrs_of_the_policy_are_quoted(self):
        masks, judged = self.judge(lambda *_: inprocess.Verdict("a", (1, 0), ()))
        self.assertEqual([0b11100000000011111111], masks)
        self.assertEqual(launch.OF_RAMDISK, judged.launch)

    def test_notes_say_of_what_they_are(self):
        judged = self.judge(lambda *_: inprocess.Verdict("a", (1, 0), ("event 4 is odd",)))[1]
        self.assertEqual(("a note", "the deploy ramdisk's launch: event 4 is odd"), judged.notes)

    def test_a_bad_launch_is_of_what_was_shown(self):
        def bad(*_):
            raise AttestationFailure("PCR 17", ["PCR 17"])

        failure = self.judge(bad)[1]
        self.assertIsInstance(failure, launch.LaunchFailure)
        self.assertEqual("the deploy ramdisk's launch: PCR 17", failure.reason)
        self.assertEqual((1, 0), failure.evidenced.boot)

    def test_another_boot_or_key_is_more_than_a_bad_launch(self):
        for name, boot in (("a", (2, 0)), ("a", (1, 1)), ("b", (1, 0))):
            failure = self.judge(lambda *_: inprocess.Verdict(name, boot, ()))[1]
            self.assertNotIsInstance(failure, launch.LaunchFailure)
            self.assertIn("rebooted", failure.reason)

    def test_policies_that_are_none(self):
        for data in (b"", b"{", b"[]", b"{}", b"\xff", b"null"):
            self.assertRaises(AttestationFailure, launch.make_policy, data)
        with mock.patch.object(libattest, "Policy") as policy:
            policy.parse.side_effect = libattest.Error("out of memory")
            self.assertRaises(AttestationFailure, launch.make_policy, b"{}")

    RULES = {
        "version": 1, "launch": {"required": True}, "ak": {"names": ["000b" + "a" * 64]},
        "pcrs": {str(pcr): ["1" * 64] for pcr in (*range(8), 17, 18, 19)},
    }  # fmt: skip

    def test_policies_that_let_any_launch_pass(self):
        for change, words in (
            ({"launch": {"required": False}}, "does not demand one"),
            ({"bank": "sha384", "pcrs": {k: ["1" * 96] for k in self.RULES["pcrs"]}},
             "is for bank sha384: nodes quote sha256"),
            ({"unheard of": 1}, "the policy of the launch: "),
        ):  # fmt: skip
            with self.subTest(words), self.assertRaisesRegex(AttestationFailure, words):
                launch.make_policy(json.dumps({**self.RULES, **change}).encode())

    def test_events_say_what_a_pcr_should_be_as_values_do(self):
        values = {key: value for key, value in self.RULES["pcrs"].items() if key != "17"}
        log = {"required": False, "pcrs": [17], "events": {"17": ["2" * 64]}}
        rules = {**self.RULES, "pcrs": values, "event_log": log}
        launch.make_policy(json.dumps(rules).encode())

    def test_the_key_is_not_the_policys_affair(self):
        rules = self.RULES
        made = json.loads(launch.make_policy(json.dumps(rules).encode()).to_json())
        self.assertNotIn("names", {key for key, value in made["ak"].items() if value})
        self.assertEqual("required", made["ak"]["attributes"])
        for pcr in launch.PCRS:
            lacking = {key: value for key, value in rules["pcrs"].items() if key != str(pcr)}
            with self.assertRaisesRegex(AttestationFailure, "policy of the launch"):
                launch.make_policy(json.dumps({**rules, "pcrs": lacking}).encode())


class Unvalidated(Base):
    """Settings that Ironic has validated at no time: of a cleaning, of an instance that runs."""

    WRONG = (
        {"trusted_boot_policy": None},
        {"trusted_boot_policy": ["launch.json"]},
        {"trusted_boot_policy": "launch\n.json"},
        {"trusted_boot_ramdisk": "no"},
        {"trusted_boot_ramdisk": None},
        {"attestation_interface": "keylime"},
        # Not of a launch, and nothing would be compared, either.
        {"tpm_ek_sha256": "e" * 63},
    )

    def setUp(self) -> None:
        super().setUp()
        self.config(ek_trust="first_use", group="libattest")
        shown = Evidenced("e" * 64, "a", (1, 0), True, "l")
        self.driver = mock.Mock(**{
            "validate.return_value": [],
            "validate_security_status.return_value": shown,
            "validate_active.return_value": shown,
        })  # fmt: skip
        self.enterContext(mock.patch.object(attestation, "get", return_value=self.driver))

    def info(self, **changes) -> dict:
        return {key: value for key, value in {**LAUNCH, **changes}.items() if value is not None}

    def attest(self, **changes) -> waiting.Outcome:
        subject = Subject("node", settings.read(self.info(**changes))[0])
        subject.scratch["agent_uuid"] = "agent"
        return waiting._attest(subject)

    def test_no_ramdisk_passes_whose_launch_can_not_be_compared(self):
        for change in self.WRONG:
            with self.subTest(change), self.assertRaisesRegex(AttestationFailure, "driver_info/"):
                self.attest(**change)
        self.driver.start_attestation.assert_not_called()
        self.driver.validate_security_status.assert_not_called()
        self.assertEqual("trusted", self.attest().verdict)

    def test_what_the_interface_itself_finds_wrong(self):
        self.driver.validate.return_value = ["driver_info/x is wrong"]
        with self.assertRaisesRegex(AttestationFailure, "driver_info/x is wrong"):
            self.attest()

    def test_no_instance_passes_whose_launch_can_not_be_compared(self):
        for change in (*self.WRONG, {"trusted_boot_instance_policy": 7},
                       {"trusted_boot_instance_policy": "instance\n.json"}):
            with self.subTest(change):
                node = self.node(self.info(**ACTIVE), provision_state=states.ACTIVE)
                watched = active.resume(node, settings.read(node.driver_info)[0], None, None)
                active.run(watched)
                node.refresh()
                self.assertFalse(node.maintenance)
                self.driver.validate_active.reset_mock()
                # Its driver_info changes while it runs.
                node.driver_info = self.info(**{**ACTIVE, **change})
                node.save()
                read = settings.read(node.driver_info)[0]
                active.run(active.resume(node, read, None, watched))
                node.refresh()
                self.assertTrue(node.maintenance)
                self.assertIn("driver_info/", node.maintenance_reason)
                self.driver.validate_active.assert_not_called()
                node.destroy()

    def test_what_is_wrong_is_another_setting_than_none(self):
        of_none = settings.read(self.info(**{**ACTIVE, "trusted_boot_instance_policy": None}))[0]
        wrong = settings.read(self.info(**{**ACTIVE, "trusted_boot_instance_policy": 7}))[0]
        self.assertNotEqual(of_none.digest, wrong.digest)


del unit_test  # its tests are run by itself

if __name__ == "__main__":
    import unittest

    unittest.main()
