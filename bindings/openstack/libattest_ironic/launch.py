# SPDX-License-Identifier: Apache-2.0
"""Measured launches: tboot has measured what it started, and a policy says what that should be.

Two kinds are judged, each by a policy of its own: the deploy ramdisk's before the image is written
(driver_info/trusted_boot_ramdisk), and the instance's while the node is active. Every record, log
line and notification says which.
"""

import json
from collections.abc import Mapping
from typing import Any

import libattest
from libattest_openstack import library

from .attestation import Evidenced
from .conf import CONF
from .exceptions import AttestationFailure
from .settings import Settings

OF_RAMDISK = "the deploy ramdisk's launch"
OF_INSTANCE = "the instance's launch"

# OAT's split: BIOS is PCR 0 to 7, VMM is PCR 17 to 19.
PCRS = (*range(8), *range(17, 20))
PCR_MASK: int = sum(1 << pcr for pcr in PCRS)


class LaunchFailure(AttestationFailure):
    """Everything but the launch is as it should be: driver_info may say to go on."""

    def __init__(self, failure: AttestationFailure, evidenced: Evidenced) -> None:
        super().__init__(f"{evidenced.launch}: {failure.reason}", failure.findings)
        self.evidenced = evidenced


def make_policy(data: bytes) -> libattest.Policy:
    """The policy of a launch. Raises AttestationFailure if it would let one pass unseen.

    Its rules for the attestation key are left out: the key is another one at each boot of a
    ramdisk, and that it is in the node's TPM has been shown when a launch is judged.
    """
    try:
        policy = library.call(libattest.Policy.parse, data)
        rules = json.loads(library.call(policy.to_json))
        _check(rules)
        rules["ak"] = {"attributes": "required"}
        return library.call(libattest.Policy.parse, json.dumps(rules))
    except libattest.Error as error:
        raise AttestationFailure(f"the policy of the launch: {error}") from error


def _check(rules: dict[str, Any]) -> None:
    judged = {*rules.get("pcrs", {}), *rules.get("event_log", {}).get("events", {})}
    lacking = [str(pcr) for pcr in PCRS if str(pcr) not in judged]
    if not rules.get("launch", {}).get("required") or lacking:
        raise AttestationFailure(
            "the policy of the launch does not demand one and values for PCR 0-7 and 17-19"
            + (f" (none for PCR {', '.join(lacking)})" if lacking else "")
            + ": make it with 'attest policy create --profile trusted-boot'"
        )
    if rules["bank"] != "sha256":
        raise AttestationFailure(
            f"the policy of the launch is for bank {rules['bank']}: nodes quote sha256"
        )


def tolerated(entry: Mapping[str, Any], settings: Settings) -> bool:
    """Whether this bad verdict is only told: just the launch is bad, and driver_info says warn."""
    return (
        bool(entry.get("only_launch"))
        and settings.launch.warn
        and not CONF.libattest.require_attestation
    )


def warnings(settings: Settings) -> list[str]:
    if not settings.launch.warn:
        return []
    return [
        "driver_info/trusted_boot_on_failure is warn: a launch that is not what its policy says is "
        "only reported"
    ]
