# SPDX-License-Identifier: Apache-2.0
"""Passes TPM commands from standard input on to a software TPM, and extends PCR 10 just before a quote:
the measurement that comes in between reading the PCRs and quoting them.

usage: measuring_relay.py SOCKET TIMES    (as --tcti "cmd:python3 measuring_relay.py SOCKET TIMES")
"""

import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples" / "quickstart"))
sys.dont_write_bytecode = True
from simulated_node import Tpm  # noqa: E402

TPM_CC_QUOTE = 0x00000158


def main() -> None:
    tpm = Tpm(sys.argv[1])
    left = int(sys.argv[2])
    while header := sys.stdin.buffer.read(10):
        tag, size, code = struct.unpack(">HII", header)
        body = sys.stdin.buffer.read(size - 10)
        if code == TPM_CC_QUOTE and left > 0:
            left -= 1
            tpm.extend(10, {"sha1": bytes(20), "sha256": bytes(32)})
        sys.stdout.buffer.write(tpm.exchange(tag, code, body))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
