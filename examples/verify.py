# SPDX-License-Identifier: Apache-2.0
"""A complete verifier: judges an evidence folder by a policy and says why.

usage: verify.py EVIDENCE POLICY NONCE       exit status: 0 trusted, 1 not trusted, 2 no answer
"""

import pathlib
import sys
import time

import libattest


def gather(folder: pathlib.Path) -> libattest.Evidence:
    msg, sig, pcrs = ((folder / f"quote.{part}").read_bytes() for part in ("msg", "sig", "pcrs"))
    ak = (folder / "ak.tss").read_bytes()
    evidence = libattest.Evidence(ak=ak, quote=(msg, sig, pcrs))
    if (folder / "eventlog.bin").exists():
        evidence.set_eventlog((folder / "eventlog.bin").read_bytes())
    if (folder / "ima.bin").exists():
        evidence.set_ima((folder / "ima.bin").read_bytes())
    return evidence


def main() -> int:
    if len(sys.argv) != 4:
        print("usage: verify.py EVIDENCE POLICY NONCE", file=sys.stderr)
        return 2
    try:
        policy = libattest.Policy.parse(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))
        report = libattest.appraise(
            gather(pathlib.Path(sys.argv[1])),
            policy,
            nonce=bytes.fromhex(sys.argv[3]),
            now=int(time.time()),
        )
    except (OSError, ValueError, libattest.Error) as error:
        print(f"verify: {error}", file=sys.stderr)
        return 2
    print(report.verdict)
    for finding in report.findings:
        print(f"  {finding.severity}: {finding.message}")
    return 0 if report.trusted else 1


if __name__ == "__main__":
    sys.exit(main())
