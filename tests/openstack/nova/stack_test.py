# SPDX-License-Identifier: Apache-2.0
"""A real nova-scheduler of two forked workers, asked over RabbitMQ as nova-conductor asks it.

Its [trusted_computing] is written as the documentation of OpenStack's trusted compute pools has it.
"""

import os
import pathlib
import time
import unittest

import concurrency  # noqa: F401, I001
from nova import config, context, exception, objects
from nova.scheduler.client import query
from oslo_utils import uuidutils

import attestation_service
import stack

WORK = pathlib.Path(os.environ["LIBATTEST_TEST_WORK"])
LIFETIME = 4


class Scheduler:
    """What nova-conductor asks with."""

    def __init__(self, configuration: str) -> None:
        config.parse_args(["conductor", "--config-file", configuration])
        objects.register_all()
        self._context = context.get_admin_context()
        self._client = query.SchedulerQueryClient()

    def select(self, **extra_specs: str) -> list[str]:
        """The chosen host and its alternates; none: NoValidHost. What is chosen is allocated and
        never given back, so it is little."""
        instance = uuidutils.generate_uuid()
        fields = {"vcpu_weight": 0, "rxtx_factor": 1.0, "is_public": True, "disabled": False}
        flavor = objects.Flavor(
            **fields,
            **{"id": 1, "flavorid": "1", "name": "f", "vcpus": 0, "memory_mb": 1, "root_gb": 0},
            **{"ephemeral_gb": 0, "swap": 0, "extra_specs": extra_specs, "projects": []},
        )
        unset = ("numa_topology", "instance_group", "ignore_hosts", "force_hosts", "force_nodes")
        unset += ("requested_destination", "retry", "availability_zone")
        spec = objects.RequestSpec(
            instance_uuid=instance,
            num_instances=1,
            project_id="p",
            user_id="u",
            flavor=flavor,
            image=objects.ImageMeta(properties=objects.ImageMetaProps()),
            pci_requests=objects.InstancePCIRequests(requests=[]),
            scheduler_hints={},
            limits=objects.SchedulerLimits(),
            security_groups=objects.SecurityGroupList(),
            is_bfv=False,
            requested_networks=objects.NetworkRequestList(),
            request_level_params=objects.RequestLevelParams(),
            requested_resources=[],
            **dict.fromkeys(unset),
        )
        try:
            selections = self._client.select_destinations(
                self._context, spec, [instance], return_objects=True, return_alternates=True
            )
        except exception.NoValidHost:
            return []
        return sorted(selection.service_host for selection in selections[0])

    def trust(self, value: str = "trusted") -> list[str]:
        return self.select(**{"trust:trusted_host": value})


class StackTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        if why := stack.missing():
            raise unittest.SkipTest(why)
        folder = WORK / "stack"
        folder.mkdir()
        cls.service = attestation_service.Service(WORK)
        cls.addClassCleanup(cls.service.stop)
        cls.service.say(rhost1="trusted", rhost2="untrusted")
        theirs = cls.service.options()
        trusted_computing = {
            "server": theirs["attestation_server"],
            "port": theirs["attestation_port"],
            "server_ca_file": theirs["attestation_server_ca_file"],
            "api_url": theirs["attestation_api_url"],
            "auth_blob": "i-am-openstack",
            "attestation_auth_timeout": LIFETIME,
            "fetch_timeout": 2,
        }
        cls.stack = cls.enterClassContext(
            stack.Stack(folder, {"trusted_computing": trusted_computing})
        )
        cls.scheduler = Scheduler(cls.stack.configuration)

    def until(self, expected: list[str], value: str = "trusted", seconds: float = 3.0 * LIFETIME) -> None:
        deadline = time.monotonic() + seconds
        while (found := self.scheduler.trust(value)) != expected:
            self.assertLess(time.monotonic(), deadline, f"still {found}")
            time.sleep(0.2)

    def test_1_hosts_are_chosen_by_what_the_service_says(self) -> None:
        self.assertEqual([], self.service.asked())
        self.assertEqual(["rhost1", "rhost2"], self.scheduler.select())
        self.assertEqual([], self.service.asked(), "nobody asked for trust")
        for _ in range(4):
            self.assertEqual(["rhost1"], self.scheduler.trust())
            self.assertEqual(["rhost2"], self.scheduler.trust("untrusted"))
        self.assertEqual([], self.scheduler.trust("nonsense"))

    def test_2_each_worker_asks_for_all_hosts_at_once_and_seldom(self) -> None:
        before, began = len(self.service.seen()), time.monotonic()
        for _ in range(20):
            self.assertEqual(["rhost1"], self.scheduler.trust())
        # Half a lifetime is the shortest pause between two of a worker's requests.
        allowed = 2 * (1 + (time.monotonic() - began) / (LIFETIME / 2))
        asked = self.service.seen()
        self.assertLessEqual(len(asked) - before, allowed)
        for one in asked:
            self.assertEqual({"rhost1", "rhost2"}, set(one["hosts"]))
            self.assertEqual("i-am-openstack", one["headers"]["x-auth-blob"])

    def test_3_a_host_that_loses_its_trust_takes_nothing_any_more(self) -> None:
        self.service.say(rhost1="untrusted")
        # Both workers know it when as many answers in a row as it takes to meet both are right.
        for _ in range(8):
            self.until([])
        self.service.say(rhost1="trusted")
        self.until(["rhost1"])

    def test_4_a_service_that_hangs_holds_up_nobody_else(self) -> None:
        self.service.fail("slow-headers")
        for _ in range(8):
            self.until([])
        for _ in range(10):
            began = time.monotonic()
            self.assertEqual(["rhost1", "rhost2"], self.scheduler.select())
            self.assertLess(time.monotonic() - began, 1.5)
        began = time.monotonic()
        self.assertEqual([], self.scheduler.trust())
        self.assertLess(time.monotonic() - began, 1.5, "an outage is waited for once")
        self.service.fail(None)
        self.until(["rhost1"], seconds=30.0)

    def test_5_the_log_says_what_was_decided_and_why(self) -> None:
        log = self.stack.log("scheduler")
        self.assertIn("1 of 2 hosts are trusted, for instance", log)
        self.assertIn("No verdicts of 2 hosts", log)
        self.assertIn("neither trusted nor untrusted", log)
        self.assertNotIn("attestation failed here", log)
        self.assertNotIn("i-am-openstack", log)


if __name__ == "__main__":
    unittest.main()
