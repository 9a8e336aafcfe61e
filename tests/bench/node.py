# SPDX-License-Identifier: Apache-2.0
"""Active nodes from Python: a quote and 50 new entries, with the node's state in memory.

usage: node.py DIR    (of make_active_node; libattest on PYTHONPATH)
"""

import pathlib
import sys
import time

import libattest

REPETITIONS = 15


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    ak = libattest.Key.load((folder / "ak.tss").read_bytes())
    nonce = (folder / "nonce").read_bytes()
    policy = libattest.Policy()
    policy.add_allowlist((folder / "allowlist").read_bytes())
    rounds = []
    while (folder / f"{len(rounds)}.msg").exists():
        stem = str(len(rounds))
        read = {end: (folder / f"{stem}.{end}").read_bytes() for end in ("msg", "sig", "pcrs", "ima")}
        first = int((folder / f"{stem}.first").read_text())
        rounds.append(((read["msg"], read["sig"], read["pcrs"]), read["ima"], first))

    def attest(node: libattest.Node, quote: tuple[bytes, bytes, bytes], ima: bytes, first: int) -> None:
        evidence = libattest.Evidence(quote=quote, ak=ak)
        evidence.set_ima(ima, first_entry=first)
        report = libattest.appraise(evidence, policy, nonce=nonce, node=node)
        if not report.trusted:
            raise SystemExit(f"not trusted: {report.findings}")

    node = libattest.Node()
    attest(node, *rounds[0])
    booted = node.export()
    best = float("inf")
    for _ in range(REPETITIONS):
        node = libattest.Node.load(booted)
        start = time.process_time()
        for quote, ima, first in rounds[1:]:
            attest(node, quote, ima, first)
        best = min(best, (time.process_time() - start) / (len(rounds) - 1))
    print(f"Python, quote and {rounds[2][2] - rounds[1][2]} entries: {best * 1e6:.0f} us, {1 / best:.0f} a second")
    start = time.process_time()
    for _ in range(1000):
        node.export()
    print(f"Python, export of {len(booted)} bytes: {(time.process_time() - start) * 1e3:.1f} us")


main()
