# SPDX-License-Identifier: Apache-2.0
"""Runs the tools of the field and ours on the same input, and prints user times and ratios.

usage: peers.py BUILD_DIR DATA_DIR
"""

import os
import pathlib
import resource
import shutil
import subprocess
import sys

ROUNDS = 7
build, data = (pathlib.Path(a) for a in sys.argv[1:3])
vectors = pathlib.Path(__file__).parents[1] / "vectors" / "boot" / "shim-sb-ima-sig"
attest = build / "examples" / "attest" / "attest"


def user_time(command):
    """Least user time of the command in seconds; it must succeed."""
    best = None
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            sys.exit(f"{command[0]}: exit {done.returncode}: {done.stderr.decode()[:200]}")
        spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
        best = spent if best is None else min(best, spent)
    return best


def wall_time(command):
    import time

    best = None
    for _ in range(ROUNDS * 3):
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        spent = time.perf_counter() - start
        best = spent if best is None else min(best, spent)
    return best


def ima():
    entries = 300000
    if not shutil.which("evmctl"):
        print("evmctl: not installed, skipped")
        return

    def evmctl(name):
        # With "=": after a space evmctl 1.4 takes the value for a file name.
        return user_time(["evmctl", "ima_measurement", "--ignore-violations", "--verify-bank=sha256",
                          "--pcrs", f"sha256,{data / name / 'pcrs.evmctl'}", str(data / name / "ima.bin")])

    def ours(name, *policy):
        return user_time([str(attest), "verify", "--evidence", str(data / name), *policy])

    theirs = evmctl("300k") - evmctl("1")
    print(f"ima, {entries} entries: evmctl {entries / theirs / 1000:.0f} k entries/s")
    replay = user_time([str(attest), "ima", str(data / "300k" / "ima.bin")]) - user_time(
        [str(attest), "ima", str(data / "1" / "ima.bin")])
    print(f"  attest ima, no policy: {entries / replay / 1000:.0f} k entries/s, {theirs / replay:.1f} x evmctl")
    allowlist = ("--allowlist", str(data / "300k" / "allowlist.txt"))
    judged = ours("300k", *allowlist) - ours("1", *allowlist)
    print(f"  attest verify, 100,000 files allowed: {entries / judged / 1000:.0f} k entries/s, "
          f"{theirs / judged:.1f} x evmctl")


def pair(label, theirs, ours):
    if not shutil.which(theirs[0]):
        print(f"{theirs[0]}: not installed, skipped")
        return
    a, b = wall_time(theirs), wall_time(ours)
    print(f"{label}: {theirs[0]} {a * 1e3:.2f} ms, {' '.join(ours[:2]).split('/')[-1]} {b * 1e3:.2f} ms, "
          f"{a / b:.1f} x (whole processes)")


os.environ["LC_ALL"] = "C"
ima()
clean = vectors / "1-clean" / "quote_sha256"
nonce = (vectors / "nonce.hex").read_text().strip()
pair("quote", ["tpm2_checkquote", "-u", str(vectors / "ak.pem"), "-m", f"{clean}.msg", "-s", f"{clean}.sig",
               "-f", f"{clean}.pcrs", "-g", "sha256", "-q", nonce],
     [str(attest), "quote", "--ak", str(vectors / "ak.tss"), "--quote", f"{clean}.msg", "--signature",
      f"{clean}.sig", "--pcrs", f"{clean}.pcrs", "--nonce", nonce])
log = str(vectors / "binary_bios_measurements")
pair("event log", ["tpm2_eventlog", log], [str(attest), "eventlog", log])
