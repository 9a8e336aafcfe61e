# SPDX-License-Identifier: Apache-2.0
"""Who is asked: Keylime's verifier, the verdict file; and what schedulers share. Without Nova."""

import contextlib
import json
import multiprocessing
import pathlib
import sys
import tempfile
import threading
import time
import unittest
import weakref
from unittest import mock

import libattest
from attestation_service import Service
from dogpile.cache import api as dogpile_api
from dogpile.cache import register_backend
from fault_server import Pki
from keylime_double import KeylimeDouble

from libattest_nova import backends, shared, verdict_file, verdicts
from libattest_nova.backends import Answer, Unanswered
from libattest_nova.conf import CONF

TRUSTED, UNTRUSTED, UNKNOWN = (
    libattest.Verdict.TRUSTED,
    libattest.Verdict.UNTRUSTED,
    libattest.Verdict.UNKNOWN,
)
VECTORS = pathlib.Path(__file__).resolve().parents[2] / "vectors"
UUID = "d432fbb3-d2f1-4a97-9ef7-75bd81c0000{}"


def setUpModule() -> None:
    CONF([], project="libattest-tests", default_config_files=[])


@contextlib.contextmanager
def options(group: str = "trusted_computing", **values):
    for name, value in values.items():
        CONF.set_override(name, value, group=group)
    try:
        yield
    finally:
        for name in values:
            CONF.clear_override(name, group=group)


class Folder(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def key(self, name: str = "key", text: bytes = b"k" * 32, mode: int = 0o640) -> str:
        path = self.folder / name
        path.write_bytes(text)
        path.chmod(mode)
        return str(path)


class Keylime(Folder):
    @classmethod
    def setUpClass(cls) -> None:
        cls.pki = Pki(pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory())))
        machine = VECTORS / "boot" / "grub-ima-ng"
        cls.ak, cls.ek = (machine / "ak.tss").read_bytes(), (machine / "ek.tss").read_bytes()
        cls.ak_name = libattest.Key.load(cls.ak).name.hex()
        cls.ek_sha256 = libattest.EndorsementKey(public=cls.ek).sha256

    def setUp(self) -> None:
        super().setUp()
        self.double = self.enterContext(KeylimeDouble(self.pki))
        self.double.pending = 0.0
        self.map: dict[str, dict] = {}
        self.enterContext(
            options(
                backend="keylime",
                host_map=str(self.folder / "map"),
                keylime_verifier=self.double.verifier,
                keylime_ca=str(self.pki.folder / "ca.crt"),
                keylime_cert=str(self.pki.folder / "client.crt"),
                keylime_key=str(self.pki.folder / "client.key"),
            )
        )

    def host(self, name: str, verdict: str | None = "trusted", **binding: str) -> str:
        uuid = binding.setdefault("agent", UUID.format(len(self.map)))
        self.map[name] = binding
        if verdict is not None:
            self.double.added[uuid] = {}
            self.double.added_at[uuid] = 0.0
            self.double.verdicts[uuid] = verdict
        return uuid

    def fetch(self, *names: str, timeout: float = 5.0) -> Answer:
        (self.folder / "map").write_text(json.dumps({"version": 1, "hosts": self.map}))
        return backends.make().fetch(list(names), timeout)

    @staticmethod
    def told(answer: Answer) -> dict[str, libattest.Verdict]:
        return {verdict.name: verdict.verdict for verdict in answer.verdicts}

    def test_states_of_agents_are_verdicts_of_hosts(self):
        for name in ("trusted", "failed", "lost", "not-reached", "asked-in-vain", "start"):
            self.host(name, name)
        self.host("gone", None)
        before = time.time()
        answer = self.fetch(*self.map)
        expected = dict.fromkeys(("failed", "lost", "not-reached"), UNTRUSTED)
        expected |= dict.fromkeys(("asked-in-vain", "start", "gone"), UNKNOWN) | {"trusted": TRUSTED}
        self.assertEqual(expected, self.told(answer))
        self.assertEqual(frozenset(), answer.silent)
        for verdict in answer.verdicts:
            self.assertGreaterEqual(verdict.measured_at, int(before))
        self.assertIn("the verifier says", answer.reasons["failed"])

    def test_of_an_agent_that_the_verifier_does_not_reach_nothing_new_is_known(self):
        self.host("a")
        recorded = self.double.recordings["status-trusted"]["body"]["results"]
        with mock.patch.dict(recorded, operational_state=4):
            answer = self.fetch("a")
        self.assertEqual(({}, {"a"}), (self.told(answer), answer.silent))
        self.assertIn("retry", answer.reasons["a"])

    def test_a_host_that_the_map_does_not_have_is_not_asked_about(self):
        self.host("mapped")
        answer = self.fetch("mapped", "stranger")
        self.assertEqual({"mapped": TRUSTED}, self.told(answer))
        self.assertNotIn("stranger", answer.silent)
        self.assertIn("host_map", answer.reasons["stranger"])

    def test_a_host_is_the_tpm_that_the_map_has(self):
        other = "000b" + "0" * 64
        for name, binding, expected in (
            ("right", {"ak": self.ak_name, "ek_sha256": self.ek_sha256}, TRUSTED),
            ("other-ak", {"ak": other}, UNTRUSTED),
            ("other-ek", {"ek_sha256": "0" * 64}, UNTRUSTED),
        ):
            with self.subTest(name=name), options(keylime_registrar=self.double.registrar):
                self.map.clear()
                uuid = self.host(name, **binding)
                self.double.register(uuid, ak=self.ak, ek=self.ek)
                self.assertEqual({name: expected}, self.told(self.fetch(name)))

    def test_a_key_that_nobody_shows_is_no_verdict(self):
        self.host("pinned", ak=self.ak_name)
        answer = self.fetch("pinned")
        self.assertEqual({"pinned": UNKNOWN}, self.told(answer))
        self.assertIn("keylime_registrar", answer.reasons["pinned"])
        with options(keylime_registrar=self.double.registrar):
            self.assertEqual({"pinned": UNKNOWN}, self.told(self.fetch("pinned")))
            self.double.register(UUID.format(0), ak=b"nonsense")
            answer = self.fetch("pinned")
            self.assertEqual(({}, {"pinned"}), (self.told(answer), answer.silent))
            self.assertIn("TPM2B_PUBLIC", answer.reasons["pinned"])

    def test_a_verifier_that_is_not_there_is_no_answer(self):
        self.host("a")
        with options(keylime_verifier="127.0.0.1:1"), self.assertRaises(Unanswered):
            self.fetch("a")

    def test_time_that_runs_out_leaves_the_rest_as_it_was_and_first_the_next_time(self):
        for number in range(20):
            self.host(f"h{number}", agent=f"agent-{number:02}")
        self.double.delay = 0.3
        (self.folder / "map").write_text(json.dumps({"version": 1, "hosts": self.map}))
        backend = backends.make()
        began = time.monotonic()
        first = backend.fetch(list(self.map), 1.0)
        self.assertLess(time.monotonic() - began, 2.0)
        self.assertEqual(set(self.map), set(self.told(first)) | first.silent)
        # Others were being asked about when the time was over.
        left = {name for name in first.silent if name not in first.reasons}
        self.assertGreater(len(left), 5)
        self.double.delay = 0.0
        before = len(self.double.requests)
        second = backend.fetch(list(self.map), 5.0)
        self.assertEqual(set(self.map), set(self.told(second)))
        paths = [line for line in self.double.requests[before:] if "agents" in line]
        # Of the calls that are under way at once any may be the first to arrive.
        asked = {path.rsplit("/", 1)[1] for path in paths[: len(left) + 3]}
        self.assertLessEqual({self.map[name]["agent"] for name in left}, asked)

    def test_a_map_that_is_none_is_no_answer(self):
        (self.folder / "map").write_text("{}")
        with self.assertRaises(libattest.Error):
            backends.make()


class File(Folder):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder / "verdicts"
        self.enterContext(
            options(backend="file", verdict_file=str(self.path), verdict_key_file=self.key())
        )

    def write(self, at: float | None = None, key: bytes = b"k" * 32, **hosts) -> None:
        now = time.time() if at is None else at
        told = [libattest.HostVerdict(n, v, int(now)) for n, v in hosts.items()]
        verdict_file.write(self.path, key, told, now=now)

    def trusted(self, *names: str) -> list[bool]:
        return [bool(one) for one in verdicts.Verdicts().decide(list(names)).trusted]

    def test_what_the_daemon_wrote_is_believed(self):
        self.write(a=TRUSTED, b=UNTRUSTED, c=UNKNOWN)
        self.assertEqual([True, False, False, False], self.trusted("a", "b", "c", "d"))

    def test_what_somebody_else_wrote_is_not(self):
        self.write(key=b"x" * 32, a=TRUSTED)
        self.assertEqual([False], self.trusted("a"))
        self.write(a=UNTRUSTED)
        self.path.write_bytes(self.path.read_bytes().replace(b'"untrusted"', b'"trusted"  '))
        self.assertEqual([False], self.trusted("a"))

    def test_an_old_file_is_not(self):
        self.write(at=time.time() - 61, a=TRUSTED)
        self.assertEqual([False], self.trusted("a"))

    def test_no_file_is_no_verdict(self):
        self.assertEqual([False], self.trusted("a"))

    def test_a_key_that_others_may_read_is_refused(self):
        self.write(a=TRUSTED)
        self.key(mode=0o644)
        self.assertEqual([False], self.trusted("a"))


class Store:
    """What all regions of this test see: memcached's part."""

    values: dict = {}
    broken = False


class StoreBackend(dogpile_api.CacheBackend):
    def __init__(self, arguments: dict) -> None:
        pass

    def get(self, key):
        if Store.broken:
            raise ConnectionError("the cache is down")
        return Store.values.get(key, dogpile_api.NO_VALUE)

    def get_multi(self, keys):
        return [self.get(key) for key in keys]

    def set(self, key, value):
        if Store.broken:
            raise ConnectionError("the cache is down")
        Store.values[key] = value

    def set_multi(self, mapping):
        for key, value in mapping.items():
            self.set(key, value)

    def delete(self, key):
        Store.values.pop(key, None)


register_backend("libattest.test.store", __name__, "StoreBackend")
sys.modules.setdefault(__name__, sys.modules["__main__"])


class Asked:
    """A back-end that counts."""

    def __init__(self, say) -> None:
        self.say = say
        self.calls = 0

    def fetch(self, names, timeout):
        self.calls += 1
        if isinstance(self.say, Exception):
            raise self.say
        now = time.time()
        return Answer([libattest.HostVerdict(n, v, now) for n, v in self.say.items() if n in names])


class Sharing(Folder):
    def setUp(self) -> None:
        super().setUp()
        Store.values, Store.broken = {}, False
        shared.core.configure(CONF)
        self.enterContext(
            options(share_verdicts=True, share_key_file=self.key(), attestation_server="oat")
        )
        self.enterContext(options("cache", enabled=True))
        # oslo.cache lets only backends of its own be named.
        configure = mock.patch.object(
            shared.core,
            "configure_cache_region",
            lambda conf, region: region.configure("libattest.test.store"),
        )
        self.enterContext(configure)

    def worker(self, backend) -> verdicts.Verdicts:
        worker = verdicts.Verdicts(lambda: backend)
        self.addCleanup(self._end, weakref.ref(worker))
        return worker

    @staticmethod
    def _end(of: "weakref.ref[verdicts.Verdicts]") -> None:
        """One that lived on would take the turn of the next test's workers."""
        worker = of()
        if worker is None:
            return
        worker._refresh = lambda: None
        worker._woken.set()
        flight = worker._flight
        if flight is not None:
            flight.result(10.0)

    def once(self, backend) -> verdicts.Verdicts:
        """One that refreshes nothing: it has gone when its first request is answered."""
        worker = self.worker(backend)
        worker._refresh_after = lambda: 1000.0
        return worker

    @staticmethod
    def reasons(worker: verdicts.Verdicts, *names: str) -> list[str]:
        decision = worker.decide(list(names))
        return [decision.reason(index) for index in range(len(names))]

    def entries(self) -> dict[str, object]:
        return {k: v for k, v in Store.values.items() if "verdict" in k}

    def test_what_one_worker_knows_another_does_not_ask(self):
        backend = Asked({"a": TRUSTED, "b": UNTRUSTED})
        expected = ["trusted", "untrusted", "unknown"]
        for _ in range(5):
            self.assertEqual(expected, self.reasons(self.worker(backend), "a", "b", "c"))
        self.assertEqual(1, backend.calls)

    def test_workers_that_begin_together_ask_once(self):
        backend = Asked({"a": TRUSTED})
        found: list = []
        threads = [
            threading.Thread(target=lambda: found.append(self.reasons(self.worker(backend), "a")))
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([["trusted"]] * 6, found)
        self.assertEqual(1, backend.calls)

    def test_an_outage_is_one_request_an_interval_for_all(self):
        backend = Asked(Unanswered("down"))
        for _ in range(5):
            self.assertEqual(["missing"], self.reasons(self.worker(backend), "a"))
        self.assertEqual(1, backend.calls)

    def test_an_entry_ends_when_it_says_whoever_reads_it_when(self):
        with options(attestation_auth_timeout=2, retry_interval=1):
            self.reasons(self.once(Asked({"a": TRUSTED})), "a")
            kept = self.entries()
            time.sleep(1.2)
            late = self.once(Asked(Unanswered("down")))
            self.assertEqual(["trusted"], self.reasons(late, "a"))
            time.sleep(1.0)
            self.assertEqual(["expired"], self.reasons(late, "a"))
            Store.values = dict(kept)
            self.assertEqual(["missing"], self.reasons(self.worker(Asked(Unanswered("down"))), "a"))

    def test_an_entry_lives_no_longer_than_this_worker_lets_its_own_live(self):
        self.reasons(self.worker(Asked({"a": TRUSTED})), "a")
        with options(attestation_auth_timeout=2):
            worker = self.worker(Asked({"a": UNTRUSTED}))
            self.assertEqual(["untrusted"], self.reasons(worker, "a"))

    def test_an_old_entry_that_is_put_back_does_not_overrule_who_has_asked_since(self):
        with options(attestation_auth_timeout=4, retry_interval=1):
            self.reasons(self.once(Asked({"a": TRUSTED})), "a")
            kept = dict(Store.values)
            Store.values = {}
            backend = Asked({"a": UNTRUSTED})
            worker = self.worker(backend)
            self.assertEqual(["untrusted"], self.reasons(worker, "a"))
            Store.values = kept
            deadline = time.monotonic() + 10.0
            while backend.calls < 2:
                self.assertNotEqual(["trusted"], self.reasons(worker, "a"))
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.1)

    def test_entries_that_no_scheduler_wrote_are_passed_over(self):
        self.reasons(self.worker(Asked({"a": TRUSTED, "b": UNTRUSTED})), "a", "b")
        good = self.entries()
        (a_place, a_value), (b_place, b_value) = sorted(
            good.items(), key=lambda item: '"a"' not in item[1].payload
        )
        a, b = a_value.payload, b_value.payload
        forged = {
            "another host's": a,
            "changed": b.replace(",2,", ",1,"),
            "without a code": b.partition(" ")[2],
            "bytes": b.encode(),
            "long": b + " " * 5000,
            "not text": {"verdict": "trusted"},
            "empty": "",
            "no letters of ours": "é" * 64 + " " + b.partition(" ")[2],
        }
        for name, value in forged.items():
            with self.subTest(name=name):
                metadata = b_value.metadata
                Store.values = {b_place: dogpile_api.CachedValue(value, metadata)}
                backend = Asked({"b": UNTRUSTED})
                self.assertEqual(["untrusted"], self.reasons(self.worker(backend), "b"))
                self.assertEqual(1, backend.calls)
        self.assertNotEqual(a_place, b_place)

    def test_another_key_or_another_service_shares_nothing(self):
        self.reasons(self.worker(Asked({"a": TRUSTED})), "a")
        for change in (
            {"share_key_file": self.key("other", b"x" * 32)},
            {"attestation_server": "elsewhere"},
            {"backend": "keylime"},
        ):
            with self.subTest(change=change), options(**change):
                backend = Asked({"a": UNTRUSTED})
                self.assertEqual(["untrusted"], self.reasons(self.worker(backend), "a"))
                self.assertEqual(1, backend.calls)

    def test_a_turn_that_is_put_back_holds_nobody_for_ever(self):
        shared.Share().release(1.0)
        kept = dict(Store.values)
        self.assertEqual(["missing"], self.reasons(self.once(Asked({"a": TRUSTED})), "a"))
        time.sleep(1.1)
        Store.values = kept
        self.assertEqual(["trusted"], self.reasons(self.once(Asked({"a": TRUSTED})), "a"))

    def test_where_nothing_can_be_shared_each_asks_for_itself(self):
        broken: list[dict] = [
            {"share_key_file": self.key("open", mode=0o644)},
            {"share_key_file": self.key("short", b"k" * 31)},
            {"share_key_file": str(self.folder / "nowhere")},
        ]
        for change in broken:
            with self.subTest(change=change), options(**change):
                self.assertEqual(["trusted"], self.reasons(self.worker(Asked({"a": TRUSTED})), "a"))
        self.assertEqual({}, Store.values)
        with options("cache", enabled=False):
            self.assertEqual(["trusted"], self.reasons(self.worker(Asked({"a": TRUSTED})), "a"))
        Store.broken = True
        self.assertEqual(["trusted"], self.reasons(self.worker(Asked({"a": TRUSTED})), "a"))

    def test_a_verdict_that_does_not_hold_here_is_not_handed_on_as_one(self):
        class Timeless(Asked):
            def fetch(self, names, timeout):
                return Answer([libattest.HostVerdict(name, TRUSTED) for name in names])

        self.assertEqual(["no-time"], self.reasons(self.worker(Timeless({})), "a"))
        self.assertEqual(["unknown"], self.reasons(self.worker(Asked(Unanswered("x"))), "a"))


class Processes(Folder):
    """Through oslo.cache as it is, between processes that were forked after everything was made."""

    def test_processes_that_share_ask_once(self):
        service = self.enterContext(Service(self.folder, "2"))
        service.say(a="trusted", b="untrusted")
        self.enterContext(
            options(share_verdicts=True, share_key_file=self.key(), **service.options())
        )
        shared.core.configure(CONF)
        store = {"backend": "dogpile.cache.dbm", "backend_argument": [f"filename:{self.folder}/db"]}
        self.enterContext(options("cache", enabled=True, **store))
        context = multiprocessing.get_context("fork")
        found = context.Queue()

        def work() -> None:
            decision = verdicts.Verdicts().decide(["a", "b", "c"])
            found.put([decision.reason(index) for index in range(3)])

        workers = [context.Process(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        told = [found.get(timeout=30) for _ in workers]
        for worker in workers:
            worker.join()
        self.assertEqual([["trusted", "untrusted", "unknown"]] * 4, told)
        self.assertEqual([["a", "b", "c"]], [sorted(asked) for asked in service.asked()])


if __name__ == "__main__":
    unittest.main()
