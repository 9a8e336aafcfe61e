# SPDX-License-Identifier: Apache-2.0
"""What an attestation service can do wrong, each over a real TLS connection, and what comes of it.

First what made Nova's own TrustedFilter let hosts pass, raise, storm or hang; then what that filter's
unit tests asked for.
"""

import logging
import os
import pathlib
import tempfile
import time
import unittest

from attestation_service import Service
from scheduling import (
    TrustedFilter,
    hosts,
    logged,
    names,
    options,
    request,
    until,
)

WORK = pathlib.Path(os.environ["LIBATTEST_TEST_WORK"])
BLOB = "i-am-openstack"
FIFTY = [f"n{number}" for number in range(50)]


class Base(unittest.TestCase):
    dialect = "1.5"

    def service(self, dialect: str | None = None, certificate: str = "server") -> Service:
        service = self.enterContext(Service(WORK, dialect or self.dialect, certificate))
        self.enterContext(options(**service.options(), attestation_auth_blob=BLOB))
        return service

    def passed(self, trusted: TrustedFilter, asked: list[str], want: str = "trusted") -> list[str]:
        return names(trusted.filter_all(hosts(*asked), request(trust=want)))


class Faults(Base):
    def check(
        self, fault: str | None, passing: int, *, warnings: int = 1, seconds: float = 1.0, **kwargs
    ) -> None:
        """Fifty requests for trusted hosts; the same number of hosts each time."""
        service = self.service(**kwargs)
        service.say(**dict.fromkeys(FIFTY, "trusted"))
        service.fail(fault)
        trusted = TrustedFilter()
        with options(fetch_timeout=2.0), logged() as lines:
            began = time.monotonic()
            for _ in range(50):
                self.assertEqual(passing, len(self.passed(trusted, FIFTY)))
            took = time.monotonic() - began
        self.assertLess(took, seconds)
        self.assertLessEqual(len(service.seen()), 1)
        summaries = lines.of(logging.INFO)
        self.assertEqual(50, len(summaries))
        self.assertIn(f"{passing} of 50 hosts are trusted", summaries[-1])
        self.assertEqual(warnings, len(lines.of(logging.WARNING)), lines.of(logging.WARNING))
        self.assertEqual([], lines.of(logging.ERROR))
        self.assertNotIn(BLOB, " ".join(record.getMessage() for record in lines.records))

    def test_all_fine(self):
        self.check(None, 50, warnings=0)

    def test_a_host_that_the_reply_leaves_out(self):
        self.check("missing", 49)

    def test_statuses_that_are_no_answer(self):
        for status in ("204", "203", "206", "401", "403", "404", "500", "503"):
            with self.subTest(status=status):
                self.check(status, 0)

    def test_bodies_that_are_none(self):
        for fault in ("text", "html", "empty", "list", "object", "null", "no-hosts", "cut", "deep"):
            with self.subTest(fault=fault):
                self.check(fault, 0)

    def test_times_that_are_none(self):
        for fault in ("vtime-missing", "vtime-null", "vtime-2099", "vtime-local"):
            with self.subTest(fault=fault):
                self.check(fault, 0)

    def test_entries_of_hosts_that_did_not_answer(self):
        self.check("timeout-entries", 0)

    def test_words_that_are_not_quite_trusted(self):
        for fault in ("level-case", "level-true", "renamed", "error-in-200"):
            with self.subTest(fault=fault):
                self.check(fault, 0)

    def test_of_two_entries_the_worse_counts(self):
        for dialect in ("1.5", "2-map"):
            with self.subTest(dialect=dialect):
                self.check("duplicate", 0, dialect=dialect, warnings=0 if dialect == "1.5" else 1)

    def test_hosts_that_nobody_asked_about(self):
        self.check("extra", 50, warnings=0)

    def test_connections_that_end(self):
        for fault in ("reset", "close", "no-http"):
            with self.subTest(fault=fault):
                self.check(fault, 0)

    def test_answers_without_an_end(self):
        for fault in ("slow-headers", "slow-body", "huge", "endless-headers"):
            with self.subTest(fault=fault):
                self.check(fault, 0, seconds=4.0)

    def test_certificates_that_are_not_the_services(self):
        for certificate in ("misnamed", "foreign", "expired"):
            with self.subTest(certificate=certificate):
                self.check(None, 0, certificate=certificate)

    def test_nobody_is_there(self):
        service = self.service()
        service.stop()
        trusted = TrustedFilter()
        with logged() as lines:
            for _ in range(50):
                self.assertEqual([], self.passed(trusted, FIFTY))
        self.assertEqual(1, len(lines.of(logging.WARNING)))

    def test_a_redirect_is_not_followed_and_the_blob_stays_at_home(self):
        elsewhere = self.enterContext(Service(WORK, self.dialect))
        elsewhere.say(n0="trusted")
        service = self.service()
        service.fail("redirect", f"https://127.0.0.1:{elsewhere.port}{elsewhere.api_url}/PollHosts")
        trusted = TrustedFilter()
        for _ in range(20):
            self.assertEqual([], self.passed(trusted, ["n0"]))
        (sent,) = service.seen()
        self.assertEqual(BLOB, sent["headers"]["x-auth-blob"])
        self.assertEqual([], elsewhere.seen())

    def test_an_outage_and_a_flavor_that_says_unknown(self):
        service = self.service()
        service.fail("500")
        trusted = TrustedFilter()
        for want in ("unknown", "untrusted", "trusted", "None"):
            self.assertEqual([], self.passed(trusted, FIFTY, want))
        self.assertLessEqual(len(service.seen()), 1)

    def test_the_service_comes_back(self):
        service = self.service()
        service.say(n0="trusted")
        service.fail("500")
        with options(attestation_auth_timeout=2, retry_interval=1):
            trusted = TrustedFilter()
            self.assertEqual([], self.passed(trusted, ["n0"]))
            service.fail(None)
            until(lambda: self.passed(trusted, ["n0"]) == ["n0"], 4.0)

    def test_a_ca_file_that_is_put_right_needs_no_restart(self):
        service = self.service()
        service.say(n0="trusted")
        right = pathlib.Path(service.options()["attestation_server_ca_file"])
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "ca.crt"
            path.write_text("not a certificate")
            with options(
                attestation_server_ca_file=str(path), attestation_auth_timeout=2, retry_interval=1
            ):
                trusted = TrustedFilter()
                self.assertEqual([], self.passed(trusted, ["n0"]))
                path.write_bytes(right.read_bytes())
                until(lambda: self.passed(trusted, ["n0"]) == ["n0"], 4.0)


class NovasOwnTests(Base):
    """The behaviours that Nova's unit tests of its TrustedFilter named, until it was removed."""

    dialect = "1.0"

    def setUp(self) -> None:
        self.oat = self.service()
        self.trusted = TrustedFilter()

    def says(self, level: str, want: str) -> bool:
        self.oat.say(node1=level)
        return bool(self.passed(self.trusted, ["node1"], want))

    def test_do_request_possible_statuses(self):
        # 204 was one: it has no body, and so no verdict.
        for status in (None, "201", "202"):
            self.oat.fail(status)
            self.trusted = TrustedFilter()
            self.assertTrue(self.says("trusted", "trusted"), status)

    def test_do_request_other_status(self):
        self.oat.fail("404")
        self.assertFalse(self.says("trusted", "trusted"))

    def test_do_request_unconvertible_text(self):
        self.oat.fail("text")
        self.assertFalse(self.says("trusted", "trusted"))

    def test_trusted_filter_default_passes(self):
        given = hosts("node1")
        self.assertIs(given, self.trusted.filter_all(given, request()))
        self.assertTrue(self.trusted.host_passes(given[0], request()))
        self.assertEqual([], self.oat.seen())

    def test_trusted_filter_trusted_and_trusted_passes(self):
        self.assertTrue(self.says("trusted", "trusted"))
        self.assertEqual([["node1"]], self.oat.asked())

    def test_trusted_filter_trusted_and_untrusted_fails(self):
        self.assertFalse(self.says("untrusted", "trusted"))

    def test_trusted_filter_untrusted_and_trusted_fails(self):
        self.assertFalse(self.says("trusted", "untrusted"))

    def test_trusted_filter_untrusted_and_untrusted_passes(self):
        self.assertTrue(self.says("untrusted", "untrusted"))

    def test_trusted_filter_update_cache(self):
        with options(attestation_auth_timeout=2, retry_interval=1):
            self.trusted = TrustedFilter()
            self.assertTrue(self.says("trusted", "trusted"))
            self.assertFalse(self.says("untrusted", "untrusted"))
            until(lambda: len(self.oat.seen()) >= 2)
            until(lambda: self.says("untrusted", "untrusted"))

    def test_trusted_filter_update_cache_timezone(self):
        # A time of half a lifetime ago is good, one of a lifetime ago is not, wherever we are.
        for zone in ("UTC", "America/New_York", "Asia/Kolkata"):
            before = os.environ.get("TZ")
            try:
                os.environ["TZ"] = zone
                time.tzset()
                for age, good in ((30, True), (61, False)):
                    self.oat.measured(node1=age)
                    self.trusted = TrustedFilter()
                    self.assertEqual(good, self.says("trusted", "trusted"), (zone, age))
            finally:
                os.environ.pop("TZ")
                if before is not None:
                    os.environ["TZ"] = before
                time.tzset()

    def test_trusted_filter_combine_hosts(self):
        self.oat.say(node1="trusted", node2="untrusted")
        self.assertEqual(["node1"], self.passed(self.trusted, ["node1", "node2"]))
        self.assertEqual([["node1", "node2"]], [sorted(asked) for asked in self.oat.asked()])

    def test_trusted_filter_trusted_and_locale_formated_vtime_passes(self):
        self.oat = self.service(dialect="2-map")
        self.assertTrue(self.says("trusted", "trusted"))


if __name__ == "__main__":
    unittest.main()
