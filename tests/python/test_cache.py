# SPDX-License-Identifier: Apache-2.0
"""The cache of hosts' verdicts, as a scheduler's filter uses it."""

import collections
import concurrent.futures
import dataclasses
import itertools
import math
import pickle
import random
import subprocess
import sys

import pytest

import libattest
from libattest import HostVerdict, HostVerdicts, Verdict

NOW, MONOTONIC, TTL, SKEW = 1_800_000_000.0, 5000.0, 60.0, 30.0

WORDS = {
    *("missing", "trusted", "untrusted", "unknown"),
    *("expired", "future-time", "no-time", "invalid-name"),
}


def trusted(name: str, measured_at: float | None = NOW) -> HostVerdict:
    return HostVerdict(name=name, verdict=Verdict.TRUSTED, measured_at=measured_at)


def untrusted(name: str, measured_at: float | None = NOW) -> HostVerdict:
    return HostVerdict(name=name, verdict=Verdict.UNTRUSTED, measured_at=measured_at)


def unknown(name: str) -> HostVerdict:
    return HostVerdict(name=name, verdict=Verdict.UNKNOWN)


def make(*verdicts: HostVerdict, ttl: float = TTL, limit: int = 1000) -> HostVerdicts:
    cache = HostVerdicts(ttl=ttl, skew=SKEW, limit=limit)
    cache.put(verdicts, now=NOW, monotonic=MONOTONIC)
    return cache


def decide(cache: HostVerdicts, names, after: float = 0.0) -> libattest.Decision:
    return cache.decide(names, now=NOW + after, monotonic=MONOTONIC + after)


def reasons(cache: HostVerdicts, names, after: float = 0.0) -> list[str]:
    decision = decide(cache, names, after)
    return [decision.reason(index) for index in range(len(names))]


def test_a_filter_takes_the_hosts_that_are_trusted():
    hosts = [f"compute-{number}" for number in range(6)]
    cache = make(trusted(hosts[1]), untrusted(hosts[2]), unknown(hosts[3]), trusted(hosts[4]))
    decision = decide(cache, hosts)
    assert list(itertools.compress(hosts, decision.trusted)) == [hosts[1], hosts[4]]
    assert list(itertools.compress(hosts, decision.untrusted)) == [hosts[2]]
    assert decision.to_fetch == [hosts[0], hosts[5]]
    assert decision.trusted == bytes([0, 1, 0, 0, 1, 0])
    assert decision.counts["trusted"] == decision.counts["missing"] == 2
    assert len(cache) == 4


def test_counts_have_every_word_and_add_up():
    names = ["a", "b", "c", "x", "x", "", "f", "n"]
    cache = make(trusted("a"), untrusted("b"), unknown("c"), trusted("f", NOW + 31), trusted("n", None))
    decision = decide(cache, names)
    assert set(decision.counts) == WORDS
    assert sum(decision.counts.values()) == len(names)
    words = collections.Counter(decision.reason(index) for index in range(len(names)))
    assert words == +collections.Counter(decision.counts)
    assert words == {
        **{word: 1 for word in WORDS - {"expired", "missing"}},
        "missing": 2,
    }
    with pytest.raises(IndexError):
        decision.reason(len(names))


def test_what_is_to_fetch_is_each_name_once_in_the_order_of_asking():
    names = [f"host-{number}" for number in range(100)] * 3
    random.Random(1).shuffle(names)
    cache = make(*(trusted(f"host-{number}") for number in range(0, 100, 2)))
    expected = list(dict.fromkeys(name for name in names if int(name[5:]) % 2))
    decision = decide(cache, names)
    assert decision.to_fetch == expected
    assert decision.counts["missing"] == 150
    cache.put([unknown(name) for name in decision.to_fetch], now=NOW, monotonic=MONOTONIC)
    assert decide(cache, names, TTL - 1).to_fetch == []
    assert len(decide(cache, names, TTL).to_fetch) == 100


def test_an_empty_list_is_decided():
    decision = decide(make(), [])
    assert (decision.trusted, decision.untrusted, decision.to_fetch) == (b"", b"", [])
    assert set(decision.counts.values()) == {0}


def test_a_verdict_ends_by_either_clock():
    cache = make(trusted("a"), trusted("old", NOW - 50))
    names = ["a", "old"]
    assert reasons(cache, names, 9.9) == ["trusted", "trusted"]
    assert reasons(cache, names, 10) == ["trusted", "expired"]
    assert reasons(cache, names, 60) == ["expired", "expired"]
    back = cache.decide(names, now=NOW - 20, monotonic=MONOTONIC + 60)
    assert back.trusted == bytes(2)
    forward = cache.decide(names, now=NOW + 60, monotonic=MONOTONIC + 1)
    assert forward.trusted == bytes(2)
    assert forward.to_fetch == names
    long_ago = cache.decide(names, now=NOW - 3600, monotonic=MONOTONIC + 1)
    assert long_ago.counts["future-time"] == 2
    assert long_ago.to_fetch == names


def test_times_from_the_future_and_no_times_are_unknown_and_not_fetched_again_at_once():
    cache = make(
        *(trusted("a", NOW + 30), trusted("b", NOW + 30.001), untrusted("c", 4e9)),
        *(trusted("d", None), untrusted("e", None), trusted("f", math.nan)),
        *(trusted("g", math.inf), trusted("h", -math.inf), trusted("i", 0)),
    )
    decision = decide(cache, list("abcdefghi"))
    assert decision.trusted == bytes([1] + [0] * 8)
    assert decision.untrusted == bytes(9)
    assert decision.to_fetch == []
    words = [decision.reason(index) for index in range(9)]
    assert words == [
        *("trusted", "future-time", "future-time", "no-time", "no-time", "no-time"),
        *("future-time", "expired", "expired"),
    ]


def test_the_worst_duplicate_of_a_batch_wins_and_a_later_batch_replaces():
    for batch in itertools.permutations((trusted("a"), untrusted("a"), unknown("a"))):
        assert reasons(make(*batch), ["a"]) == ["untrusted"]
    for batch in itertools.permutations((trusted("a"), trusted("a", None))):
        assert reasons(make(*batch), ["a"]) == ["no-time"]
    cache = make(untrusted("a"), trusted("b"))
    cache.put([trusted("a", NOW + 1), unknown("b")], now=NOW + 1, monotonic=MONOTONIC + 1)
    assert reasons(cache, ["a", "b"], 1) == ["trusted", "unknown"]


def test_a_trusted_verdict_that_was_overtaken_does_not_hide_an_untrusted_one():
    cache = make(untrusted("a"))
    cache.put([trusted("a", NOW - 1)], now=NOW + 1, monotonic=MONOTONIC + 1)
    assert reasons(cache, ["a"], 1) == ["untrusted"]


def test_a_ttl_of_0_trusts_nobody():
    cache = make(trusted("a"), trusted("b", NOW + 30), ttl=0)
    for after in (-1, 0, 1):
        decision = decide(cache, ["a", "b"], after)
        assert decision.trusted == bytes(2)
        assert decision.to_fetch == ["a", "b"]


def test_names_are_compared_as_they_are():
    names = ["host", "a\0b", "hôst", "ｈｏｓｔ", "cafe\u0301"]
    cache = make(*map(trusted, names))
    assert decide(cache, names).trusted == bytes([1] * len(names))
    others = ["Host", "host ", "host\0", "hos", "a", "a\0", "a\0c", "caf\u00e9", "host.", "HÔST"]
    decision = decide(cache, others)
    assert decision.trusted == bytes(len(others))
    assert decision.to_fetch == others


def test_a_name_that_is_none_does_not_keep_others_from_being_answered_for():
    cache = make(trusted("good"))
    names = ["good", "", "x" * 256, "é" * 128, "\ud800", "good\udcff"]
    decision = decide(cache, names)
    assert decision.trusted == bytes([1, 0, 0, 0, 0, 0])
    assert decision.to_fetch == []
    assert decision.counts["invalid-name"] == 5
    for name in names[1:]:
        with pytest.raises(ValueError):
            cache.put([untrusted("good"), trusted(name)], now=NOW, monotonic=MONOTONIC)
    assert decide(cache, ["good"]).trusted == b"\1"
    assert len(cache) == 1


def test_a_str_that_is_no_plain_one_is_the_text_that_it_holds():
    class Name(str):
        def encode(self, *args, **kwargs):
            return b"good"

        def __eq__(self, other):
            return True

        def __hash__(self):
            return hash("good")

    assert decide(make(trusted("good")), [Name("bad")]).trusted == b"\0"


@pytest.mark.parametrize("names", ["abc", b"abc", [b"a"], [None], [1], None, 7, ["a", ["b"]]])
def test_names_that_are_no_strings_are_a_type_error(names):
    with pytest.raises(TypeError):
        decide(make(trusted("a"), trusted("b"), trusted("c")), names)


def test_any_sequence_and_iterable_of_names_does():
    cache = make(trusted("a"))
    for names in (["a", "b"], ("a", "b"), {"a": 1, "b": 2}, iter("ab"), (n for n in "ab")):
        assert decide(cache, names).trusted == b"\1\0"


@pytest.mark.parametrize(
    "answer",
    [
        ("a", Verdict.TRUSTED, NOW),
        HostVerdict("a", True, NOW),
        HostVerdict("a", 1, NOW),
        HostVerdict("a", "trusted", NOW),
        HostVerdict("a", libattest.Severity.INFO, NOW),
        HostVerdict("a", Verdict.TRUSTED, "1800000000"),
        HostVerdict(b"a", Verdict.TRUSTED, NOW),
        HostVerdict(None, Verdict.TRUSTED, NOW),
        None,
    ],
)
def test_an_answer_of_other_types_is_refused_with_all_of_its_batch(answer):
    cache = HostVerdicts(ttl=TTL)
    with pytest.raises(TypeError):
        cache.put([trusted("b"), answer], now=NOW, monotonic=MONOTONIC)
    assert len(cache) == 0


def test_a_verdict_of_a_newer_library_is_refused():
    with pytest.raises(ValueError, match="verdict"):
        make(HostVerdict("a", Verdict(3), NOW))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_times_that_are_no_numbers_are_refused(bad):
    cache = make(trusted("a"))
    for times in ({"now": bad, "monotonic": MONOTONIC}, {"now": NOW, "monotonic": bad}):
        with pytest.raises(ValueError):
            cache.decide(["a"], **times)
        with pytest.raises(ValueError):
            cache.put([untrusted("a")], **times)
    assert decide(cache, ["a"]).trusted == b"\1"
    for settings in ({"ttl": bad}, {"ttl": 1, "skew": bad}):
        with pytest.raises(ValueError):
            HostVerdicts(**settings)


def test_settings_that_make_no_sense_are_refused():
    for settings in ({"ttl": -1}, {"ttl": 1, "skew": -0.1}, {"ttl": 1, "limit": 0}):
        with pytest.raises(ValueError):
            HostVerdicts(**settings)
    for settings in ({}, {"ttl": None}, {"ttl": "60"}, {"ttl": 1, "limit": -1}):
        with pytest.raises(TypeError):
            HostVerdicts(**settings)
    with pytest.raises(TypeError):
        HostVerdicts(60)
    with pytest.raises(TypeError):
        make().decide(["a"])
    with pytest.raises(TypeError):
        make().decide(["a"], NOW, MONOTONIC)


def test_over_the_limit_the_oldest_are_forgotten_and_nobody_is_trusted_for_it():
    cache = make(*(trusted(f"host-{number}") for number in range(10)), limit=4)
    assert len(cache) == 4
    decision = decide(cache, [f"host-{number}" for number in range(10)])
    assert decision.trusted == bytes([0] * 6 + [1] * 4)
    assert len(decision.to_fetch) == 6
    cache.clear()
    assert len(cache) == 0
    assert decide(cache, ["host-9"]).to_fetch == ["host-9"]


def test_records_are_frozen_values():
    verdict = trusted("a")
    assert verdict == trusted("a") != untrusted("a")
    assert HostVerdict("a", Verdict.UNKNOWN).measured_at is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        verdict.verdict = Verdict.TRUSTED
    decision = decide(make(verdict), ["a"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        decision.trusted = b"\1"
    assert pickle.loads(pickle.dumps(decision)) == decision
    assert pickle.loads(pickle.dumps(verdict)) == verdict


def test_a_decision_is_neither_true_nor_false():
    with pytest.raises(TypeError, match="ask for .trusted"):
        bool(decide(make(), []))


class Model:
    """What the rules of host_verdicts.h say, as slowly as one likes."""

    def __init__(self, limit: int):
        self.limit = limit
        self.known: dict[str, tuple[HostVerdict, float, float]] = {}

    @staticmethod
    def worth(verdict: HostVerdict, now: float) -> str:
        """The reason on receipt."""
        if verdict.verdict == Verdict.UNKNOWN:
            return "unknown"
        if verdict.measured_at is None:
            return "no-time"
        if verdict.measured_at > now + SKEW:
            return "future-time"
        if verdict.measured_at + TTL <= now:
            return "expired"
        return str(verdict.verdict)

    def reason(self, name: str, now: float, monotonic: float) -> tuple[str, bool]:
        if name not in self.known:
            return "missing", True
        verdict, put_now, put_monotonic = self.known[name]
        if monotonic >= put_monotonic + TTL:
            return "expired", True
        worth = self.worth(verdict, put_now)
        if worth not in ("trusted", "untrusted"):
            return worth, False
        if monotonic - put_monotonic >= verdict.measured_at + TTL - put_now:
            return "expired", True
        if verdict.measured_at > now + SKEW:
            return "future-time", True
        if verdict.measured_at + TTL <= now:
            return "expired", True
        return worth, False

    def put(self, batch: list[HostVerdict], now: float, monotonic: float) -> None:
        ranks = {"trusted": 0, "untrusted": 2}

        def badness(verdict: HostVerdict) -> tuple[int, float]:
            worth = self.worth(verdict, now)
            rank = ranks.get(worth, 1)
            return rank, 0 if rank == 1 else -verdict.measured_at

        worst: dict[str, HostVerdict] = {}
        for verdict in batch:
            if verdict.name not in worst or badness(verdict) > badness(worst[verdict.name]):
                worst[verdict.name] = verdict
        for name, verdict in worst.items():
            if (
                self.worth(verdict, now) == "trusted"
                and self.reason(name, now, monotonic)[0] == "untrusted"
                and verdict.measured_at < self.known[name][0].measured_at
            ):
                continue
            self.known.pop(name, None)
            self.known[name] = (verdict, now, monotonic)
        while len(self.known) > self.limit:
            del self.known[next(iter(self.known))]


@pytest.mark.parametrize("limit", [5, 12, 1000])
def test_it_does_what_a_simple_model_does(limit):
    rng = random.Random(limit)
    names = [f"host-{number}" for number in range(20)]
    cache, model = HostVerdicts(ttl=TTL, skew=SKEW, limit=limit), Model(limit)
    now, monotonic = NOW, MONOTONIC
    seen = collections.Counter()
    for _ in range(3000):
        step = rng.choice([0, 0, 0.25, 1, 10, 40])
        now += step
        monotonic += step
        if rng.random() < 0.05:
            now += rng.choice([-100, -31, -5, 5, 31, 61])  # somebody sets the wall clock
        if rng.random() < 0.5:
            batch = [
                HostVerdict(
                    rng.choice(names),
                    Verdict(rng.randrange(3)),
                    rng.choice([None, *(now + d for d in (-61, -60, -59, -5, 0, 0, 0, 29, 30, 31))]),
                )
                for _ in range(rng.randrange(12))
            ]
            cache.put(batch, now=now, monotonic=monotonic)
            model.put(batch, now, monotonic)
        asked = rng.choices(names, k=15)
        decision = cache.decide(asked, now=now, monotonic=monotonic)
        expected = [model.reason(name, now, monotonic) for name in asked]
        assert [decision.reason(i) for i in range(len(asked))] == [word for word, _ in expected]
        fetch = dict.fromkeys(name for name, (_, fetch) in zip(asked, expected) if fetch)
        assert decision.to_fetch == list(fetch)
        assert decision.trusted == bytes(word == "trusted" for word, _ in expected)
        assert decision.untrusted == bytes(word == "untrusted" for word, _ in expected)
        assert len(cache) == len(model.known)
        seen.update(word for word, _ in expected)
    assert set(seen) == WORDS - {"invalid-name"}


def test_threads_share_one_cache_and_nobody_gets_anothers_answer():
    cache = HostVerdicts(ttl=TTL, limit=600)
    names = [f"host-{number}" for number in range(800)]

    def work(thread: int) -> bool:
        mine = names[thread * 100 : thread * 100 + 100]
        make_one = untrusted if thread % 2 else trusted
        good = True
        for _ in range(30):
            cache.put(map(make_one, mine), now=NOW, monotonic=MONOTONIC)
            decision = decide(cache, names)
            good = good and not any(
                decision.trusted[i] and i // 100 % 2 or decision.untrusted[i] and not i // 100 % 2
                for i in range(len(names))
            )
        return good

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))
    assert len(cache) == 600


def test_a_list_that_changes_while_it_is_read_is_read_once():
    names = ["a", "b"]

    class Shrinking(list):
        def __iter__(self):
            for name in list.__iter__(names[:]):
                self.clear()
                yield name

    assert decide(make(trusted("a")), Shrinking(names)).trusted in (b"\1\0", b"\1")


def test_when_memory_runs_out_it_is_a_memory_error_and_nothing_is_stored():
    script = """
import resource
from libattest import HostVerdict, HostVerdicts, Verdict
cache = HostVerdicts(ttl=60, limit=10**6)
cache.put([HostVerdict("a", Verdict.TRUSTED, 100.0)], now=100.0, monotonic=1.0)
batch = [HostVerdict(f"host-{n}" + "x" * 200, Verdict.TRUSTED, 100.0) for n in range(50_000)]
names = [verdict.name for verdict in batch] + ["a"]
used = int(open("/proc/self/statm").read().split()[0]) * 4096
resource.setrlimit(resource.RLIMIT_AS, (used + 4 * 2**20, resource.RLIM_INFINITY))
try:
    cache.put(batch, now=100.0, monotonic=1.0)
except MemoryError:
    print("MemoryError")
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
decision = cache.decide(names, now=100.0, monotonic=1.0)
print(len(cache), sum(decision.trusted), decision.trusted[-1])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"MemoryError\n1 1 1\n", b"")


def test_nothing_is_held_of_what_was_put_or_asked():
    cache = HostVerdicts(ttl=TTL)
    name = "".join(["host-", "name"])
    verdict, names = trusted(name), [name, "".join(["un", "known"])]
    before = [sys.getrefcount(thing) for thing in (name, verdict, names, names[1])]
    for _ in range(100):
        cache.put([verdict], now=NOW, monotonic=MONOTONIC)
        decide(cache, names)
        with pytest.raises(TypeError):
            cache.put([verdict, None], now=NOW, monotonic=MONOTONIC)
        with pytest.raises(TypeError):
            decide(cache, [*names, None])
    assert [sys.getrefcount(thing) for thing in (name, verdict, names, names[1])] == before
