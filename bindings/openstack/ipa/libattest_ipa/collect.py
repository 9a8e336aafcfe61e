# SPDX-License-Identifier: Apache-2.0
"""Runs the program `collect`, which alone talks to the TPM."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import tempfile
from typing import Any, Iterable, Sequence

from libattest_ipa import NodeError

# A TPM of hardware may think for a minute about a primary RSA key.
TIMEOUT = 180
MAX_LOGS = 32 << 20
# The logs as base64, and the rest.
MAX_OUTPUT = MAX_LOGS // 3 * 4 + (1 << 20)
MAX_MESSAGE = 500
TOO_LARGE = "the logs are larger than 32 MiB"
# A kernel's own; tboot's log has to be put into a file by whoever can read it.
LAUNCH_LOG = "/sys/kernel/security/slaunch/eventlog"
MAX_LAUNCH_LOG = 1 << 20

IDENTITY = ("ek_template", "ek_public", "ek_certificate", "ak_public")
ANSWER = ("answer",)
QUOTE = ("ak_public", "quote", "signature", "pcrs", "eventlog", "ima", "ima_entry")


def identity(ek: str | None) -> dict[str, Any]:
    return _run("identity", IDENTITY, ["--ek", ek] if ek is not None else [])


def activate(credential: bytes, secret: bytes) -> dict[str, Any]:
    return _run("activate", ANSWER, ["--credential", _text(credential), "--secret", _text(secret)])


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def quote(nonce: bytes, pcrs: Iterable[int], bank: str, ima_entry: int) -> dict[str, Any]:
    arguments = [
        "--nonce",
        nonce.hex(),
        "--pcrs",
        f"{bank}:{','.join(map(str, pcrs))}",
        "--ima-entry",
        str(ima_entry),
    ]
    for option, variable in (("--eventlog", "LIBATTEST_EVENTLOG"), ("--ima", "LIBATTEST_IMA")):
        if os.environ.get(variable):
            arguments += [option, os.environ[variable]]
    answer = _run("quote", QUOTE, arguments)
    if sum(len(answer[name] or "") // 4 * 3 for name in ("eventlog", "ima")) > MAX_LOGS:
        raise NodeError(TOO_LARGE)
    return {**answer, "launchlog": _launch_log()}


def _launch_log() -> str | None:
    """The log of a dynamic launch; None where the kernel has none."""
    path = os.environ.get("LIBATTEST_LAUNCH_LOG") or LAUNCH_LOG
    try:
        with open(path, "rb") as file:
            log = file.read(MAX_LAUNCH_LOG + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NodeError(f"cannot read {path}: {error.strerror}") from None
    if len(log) > MAX_LAUNCH_LOG:
        raise NodeError("the launch log is larger than 1 MiB")
    return _text(log)


def _run(command: str, members: Sequence[str], arguments: Sequence[str]) -> dict[str, Any]:
    program = os.environ.get("LIBATTEST_COLLECT") or "collect"
    state = os.environ.get("LIBATTEST_STATE") or "/run/libattest"
    tcti = os.environ.get("LIBATTEST_TCTI")
    call = [program, command, "--state", state, *(["--tcti", tcti] if tcti else []), *arguments]
    return _parse(_output(call), members)


def _output(call: Sequence[str]) -> bytes:
    """What the program prints, never more than MAX_OUTPUT of it in memory."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            status = subprocess.run(
                call, stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=TIMEOUT
            ).returncode
        except subprocess.TimeoutExpired:
            raise NodeError(f"collect did not end within {TIMEOUT} s") from None
        except OSError as error:
            raise NodeError(f"cannot run {call[0]}: {error.strerror}") from None
        if status != 0:
            err.seek(0)
            raise NodeError(_last_line(err.read(64 << 10)) or f"collect ended with {status}")
        if out.seek(0, os.SEEK_END) > MAX_OUTPUT:
            raise NodeError(TOO_LARGE)
        out.seek(0)
        return out.read()


def _last_line(text: bytes) -> str:
    lines = text.decode("utf-8", "replace").split("\n")
    last = next((line for line in reversed(lines) if line.strip()), "")
    return "".join(c if c.isprintable() else "?" for c in last)[:MAX_MESSAGE]


def _parse(output: bytes, members: Sequence[str]) -> dict[str, Any]:
    try:
        answer = json.loads(output)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or set(answer) != set(members):
        raise NodeError("collect and this extension are not of one version")
    return answer
