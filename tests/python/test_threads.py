# SPDX-License-Identifier: Apache-2.0
"""The GIL is released in every call that parses, hashes or verifies."""

import concurrent.futures
import hashlib
import struct
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT

import libattest


def block_of_entries(entries: int) -> bytes:
    """ima-ng entries as the kernel writes them (Documentation of IMA templates: d-ng, n-ng)."""

    def field(data: bytes) -> bytes:
        return struct.pack("<I", len(data)) + data

    block = bytearray()
    for number in range(entries):
        digest = hashlib.sha256(str(number).encode()).digest()
        path = f"/usr/lib/modules/some/where/file-{number:06d}.ko\0".encode()
        data = field(b"sha256:\0" + digest) + field(path)
        block += struct.pack("<I", 10) + hashlib.sha1(data).digest() + field(b"ima-ng") + field(data)
    return bytes(block)


class Ticker(threading.Thread):
    """Counts how often another thread gets to run."""

    def __init__(self):
        super().__init__(daemon=True)
        self.ticks = 0
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(0.001):
            self.ticks += 1

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def test_other_threads_run_while_a_long_list_is_replayed():
    """100 MiB in chunks. With the GIL held, a chunk would be one tick or two, after its end."""
    block = block_of_entries(5000)
    chunk = block * (10 * 2**20 // len(block))
    ima = libattest.Ima()
    with Ticker() as ticker:
        ticks = []
        for _ in range(10):
            before = ticker.ticks
            ima.feed(chunk)
            ticks.append(ticker.ticks - before)
    ima.finish()
    assert ima.entries == 10 * len(chunk) // len(block) * 5000
    assert max(ticks) >= 5, ticks


def in_threads(work, count=8):
    barrier = threading.Barrier(count)

    def together(number):
        barrier.wait()
        return work(number)

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(together, range(count)))


def test_eight_threads_share_a_policy_and_a_key(clean, tampered, policy):
    key = libattest.Key.load(clean.ak)

    def work(number):
        boot = tampered if number % 2 else clean
        return [
            libattest.appraise(boot.evidence(ak=key), policy, nonce=boot.nonce).trusted
            for _ in range(25)
        ]

    assert in_threads(work) == [[True] * 25, [False] * 25] * 4


def test_eight_threads_read_lists_through_python(clean, policy):
    def source():
        for at in range(0, len(clean.ima), 64):
            yield clean.ima[at : at + 64]

    def work(_):
        return [
            libattest.appraise(clean.evidence(ima=source()), policy, nonce=clean.nonce).trusted
            for _ in range(5)
        ]

    assert in_threads(work) == [[True] * 5] * 8


def test_an_error_belongs_to_the_thread_whose_call_failed(clean):
    def work(number):
        texts = set()
        for _ in range(200):
            with pytest.raises(libattest.MalformedError) as caught:
                libattest.EventLog.parse(clean.eventlog[: 100 + number])
            texts.add(str(caught.value))
        return texts

    alone = [work(number) for number in range(8)]
    assert all(len(texts) == 1 for texts in alone)
    assert in_threads(work) == alone


def test_one_object_for_two_threads_is_an_error_and_not_a_crash(clean, policy):
    """The second caller is told; nothing waits and nothing is torn."""
    inside, finish = threading.Event(), threading.Event()

    def slow():
        inside.set()
        assert finish.wait(30)
        yield clean.ima

    evidence = clean.evidence(ima=slow())
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        first = pool.submit(libattest.appraise, evidence, policy, nonce=clean.nonce)
        assert inside.wait(30)
        try:
            with pytest.raises(libattest.StateError, match="in use"):
                libattest.appraise(evidence, policy, nonce=clean.nonce)
            with pytest.raises(libattest.StateError, match="in use"):
                evidence.set_eventlog(clean.eventlog)
        finally:
            finish.set()
        assert first.result(30).trusted


def test_a_replay_that_is_fed_by_two_threads_is_an_error_and_not_a_crash():
    chunk = block_of_entries(20000)
    ima = libattest.Ima()

    def work(_):
        fed = 0
        for _ in range(20):
            try:
                ima.feed(chunk)
                fed += 1
            except libattest.StateError:
                time.sleep(0.001)
        return fed

    fed = sum(in_threads(work, 4))
    ima.finish()
    assert fed >= 20
    assert ima.entries == fed * 20000


def test_a_buffer_that_changes_during_the_call_is_not_what_is_read():
    block = block_of_entries(5000)
    chunk = bytearray(block * 4)
    over = threading.Event()

    def scribble():
        while not over.is_set():
            chunk[:] = bytes(len(chunk))
            chunk[:] = block * 4

    thread = threading.Thread(target=scribble)
    thread.start()
    try:
        for _ in range(20):
            ima = libattest.Ima()
            # One whole state of the buffer: entries, or zeros, which are none.
            try:
                ima.feed(chunk)
            except libattest.MalformedError:
                continue
            ima.finish()
            assert ima.entries == 20000
    finally:
        over.set()
        thread.join()


def test_small_stacks_are_enough():
    script = f"""
import sys, threading
sys.path.insert(0, {str(ROOT / "tests" / "python")!r})
import conftest, libattest
boot = conftest.Boot(conftest.BOOT / "grub-ima-ng" / "1-clean")
result = []
def work():
    policy, _ = libattest.Policy.learn(boot.evidence(), nonce=boot.nonce)
    policy = libattest.Policy.parse(policy.to_json())
    result.append(libattest.appraise(boot.evidence(), policy, nonce=boot.nonce).trusted)
threading.stack_size(128 * 1024)
thread = threading.Thread(target=work)
thread.start()
thread.join()
sys.exit(0 if result == [True] else 1)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


SERVICE = f"""
import sys, threading, time
sys.path.insert(0, {str(ROOT / "tests" / "python")!r})
import conftest, libattest, test_threads
boot = conftest.Boot(conftest.BOOT / "grub-ima-ng" / "1-clean")
block = test_threads.block_of_entries(5000)
def feed():
    while True:
        libattest.Ima().feed(block)
def endless():
    while True:
        yield block
def appraise():
    libattest.appraise(boot.evidence(ima=endless()), nonce=boot.nonce)
for work in (feed, appraise) * 4:
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.2)
"""


def test_a_program_may_exit_while_daemon_threads_are_in_calls():
    """eventlet's tpool has such threads. Python ends them when they come back for the GIL."""
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", SERVICE], capture_output=True, check=False, timeout=120
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_it_works_after_fork(clean, policy):
    import os

    assert libattest.appraise(clean.evidence(), policy, nonce=clean.nonce).trusted
    child = os.fork()
    if child == 0:
        trusted = libattest.appraise(clean.evidence(), policy, nonce=clean.nonce).trusted
        os._exit(0 if trusted else 1)
    assert os.waitpid(child, 0)[1] == 0
