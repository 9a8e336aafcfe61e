# SPDX-License-Identifier: Apache-2.0
"""Nothing is kept that nobody holds."""

import gc
import io
import pathlib
import subprocess
import sys

import pytest

import libattest

MAPS = pathlib.Path("/proc/self/maps").read_text()
pytestmark = pytest.mark.skipif("libasan" in MAPS, reason="AddressSanitizer keeps what was freed")


def resident() -> int:
    """Bytes of this process that are in memory."""
    pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def grows_by(work, times: int) -> int:
    for _ in range(times // 4):
        work()
    gc.collect()
    before = resident()
    for _ in range(times):
        work()
    gc.collect()
    return resident() - before


def test_2000_appraisals_keep_nothing(clean, tampered, policy):
    def work():
        for boot in (clean, tampered):
            source = io.BytesIO(boot.ima)
            report = libattest.appraise(boot.evidence(ima=source), policy, nonce=boot.nonce)
            report.findings, report.pcrs, report.to_json()

    # One leaked list or log a time would be many times that.
    assert grows_by(work, 1000) < 2 * 2**20


def test_failures_keep_nothing(clean):
    def raising():
        yield clean.ima[:100]
        raise OSError("gone")

    def work():
        for call in (
            lambda: libattest.Key.load(b"no key"),
            lambda: libattest.EventLog.parse(clean.eventlog[:-1]),
            lambda: libattest.Policy.parse("{}"),
            lambda: libattest.appraise(clean.evidence(ima=raising()), nonce=clean.nonce),
            lambda: libattest.Evidence(ak=clean.ak, quote=clean.quote, ima=7),
        ):
            with pytest.raises((libattest.Error, OSError, TypeError)):
                call()

    assert grows_by(work, 500) < 2 * 2**20


def test_arguments_and_results_are_not_held(clean, policy):
    ak, eventlog, ima = bytes(bytearray(clean.ak)), bytearray(clean.eventlog), bytearray(clean.ima)
    nonce = bytes(bytearray(clean.nonce))
    before = [sys.getrefcount(x) for x in (ak, eventlog, ima, nonce, policy)]
    evidence = clean.evidence(ak=ak, eventlog=eventlog, ima=ima)
    report = libattest.appraise(evidence, policy, nonce=nonce)
    assert [sys.getrefcount(x) for x in (ak, eventlog, ima, nonce, policy)] == before
    ima.clear()
    del evidence, policy
    assert report.trusted
    findings = report.findings
    del report
    assert all(finding.message for finding in findings)


def test_when_memory_runs_out_it_is_a_memory_error():
    script = """
import json, resource, libattest
names = [f"000b{n:064x}" for n in range(200_000)]
text = json.dumps({"version": 1, "ak": {"names": names}})
used = int(open("/proc/self/statm").read().split()[0]) * 4096
resource.setrlimit(resource.RLIMIT_AS, (used + 2**20, resource.RLIM_INFINITY))
try:
    libattest.Policy.parse(text)
except MemoryError:
    print("MemoryError")
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
libattest.Policy.parse('{"version": 1}')
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"MemoryError\n", b"")


def test_none_true_and_false_are_not_worn_out(clean, policy):
    singletons = (None, True, False)
    before = [sys.getrefcount(x) for x in singletons]
    for _ in range(2000):
        report = libattest.appraise(clean.evidence(), policy, nonce=clean.nonce)
        report.findings, report.trusted, report.quote_verified
    assert all(abs(sys.getrefcount(x) - b) < 200 for x, b in zip(singletons, before))
