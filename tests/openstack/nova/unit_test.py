# SPDX-License-Identifier: Apache-2.0
"""What a flavor asks for, which hosts pass, and when somebody is asked; on Nova's own objects."""

import logging
import os
import pathlib
import sys
import tempfile
import threading
import time
import unittest
from unittest import mock

from scheduling import (
    CONF,
    TRUSTED,
    UNKNOWN,
    UNTRUSTED,
    Answer,
    Scripted,
    TrustedFilter,
    Unanswered,
    Verdicts,
    filter_on,
    hosts,
    logged,
    names,
    options,
    request,
    until,
)

import libattest  # noqa: E402, I001
from nova import objects  # noqa: E402
from nova.api.validation.extra_specs import validators as nova_validators  # noqa: E402
from nova import exception, monkey_patch  # noqa: E402
from oslo_config import cfg, generator  # noqa: E402

from libattest_nova import backends, conf, verdicts  # noqa: E402

THREE = {"good": TRUSTED, "bad": UNTRUSTED, "odd": UNKNOWN}


def everyone():
    return hosts("good", "bad", "odd", "absent")


class Wanted(unittest.TestCase):
    def passed(self, **extra_specs) -> list[str]:
        return names(filter_on(Scripted(THREE)).filter_all(everyone(), request(**extra_specs)))

    def test_who_does_not_ask_for_trust_gets_back_what_it_gave_and_nobody_is_asked(self):
        backend = Scripted(THREE)
        trusted, given = filter_on(backend), everyone()
        for spec in (request(), request(**{"hw:cpu_policy": "shared", "trust:other": "trusted"})):
            self.assertIs(given, trusted.filter_all(given, spec))
        bare = objects.RequestSpec(flavor=objects.Flavor(flavorid="1"))
        self.assertIs(given, trusted.filter_all(given, bare))
        self.assertEqual(0, backend.made)

    def test_only_an_explicit_trusted_passes_trusted(self):
        self.assertEqual(["good"], self.passed(trust="trusted"))

    def test_only_an_explicit_untrusted_passes_untrusted(self):
        self.assertEqual(["bad"], self.passed(trust="untrusted"))

    def test_any_other_value_matches_no_host_and_is_logged(self):
        backend = Scripted(THREE)
        trusted = filter_on(backend)
        odd = ["unknown", "Trusted", "trusted ", "", "true", "expired", "missing", "a\nb", "x" * 999]
        for value in odd:
            with self.subTest(value=value), logged() as lines:
                self.assertEqual([], trusted.filter_all(everyone(), request(trust=value)))
                (line,) = lines.of(logging.ERROR)
                self.assertIn("neither trusted nor untrusted", line)
                self.assertNotIn("\n", line)
                self.assertLess(len(line), 400)
        self.assertEqual(0, backend.made)

    def test_an_odd_value_matches_no_host_in_an_outage_either(self):
        # Nova's own compared the flavor's value with "unknown", its word for an outage.
        trusted = filter_on(Scripted(Unanswered("down")))
        for value in ("unknown", "untrusted", "trusted"):
            self.assertEqual([], list(trusted.filter_all(everyone(), request(trust=value))))

    def test_the_unscoped_key_counts_and_is_warned_about_once(self):
        trusted = filter_on(Scripted(THREE))
        with logged() as lines:
            for _ in range(3):
                found = trusted.filter_all(everyone(), request(trusted_host="trusted"))
                self.assertEqual(["good"], names(found))
        (line,) = lines.of(logging.WARNING)[:1]
        self.assertEqual(1, sum("has the key trusted_host" in w for w in lines.of(logging.WARNING)))
        self.assertIn("m1.tiny", line)

    def test_two_keys_that_agree_are_one(self):
        self.assertEqual(["good"], self.passed(trust="trusted", trusted_host="trusted"))

    def test_two_keys_that_contradict_each_other_match_no_host(self):
        for one, other in (("trusted", "untrusted"), ("untrusted", "trusted"), ("trusted", "odd")):
            self.assertEqual([], self.passed(trust=one, trusted_host=other))

    def test_a_rebuild_asks_again(self):
        backend = Scripted(dict(THREE))
        trusted, rebuild = filter_on(backend), {"_nova_check_type": ["rebuild"]}
        self.assertTrue(TrustedFilter.RUN_ON_REBUILD)
        found = trusted.filter_all(hosts("bad"), request(hints=rebuild, trust="trusted"))
        self.assertEqual([], found)
        found = trusted.filter_all(hosts("good"), request(hints=rebuild, trust="trusted"))
        self.assertEqual(["good"], names(found))

    def test_a_host_by_itself_is_answered_for_the_same(self):
        trusted = filter_on(Scripted(THREE))
        answers = {h.nodename: trusted.host_passes(h, request(trust="trusted")) for h in everyone()}
        self.assertEqual({"good": True, "bad": False, "odd": False, "absent": False}, answers)

    def test_of_two_hosts_with_one_name_neither_passes(self):
        backend = Scripted({"good": TRUSTED, "twin": TRUSTED})
        with logged() as lines:
            found = filter_on(backend).filter_all(
                hosts("twin", "good", "twin"), request(trust="trusted")
            )
        self.assertEqual(["good"], names(found))
        self.assertIn("twin", "".join(lines.of(logging.WARNING)))

    def test_hosts_keep_their_order(self):
        backend = Scripted(dict.fromkeys("abcdef", TRUSTED))
        found = filter_on(backend).filter_all(hosts(*"fbdaec"), request(trust="trusted"))
        self.assertEqual(list("fbdaec"), names(found))

    def test_nothing_that_goes_wrong_comes_out_as_an_exception(self):
        errors = [RuntimeError("no"), KeyError("k"), libattest.Error("e"), MemoryError()]
        for error in errors:
            with self.subTest(error=error):
                trusted = filter_on(Scripted(error))
                self.assertEqual([], list(trusted.filter_all(everyone(), request(trust="trusted"))))
        trusted = filter_on(Scripted(THREE))
        self.assertEqual([], trusted.filter_all([object()], request(trust="trusted")))
        self.assertEqual([], trusted.filter_all(everyone(), object()))
        self.assertEqual([], trusted.filter_all(None, request(trust="trusted")))

    def test_one_line_of_info_counts_hosts_by_reason(self):
        with logged() as lines:
            filter_on(Scripted(THREE)).filter_all(everyone(), request(trust="trusted"))
        (line,) = lines.of(logging.INFO)
        self.assertIn("1 of 4 hosts are trusted", line)
        for count in ("1 trusted", "1 untrusted", "2 unknown"):
            self.assertIn(count, line)

    def test_insecure_ssl_is_refused_with_the_reason(self):
        backend = Scripted(THREE)
        with options(attestation_insecure_ssl=True), logged() as lines:
            trusted, given = filter_on(backend), everyone()
            for value in ("trusted", "untrusted"):
                self.assertEqual([], trusted.filter_all(given, request(trust=value)))
            self.assertIs(given, trusted.filter_all(given, request()))
        self.assertIn("could call any host trusted", lines.of(logging.ERROR)[0])
        self.assertEqual(0, backend.made)

    def test_making_the_filter_starts_nothing(self):
        before = threading.active_count()
        trusted = TrustedFilter()
        self.assertEqual({}, trusted._of_process)
        self.assertEqual(before, threading.active_count())


class Aggregates(unittest.TestCase):
    def setUp(self) -> None:
        self.enterContext(options(require_by_aggregate=True))
        self.backend = Scripted(THREE)

    def given(self, **metadata: str):
        """good, bad and odd are in an aggregate of their own each; free is in none."""
        found = hosts("good", "bad", "odd", "free")
        for host in found[:3]:
            value = metadata.get(host.nodename)
            data = {} if value is None else {"attestation:required": value}
            host.aggregates = [objects.Aggregate(id=1, metadata=data)]
        return found

    def passed(self, given, **extra_specs) -> list[str]:
        return names(filter_on(self.backend).filter_all(given, request(**extra_specs)))

    def test_hosts_that_need_trust_take_nobody_without(self):
        given = self.given(good="true", bad="true", odd="true")
        self.assertEqual(["good", "free"], self.passed(given))

    def test_only_those_hosts_are_asked_about(self):
        self.passed(self.given(bad="true"))
        self.assertEqual([["bad"]], self.backend.calls)

    def test_no_is_no_and_anything_else_is_yes(self):
        self.assertEqual(["good", "bad", "free"], self.passed(self.given(bad="False", odd="1")))

    def test_one_of_several_aggregates_is_enough(self):
        (host,) = hosts("bad")
        host.aggregates = [
            objects.Aggregate(id=1, metadata={"attestation:required": "false"}),
            objects.Aggregate(id=2, metadata={"attestation:required": "true"}),
        ]
        self.assertEqual([], self.passed([host]))

    def test_untrusted_is_not_placed_on_hosts_that_need_trust(self):
        self.assertEqual([], self.passed(self.given(bad="true"), trust="untrusted"))
        self.assertEqual(["bad"], self.passed(self.given(), trust="untrusted"))

    def test_where_no_host_needs_trust_nobody_is_asked(self):
        self.assertEqual(["good", "bad", "odd", "free"], self.passed(self.given()))
        self.assertEqual([], self.backend.calls)

    def test_off_by_default(self):
        with options(require_by_aggregate=False):
            given = self.given(bad="true")
            self.assertIs(given, filter_on(self.backend).filter_all(given, request()))


class Asking(unittest.TestCase):
    """When and how often a back-end is asked."""

    def decide(self, of: Verdicts, *names: str) -> list[str]:
        decision = of.decide(list(names))
        return [decision.reason(index) for index in range(len(names))]

    def test_all_that_is_missing_is_one_fetch_and_then_none(self):
        backend = Scripted(dict.fromkeys("abc", TRUSTED))
        of = Verdicts(backend.make)
        for _ in range(50):
            self.assertEqual(["trusted", "trusted", "trusted", "unknown"], self.decide(of, *"abcd"))
        self.assertEqual([["a", "b", "c", "d"]], backend.calls)

    def test_a_failing_service_is_asked_once_an_interval_and_nobody_waits_for_it_twice(self):
        backend = Scripted(Unanswered("status 500"))
        of = Verdicts(backend.make)
        with logged() as lines:
            for _ in range(50):
                self.assertEqual(["missing"] * 3, self.decide(of, *"abc"))
            self.assertEqual(["missing"], self.decide(of, "new"))
        self.assertEqual(1, len(backend.calls))
        (line,) = lines.of(logging.WARNING)
        self.assertIn("status 500", line)

    def test_pauses_double_and_end_with_the_first_answer(self):
        backend = Scripted(Unanswered("down"))
        with options(attestation_auth_timeout=2, retry_interval=1):
            of = Verdicts(backend.make)
            self.decide(of, "a")
            until(lambda: len(backend.calls) == 3)
            first, second, third = backend.times
            self.assertGreaterEqual(second - first, 1.0)
            self.assertGreaterEqual(third - second, 2.0)
            backend.say = {"a": TRUSTED}
            with logged() as lines:
                until(lambda: self.decide(of, "a") == ["trusted"])
                until(lambda: "answers again" in "".join(lines.of(logging.INFO)))
        # Made anew after each failure: files may have been put right meanwhile.
        self.assertEqual(4, backend.made)

    def test_one_fetch_at_a_time_takes_all_who_wait(self):
        backend = Scripted(lambda names, timeout: time.sleep(0.5) or dict.fromkeys(names, TRUSTED))
        of = Verdicts(backend.make)
        found: list = []

        def ask(number: int) -> None:
            found.append(self.decide(of, f"host{number % 10}", "shared"))

        threads = [threading.Thread(target=ask, args=(n,)) for n in range(40)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([["trusted"] * 2] * 40, found)
        self.assertLessEqual(len(backend.calls), 2)
        self.assertLess(time.monotonic() - began, 3.0)

    def test_a_service_that_hangs_is_waited_for_until_the_deadline(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        backend = Scripted(lambda names, timeout: gate.wait(30) and {})
        with options(fetch_timeout=0.5), logged() as lines:
            of = Verdicts(backend.make)
            began = time.monotonic()
            self.assertEqual(["missing"], self.decide(of, "a"))
            self.assertLess(time.monotonic() - began, 2.0)
            self.decide(of, "a")
        self.assertEqual(1, len(backend.calls))
        self.assertEqual(1, len(lines.of(logging.WARNING)))

    def test_verdicts_are_refreshed_before_they_end(self):
        backend = Scripted(dict.fromkeys("abc", TRUSTED))
        with options(attestation_auth_timeout=2, retry_interval=1):
            of = Verdicts(backend.make)
            self.decide(of, *"abc")
            until(lambda: len(backend.calls) >= 3)
            asked = len(backend.calls)
            for _ in range(100):
                self.assertEqual(["trusted"] * 3, self.decide(of, *"abc"))
            # By the refresher and for all of them at once.
            self.assertLessEqual(len(backend.calls), asked + 1)
            self.assertEqual([["a", "b", "c"]] * 3, backend.calls[:3])
            for one, other in zip(backend.times, backend.times[1:], strict=False):
                self.assertGreaterEqual(other - one, 0.95)

    def test_a_host_that_lost_its_trust_is_found_without_a_request(self):
        backend = Scripted({"a": TRUSTED})
        with options(attestation_auth_timeout=2, retry_interval=1):
            of = Verdicts(backend.make)
            self.assertEqual(["trusted"], self.decide(of, "a"))
            backend.say = {"a": UNTRUSTED}
            until(lambda: self.decide(of, "a") == ["untrusted"], 3.0)

    def test_an_outage_ends_trust_when_verdicts_end_and_not_before(self):
        backend = Scripted({"a": TRUSTED})
        with options(attestation_auth_timeout=2, retry_interval=1):
            of = Verdicts(backend.make)
            began = time.monotonic()
            self.decide(of, "a")
            backend.say = Unanswered("down")
            until(lambda: self.decide(of, "a") == ["expired"], 5.0)
            self.assertGreater(time.monotonic() - began, 1.9)
            self.assertLess(time.monotonic() - began, 2.6)

    def test_new_hosts_do_not_wait_for_the_interval(self):
        backend = Scripted(lambda names, timeout: dict.fromkeys(names, TRUSTED))
        of = Verdicts(backend.make)
        self.assertEqual(["trusted"], self.decide(of, "a"))
        self.assertEqual(["trusted", "trusted"], self.decide(of, "a", "b"))
        self.assertEqual([["a"], ["b"]], backend.calls)

    def test_more_hosts_than_the_limit_are_not_asked_about_and_not_trusted(self):
        backend = Scripted(lambda names, timeout: dict.fromkeys(names, TRUSTED))
        with options(max_hosts=10):
            of = Verdicts(backend.make)
            many = [f"host{number:03}" for number in range(30)]
            for _ in range(5):
                self.assertEqual(10, sum(of.decide(many).trusted))
        self.assertEqual(1, len(backend.calls))

    def test_a_host_that_was_not_asked_about_is_not_believed(self):
        stranger = libattest.HostVerdict("other", TRUSTED, time.time())
        backend = Scripted(lambda names, timeout: Answer([stranger]))
        of = Verdicts(backend.make)
        self.assertEqual(["unknown"], self.decide(of, "a"))
        self.assertEqual("missing", of._decide(["other"]).reason(0))

    def test_who_is_left_out_of_an_answer_is_not_trusted_any_more(self):
        backend = Scripted({"a": TRUSTED, "b": TRUSTED})
        with options(attestation_auth_timeout=4, retry_interval=1):
            of = Verdicts(backend.make)
            self.decide(of, "a", "b")
            backend.say = {"a": TRUSTED}
            until(lambda: self.decide(of, "a", "b") == ["trusted", "unknown"], 3.5)

    def test_who_is_silent_keeps_his_last_verdict_until_it_ends(self):
        backend = Scripted({"a": TRUSTED})
        with options(attestation_auth_timeout=2, retry_interval=1):
            of = Verdicts(backend.make)
            began = time.monotonic()
            self.decide(of, "a")
            backend.say = Answer([], frozenset("a"))
            until(lambda: self.decide(of, "a") != ["trusted"], 5.0)
            self.assertGreater(time.monotonic() - began, 1.9)
            asked = len(backend.calls)
            for _ in range(50):
                self.decide(of, "a")
            self.assertLessEqual(len(backend.calls), asked + 1)

    def test_hosts_without_a_verdict_are_one_warning_with_their_reasons(self):
        answer = Answer([], reasons={"a": "the verifier\nsays Failed"})
        of = Verdicts(Scripted(answer).make)
        with logged() as lines:
            self.decide(of, *"abcdefgh")
            self.decide(of, *"xyz")
        (line,) = lines.of(logging.WARNING)
        self.assertIn("8 of 8 hosts have no verdict: a (the verifier says Failed), b", line)
        self.assertIn("and 3 more", line)

    def test_the_refresher_ends_when_nobody_asks_any_more(self):
        backend = Scripted({"a": TRUSTED})
        with (
            options(attestation_auth_timeout=1, retry_interval=1),
            mock.patch.object(verdicts, "_REMEMBERED", 1),
        ):
            of = Verdicts(backend.make)
            self.decide(of, "a")
            until(lambda: of._refresher is None, 5.0)
            asked = len(backend.calls)
            time.sleep(1.1)
            self.assertEqual(asked, len(backend.calls))
            self.assertEqual(["trusted"], self.decide(of, "a"))
            self.assertIsNotNone(of._refresher)


class Options(unittest.TestCase):
    NAMES = {
        "attestation_server": ("server", "10.1.71.206"),
        "attestation_server_ca_file": ("server_ca_file", "/etc/nova/ssl.10.1.71.206.crt"),
        "attestation_port": ("port", 8444),
        "attestation_api_url": ("api_url", "/AttestationService/resources"),
        "attestation_auth_blob": ("auth_blob", "i-am-openstack"),
    }

    def parsed(self, lines: str):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write(f"[trusted_computing]\n{lines}\n")
            file.flush()
            fresh = cfg.ConfigOpts()
            for group, opts in conf.list_opts():
                fresh.register_opts(opts, group=group)
            fresh(["--config-file", file.name], project="x")
            return fresh.trusted_computing

    def test_the_defaults_are_those_that_nova_had(self):
        found = self.parsed("")
        self.assertEqual(8443, found.attestation_port)
        self.assertEqual("/OpenAttestationWebServices/V1.0", found.attestation_api_url)
        self.assertEqual(60, found.attestation_auth_timeout)
        self.assertIsNone(found.attestation_server)
        self.assertIsNone(found.attestation_server_ca_file)
        self.assertIsNone(found.attestation_auth_blob)
        self.assertFalse(found.attestation_insecure_ssl)

    def test_every_option_is_read_under_each_name_that_it_ever_had(self):
        for name, (old, value) in self.NAMES.items():
            for key in (name, old):
                with self.subTest(key=key):
                    self.assertEqual(value, self.parsed(f"{key} = {value}")[name])

    def test_the_blob_is_secret(self):
        (opt,) = [o for o in conf.NOVA_OPTS if o.name == "attestation_auth_blob"]
        self.assertTrue(opt.secret)

    def test_they_are_there_when_the_module_is_imported(self):
        self.assertEqual(8443, CONF.trusted_computing.attestation_port)

    def test_the_sample_is_generated(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "sample"
            generator.main(["--namespace", "libattest_nova", "--output-file", str(path)])
            sample = path.read_text()
        self.assertIn("[trusted_computing]", sample)
        for opt in conf.NOVA_OPTS + conf.OPTS:
            self.assertRegex(sample, rf"(?m)^#{opt.name} = ")
        self.assertIn("# Deprecated group/name - [trusted_computing]/server", sample)

    def test_what_a_backend_lacks_is_said(self):
        for backend, option in (
            ("oat", "attestation_server"),
            ("keylime", "keylime_verifier"),
            ("file", "verdict key"),
        ):
            with self.subTest(backend=backend), options(backend=backend), logged() as lines:
                of = Verdicts()
                self.assertEqual([0], list(of.decide(["a"]).trusted))
                self.assertIn(option, "".join(lines.of(logging.WARNING)))

    def test_a_ca_file_that_is_not_there_is_named(self):
        with options(
            attestation_server="127.0.0.1", attestation_server_ca_file="/nowhere/ca.crt"
        ), self.assertRaisesRegex(Unanswered, "attestation_server_ca_file: /nowhere/ca.crt: No such"):
            backends.make()

    def test_a_lifetime_of_nothing_is_a_second(self):
        with options(attestation_auth_timeout=0):
            self.assertEqual(1.0, backends.lifetime())


class ExtraSpecs(unittest.TestCase):
    """Through Nova's own look-up of the entry point."""

    def check(self, name: str, value: str) -> None:
        nova_validators.validate(name, value)

    def test_trust_has_two_values(self):
        self.check("trust:trusted_host", "trusted")
        self.check("trust:trusted_host", "untrusted")
        for value in ("Trusted", "true", "unknown", "", "<or> trusted"):
            with self.subTest(value=value), self.assertRaises(exception.ValidationError):
                self.check("trust:trusted_host", value)

    def test_trusted_boot_is_true_or_false(self):
        for value in ("true", "false", "True", "FALSE"):
            self.check("capabilities:trusted_boot", value)
        for value in ("yes", "1", "", "<or> true <or> True", "true "):
            with self.subTest(value=value), self.assertRaises(exception.ValidationError):
                self.check("capabilities:trusted_boot", value)


class Package(unittest.TestCase):
    def test_nova_finds_the_filter_by_the_packages_name(self):
        from nova.scheduler import filters

        handler = filters.HostFilterHandler()
        found = handler.get_matching_classes(["libattest_nova.TrustedFilter"])
        self.assertEqual([TrustedFilter], found)

    def test_eventlet_is_where_nova_runs_on_it_and_nowhere_else(self):
        if not hasattr(monkey_patch, "poison_eventlet"):
            self.assertTrue(sys.modules["eventlet"].patcher.is_monkey_patched("thread"))
            return
        backend = Scripted(THREE)
        found = filter_on(backend).filter_all(everyone(), request(trust="trusted"))
        self.assertEqual(["good"], names(found))
        with self.assertRaises(ImportError):
            import eventlet  # noqa: F401

    def test_without_nova_only_the_filter_is_missing(self):
        script = "import libattest_nova.conf, sys; assert not any(m == 'nova' for m in sys.modules)"
        self.assertEqual(0, os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", script]))


if __name__ == "__main__":
    unittest.main()
