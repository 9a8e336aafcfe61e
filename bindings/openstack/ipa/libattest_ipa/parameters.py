# SPDX-License-Identifier: Apache-2.0
"""The parameters of the commands, checked: they come from the network."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Callable, Mapping

from libattest_ipa import WrongParameters

EK_TEMPLATES = ("L-1", "L-2", "H-1", "H-2", "H-3")
BANKS = ("sha1", "sha256", "sha384", "sha512")
ALL_PCRS = tuple(range(24))
DEFAULT_PCRS = tuple(pcr for pcr in ALL_PCRS if pcr not in (16, 23))  # those that nobody may reset
MAX_IMA_ENTRY = 2**32 - 1


def only(parameters: Mapping[str, Any], *allowed: str) -> None:
    for name in parameters:
        if name not in allowed:
            raise WrongParameters(f"there is no parameter {name[:64]!r}")


def data(parameters: Mapping[str, Any], name: str, least: int, most: int) -> bytes:
    text = parameters.get(name)
    if isinstance(text, str) and len(text) <= 4 * (most // 3 + 1):
        try:
            value = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            pass
        else:
            # Python takes surplus padding and stray bits; others do not.
            if least <= len(value) <= most and base64.b64encode(value).decode("ascii") == text:
                return value
    raise WrongParameters(f"{name} must be {least} to {most} bytes as base64")


def number(parameters: Mapping[str, Any], name: str, most: int) -> int:
    value = parameters.get(name, 0)
    if not _is_number(value, most):
        raise WrongParameters(f"{name} must be a number from 0 to {most}")
    return int(value)


def choice(
    parameters: Mapping[str, Any], name: str, choices: tuple[str, ...], default: str | None
) -> str | None:
    value = parameters.get(name)
    if value is None:
        return default
    if not isinstance(value, str) or value not in choices:
        raise WrongParameters(f"{name} must be one of {', '.join(choices)}")
    return value


def pcrs(parameters: Mapping[str, Any]) -> tuple[int, ...]:
    value = parameters.get("pcrs")
    if value is None:
        return DEFAULT_PCRS
    if (
        not isinstance(value, list)
        or not 1 <= len(value) <= len(ALL_PCRS)
        or not all(_is_number(pcr, ALL_PCRS[-1]) for pcr in value)
        or len(set(value)) != len(value)
    ):
        raise WrongParameters("pcrs must be a list of different numbers from 0 to 23")
    return tuple(sorted(value))


def _is_number(value: object, most: int) -> bool:
    # A bool is an int to Python, and not to JSON.
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def nothing(parameters: Mapping[str, Any]) -> dict[str, Any]:
    only(parameters)
    return {}


def identity(parameters: Mapping[str, Any]) -> dict[str, Any]:
    only(parameters, "ek")
    return {"ek": choice(parameters, "ek", EK_TEMPLATES, None)}


def activate(parameters: Mapping[str, Any]) -> dict[str, Any]:
    only(parameters, "credential", "secret")
    # TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET at their largest; collect parses them.
    return {
        "credential": data(parameters, "credential", 3, 256),
        "secret": data(parameters, "secret", 3, 1024),
    }


def quote(parameters: Mapping[str, Any]) -> dict[str, Any]:
    only(parameters, "nonce", "pcrs", "bank", "ima_entry")
    return {
        "nonce": data(parameters, "nonce", 16, 64),
        "pcrs": pcrs(parameters),
        "bank": choice(parameters, "bank", BANKS, "sha256"),
        "ima_entry": number(parameters, "ima_entry", MAX_IMA_ENTRY),
    }


Check = Callable[[Mapping[str, Any]], "dict[str, Any]"]
