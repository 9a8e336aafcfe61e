# SPDX-License-Identifier: Apache-2.0
"""The mirror on Nova's own in-process base: what trait, disabling and locking each cover, and what not."""

import http.server
import itertools
import os
import pathlib
import subprocess
import sys
import threading
import time
import unittest
import unittest.mock
import urllib.parse
import warnings
from collections.abc import Callable

# As in a service, it chooses between eventlet and threads: before everything else of Nova's.
import nova.cmd  # noqa: F401, I001
import requests
from nova import utils as nova_utils
from nova.tests.functional import integrated_helpers
from nova.tests.functional.api import client as api_client

import pipeline
from attestation_service import Service
from mirror_doubles import make_adapter

from libattest_nova.mirror import clock, compute
from libattest_nova.mirror.acts import Acts
from libattest_nova.mirror.book import Host
from libattest_nova.mirror.compute import Compute
from libattest_nova.mirror.placement import Placement
from libattest_nova.mirror.rest import Rest, Rests

WORK = pathlib.Path(os.environ["LIBATTEST_TEST_WORK"])
TRAIT = "CUSTOM_ATTESTED"
# Of another project than the tenant's.
OPERATOR = {
    "X-Auth-User": "admin",
    "X-Auth-Project-Id": "operators",
    "X-Roles": "reader,member,admin",
}


class Base(integrated_helpers.ProviderUsageBaseTestCase):
    compute_driver = "fake.MediumFakeDriver"

    def setUp(self) -> None:
        self.flags(state_path=str(WORK))
        self.flags(api_paste_config=pipeline.write(WORK), group="wsgi")
        super().setUp()
        # Of SQLAlchemy 2.1 about Nova 34, which Nova's tests take for errors.
        warnings.filterwarnings("ignore", r"The noload\(\)")
        for host in ("host1", "host2"):
            self._start_compute(host)
        self.trusting = self._create_flavor(
            name="trusting", memory_mb=64, disk=1, extra_spec={f"trait:{TRAIT}": "required"}
        )
        self.filtered = self._create_flavor(
            name="filtered", memory_mb=64, disk=1, extra_spec={"trust:trusted_host": "trusted"}
        )
        self.plain = self._create_flavor(name="plain", memory_mb=64, disk=1)
        self.acts = Acts(dry_run=False)

    def nova(self, **how) -> Compute:
        rest = Rest("nova", make_adapter(self.admin_api.base_url, "compute", OPERATOR), 20.0)
        return Compute(rest, TRAIT, self.acts, **how)

    def traits(self) -> Placement:
        url = self.placement.fixture.endpoint
        return Placement(
            Rests([Rest("placement", make_adapter(url, "placement"), 20.0)]), TRAIT, self.acts
        )

    def apply(self, service, **standings: str) -> None:
        now = clock.now()
        hosts = {
            name: Host(name, standing, now + 60, None, reason="/tmp/evil")  # type: ignore[arg-type]
            for name, standing in standings.items()
        }
        service.apply(hosts, now + 60)

    def place(self, flavor: str, **how) -> dict:
        return self._create_server(flavor_id=flavor, networks="none", **how)

    def service(self, host: str) -> dict:
        with nova_utils.temporary_mutation(self.admin_api, microversion="2.53"):
            (service,) = self.admin_api.get_services(host=host, binary="nova-compute")
        return service

    def show(self, server: dict) -> dict:
        with nova_utils.temporary_mutation(self.admin_api, microversion="2.73"):
            return self.admin_api.get_server(server["id"])


class Trait(Base):
    def test_placed_where_it_is_forced_ones_too_and_nowhere_when_it_is_gone(self) -> None:
        self.apply(self.traits(), host1="untrusted", host2="trusted")
        server = self.place(self.trusting)
        self.assertEqual("host2", server["OS-EXT-SRV-ATTR:host"])
        forced = self.place(self.trusting, az="nova:host1", expected_state="ERROR")
        self.assertIn("No valid host", forced["fault"]["message"])
        self._run_periodics()  # nova-compute looks at its provider, and leaves the trait there
        self.place(self.trusting)
        self.apply(self.traits(), host1="untrusted", host2="untrusted")
        self.place(self.trusting, expected_state="ERROR")
        self.place(self.plain)

    def test_a_start_asks_nobody(self) -> None:
        # README says so: this is what stopping and locking is for. Where it changes, README is wrong.
        self.apply(self.traits(), host2="trusted")
        server = self._stop_server(self.place(self.trusting))
        self.apply(self.traits(), host2="untrusted")
        self._start_server(server)

    def test_nor_does_a_rebuild_with_another_image(self) -> None:
        # README says so: the filter is asked. Where it changes, README is wrong.
        self.apply(self.traits(), host2="trusted")
        server = self.place(self.trusting)
        self.apply(self.traits(), host2="untrusted")
        self._rebuild_server(server, "a2459075-d96c-40d5-893e-577ff92e721c")


class Services(Base):
    def test_the_compute_nodes(self) -> None:
        self.assertEqual(["host1", "host2"], self.nova().names(clock.now() + 60))

    def test_more_than_a_page(self) -> None:
        self.stub_page(1)
        self.assertEqual(["host1", "host2"], self.nova().names(clock.now() + 60))

    def stub_page(self, size: int) -> None:
        patch = unittest.mock.patch.object(compute, "PAGE", size)
        patch.start()
        self.addCleanup(patch.stop)

    def test_a_failed_host_is_disabled_and_enabled_when_it_is_good(self) -> None:
        nova = self.nova(disable="untrusted")
        self.apply(nova, host1="untrusted", host2="silent")
        self.assertEqual("disabled", self.service("host1")["status"])
        reason = self.service("host1")["disabled_reason"]
        self.assertEqual("libattest-nova-mirror: untrusted: /tmp/evil", reason)
        self.assertEqual("enabled", self.service("host2")["status"])
        forced = self.place(self.plain, az="nova:host1", expected_state="ERROR")
        self.assertIn("No valid host", forced["fault"]["message"])
        for standing in ("silent", "waiting"):
            self.apply(nova, host1=standing)
            self.assertEqual("disabled", self.service("host1")["status"])
        self.apply(nova, host1="trusted")
        self.assertEqual("enabled", self.service("host1")["status"])
        self.place(self.plain, az="nova:host1")

    def test_what_somebody_else_has_disabled_stays_so(self) -> None:
        nova = self.nova(disable="untrusted")
        with nova_utils.temporary_mutation(self.admin_api, microversion="2.53"):
            self.admin_api.put_service(
                self.service("host1")["id"], {"status": "disabled", "disabled_reason": "a new disk"}
            )
        for standing in ("untrusted", "trusted"):
            self.apply(nova, host1=standing)
            self.assertEqual("disabled", self.service("host1")["status"])
            self.assertEqual("a new disk", self.service("host1")["disabled_reason"])

    def test_silence_where_that_is_wanted(self) -> None:
        nova = self.nova(disable="not-trusted")
        self.apply(nova, host1="silent", host2="waiting")
        self.assertEqual("disabled", self.service("host1")["status"])
        self.assertEqual("enabled", self.service("host2")["status"])

    def test_dry(self) -> None:
        self.acts = Acts(dry_run=True)
        with unittest.mock.patch("sys.stdout") as out:
            self.apply(self.nova(disable="untrusted"), host1="untrusted")
        said = "".join(call.args[0] for call in out.write.call_args_list)
        self.assertIn("would disable the compute service of host1", said)
        self.assertEqual("enabled", self.service("host1")["status"])


class Instances(Base):
    def setUp(self) -> None:
        super().setUp()
        self.asks = self.place(self.filtered, az="nova:host1")
        self.other = self.place(self.plain, az="nova:host1")
        self.elsewhere = self.place(self.filtered, az="nova:host2")

    def states(self) -> list[tuple[str, bool]]:
        shown = [self.show(server) for server in (self.asks, self.other, self.elsewhere)]
        return [(server["status"], server["locked"]) for server in shown]

    def refused(self, action: str) -> None:
        """To the tenant, not to the operator."""
        error = self.assertRaises(
            api_client.OpenStackApiException,
            self.api_fixture.api.post_server_action,
            self.asks["id"],
            {action: None},
        )
        self.assertIn(error.response.status_code, (403, 409))

    def test_those_that_ask_for_trust_are_stopped_behind_a_lock(self) -> None:
        nova = self.nova(stop="untrusted")
        self.apply(nova, host1="silent", host2="trusted")
        self.assertEqual([("ACTIVE", False)] * 3, self.states())
        self.apply(nova, host1="untrusted", host2="trusted")
        self._wait_for_state_change(self.asks, "SHUTOFF")
        self.assertEqual([("SHUTOFF", True), ("ACTIVE", False), ("ACTIVE", False)], self.states())
        reason = self.show(self.asks)["locked_reason"]
        self.assertEqual("libattest-nova-mirror: host host1 is untrusted", reason)
        self.refused("os-start")
        self.refused("unlock")
        # Trust that comes back starts nothing: that is the operator's.
        self.apply(nova, host1="trusted", host2="trusted")
        self.assertEqual(("SHUTOFF", True), self.states()[0])
        self.admin_api.post_server_action(self.asks["id"], {"unlock": None})
        self._start_server(self.asks)

    def test_what_is_stopped_already_is_locked(self) -> None:
        self._stop_server(self.asks)
        self.apply(self.nova(stop="untrusted"), host1="untrusted")
        self.assertEqual(("SHUTOFF", True), self.states()[0])
        self.refused("os-start")

    def test_a_lock_of_the_tenants_own_is_none_whatever_it_says(self) -> None:
        tenant = self.api_fixture.api
        with nova_utils.temporary_mutation(tenant, microversion="2.73"):
            reason = {"locked_reason": f"{compute.REASON}host host1 is untrusted"}
            tenant.post_server_action(self.asks["id"], {"lock": reason})
        self.apply(self.nova(stop="untrusted"), host1="untrusted")
        self._wait_for_state_change(self.asks, "SHUTOFF")
        self.refused("unlock")

    def test_who_starts_or_unlocks_it_while_the_host_is_bad_finds_it_stopped_again(self) -> None:
        nova = self.nova(stop="untrusted")
        self.apply(nova, host1="untrusted")
        self._wait_for_state_change(self.asks, "SHUTOFF")
        self.admin_api.post_server_action(self.asks["id"], {"unlock": None})
        self._start_server(self.asks)
        self.apply(nova, host1="untrusted")
        self._wait_for_state_change(self.asks, "SHUTOFF")
        self.assertEqual(("SHUTOFF", True), self.states()[0])

    def test_disabling_alone_stops_no_start(self) -> None:
        # README says so. Where it changes, README is wrong.
        self._stop_server(self.asks)
        self.apply(self.nova(disable="untrusted"), host1="untrusted")
        self._start_server(self.asks)

    def test_more_than_a_page(self) -> None:
        with unittest.mock.patch.object(compute, "PAGE", 1):
            self.apply(self.nova(stop="untrusted"), host1="untrusted")
        self._wait_for_state_change(self.asks, "SHUTOFF")
        self.assertEqual([True, False, False], [locked for _, locked in self.states()])


class Door:
    """Where a process of its own reaches what is only in this one: Nova's tests serve on no port."""

    def __init__(self, url: str, wrote: Callable[[], None], delay: float = 0.0) -> None:
        """`wrote` is called when a write is answered; each takes `delay` seconds."""

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                # Nova's stand-in for keystone reads headers that keystoneauth can not be told to send.
                headers = {**self.headers, **OPERATOR, "Host": urllib.parse.urlsplit(url).netloc}
                if self.command != "GET":
                    time.sleep(delay)
                answer = requests.request(self.command, url + self.path, data=body, headers=headers)
                if self.command != "GET":
                    wrote()
                self.send_response(answer.status_code)
                for name in ("Content-Type", "OpenStack-API-Version"):
                    if name in answer.headers:
                        self.send_header(name, answer.headers[name])
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            do_PUT = do_POST = do_DELETE = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Command(Base):
    """libattest-nova-mirror as it is started, with `source = filter`: OAT's verdicts of all that Nova has."""

    def setUp(self) -> None:
        super().setUp()
        self.oat = Service(WORK)
        self.addCleanup(self.oat.stop)
        self.writes: list[str] = []  # whose they were
        sections = {
            "libattest_mirror": {
                "source": "filter", "disable_services": "untrusted", "stop_instances": "untrusted",
                "state_dir": WORK / "mirror", "write_verdicts": "false",
            },
            "trusted_computing": {"backend": "oat", **self.oat.options()},
            "placement": self.access("placement", self.placement.fixture.endpoint, 0.3),
            "nova": self.access("nova", self.admin_api.base_url),
        }  # fmt: skip
        lines = []
        for section, values in sections.items():
            lines += [f"[{section}]", *(f"{name} = {value}" for name, value in values.items())]
        (WORK / "mirror.conf").write_text("\n".join(lines) + "\n")

    def access(self, name: str, url: str, delay: float = 0.0) -> dict[str, str]:
        door = Door(url, lambda: self.writes.append(name), delay)
        self.addCleanup(door.close)
        return {"auth_type": "admin_token", "endpoint": door.url, "token": "admin"}

    def run_once(self, *words: str) -> tuple[int, str]:
        code = "import sys; from libattest_nova.mirror import command; sys.exit(command.main())"
        arguments = [sys.executable, "-W", "ignore", "-c", code]
        arguments += ["--config-file", str(WORK / "mirror.conf"), "--once", *words]
        with open(WORK / "mirror.out", "w+") as out, open(WORK / "mirror.log", "w+") as log:
            process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=log)
            while process.poll() is None:
                time.sleep(0.05)  # meanwhile Nova, which is in this process, answers
            out.seek(0)
            log.seek(0)
            self.said = log.read()
            return process.returncode, out.read()

    def test_oat_says_and_service_instances_and_trait_follow(self) -> None:
        server = self.place(self.filtered, az="nova:host1")
        self.oat.say(host1="untrusted", host2="trusted")
        status, would = self.run_once("--dry-run")
        self.assertEqual(1, status, self.said)
        self.assertIn("would disable the compute service of host1", would)
        self.assertIn(f"would give {TRAIT} to 'host2'", would)
        self.assertEqual("enabled", self.service("host1")["status"])
        self.assertEqual((1, ""), self.run_once(), self.said)
        self.assertEqual("disabled", self.service("host1")["status"])
        self.assertEqual("enabled", self.service("host2")["status"])
        self._wait_for_state_change(server, "SHUTOFF")
        self.assertTrue(self.show(server)["locked"])
        self.assertEqual("host2", self.place(self.trusting)["OS-EXT-SRV-ATTR:host"])
        # One request for all hosts, whose names came from Nova.
        self.assertEqual([["host1", "host2"]] * 2, [sorted(names) for names in self.oat.asked()])
        self.oat.say(host1="trusted")
        self.assertEqual((0, ""), self.run_once(), self.said)
        self.assertEqual("enabled", self.service("host1")["status"])
        forced = self.place(self.trusting, az="nova:host1")
        self.assertEqual("host1", forced["OS-EXT-SRV-ATTR:host"])
        self.assertTrue(self.show(server)["locked"])  # that is the operator's
        # nova-compute writes what a service's status is into its provider, and gives up where another
        # writes there: each time the daemon is through with placement before it tells Nova.
        turns = [name for name, _ in itertools.groupby(self.writes)]
        self.assertEqual(["placement", "nova"] * 2, turns)

    def test_a_service_that_fails_takes_the_trait_and_disables_nobody(self) -> None:
        self.oat.say(host1="trusted", host2="trusted")
        self.assertEqual((0, ""), self.run_once(), self.said)
        self.place(self.trusting)
        for fault in ("500", "text"):
            self.oat.fail(fault)
            self.assertEqual((2, ""), self.run_once(), self.said)
            self.assertEqual("enabled", self.service("host1")["status"])
            self.place(self.trusting, expected_state="ERROR")


if __name__ == "__main__":
    unittest.main()
