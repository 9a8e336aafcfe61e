# SPDX-License-Identifier: Apache-2.0
"""The mirror on real placement, with evidence of software TPMs, as the command that operators start."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from unittest import mock

import libattest
from mirror_doubles import TRUSTED, UNTRUSTED, make_adapter, until
from mirror_hosts import EVIL, TRAIT, Hosts, uuid_of
from placement_service import Placement as Service

from libattest_nova import verdict_file
from libattest_nova.backends import Answer, Unanswered
from libattest_nova.mirror import clock
from libattest_nova.mirror.acts import Acts
from libattest_nova.mirror.book import Host
from libattest_nova.mirror.placement import Placement
from libattest_nova.mirror.rest import Rest, Rests, ServiceError

KEY = bytes(range(32))


def setUpModule() -> None:
    global SERVICE
    folder = unittest.enterModuleContext(tempfile.TemporaryDirectory())
    SERVICE = unittest.enterModuleContext(Service(pathlib.Path(folder)))


class OnPlacement(unittest.TestCase):
    def setUp(self) -> None:
        SERVICE.clear()
        self.rest = Rest("placement", make_adapter(SERVICE.url, "placement"), 2.0)
        self.placement = Placement(Rests([self.rest]), TRAIT, Acts(dry_run=False))

    def apply(self, seconds: float = 10.0, **standings: str) -> None:
        now = clock.now()
        hosts = {n: Host(n, s, now + 60, None) for n, s in standings.items()}  # type: ignore[arg-type]
        self.placement.apply(hosts, now + seconds)

    def test_the_trait_is_given_and_taken_and_others_stay(self):
        SERVICE.make("host1", "CUSTOM_OTHER", "HW_CPU_X86_AVX")
        SERVICE.make("host2", "CUSTOM_OTHER")
        self.apply(host1="trusted", host2="untrusted", absent="trusted")
        self.assertEqual({"CUSTOM_OTHER", "HW_CPU_X86_AVX", TRAIT}, SERVICE.traits("host1"))
        self.assertEqual({"CUSTOM_OTHER"}, SERVICE.traits("host2"))
        self.apply(host1="silent", host2="trusted")
        self.assertEqual({"CUSTOM_OTHER", "HW_CPU_X86_AVX"}, SERVICE.traits("host1"))
        self.assertEqual({"CUSTOM_OTHER", TRAIT}, SERVICE.traits("host2"))
        self.placement.withdraw(clock.now() + 10)
        self.assertEqual(set(), SERVICE.holders())

    def test_only_trusted_is_trusted(self):
        SERVICE.make("host1")
        for standing in ("untrusted", "silent", "waiting", "", "TRUSTED"):
            self.apply(host1=standing)
            self.assertEqual(set(), SERVICE.traits("host1"))

    def test_who_has_it_and_should_not_loses_it(self):
        parent = SERVICE.make("host1", TRAIT)
        SERVICE.make("host1_gpu", TRAIT, parent=parent)
        SERVICE.make("stranger", TRAIT, "CUSTOM_OTHER")
        self.apply(host1="trusted")
        self.assertEqual({"host1"}, SERVICE.holders())
        self.assertEqual({"CUSTOM_OTHER"}, SERVICE.traits("stranger"))

    def test_what_is_as_it_should_be_is_not_written(self):
        SERVICE.make("host1", TRAIT)
        SERVICE.make("host2")
        with mock.patch.object(self.rest, "call", wraps=self.rest.call) as call:
            self.apply(host1="trusted", host2="untrusted")
        self.assertEqual({"GET"}, {args.args[0] for args in call.call_args_list})

    def test_a_change_of_somebody_else_between_look_and_write_is_not_undone(self):
        for standing, before, wanted in (
            ("trusted", ("CUSTOM_OTHER",), {"CUSTOM_NEW", TRAIT}),
            ("untrusted", ("CUSTOM_OTHER", TRAIT), {"CUSTOM_NEW"}),
        ):
            with self.subTest(standing=standing):
                SERVICE.clear()
                provider = SERVICE.make("host1", *before)
                call, changes = self.rest.call, (
                    ["CUSTOM_NEW"] if standing == "trusted" else ["CUSTOM_NEW", TRAIT]
                )

                def between(method, path, *rest, **more):
                    if method == "PUT" and path.endswith("/traits") and changes:
                        SERVICE.change(provider, *changes)
                        changes.clear()
                    return call(method, path, *rest, **more)

                with mock.patch.object(self.rest, "call", between):
                    self.apply(host1=standing)
                self.assertEqual(wanted, SERVICE.traits("host1"))

    def test_a_provider_that_never_stands_still_is_given_up_and_the_others_are_not(self):
        restless = SERVICE.make("host1")
        SERVICE.make("host2")
        call, numbers = self.rest.call, iter(range(1000))

        def between(method, path, *rest, **more):
            if method == "PUT" and restless in path:
                SERVICE.change(restless, f"CUSTOM_N{next(numbers)}")
            return call(method, path, *rest, **more)

        with mock.patch.object(self.rest, "call", between):
            with self.assertRaisesRegex(ServiceError, "changes faster"):
                self.apply(host1="trusted", host2="trusted")
        self.assertEqual({"host2"}, SERVICE.holders())

    def test_many_at_once_by_two_daemons(self):
        names = [f"host{number}" for number in range(12)]
        for name in names:
            SERVICE.make(name, "CUSTOM_OTHER")
        made = make_adapter(SERVICE.url, "placement")
        other = Placement(
            Rests([Rest("placement", made, 5.0) for _ in range(4)]), TRAIT, Acts(dry_run=False)
        )
        hosts = {n: Host(n, "trusted", clock.now() + 60, None) for n in names}
        threads = [
            threading.Thread(target=one.apply, args=(hosts, clock.now() + 20))
            for one in (self.placement, other)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(set(names), SERVICE.holders())
        self.assertEqual({"CUSTOM_OTHER", TRAIT}, SERVICE.traits("host3"))

    def test_a_verdict_that_becomes_old_on_the_way_gives_nothing(self):
        SERVICE.make("host1")
        now = clock.now()
        hosts = {"host1": Host("host1", "trusted", now + 0.3, None)}
        call = self.rest.call

        def slowly(method, path, *rest, **more):
            time.sleep(0.2)
            return call(method, path, *rest, **more)

        with mock.patch.object(self.rest, "call", slowly):
            self.placement.apply(hosts, now + 10)
        self.assertEqual(set(), SERVICE.holders())

    def test_takes_come_before_gives(self):
        SERVICE.make("a")
        SERVICE.make("z", TRAIT)
        with self.assertLogs("libattest_nova.mirror.acts", "INFO") as logs:
            self.apply(a="trusted", z="untrusted")
        self.assertEqual(["take", "give"], [line.split(":")[2].split()[0] for line in logs.output])

    def test_a_provider_that_is_gone_meanwhile(self):
        provider = SERVICE.make("host1", TRAIT)
        call = self.rest.call

        def between(method, path, *rest, **more):
            if path.endswith("/traits"):
                SERVICE.remove(provider)
            return call(method, path, *rest, **more)

        with mock.patch.object(self.rest, "call", between):
            self.apply()

    def test_a_placement_that_hangs_is_an_error_in_time(self):
        SERVICE.make("host1", TRAIT)
        SERVICE.hang()
        self.addCleanup(SERVICE.go_on)
        started = time.monotonic()
        with self.assertRaises(ServiceError):
            self.apply(seconds=1.0, host1="untrusted")
        self.assertLess(time.monotonic() - started, 2.0)
        SERVICE.go_on()
        self.apply(host1="untrusted")
        self.assertEqual(set(), SERVICE.holders())

    def test_dry(self):
        SERVICE.make("host1")
        SERVICE.make("host2", TRAIT)
        dry = Placement(Rests([self.rest]), TRAIT, Acts(dry_run=True))
        with mock.patch("sys.stdout") as out:
            dry.apply({"host1": Host("host1", "trusted", clock.now() + 60, None)}, clock.now() + 10)
        said = "".join(call.args[0] for call in out.write.call_args_list)
        self.assertIn(f"would take {TRAIT} from 'host2'", said)
        self.assertIn(f"would give {TRAIT} to 'host1'", said)
        self.assertEqual({"host2"}, SERVICE.holders())


class Agents(Hosts):
    """Appraisal of software TPMs' evidence, in process."""

    def fetch(self, source, timeout: float = 20.0) -> Answer:
        return source.fetch(list(self.names), timeout)

    def verdicts(self, source) -> dict[str, libattest.Verdict]:
        return {v.name: v.verdict for v in self.fetch(source).verdicts}

    def untrusted(self, source, name: str, words: str) -> None:
        answer = self.fetch(source)
        self.assertEqual(UNTRUSTED, {v.name: v.verdict for v in answer.verdicts}.get(name), answer)
        self.assertIn(words, answer.reasons[name])

    def silent(self, source, name: str, words: str) -> None:
        answer = self.fetch(source)
        self.assertIn(name, answer.silent, answer)
        self.assertIn(words, answer.reasons[name])

    def entries(self, name: str) -> list[str]:
        """The first IMA entry that each quote was asked from."""
        asked = [path for path in self.agents[name].requests if "integrity" in path]
        return [path.partition("ima_ml_entry=")[2].partition("&")[0] or "0" for path in asked]

    def test_good_hosts_are_trusted_and_their_lists_are_read_on_from_where_they_were(self):
        source, before = self.source(), int(time.time())
        answer = self.fetch(source)
        self.assertEqual(
            {"host1": TRUSTED, "host2": TRUSTED}, {v.name: v.verdict for v in answer.verdicts}
        )
        self.assertTrue(all(before <= v.measured_at <= time.time() for v in answer.verdicts))
        self.assertEqual(TRUSTED, self.verdicts(source)["host1"])
        self.assertEqual(["0", "2"], self.entries("host1"))

    def test_a_program_that_nobody_expects(self):
        source = self.source()
        self.fetch(source)
        self.host1.measure("/tmp/evil", EVIL)
        for _ in range(2):  # and it does not become good by being asked again
            self.untrusted(source, "host1", "/tmp/evil")
        self.assertEqual(TRUSTED, self.verdicts(source)["host2"])

    def test_a_reboot_is_trusted_at_once(self):
        source = self.source()
        self.fetch(source)
        self.host1.reboot()
        for number in range(4):
            self.host1.measure("/usr/bin/ls", bytes(31) + bytes([number]))
        self.write_policy()
        self.assertEqual(TRUSTED, self.verdicts(source)["host1"])
        self.assertEqual(["0", "2", "0"], self.entries("host1"))

    def test_a_tpm_that_was_put_back_stays_untrusted(self):
        tpm, source = self.tpms["host1"], self.source()
        tpm.stop()
        shutil.copytree(tpm.folder / "state", self.work / "before")
        for _ in range(3):
            self.host1.reboot()
        self.assertEqual(TRUSTED, self.verdicts(source)["host1"])
        tpm.stop()
        shutil.rmtree(tpm.folder / "state")
        shutil.copytree(self.work / "before", tpm.folder / "state")
        self.host1.reboot()
        for _ in range(2):
            self.untrusted(source, "host1", "went back")

    def test_a_restart_goes_on_where_the_daemon_was(self):
        source = self.source()
        self.fetch(source)
        source.close()
        self.assertEqual(TRUSTED, self.verdicts(self.source())["host1"])
        self.assertEqual(["0", "2"], self.entries("host1"))

    def test_what_a_failed_host_has_done_is_not_forgotten_by_a_restart(self):
        source = self.source()
        self.fetch(source)
        self.host1.measure("/tmp/evil", EVIL)
        self.untrusted(source, "host1", "/tmp/evil")
        source.close()
        self.untrusted(self.source(), "host1", "/tmp/evil")

    def test_another_machine_answers(self):
        source = self.source()
        self.fetch(source)
        self.host1.relay = self.host2
        self.untrusted(source, "host1", "signature")

    def test_the_registrar_says_another_tpm_for_the_agent(self):
        source = self.source()
        self.fetch(source)
        source.close()
        self.keylime.register(self.host1, tpm=self.tpms["host2"])
        self.host1.tpm = self.tpms["host2"]
        self.untrusted(self.source(), "host1", "another TPM or key answers: its AK")

    def test_an_old_quote_again(self):
        source = self.source()
        self.fetch(source)
        self.host1.replay = True
        self.untrusted(source, "host1", "nonce")

    def test_one_machine_with_two_agents_is_one_host(self):
        # host2's agent has host1's TPM, which vouches for all it shows.
        self.keylime.register(self.host2, tpm=self.tpms["host1"])
        self.host2.tpm = self.tpms["host1"]
        self.host2.ima[:] = self.host1.ima
        found = self.verdicts(self.source())
        self.assertEqual([TRUSTED, UNTRUSTED], sorted(found.values()))

    def test_whose_key_it_is_says_the_map_and_what_was_pinned_before_who_comes_first(self):
        source = self.source()
        self.fetch(source)
        source.close()
        os.unlink(self.state.file("host2"))
        self.keylime.register(self.host2, tpm=self.tpms["host1"])
        self.host2.tpm = self.tpms["host1"]
        self.host2.ima[:] = self.host1.ima
        again = self.source()
        for _ in range(2):
            answer = again.fetch(["host2", "host1"], 20.0)
            self.assertEqual(
                {"host1": TRUSTED, "host2": UNTRUSTED}, {v.name: v.verdict for v in answer.verdicts}
            )
            self.assertIn("the TPM of host1 answers for it", answer.reasons["host2"])

    def test_the_maps_keys(self):
        right = {
            "host1": {"agent": uuid_of(1), "ak": self.ak("host1"), "ek_sha256": self.ek("host1")}
        }
        self.bind(right)
        source = self.source()
        self.assertEqual({"host1": TRUSTED}, self.verdicts(source))
        self.bind({"host1": {**right["host1"], "ek_sha256": self.ek("host2")}})
        self.untrusted(source, "host1", "its EK")
        self.bind({"host1": {**right["host1"], "ak": self.ak("host2")}})
        self.untrusted(source, "host1", "its AK")
        self.bind(right)
        self.assertEqual({"host1": TRUSTED}, self.verdicts(source))
        self.bind({"host1": {"ak": self.ak("host1")}})
        self.untrusted(source, "host1", "names no agent")

    def test_who_shows_no_ek_needs_an_ak_in_the_map(self):
        self.keylime.register(self.host1, ek_tpm="", ekcert="")
        source = self.source()
        answer = self.fetch(source)
        self.assertNotIn(("host1", TRUSTED), [(v.name, v.verdict) for v in answer.verdicts])
        self.assertIn("host1", answer.reasons)

    def test_pins_are_forgotten_when_the_operator_removes_the_file(self):
        source = self.source()
        with self.assertLogs("libattest_nova.mirror.agents", "WARNING") as logs:
            self.fetch(source)
        self.assertIn(self.ak("host1"), "".join(logs.output))
        tpms = self.tpms["host1"], self.tpms["host2"]
        for agent, tpm in ((self.host1, tpms[1]), (self.host2, tpms[0])):
            agent.tpm = tpm
            self.keylime.register(agent)
            agent.ima.clear()
            tpm.reboot()
            agent.measure("boot_aggregate", agent._boot_aggregate())
        source.close()
        changed = self.source()
        self.untrusted(changed, "host1", "another TPM or key")
        for name in self.names:
            os.unlink(self.state.file(name))
        self.assertEqual({"host1": TRUSTED, "host2": TRUSTED}, self.verdicts(self.source()))

    def test_a_state_that_is_damaged_is_no_fresh_start(self):
        source = self.source()
        self.fetch(source)
        source.close()
        pathlib.Path(self.state.file("host1")).write_text("")
        self.silent(self.source(), "host1", "what it has pinned is not known")

    def test_an_agent_that_hangs_holds_up_nobody_else(self):
        source = self.source(call_timeout=3.0)
        self.fetch(source)
        self.host1.delay = 60.0
        started = time.monotonic()
        answer = source.fetch(list(self.names), 1.0)
        self.assertLess(time.monotonic() - started, 2.0)
        self.assertEqual(["host2"], [v.name for v in answer.verdicts])
        self.assertEqual({"host1"}, answer.silent)
        asked = len(self.host1.requests)
        answer = source.fetch(list(self.names), 0.5)
        self.assertEqual(["host2"], [v.name for v in answer.verdicts])
        self.assertEqual(asked, len(self.host1.requests))  # it is still being asked
        self.host1.delay = 0.0
        until(lambda: {"host1", "host2"} <= {v.name for v in self.fetch(source).verdicts})

    def test_an_agent_that_is_away_is_silent_and_comes_back_elsewhere(self):
        source = self.source()
        self.fetch(source)
        self.host1.gone()
        self.silent(source, "host1", "")
        self.host1.port = 0
        self.host1.start()
        self.keylime.register(self.host1)
        self.assertEqual(TRUSTED, self.verdicts(source)["host1"])

    def test_what_is_no_evidence_is_not_trusted(self):
        source = self.source()
        self.fetch(source)
        for status, body in ((200, b"<html>"), (200, b'{"results": {}}'), (200, b""), (403, b"{}")):
            self.host1.answer = status, body
            self.untrusted(source, "host1", "")
        self.host1.answer = 503, b"{}"
        self.silent(source, "host1", "503")

    def test_a_registrar_that_fails_says_nothing_about_hosts(self):
        source = self.source()
        for answer in ((500, b"", {}), (403, b"{}", {}), (200, b"<html>", {})):
            self.keylime.answer = answer
            self.silent(source, "host1", "registrar")
        self.keylime.answer = None
        self.keylime.agents.clear()
        self.silent(source, "host1", "does not know agent")

    def test_a_map_or_a_policy_that_is_wrong_brings_no_verdicts(self):
        source = self.source()
        self.fetch(source)
        (self.policies / "policy.json").write_text('{"version": 1}')
        self.silent(source, "host1", "no rule for any PCR")
        self.map.write_text("{}")
        with self.assertRaises(Unanswered):
            self.fetch(source)

    def test_a_policy_of_its_own(self):
        self.bind(
            {"host1": {"agent": uuid_of(1)}, "host2": {"agent": uuid_of(2), "policy": "two.json"}}
        )
        source = self.source()
        self.silent(source, "host2", "two.json")
        self.write_policy("two.json")
        self.assertEqual({"host1": TRUSTED, "host2": TRUSTED}, self.verdicts(source))

    def test_nothing_is_written_by_a_dry_run(self):
        self.fetch(self.source(save=False))
        self.assertEqual([], os.listdir(self.work / "state"))


class Command(Hosts):
    """libattest-nova-mirror, as it is started."""

    def setUp(self) -> None:
        super().setUp()
        SERVICE.go_on()
        SERVICE.clear()
        for name in (*self.names, "host3"):
            SERVICE.make(name, "CUSTOM_OTHER")
        key = self.work / "key"
        key.write_bytes(KEY)
        key.chmod(0o600)
        self.configure()

    def configure(self, **changes: object) -> None:
        cv_ca, mine = self.keylime.folder, {
            "interval": 1, "verdict_lifetime": 6, "cycle_timeout": 3, "call_timeout": 2,
            "exit_timeout": 10, "workers": 4, "policies_dir": self.policies,
            "state_dir": self.work / "state", **changes,
        }  # fmt: skip
        sections = {
            "libattest_mirror": mine,
            "trusted_computing": {
                "host_map": self.map,
                "keylime_registrar": f"127.0.0.1:{self.keylime.registrar_port}",
                "keylime_ca": cv_ca / "cacert.crt",
                "keylime_cert": cv_ca / "client-cert.crt",
                "keylime_key": cv_ca / "client-private.pem",
                "verdict_file": self.work / "verdicts",
                "verdict_key_file": self.work / "key",
            },
            "placement": {"auth_type": "admin_token", "endpoint": SERVICE.url, "token": "admin"},
        }
        lines = []
        for section, values in sections.items():
            lines += [f"[{section}]", *(f"{name} = {value}" for name, value in values.items())]
        (self.work / "nova.conf").write_text("\n".join(lines) + "\n")

    def start(self, *words: str) -> subprocess.Popen:
        code = "import sys; from libattest_nova.mirror import command; sys.exit(command.main())"
        log = open(self.work / "log", "ab")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", code, "--config-file",
             str(self.work / "nova.conf"), *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def run_once(self, *words: str) -> tuple[int, str]:
        process = self.start("--once", *words)
        said, _ = process.communicate(timeout=60)
        return process.returncode, said

    @property
    def log(self) -> str:
        return (self.work / "log").read_text()

    def daemon(self) -> subprocess.Popen:
        process = self.start()
        self.until(lambda: SERVICE.holders() == {"host1", "host2"})
        return process

    def until(self, condition, seconds: float = 30.0) -> None:
        try:
            until(condition, seconds)
        except AssertionError:
            raise AssertionError(f"{SERVICE.holders()}\n{self.log[-4000:]}") from None

    def test_once(self):
        self.assertEqual((0, ""), self.run_once(), self.log)
        self.assertEqual({"host1", "host2"}, SERVICE.holders())
        self.host1.measure("/tmp/evil", EVIL)
        self.assertEqual((1, ""), self.run_once(), self.log)
        self.assertEqual({"host2"}, SERVICE.holders())
        self.assertIn("/tmp/evil", self.log)
        self.host2.gone()
        self.assertEqual((1, ""), self.run_once(), self.log)
        self.assertEqual(set(), SERVICE.holders())

    def test_once_that_could_not_do_its_work(self):
        self.assertEqual(0, self.run_once()[0], self.log)
        self.map.write_text("{}")
        self.assertEqual(2, self.run_once()[0], self.log)
        self.assertEqual(set(), SERVICE.holders())
        self.bind({"host1": {"agent": uuid_of(1)}})
        SERVICE.hang()
        self.assertEqual(2, self.run_once()[0], self.log)

    def test_settings_that_can_not_be_are_told_in_one_line(self):
        for changes, words in (
            ({"trait": "COMPUTE_STATUS_DISABLED"}, "[libattest_mirror]trait"),
            ({"source": "filter"}, "attestation_server is not set"),
            ({"disable_services": "always"}, "disable_services"),
        ):
            self.configure(**changes)
            self.assertEqual(2, self.run_once()[0])
            self.assertIn(words, self.log)
        self.configure()
        (self.work / "key").chmod(0o644)
        self.assertEqual(2, self.run_once()[0])
        self.assertIn("mode 0644", self.log)

    def test_dry_run(self):
        SERVICE.make("stranger", TRAIT)
        status, said = self.run_once("--dry-run")
        self.assertEqual(0, status, self.log)
        self.assertIn(f"would give {TRAIT} to 'host1'", said)
        self.assertIn(f"would take {TRAIT} from 'stranger'", said)
        self.assertEqual({"stranger"}, SERVICE.holders())
        self.assertEqual([], os.listdir(self.work / "state"))
        self.assertFalse((self.work / "verdicts").exists())

    def test_a_day_of_the_daemon(self):
        process = self.daemon()
        found = verdict_file.read(self.work / "verdicts", KEY, now=time.time(), max_age=30)
        self.assertEqual({"host1": TRUSTED, "host2": TRUSTED}, {v.name: v.verdict for v in found})
        self.assertEqual({"CUSTOM_OTHER", TRAIT}, SERVICE.traits("host1"))
        # Untrusted: at once.
        self.host1.measure("/tmp/evil", EVIL)
        self.until(lambda: SERVICE.holders() == {"host2"}, 10)
        # A reboot makes it good again.
        self.host1.reboot()
        self.host1.measure("/usr/bin/ls", bytes(32))
        self.write_policy()
        self.until(lambda: SERVICE.holders() == {"host1", "host2"}, 15)
        # Silent: when its last verdict is old. The other one stays.
        self.host1.delay = 60.0
        started = time.monotonic()
        self.until(lambda: SERVICE.holders() == {"host2"}, 15)
        self.assertGreater(time.monotonic() - started, 1.0)
        # Somebody gives it away: it is taken back.
        (row,) = SERVICE.request("GET", "/resource_providers?name=host3")["resource_providers"]
        SERVICE.change(row["uuid"], TRAIT)
        self.until(lambda: SERVICE.holders() == {"host2"}, 10)
        # The operator takes a host from the map.
        self.bind({"host1": {"agent": uuid_of(1)}})
        self.until(lambda: SERVICE.holders() == set(), 10)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(0, process.wait(30), self.log)

    def test_each_signal_that_ends_it_takes_the_trait_first(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            process = self.daemon()
            process.send_signal(number)
            self.assertEqual(0, process.wait(30), self.log)
            self.assertEqual(set(), SERVICE.holders())
            self.assertFalse((self.work / "verdicts").exists())
            self.assertEqual({"CUSTOM_OTHER"}, SERVICE.traits("host1"))

    def test_one_that_was_killed_leaves_the_trait_and_the_next_takes_it_before_it_knows_more(self):
        process = self.daemon()
        process.kill()
        process.wait()
        self.assertEqual({"host1", "host2"}, SERVICE.holders())
        self.host1.delay = self.host2.delay = 60.0
        process = self.start()
        self.until(lambda: SERVICE.holders() == set(), 10)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(0, process.wait(30), self.log)

    def test_a_second_one_refuses(self):
        process = self.daemon()
        self.assertEqual(2, self.run_once()[0])
        self.assertIn("another one is running", self.log)
        self.assertEqual({"host1", "host2"}, SERVICE.holders())
        process.send_signal(signal.SIGTERM)
        self.assertEqual(0, process.wait(30), self.log)

    def test_a_placement_that_hangs_loses_the_stale_traits_when_it_is_back(self):
        process = self.daemon()
        SERVICE.hang()
        self.host1.measure("/tmp/evil", EVIL)
        until(lambda: "host1 is untrusted" in self.log)
        # The schedulers hear of it all the same.
        until(lambda: {v.name: v.verdict for v in verdict_file.read(
            self.work / "verdicts", KEY, now=time.time(), max_age=30)}["host1"] == UNTRUSTED)  # fmt: skip
        SERVICE.go_on()
        self.until(lambda: SERVICE.holders() == {"host2"}, 15)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(0, process.wait(30), self.log)

    def test_an_end_while_placement_hangs_ends_and_says_so(self):
        self.configure(exit_timeout=2)
        process = self.daemon()
        SERVICE.hang()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(2, process.wait(30), self.log)
        self.assertIn("Traits may be left", self.log)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
