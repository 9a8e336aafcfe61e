# SPDX-License-Identifier: Apache-2.0
"""Nova's own in-process base: real API, conductor, scheduler, computes and placement.

Verdicts come from a real TLS service that speaks OpenAttestation's protocol.
"""

import os
import pathlib
import unittest

import concurrency  # noqa: F401, I001
from nova import utils as nova_utils
from nova.tests.functional import integrated_helpers
from nova.tests.functional.api import client as api_client

import attestation_service
import pipeline
from libattest_nova.filter import TrustedFilter

WORK = pathlib.Path(os.environ["LIBATTEST_TEST_WORK"])


class Base(integrated_helpers.ProviderUsageBaseTestCase):
    compute_driver = "fake.MediumFakeDriver"
    hosts: tuple[str, ...] = ("host1", "host2")
    lifetime = 60

    def setUp(self) -> None:
        self.service = attestation_service.Service(WORK)
        self.addCleanup(self.service.stop)
        self.service.say(host1="untrusted", host2="trusted", host3="untrusted")
        self.flags(state_path=str(WORK))
        self.flags(api_paste_config=pipeline.write(WORK), group="wsgi")
        self.flags(
            available_filters=["nova.scheduler.filters.all_filters", "libattest_nova.TrustedFilter"],
            enabled_filters=["ComputeFilter", "TrustedFilter"],
            group="filter_scheduler",
        )
        for name, value in self.service.options().items():
            self.flags(group="trusted_computing", **{name: value})
        self.flags(attestation_auth_timeout=self.lifetime, group="trusted_computing")
        super().setUp()
        self.addCleanup(self.forget)
        self.services = {host: self._start_compute(host) for host in self.hosts}
        self.trusted = self.flavor("trusted", "trusted")

    def forget(self) -> None:
        """Nova keeps a scheduler that is over, and its refresher would ask the next test's service."""
        for one in self.scheduler_service.manager.host_manager.enabled_filters:
            if isinstance(one, TrustedFilter):
                one._of_process.clear()

    def flavor(self, name: str, value: str, disk: int = 1) -> str:
        flavor = self._create_flavor(name=name, memory_mb=64, disk=disk)
        # From 2.86 on the API refuses what is no value.
        with nova_utils.temporary_mutation(self.admin_api, microversion="2.85"):
            specs = {"trust:trusted_host": value}
            self.admin_api.post_extra_spec(flavor, {"extra_specs": specs})
        return flavor

    def place(self, flavor: str, **kwargs):
        return self._create_server(flavor_id=flavor, networks="none", **kwargs)

    @staticmethod
    def host_of(server: dict) -> str:
        return server["OS-EXT-SRV-ATTR:host"]

    def now(self, host: str, verdict: str) -> None:
        """The service says so from now on, and the scheduler has heard it."""
        self.service.say(**{host: verdict})
        self.service.wait_for_next_request()


class Placement(Base):
    def test_servers_are_placed_on_trusted_hosts_only(self) -> None:
        for number in range(2):
            server = self.place(self.trusted, name=f"s{number}")
            self.assertEqual("host2", self.host_of(server))
        server = self.place(self.flavor("untrusted", "untrusted"), name="u")
        self.assertEqual("host1", self.host_of(server))
        # Both hosts in one request, not one request for each.
        self.assertEqual({"host1", "host2"}, set(self.service.asked()[0]))

    def test_several_at_once_are_placed_on_trusted_hosts_by_one_request(self) -> None:
        body = self._build_server(flavor_id=self.trusted, networks="none")
        body.update(min_count=3, max_count=3, name="many")
        self.api.post_server({"server": body})
        servers = [
            self._wait_for_state_change(server, "ACTIVE") for server in self.api.get_servers()
        ]
        self.assertEqual(["host2"] * 3, [self.host_of(server) for server in servers])
        self.assertEqual(1, len(self.service.asked()))

    def test_where_no_host_is_trusted_there_is_no_valid_host(self) -> None:
        self.service.say(host2="unknown")
        server = self.place(self.trusted, expected_state="ERROR")
        self.assertIn("No valid host was found", server["fault"]["message"])

    def test_an_outage_is_no_valid_host_and_others_do_not_notice(self) -> None:
        self.service.stop()
        server = self.place(self.trusted, name="t", expected_state="ERROR")
        self.assertIn("No valid host", server["fault"]["message"])
        plain = self._create_flavor(name="plain", memory_mb=64, disk=1)
        self.place(plain, name="p")

    def test_a_value_that_is_none_matches_no_host(self) -> None:
        server = self.place(self.flavor("odd", "unknown"), expected_state="ERROR")
        self.assertIn("No valid host", server["fault"]["message"])
        self.assertEqual([], self.service.asked())


class Moves(Base):
    """What asks the scheduler again."""

    hosts = ("host1", "host2", "host3")
    lifetime = 2

    def setUp(self) -> None:
        super().setUp()
        self.server = self.place(self.trusted)
        self.assertEqual("host2", self.host_of(self.server))

    def migrate(self) -> None:
        self.api.post_server_action(self.server["id"], {"migrate": None})

    def test_a_rebuild_with_another_image_is_refused_where_trust_is_lost(self) -> None:
        images = ("155d900f-4e14-4e4c-a73d-069cbf4541e6", "a2459075-d96c-40d5-893e-577ff92e721c")
        (image, *_) = [image for image in images if image != self.server["image"]["id"]]
        self.now("host2", "untrusted")
        action = {"rebuild": {"imageRef": image}}
        self.api.post_server_action(self.server["id"], action)
        server = self._wait_for_state_change(self.server, "ERROR")
        self.assertIn("No valid host", server["fault"]["message"])

    def test_a_cold_migration_goes_to_a_trusted_host_or_nowhere(self) -> None:
        for action in ({"migrate": None}, {"resize": {"flavorRef": self.flavor("b", "trusted", 2)}}):
            self.api.post_server_action(self.server["id"], action)
            self._wait_for_action_fail_completion(
                self.server, next(iter(action)), "cold_migrate"
            )
        self.now("host3", "trusted")
        self.migrate()
        server = self._wait_for_state_change(self.server, "VERIFY_RESIZE")
        self.assertEqual("host3", self.host_of(server))

    def test_a_live_migration_goes_to_a_trusted_host(self) -> None:
        self.now("host3", "trusted")
        self._live_migrate(self.server, "completed")
        server = self.api.get_server(self.server["id"])
        self.assertEqual("host3", self.host_of(server))

    def test_an_evacuation_goes_to_a_trusted_host(self) -> None:
        self.now("host3", "trusted")
        self.services["host2"].stop()
        down = self.api.get_services(binary="nova-compute", host="host2")[0]["id"]
        self.api.put_service(down, {"forced_down": True})
        server = self._evacuate_server(self.server, expected_host="host3")
        self.assertEqual("host3", self.host_of(server))

    def test_an_unshelved_server_goes_to_a_trusted_host(self) -> None:
        self.flags(shelved_offload_time=0)
        self._shelve_server(self.server, expected_state="SHELVED_OFFLOADED")
        self.service.say(host2="untrusted")
        self.now("host3", "trusted")
        server = self._unshelve_server(self.server)
        self.assertEqual("host3", self.host_of(server))

    def test_stopped_and_started_servers_and_forced_hosts_pass_by_the_scheduler(self) -> None:
        # README says so: this is what the mirrored trait is for. Where it changes, README is wrong.
        self.now("host2", "untrusted")
        self.server = self._start_server(self._stop_server(self.server))
        self.assertEqual("host2", self.host_of(self.server))
        forced = self.place(self.trusted, name="f", az="nova:host1")
        self.assertEqual("host1", self.host_of(forced))


class ExtraSpecs(Base):
    def post(self, flavor: str, **specs: str) -> None:
        with nova_utils.temporary_mutation(self.admin_api, microversion="2.86"):
            self.admin_api.post_extra_spec(flavor, {"extra_specs": specs})

    def test_new_api_versions_check_the_flavor_keys(self) -> None:
        self.post(self.trusted, **{"trust:trusted_host": "untrusted"})
        self.post(self.trusted, **{"capabilities:trusted_boot": "true"})
        self.post(self.trusted, **{"capabilities:trusted_boot": "True"})
        for key, value in (
            ("trust:trusted_host", "bogus"),
            ("trust:trusted_host", "Trusted"),
            ("capabilities:trusted_boot", "<or> true <or> True"),
        ):
            error = self.assertRaises(
                api_client.OpenStackApiException, self.post, self.trusted, **{key: value}
            )
            self.assertEqual(400, error.response.status_code)


if __name__ == "__main__":
    unittest.main()
