# SPDX-License-Identifier: Apache-2.0
"""The mirror's parts on their own: files, the book, calls that end, lanes, and the loop."""

import contextlib
import json
import os
import pathlib
import queue
import stat
import sys
import tempfile
import threading
import time
import unittest
from unittest import mock

import libattest
from mirror_doubles import (
    TRUSTED,
    UNKNOWN,
    UNTRUSTED,
    RawServer,
    Scripted,
    make_adapter,
    said,
    silence,
    trickle,
    until,
)

from libattest_nova import host_map, verdict_file
from libattest_nova.backends import Answer
from libattest_nova.mirror import appraisal, book, clock, lanes, options, rest, state
from libattest_nova.mirror.acts import Acts
from libattest_nova.mirror.appraisal import HostFailed
from libattest_nova.mirror.compute import Compute
from libattest_nova.mirror.daemon import Mirror, Times
from libattest_nova.mirror.identities import Identities
from libattest_nova.mirror.lanes import Lane
from libattest_nova.mirror.placement import Placement, check_trait
from libattest_nova.mirror.sources import FilterSource, poll
from libattest_nova.mirror.verdicts import VerdictWriter

KEY = bytes(range(32))
UUID = "d432fbb3-d2f1-4a97-9ef7-75bd81c00000"
OTHER = "d432fbb3-d2f1-4a97-9ef7-75bd81c00001"
AK = "000b" + "ab" * 32
EK = "cd" * 32


class Folder(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))


class VerdictFile(Folder):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder / "verdicts"
        self.now = 1_796_000_000

    def write(self, *verdicts: libattest.HostVerdict, **how) -> None:
        how = {"now": self.now, **how}
        verdict_file.write(self.path, KEY, verdicts, **how)

    def read(self, key: bytes = KEY, now: float | None = None, max_age: float = 60):
        now = self.now if now is None else now
        return verdict_file.read(self.path, key, now=now, max_age=max_age)

    def refused(self, words: str, **how) -> None:
        with self.assertRaisesRegex(verdict_file.VerdictFileError, words):
            self.read(**how)

    def sealed(self, body: bytes) -> None:
        """A body that the daemon's key vouches for."""
        self.path.write_bytes(verdict_file._sealed(KEY, body))

    def test_what_was_written_is_read(self):
        verdicts = [
            libattest.HostVerdict("good.example.org", TRUSTED, self.now - 1),
            libattest.HostVerdict("bad", UNTRUSTED, self.now),
            libattest.HostVerdict("odd", UNKNOWN, None),
        ]
        self.write(*verdicts)
        self.assertEqual(verdicts, self.read())
        self.assertEqual(0o640, stat.S_IMODE(self.path.stat().st_mode))

    def test_a_file_takes_the_place_of_the_one_before_and_leaves_nothing_behind(self):
        for _ in range(3):
            self.write(libattest.HostVerdict("a", TRUSTED, self.now))
        self.assertEqual(["verdicts"], os.listdir(self.folder))

    def test_a_writer_that_fails_leaves_the_file_of_before_and_nothing_else(self):
        self.write(libattest.HostVerdict("a", TRUSTED, self.now))
        with mock.patch("os.rename", side_effect=OSError(28, "No space left on device")):
            with self.assertRaisesRegex(verdict_file.VerdictFileError, "No space left"):
                self.write()
        self.assertEqual(["verdicts"], os.listdir(self.folder))
        self.assertEqual(1, len(self.read()))

    def test_every_changed_byte_is_noticed(self):
        self.write(libattest.HostVerdict("a", UNTRUSTED, self.now))
        whole = self.path.read_bytes()
        for index in range(len(whole)):
            for bit in (1, 0x20, 0x80):
                changed = bytearray(whole)
                changed[index] ^= bit
                self.path.write_bytes(changed)
                with self.subTest(index=index, bit=bit), self.assertRaises(
                    verdict_file.VerdictFileError
                ):
                    self.read()

    def test_a_file_that_is_cut_anywhere_or_has_a_byte_more_is_refused(self):
        self.write(libattest.HostVerdict("a", TRUSTED, self.now))
        whole = self.path.read_bytes()
        for data in [whole[:size] for size in range(len(whole))] + [whole + b"\n"]:
            self.path.write_bytes(data)
            with self.assertRaises(verdict_file.VerdictFileError):
                self.read()

    def test_another_key_wrote_it(self):
        self.write(libattest.HostVerdict("a", TRUSTED, self.now))
        self.refused("not written with this key", key=bytes(32))

    def test_old_files_and_files_of_the_future_are_refused(self):
        self.write(libattest.HostVerdict("a", TRUSTED, self.now))
        self.assertEqual(1, len(self.read(now=self.now + 60)))
        self.refused("61 s ago, more than 60", now=self.now + 61)
        self.assertEqual(1, len(self.read(now=self.now - verdict_file.MAX_SKEW)))
        self.refused("in the future", now=self.now - verdict_file.MAX_SKEW - 1)

    def test_a_verdict_of_the_future_is_refused(self):
        self.write(libattest.HostVerdict("a", TRUSTED, self.now + 3600))
        self.refused("measured in the future")

    def test_too_big(self):
        self.path.write_bytes(b"x" * (verdict_file.MAX_SIZE + 1))
        self.refused("bigger than")
        with self.assertRaisesRegex(verdict_file.VerdictFileError, "too many"):
            self.write(*(libattest.HostVerdict(str(n), TRUSTED, 1) for n in range(20_001)))

    def test_links_pipes_and_folders_are_no_verdict_files(self):
        target = self.folder / "target"
        verdict_file.write(target, KEY, [], now=self.now)
        self.path.symlink_to(target)
        self.refused("symbolic links")
        self.path.unlink()
        os.mkfifo(self.path)
        self.refused("not a regular file")  # and nobody waits for a writer
        self.path.unlink()
        self.path.mkdir()
        self.refused("verdicts")

    def test_there_is_none(self):
        self.refused("No such file")
        verdict_file.remove(self.path)

    def test_what_is_authentic_and_no_verdict_file_of_ours_is_refused(self):
        row = {"name": "a", "verdict": "trusted", "measured_at": self.now}
        whole = {"written_at": self.now, "verdicts": [row]}
        self.sealed(json.dumps(whole).encode())
        self.assertEqual(1, len(self.read()))
        bad: list[object] = [
            [],
            {**whole, "more": 1},
            {"verdicts": [row]},
            {**whole, "written_at": True},
            {**whole, "written_at": -1},
            {**whole, "written_at": float(self.now)},
            {**whole, "verdicts": {"a": row}},
            {**whole, "verdicts": [row, {**row, "verdict": "untrusted"}]},
            {**whole, "verdicts": [{**row, "more": 1}]},
            {**whole, "verdicts": [{**row, "name": ""}]},
            {**whole, "verdicts": [{**row, "name": "a" * 256}]},
            {**whole, "verdicts": [{**row, "verdict": "good"}]},
            {**whole, "verdicts": [{**row, "verdict": 1}]},
            {**whole, "verdicts": [{**row, "measured_at": "now"}]},
            {**whole, "verdicts": [{**row, "measured_at": 1e400}]},
        ]
        for document in bad:
            self.sealed(json.dumps(document).encode())
            with self.subTest(document=str(document)[:60]), self.assertRaises(
                verdict_file.VerdictFileError
            ):
                self.read()
        for body in (b"", b"{", b"[" * 100_000):
            self.sealed(body)
            self.refused("not JSON")

    def test_a_key_is_secret_whole_and_long_enough(self):
        path = self.folder / "key"
        path.write_bytes(KEY)
        for mode in (0o600, 0o640, 0o400):
            path.chmod(mode)
            self.assertEqual(KEY, verdict_file.load_key(path))
        for mode in (0o644, 0o660, 0o602, 0o604, 0o666):
            path.chmod(mode)
            with self.assertRaisesRegex(verdict_file.VerdictFileError, f"mode {mode:04o}"):
                verdict_file.load_key(path)
        path.chmod(0o600)
        link = self.folder / "link"
        link.symlink_to(path)
        with self.assertRaises(verdict_file.VerdictFileError):
            verdict_file.load_key(link)
        for size in (0, 31, 4097):
            path.write_bytes(bytes(size))
            with self.assertRaisesRegex(verdict_file.VerdictFileError, "bytes long"):
                verdict_file.load_key(path)
        with self.assertRaisesRegex(verdict_file.VerdictFileError, "No such file"):
            verdict_file.load_key(self.folder / "none")

    @unittest.skipUnless(os.geteuid() == 0, "only root gives files away")
    def test_another_users_key_is_refused(self):
        path = self.folder / "key"
        path.write_bytes(KEY)
        path.chmod(0o600)
        os.chown(path, 12345, 0)
        with self.assertRaisesRegex(verdict_file.VerdictFileError, "neither root nor this user"):
            verdict_file.load_key(path)


class HostMap(Folder):
    def parse(self, hosts: object, **more: object):
        return host_map.parse(json.dumps({"version": 1, "hosts": hosts, **more}).encode())

    def refused(self, words: str, hosts: object, **more: object) -> None:
        with self.assertRaisesRegex(host_map.HostMapError, words):
            self.parse(hosts, **more)

    def test_a_map(self):
        full = {
            "agent": UUID,
            "ak": AK.upper(),
            "ek_sha256": EK,
            "policy": "p.json",
            "kind": "ironic",
        }
        found = self.parse({"a.example.org": full, "b": {"ak": "000b" + "00" * 32}})
        self.assertEqual(
            host_map.HostBinding("a.example.org", UUID, AK, EK, "p.json", "ironic"),
            found["a.example.org"],
        )
        self.assertEqual((None, "compute"), (found["b"].agent, found["b"].kind))
        with self.assertRaises(TypeError):
            found["c"] = found["b"]  # type: ignore[index]

    def test_one_machine_would_answer_for_two(self):
        for member, value in (("agent", UUID), ("ak", AK), ("ek_sha256", EK)):
            for again in (value, value.upper()):
                hosts = {
                    "a": {"agent": OTHER, member: value},
                    "b": {"ak": "000c" + "00" * 48, member: again},
                }
                self.refused(f"'a' and 'b' have the same {member}", hosts)

    def test_a_name_alone_binds_nothing(self):
        self.refused("neither an agent nor an ak", {"a": {}})
        self.refused("neither an agent nor an ak", {"a": {"ek_sha256": EK, "policy": "p"}})

    def test_unknown_members_are_refused_with_their_place(self):
        self.refused("host 'a' has a member that is not known: 'uuid'", {"a": {"uuid": UUID}})
        self.refused("the map has a member that is not known: 'more'", {}, more=1)

    def test_what_is_not_of_its_form_is_refused(self):
        for name in ("", ".", "..", "a/b", "-a", ".a", "a b", "a\n", "ä", "a" * 256):
            self.refused("not the name of a host", {name: {"agent": UUID}})
        for agent in ("", "../x", "a/b", "a b", 1, None, "a" * 129):
            self.refused("agent is not of its form", {"a": {"agent": agent}})
        for ak in ("", AK[:-2], AK + "00", "0004" + "00" * 32, "0xab", None):
            self.refused("ak is not of its form", {"a": {"ak": ak}})
        self.refused("ek_sha256 is not of its form", {"a": {"agent": UUID, "ek_sha256": "ab"}})
        for policy in ("../p", "/etc/p", "", ".p"):
            self.refused("policy is not of its form", {"a": {"agent": UUID, "policy": policy}})
        for kind in ("vm", 1, None, []):
            self.refused("kind is neither", {"a": {"agent": UUID, "kind": kind}})
        self.refused("host 'a' is not an object", {"a": UUID})
        self.refused("hosts is not an object", [])
        for version in (2, "1", True, None, 1.5):
            self.refused("version is not 1", {}, version=version)

    def test_a_name_that_is_there_twice(self):
        text = f'{{"version": 1, "hosts": {{"a": {{"agent": "{UUID}"}}, "a": {{"agent": "{OTHER}"}}}}}}'
        with self.assertRaisesRegex(host_map.HostMapError, "'a' is there twice"):
            host_map.parse(text.encode())

    def test_what_is_no_json(self):
        for data in (b"", b"{", b"[" * 100_000, b"\xff", b"hosts: {}"):
            with self.assertRaisesRegex(host_map.HostMapError, "not JSON"):
                host_map.parse(data)

    def test_files(self):
        path = self.folder / "map"
        with self.assertRaisesRegex(host_map.HostMapError, "No such file"):
            host_map.load(path)
        path.write_text('{"version": 1, "hosts": {}}')
        path.chmod(0o644)
        self.assertEqual({}, dict(host_map.load(path)))
        path.chmod(0o646)
        with self.assertRaisesRegex(host_map.HostMapError, "written by anybody"):
            host_map.load(path)
        path.unlink()
        os.mkfifo(path)
        with self.assertRaisesRegex(host_map.HostMapError, "not a regular file"):
            host_map.load(path)


class Clock:
    """Both clocks, which stand until they are moved."""

    def __init__(self, test: unittest.TestCase) -> None:
        self.time, self.offset = 1000.0, 1_796_000_000.0
        test.enterContext(mock.patch.object(clock, "now", lambda: self.time))
        test.enterContext(mock.patch("time.time", lambda: self.time + self.offset))

    @property
    def wall(self) -> float:
        return self.time + self.offset


class BookTest(unittest.TestCase):
    def setUp(self) -> None:
        self.clock = Clock(self)
        self.book = book.Book(120)
        self.book.keep(["a"])

    def record(self, *verdicts: object, silent: bool = False) -> None:
        made = [libattest.HostVerdict("a", v, self.clock.wall) if not isinstance(v, tuple)
                else libattest.HostVerdict("a", *v) for v in verdicts]  # fmt: skip
        self.book.record(["a"], Answer(made, frozenset("a") if silent else frozenset()))

    @property
    def standing(self) -> str:
        return self.book.hosts()["a"].standing

    def test_nothing_is_known_at_first_and_after_a_lifetime_that_is_silence(self):
        self.assertEqual("waiting", self.standing)
        self.clock.time += 120
        self.assertEqual("silent", self.standing)

    def test_trust_has_an_end(self):
        self.record(TRUSTED)
        host = self.book.hosts()["a"]
        self.assertTrue(host.fresh)
        self.assertEqual(1120.0, self.book.next_expiry())
        self.clock.time += 119.9
        self.assertEqual("trusted", self.standing)
        self.clock.time += 0.1
        self.assertEqual("silent", self.standing)
        self.assertFalse(host.fresh)  # what was taken before does not outlive it
        self.assertIsNone(self.book.next_expiry())

    def test_it_counts_from_the_measurement(self):
        self.record((TRUSTED, self.clock.wall - 100))
        self.clock.time += 20
        self.assertEqual("silent", self.standing)

    def test_a_verdict_that_is_old_when_it_comes_is_none(self):
        self.record((TRUSTED, self.clock.wall - 120))
        self.assertEqual("waiting", self.standing)

    def test_a_verdict_of_the_future_or_of_no_time_ends_trust(self):
        for at in (None, 2**52, self.clock.wall + 31):
            self.record(TRUSTED)
            self.assertEqual("trusted", self.standing)
            self.record((TRUSTED, at))
            self.assertNotEqual("trusted", self.standing)

    def test_a_clock_that_is_a_little_ahead_lengthens_nothing(self):
        self.record((TRUSTED, self.clock.wall + 30))
        self.assertEqual(1120.0, self.book.next_expiry())

    def test_untrusted_ends_trust_at_once_and_trusted_brings_it_back(self):
        self.record(TRUSTED)
        self.clock.time += 1
        self.record(UNTRUSTED)
        self.assertEqual("untrusted", self.standing)
        self.record((TRUSTED, self.clock.wall - 1))
        self.assertEqual("untrusted", self.standing)  # measured before
        self.clock.time += 1
        self.record(TRUSTED)
        self.assertEqual("trusted", self.standing)

    def test_silence_ends_nothing_before_its_time(self):
        self.record(TRUSTED)
        self.clock.time += 100
        self.record(silent=True)
        self.assertEqual("trusted", self.standing)
        self.clock.time += 20
        self.assertEqual("silent", self.standing)

    def test_silence_does_not_end_untrusted(self):
        self.record(UNTRUSTED)
        self.clock.time += 10_000
        self.record(silent=True)
        self.assertEqual("untrusted", self.standing)

    def test_unknown_or_no_verdict_ends_trust_and_is_not_yet_silence(self):
        for verdicts in ((UNKNOWN,), (), (libattest.Verdict(77),)):
            self.record(TRUSTED)
            self.record(*verdicts)
            self.assertEqual("waiting", self.standing)

    def test_of_several_verdicts_the_worst_counts(self):
        for verdicts, standing in (
            ((TRUSTED, UNTRUSTED, TRUSTED), "untrusted"),
            ((UNKNOWN, TRUSTED), "waiting"),
            ((TRUSTED, libattest.Verdict(77)), "waiting"),
        ):
            self.book.keep([])
            self.book.keep(["a"])
            self.record(*verdicts)
            self.assertEqual(standing, self.standing)

    def test_hosts_that_nobody_asked_about_are_passed_over(self):
        self.book.keep(["a", "b"])
        good = [libattest.HostVerdict(n, TRUSTED, self.clock.wall) for n in ("a", "b", "c")]
        self.book.record(["a"], Answer(good))
        hosts = self.book.hosts()
        self.assertEqual(
            {"a": "trusted", "b": "waiting"}, {n: h.standing for n, h in hosts.items()}
        )

    def test_a_host_that_leaves_and_comes_back_begins_anew(self):
        self.record(TRUSTED)
        self.book.keep([])
        self.assertEqual({}, self.book.hosts())
        self.book.keep(["a"])
        self.assertEqual("waiting", self.standing)


class IdentitiesTest(unittest.TestCase):
    def test_a_key_is_of_one_host(self):
        owners = Identities()
        owners.claim("a", [("ak", AK), ("ek", EK)])
        owners.claim("a", [("ak", AK), ("ek", EK)])
        with self.assertRaisesRegex(HostFailed, "the TPM of a answers for it: its EK is cdcd"):
            owners.claim("b", [("ak", "other"), ("ek", EK)])
        owners.claim("c", [("ak", "other")])  # what was refused claimed nothing
        owners.release("a")
        owners.claim("b", [("ek", EK)])

    def test_the_maps_word_takes_a_key_from_who_has_shown_it(self):
        owners = Identities()
        owners.claim("a", [("ek", EK)])
        owners.bind("b", [("ek", EK)])
        with self.assertRaisesRegex(HostFailed, "the TPM of b"):
            owners.claim("a", [("ek", EK)])

    def test_an_ek_and_an_ak_of_the_same_digits_are_two(self):
        owners = Identities()
        owners.claim("a", [("ak", "00")])
        owners.claim("b", [("ek", "00")])


class State(Folder):
    def setUp(self) -> None:
        super().setUp()
        self.states = state.StateFolder(str(self.folder / "state"))
        self.states.prepare()
        self.binding = host_map.HostBinding("a", UUID, None, None, None, "compute")

    def save(self) -> None:
        self.states.save("a", state.HostState(UUID, AK, EK))

    def test_what_was_pinned_is_there_again(self):
        self.assertFalse(self.states.load(self.binding).saved)
        self.save()
        found = self.states.load(self.binding)
        self.assertEqual(
            (UUID, AK, EK, True), (found.agent, found.ak, found.ek_sha256, found.saved)
        )
        self.assertEqual(0o600, stat.S_IMODE(os.stat(self.states.file("a")).st_mode))
        self.assertFalse(self.states.forgotten("a"))

    def test_the_maps_word_is_the_last(self):
        self.save()
        for changes in ({"agent": OTHER}, {"ak": "000b" + "00" * 32}, {"ek_sha256": "00" * 32}):
            binding = host_map.HostBinding(
                **{**{f: getattr(self.binding, f) for f in self.binding.__slots__}, **changes}
            )
            self.assertIsNone(self.states.load(binding).ak)

    def test_a_file_that_can_not_be_read_is_not_the_same_as_none(self):
        self.save()
        path = pathlib.Path(self.states.file("a"))
        whole = path.read_bytes()
        bad = [whole[:size] for size in range(len(whole))] + [
            whole.replace(b'"version": 1', b'"version": 2'),
            whole.replace(b'"ak"', b'"al"'),
            whole.replace(UUID.encode(), b"x").replace(b'"x"', b"1"),
            b"x" * 20_000,
        ]
        for data in bad:
            path.write_bytes(data)
            with self.assertRaisesRegex(state.StateError, "what it has pinned is not known"):
                self.states.load(self.binding)
        path.unlink()
        path.symlink_to("/dev/null")
        with self.assertRaises(state.StateError):
            self.states.load(self.binding)

    def test_a_folder_that_others_can_write_is_refused(self):
        (self.folder / "state").chmod(0o777)
        with self.assertRaisesRegex(state.StateError, "written by others"):
            self.states.prepare()


class Policies(Folder):
    def load(self, **policy: object) -> appraisal.HostPolicy:
        path = self.folder / "policy.json"
        path.write_text(json.dumps({"version": 1, **policy}))
        return appraisal.load_policy(str(path))

    def test_what_is_quoted_is_what_the_policy_judges(self):
        digest = "00" * 32
        self.assertEqual((1 << 17, False), self.mask(pcrs={"17": [digest]}))
        # The agent sends its boot event log where PCR 0 is asked for.
        self.assertEqual((0x3FF, False), self.mask(pcrs={"7": [digest]}))
        self.assertEqual(
            (0x3FF | 1 << 14, False),
            self.mask(pcrs={"14": [digest], "4": [digest]}, event_log={"pcrs": [4, 14]}),
        )
        self.assertEqual((0x7FF, True), self.mask(ima={"required": True}))
        self.assertEqual((0x3FF | 1 << 11, True), self.mask(ima={"pcr": 11}))

    def mask(self, **policy: object) -> tuple[int, bool]:
        found = self.load(**policy)
        return found.mask, found.ima

    def test_a_policy_that_judges_nothing_or_is_none_is_refused(self):
        with self.assertRaisesRegex(libattest.Error, "no rule for any PCR"):
            self.load()
        with self.assertRaises(libattest.Error):
            self.load(nonsense=1)
        with self.assertRaisesRegex(libattest.Error, "No such file"):
            appraisal.load_policy(str(self.folder / "none"))


class RestTest(unittest.TestCase):
    """Each call ends, whatever the service does."""

    timeout = 0.5

    def rest(self, server: RawServer, timeout: float | None = None) -> rest.Rest:
        return rest.Rest("nova", make_adapter(server.url, "compute"), timeout or self.timeout)

    def fails(self, answer, words: str, method: str = "POST", most: float = 2.0) -> RawServer:
        with RawServer(answer) as server:
            started = time.monotonic()
            with self.assertRaisesRegex(rest.ServiceError, words):
                self.rest(server).call(method, "/x", "2.1", {})
            self.assertLess(time.monotonic() - started, most)
            return server

    def test_an_answer(self):
        with RawServer(said("200 OK", {"a": 1})) as server:
            self.assertEqual({"a": 1}, self.rest(server).get("/x?y=1", "2.53"))
        (request,) = server.requests
        self.assertIn("GET /x?y=1 HTTP/1.1", request)
        self.assertIn("OpenStack-API-Version: compute 2.53", request)
        self.assertIn("X-Auth-Token: admin", request)

    def test_silence_ends_at_the_deadline(self):
        with silence() as nothing:
            self.fails(nothing, "no answer within 0.5 s")

    def test_a_byte_now_and_then_ends_at_the_deadline(self):
        for first in (
            b"",
            b"HTTP/1.1 200 OK\r\nX: ",
            b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n",
        ):
            with trickle(first) as drops:
                self.fails(drops, "no answer within")

    def test_an_answer_without_end(self):
        with mock.patch.object(rest, "MAX_ANSWER", 1000):
            self.fails(said("200 OK", b'"' + b"x" * 2000), "more than 1000 bytes")

    def test_a_redirect_is_not_followed(self):
        with RawServer(said("200 OK", {})) as thief:
            self.fails(
                said("307 Temporary Redirect", None, f"Location: {thief.url}/x\r\n"), "HTTP 307"
            )
            self.assertEqual([], thief.requests)

    def test_what_is_not_json(self):
        self.fails(said("200 OK", b"<html>"), "not JSON")
        self.fails(said("200 OK", b"[" * 100_000), "not JSON")

    def test_a_refusal_is_told_in_one_line(self):
        self.fails(said("403 Forbidden", b"no\n\x1b[31mway"), "HTTP 403: no .31mway$")

    def test_a_service_that_has_a_problem_is_asked_again_but_not_to_do_something_twice(self):
        server = self.fails(said("503 Service Unavailable"), "HTTP 503", "GET")
        self.assertEqual(rest.TRIES, len(server.requests))
        server = self.fails(said("503 Service Unavailable"), "HTTP 503", "POST")
        self.assertEqual(1, len(server.requests))
        server = self.fails(said("404 Not Found"), "HTTP 404", "GET")
        self.assertEqual(1, len(server.requests))

    def test_no_more_tries_than_there_is_time_for(self):
        with silence() as nothing, RawServer(nothing) as server:
            started = time.monotonic()
            with self.assertRaises(rest.ServiceError):
                self.rest(server).call("GET", "/x", "2.1", deadline=clock.now() + 0.7)
            self.assertLess(time.monotonic() - started, 1.5)
            with self.assertRaisesRegex(rest.ServiceError, "no time is left"):
                self.rest(server).call("GET", "/x", "2.1", deadline=clock.now() - 1)

    def test_a_service_that_hangs_takes_a_bounded_number_of_threads(self):
        with trickle(b"HTTP/1.1 200 OK\r\nX: ") as drops, RawServer(drops) as server:
            one = self.rest(server, timeout=0.2)
            for _ in range(rest.MAX_LEFT):
                with self.assertRaisesRegex(rest.ServiceError, "no answer"):
                    one.call("POST", "/x", "2.1")
            with self.assertRaisesRegex(rest.ServiceError, "calls to it hang"):
                one.call("POST", "/x", "2.1")
            self.assertEqual(rest.MAX_LEFT, len(server.requests))
        # When they have ended it is asked again.
        until(lambda: not any(thread.is_alive() for thread in one._left))
        with self.assertRaisesRegex(rest.ServiceError, "Connect|Unable"):
            one.call("POST", "/x", "2.1")


class RestsTest(unittest.TestCase):
    def test_so_many_at_once_each_on_a_connection_of_its_own_and_on_past_failures(self):
        connections = [object() for _ in range(3)]
        rests = rest.Rests(connections)  # type: ignore[arg-type]
        lock, busy, most, done = threading.Lock(), set(), [], []

        def act(connection: object, item: int) -> None:
            with lock:
                self.assertNotIn(connection, busy)
                busy.add(connection)
                most.append(len(busy))
            time.sleep(0.02)
            with lock:
                busy.remove(connection)
                done.append(item)
            if item % 5 == 0:
                raise rest.ServiceError(str(item))

        failures = rests.each(act, range(20))
        self.assertEqual(["0", "10", "15", "5"], sorted(map(str, failures)))
        self.assertEqual(list(range(20)), sorted(done))
        self.assertEqual(3, max(most))
        self.assertEqual([], rests.each(act, []))


class Recorder:
    """A lane's service."""

    def __init__(self) -> None:
        self.seen: list[object] = []
        self.seconds: list[float] = []  # that each turn was given
        self.hang = threading.Event()
        self.error: Exception | None = None

    def _turn(self, what: object) -> None:
        self.seen.append(what)
        while self.hang.is_set():
            time.sleep(0.01)
        if self.error is not None:
            raise self.error

    def apply(self, hosts, deadline: float) -> None:
        self.seconds.append(deadline - clock.now())
        self._turn({name: host.standing for name, host in hosts.items()})

    def withdraw(self, deadline: float) -> None:
        self.seconds.append(deadline - clock.now())
        self._turn(None)


class Lanes(unittest.TestCase):
    def setUp(self) -> None:
        self.service = Recorder()
        self.lane = Lane("placement", self.service, 5.0, 50.0)
        self.addCleanup(self.lane.close)

    def test_it_works_on_what_it_was_told_last(self):
        self.service.hang.set()
        self.lane.post({})
        until(lambda: self.service.seen)
        for _ in range(10):
            number = self.lane.post(None)
        self.assertEqual("placement is not done in time", self.lane.wait(number, clock.now() + 0.1))
        self.service.hang.clear()
        self.assertIsNone(self.lane.wait(number, clock.now() + 5))
        self.assertEqual([{}, None], self.service.seen)

    def test_to_take_it_from_all_has_a_time_of_its_own(self):
        for hosts in ({}, None):
            self.lane.wait(self.lane.post(hosts), clock.now() + 5)
        self.assertEqual([5, 50], [round(seconds) for seconds in self.service.seconds])

    def test_the_one_that_goes_after_another_waits_for_its_turn(self):
        last = Recorder()
        after = Lane("nova", last, 5.0, 5.0, after=self.lane)
        self.addCleanup(after.close)
        self.service.hang.set()
        number = after.post({})
        self.lane.post({})
        until(lambda: self.service.seen)
        time.sleep(0.2)
        self.assertEqual([], last.seen)
        self.service.hang.clear()
        self.assertIsNone(after.wait(number, clock.now() + 5))
        self.assertEqual([{}], last.seen)

    def test_but_not_for_one_that_hangs(self):
        last = Recorder()
        with mock.patch.object(lanes, "PATIENCE", 0.2):
            after = Lane("nova", last, 5.0, 5.0, after=self.lane)
            self.addCleanup(after.close)
            self.service.hang.set()
            self.addCleanup(self.service.hang.clear)
            self.lane.post({})
            started = time.monotonic()
            self.assertIsNone(after.wait(after.post({}), clock.now() + 5))
            self.assertGreater(time.monotonic() - started, 0.1)
        self.assertEqual([{}], last.seen)

    def test_an_outage_is_one_warning(self):
        for error in (rest.ServiceError("away"), RuntimeError("a bug")):
            self.service.error = error
            with self.assertLogs("libattest_nova.mirror.lanes", "INFO") as logs:
                for _ in range(5):
                    self.assertIn(str(error), self.lane.wait(self.lane.post({}), clock.now() + 5))
                self.service.error = None
                self.assertIsNone(self.lane.wait(self.lane.post({}), clock.now() + 5))
            self.assertEqual(1, sum(r.levelname == "WARNING" for r in logs.records))
            self.assertIn("works again", logs.output[-1])


class Loop(Folder):
    def mirror(
        self, source: Scripted, *services: Recorder, lifetime: float = 30.0, interval: float = 0.05
    ):
        self.lanes = [Lane(f"lane{n}", service, 1.0, 1.0) for n, service in enumerate(services)]
        for lane in self.lanes:
            self.addCleanup(lane.close)
        writer = VerdictWriter(str(self.folder / "verdicts"), KEY)
        mirror = Mirror(Times(interval, lifetime, 1.0, 2.0), source, self.lanes, writer)
        self.status: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.thread = threading.Thread(target=lambda: self.status.put(mirror.run()))
        return mirror

    @contextlib.contextmanager
    def running(self, mirror: Mirror, status: int = 0):
        self.thread.start()
        try:
            yield
        finally:
            mirror.stop()
            self.thread.join(10)
        self.assertEqual(status, self.status.get(timeout=5))

    def read(self):
        return {
            v.name: v.verdict
            for v in verdict_file.read(self.folder / "verdicts", KEY, now=time.time(), max_age=60)
        }

    def test_from_nobody_over_somebody_to_nobody(self):
        service, source = Recorder(), Scripted({"a": TRUSTED, "b": UNTRUSTED})
        (self.folder / "verdicts").write_text("of a run before")
        with self.running(self.mirror(source, service)):
            until(lambda: {"a": "trusted", "b": "untrusted"} in service.seen)
            until(lambda: self.read() == {"a": TRUSTED, "b": UNTRUSTED})
            source.say["a"] = UNTRUSTED
            until(lambda: service.seen[-1] == {"a": "untrusted", "b": "untrusted"})
            source.hosts.pop("b")
            until(lambda: service.seen[-1] == {"a": "untrusted"})
        self.assertEqual((None, None), (service.seen[0], service.seen[-1]))
        self.assertEqual([], os.listdir(self.folder))

    def test_trust_ends_in_time_while_the_source_hangs(self):
        service, source = Recorder(), Scripted({"a": TRUSTED})
        with self.running(self.mirror(source, service, lifetime=1.0)):
            until(lambda: {"a": "trusted"} in service.seen)
            source.hang.set()
            started = time.monotonic()
            until(lambda: service.seen[-1] == {"a": "silent"})
            self.assertLess(time.monotonic() - started, 2.0)
            until(lambda: self.read() == {"a": UNKNOWN})
            source.hang.clear()
            until(lambda: service.seen[-1] == {"a": "trusted"})

    def test_trust_ends_in_time_while_the_source_fails(self):
        service, source = Recorder(), Scripted({"a": TRUSTED})
        with self.running(self.mirror(source, service, lifetime=0.5)):
            until(lambda: {"a": "trusted"} in service.seen)
            with self.assertLogs("libattest_nova.mirror.daemon", "WARNING") as logs:
                source.broken = True
                until(lambda: service.seen[-1] == {"a": "silent"})
            self.assertEqual(1, sum("No verdicts" in line for line in logs.output))

    def test_a_service_that_hangs_holds_up_nobody_else(self):
        stuck, well, source = Recorder(), Recorder(), Scripted({"a": TRUSTED})
        with self.running(self.mirror(source, stuck, well), status=2):
            until(lambda: well.seen[-1:] == [{"a": "trusted"}] and stuck.seen)
            stuck.hang.set()
            until(lambda: stuck.seen[-1] == {"a": "trusted"})
            source.say["a"] = UNTRUSTED
            until(lambda: well.seen[-1] == {"a": "untrusted"})
        self.assertIsNone(well.seen[-1])
        stuck.hang.clear()

    def test_what_goes_wrong_in_the_loop_ends_in_nobody(self):
        service, source = Recorder(), Scripted({"a": TRUSTED})
        mirror = self.mirror(source, service)
        with mock.patch.object(mirror, "_record", side_effect=ZeroDivisionError):
            with self.assertRaises(ZeroDivisionError):
                mirror.run()
        self.assertIsNone(service.seen[-1])
        self.assertEqual([], os.listdir(self.folder))

    def test_once(self):
        for say, hosts, status in (
            ({"a": TRUSTED, "b": TRUSTED}, None, 0),
            ({"a": TRUSTED, "b": UNTRUSTED}, None, 1),
            ({"a": TRUSTED, "b": UNKNOWN}, None, 1),
            ({"a": TRUSTED}, {"a": "compute", "b": "compute"}, 1),
        ):
            service = Recorder()
            self.assertEqual(status, self.mirror(Scripted(say, hosts), service).once())
            (seen,) = service.seen
            self.assertEqual("trusted", seen["a"])
            self.assertEqual(TRUSTED, self.read()["a"])

    def test_once_that_could_not_do_its_work(self):
        broken = Scripted({"a": TRUSTED})
        broken.broken = True
        service = Recorder()
        self.assertEqual(2, self.mirror(broken, service).once())
        self.assertEqual([{"a": "waiting"}], service.seen)  # which takes the trait away
        service.error = rest.ServiceError("away")
        self.assertEqual(2, self.mirror(Scripted({"a": TRUSTED}), service).once())
        (self.folder / "verdicts").unlink(missing_ok=True)
        (self.folder / "verdicts").mkdir()
        self.assertEqual(2, self.mirror(Scripted({"a": TRUSTED}), Recorder()).once())


class Access(Folder):
    """How the services are reached: keystoneauth's options, as in nova.conf."""

    def configure(self, text: str) -> None:
        path = self.folder / "nova.conf"
        path.write_text(text)
        options.CONF(["--config-file", str(path)], project="nova")
        self.addCleanup(options.CONF.reset)

    def test_nova_is_reached_as_placement_is_unless_it_has_its_own(self):
        with RawServer(said("200 OK", {"services": []})) as one, RawServer(
            said("200 OK", {})
        ) as two:
            placement = f"[placement]\nauth_type = admin_token\ntoken = p\nendpoint = {one.url}\n"
            self.configure(placement)
            rest.Rest("nova", options.adapter("nova"), 5.0).get("/os-services", "2.53")
            self.assertIn("X-Auth-Token: p", one.requests[-1])
            self.assertIn("OpenStack-API-Version: compute 2.53", one.requests[-1])
            self.configure(f"{placement}[nova]\nendpoint_override = {two.url}/v2.1\n")
            rest.Rest("nova", options.adapter("nova"), 5.0).get("/os-services", "2.53")
            self.assertIn("GET /v2.1/os-services", two.requests[-1])
            own = f"[nova]\nauth_type = admin_token\ntoken = n\nendpoint = {two.url}\n"
            self.configure(placement + own)
            rest.Rest("nova", options.adapter("nova"), 5.0).get("/os-services", "2.53")
            self.assertIn("X-Auth-Token: n", two.requests[-1])
            rest.Rest("placement", options.adapter("placement"), 5.0).get("/traits", "1.18")
            self.assertIn("OpenStack-API-Version: placement 1.18", one.requests[-1])

    def test_ironics_endpoint_has_its_version_or_not(self):
        for suffix in ("", "/", "/v1", "/v1/"):
            with RawServer(said("200 OK", {"nodes": []})) as server:
                self.configure(f"[ironic]\nauth_type = none\nendpoint = {server.url}{suffix}\n")
                rest.Rest("ironic", options.adapter("ironic"), 5.0).get("/v1/nodes", "1.37")
                self.assertIn("GET /v1/nodes HTTP", server.requests[-1])
                self.assertIn("X-OpenStack-Ironic-API-Version: 1.37", server.requests[-1])

    def test_without_access_a_call_fails(self):
        self.configure("[DEFAULT]\n")
        with self.assertRaises(rest.ServiceError):
            rest.Rest("placement", options.adapter("placement"), 5.0).get("/traits", "1.18")


class OfTheFilter(unittest.TestCase):
    def test_a_back_end_is_made_anew_after_it_failed(self):
        made: list[Scripted] = []

        def make() -> Scripted:
            made.append(Scripted({"a": TRUSTED}))
            return made[-1]

        source = FilterSource(None, lambda deadline: ["a", "b"], make)  # type: ignore[arg-type]
        self.assertEqual({"a": "compute", "b": "compute"}, source.names(1))
        for _ in range(2):
            self.assertEqual({"b"}, poll(source, 1).answer.silent)
        self.assertEqual(1, len(made))
        made[0].broken = True
        self.assertIn("wants it so", poll(source, 1).error)
        self.assertIsNotNone(poll(source, 1).answer)
        self.assertEqual(2, len(made))

    def test_a_name_that_no_map_would_take_is_no_hosts(self):
        names = ["a", "b\nHost c is trusted", "d" * 300, "../e", ""]
        source = FilterSource(None, lambda deadline: names)
        self.assertEqual({"a": "compute"}, source.names(1))


class Traits(unittest.TestCase):
    def test_only_a_custom_trait_is_ours(self):
        self.assertEqual("CUSTOM_ATTESTED", check_trait("CUSTOM_ATTESTED"))
        for name in (
            "COMPUTE_STATUS_DISABLED",
            "CUSTOM_",
            "CUSTOM_a",
            "CUSTOM_A/B",
            "",
            "CUSTOM_A\n",
        ):
            with self.assertRaises(ValueError):
                check_trait(name)
            with self.assertRaises(ValueError):
                Placement(mock.Mock(), name, Acts(dry_run=False))


class Asking(unittest.TestCase):
    """Which instances are looked after: those whose flavor asks for trust, and no others."""

    def test_flavors(self):
        compute = Compute(mock.Mock(), "CUSTOM_ATTESTED", Acts(dry_run=False))
        for specs, asks in (
            ({"trust:trusted_host": "trusted"}, True),
            ({"trusted_host": "trusted"}, True),
            ({"trait:CUSTOM_ATTESTED": "required"}, True),
            ({"trait1:CUSTOM_ATTESTED": "required"}, True),
            ({"trait_group:CUSTOM_ATTESTED": "required"}, True),
            ({}, False),
            ({"trust:trusted_host": "untrusted"}, False),
            ({"trait:CUSTOM_ATTESTED": "forbidden"}, False),
            ({"trait:CUSTOM_ATTESTED_NOT": "required"}, False),
            ({"trait:COMPUTE_CUSTOM_ATTESTED": "required"}, False),
        ):
            with self.subTest(specs=specs):
                self.assertEqual(asks, compute._asks_for_trust({"flavor": {"extra_specs": specs}}))
        with self.assertRaisesRegex(rest.ServiceError, "extra_specs"):
            compute._asks_for_trust({"flavor": {"id": "1"}})


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
