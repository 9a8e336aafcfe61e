# SPDX-License-Identifier: Apache-2.0
"""What a node's driver_info says about its attestation. Nothing is read from instance_info.

Whoever deploys a node writes instance_info; driver_info is written by its owner and by operators.
read() never raises: it returns the settings and one line for each that is missing or wrong.
"""

import dataclasses
import hashlib
import ipaddress
import json
import re
from collections.abc import Mapping
from typing import Any

from libattest_openstack.words import one_line

from .conf import CONF

NO_ATTESTATION = "no-attestation"
OBJECTS = ("allowlist", "allowlist_checksum", "excludelist")

# Other names under which the same setting is known: the prototype's, and the seed's.
_ALIASES = {
    "keylime_excludelist": ("keylime_exclude",),
    "keylime_agent_uuid": ("keylime_u",),
    "keylime_agent_address": ("keylime_agent_ip", "keylime_t"),
    "keylime_agent_port": ("keylime_tp",),
}

PROPERTIES = {
    "attestation_interface": "no-attestation, keylime or libattest. Optional: the default is "
    "[libattest]default_attestation_interface.",
    "tpm_ek_sha256": "SHA-256 of the endorsement key's DER SubjectPublicKeyInfo, in hex. Required "
    "with [libattest]ek_trust=enrolled.",
    "keylime_v": "Address of the Keylime verifier. Required for keylime.",
    "keylime_vp": "Port of the Keylime verifier. Optional: 8881.",
    "keylime_r": "Address of the Keylime registrar. Required for keylime. For libattest: with it "
    "evidence comes from the node's Keylime agent, without it from the deploy ramdisk.",
    "keylime_rp": "TLS port of the Keylime registrar. Optional: 8891.",
    "keylime_container": "Swift container with the objects allowlist, allowlist_checksum and, "
    "optionally, excludelist.",
    "keylime_allowlist": "Allowlist: a file below [libattest]lists_dir. Required without "
    "keylime_container.",
    "keylime_allowlist_checksum": "SHA-256 of the allowlist: in hex, or a file as above. Required "
    "without keylime_container.",
    "keylime_excludelist": "Excludelist: a file as above. Optional.",
    "keylime_agent_uuid": "UUID of the node's Keylime agent. Optional: the ramdisk is asked.",
    "keylime_agent_address": "Address of the agent. Optional; required for attest_active=required.",
    "keylime_agent_port": "Port of the agent. Optional: 9002.",
    "attest_active": "Attest the node while it is active: required, optional or off (default).",
    "keylime_instance_container": "As keylime_container, for the active node.",
    "keylime_instance_allowlist": "As keylime_allowlist, for the active node.",
    "keylime_instance_allowlist_checksum": "As keylime_allowlist_checksum, for the active node.",
    "keylime_instance_excludelist": "As keylime_excludelist, for the active node.",
    "trusted_boot_ramdisk": "Have tboot start the deploy ramdisk, and compare its launch with "
    "trusted_boot_policy: true or false (default).",
    "trusted_boot_policy": "Appraisal policy of the deploy ramdisk's launch: an object of "
    "keylime_container, or a file as above. Required for trusted_boot_ramdisk.",
    "trusted_boot_instance_policy": "As trusted_boot_policy, for the instance's launch, beside the "
    "lists of the active node. Optional; needs attest_active.",
    "trusted_boot_on_failure": "When a launch is not what its policy says: refuse (default) or "
    "warn, and go on.",
}

_HOST_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_AGENT_UUID = re.compile(r"[A-Za-z0-9][\w.-]{0,127}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
# Swift: at most 256 bytes, no slash.
_CONTAINER = re.compile(r"[^/\x00-\x1f\x7f]{1,256}")


@dataclasses.dataclass(frozen=True, slots=True)
class ListSource:
    """Where an allowlist, its checksum and an excludelist come from."""

    container: str | None = None
    allowlist: str | None = None
    checksum: str | None = None
    excludelist: str | None = None

    @property
    def given(self) -> bool:
        return self.container is not None or self.allowlist is not None


@dataclasses.dataclass(frozen=True, slots=True)
class Launch:
    """Which measured launches are compared with which policy."""

    ramdisk: bool = False
    policy: str | None = None
    instance_policy: str | None = None
    # A launch that is not as its policy says is told, and the node goes on.
    warn: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one node. What is wrong is None here and a line among the problems."""

    interface: str
    ek_sha256: str | None
    verifier: str | None
    registrar: str | None
    agent_uuid: str | None
    agent_address: str | None
    agent_port: int | None
    lists: ListSource
    instance_lists: ListSource
    active: str
    launch: Launch
    # One line for each that is missing or wrong: see attestation.check().
    problems: tuple[str, ...] = ()

    @property
    def asked(self) -> bool:
        return self.interface != NO_ATTESTATION

    @property
    def digest(self) -> str:
        """Changes when any setting does: a verdict is one of these settings."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


class _Reader:
    def __init__(self, info: Mapping[str, Any]) -> None:
        self.info = info
        self.problems: list[str] = []

    def wrong(self, key: str, why: str) -> None:
        self.problems.append(f"driver_info/{key} {why}")

    def raw(self, key: str) -> Any:
        for name in (key, *_ALIASES.get(key, ())):
            if self.info.get(name) not in (None, ""):
                return self.info[name]
        return None

    def text(self, key: str, pattern: re.Pattern[str], what: str) -> str | None:
        value = self.raw(key)
        if value is None:
            return None
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        self.wrong(key, f"is not {what}")
        return None

    def host(self, key: str) -> str | None:
        value = self.raw(key)
        if value is None:
            return None
        if isinstance(value, str) and _is_host(value):
            return value
        self.wrong(key, "is neither a host name nor an IP address")
        return None

    def port(self, key: str, default: int) -> int:
        value = self.raw(key)
        if value is None:
            return default
        if not isinstance(value, bool) and str(value).isascii() and str(value).isdigit():
            if 0 < int(str(value)[:6]) < 65536:
                return int(value)
        self.wrong(key, "is not a port between 1 and 65535")
        return default

    def endpoint(self, host_key: str, port_key: str, default_port: int) -> str | None:
        host, port = self.host(host_key), self.port(port_key, default_port)
        if host is None:
            return None
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def path(self, key: str) -> str | None:
        value = self.raw(key)
        if value is None:
            return None
        if isinstance(value, str) and value.isprintable() and len(value) <= 1024:
            return value
        self.wrong(key, "is not a file name")
        return None

    def lists(self, prefix: str) -> ListSource:
        container = self.text(f"{prefix}_container", _CONTAINER, "the name of a Swift container")
        source = ListSource(
            container,
            self.path(f"{prefix}_allowlist"),
            self.path(f"{prefix}_allowlist_checksum"),
            self.path(f"{prefix}_excludelist"),
        )
        files = (source.allowlist, source.checksum, source.excludelist)
        if container is not None and any(files):
            self.wrong(f"{prefix}_container", "is set together with files: which of them is meant?")
        if source.allowlist is not None and source.checksum is None:
            self.wrong(f"{prefix}_allowlist_checksum", "is missing")
        if container is None and source.allowlist is None and any(files):
            self.wrong(f"{prefix}_allowlist", "is missing")
        return source


def _is_host(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        labels = value.removesuffix(".").split(".")
        return len(value) <= 253 and all(_HOST_LABEL.fullmatch(label) for label in labels)
    return True


def read(driver_info: Mapping[str, Any]) -> tuple[Settings, list[str]]:
    """The settings of a node, and one line for each that is missing or wrong."""
    reader = _Reader(driver_info)
    ek_sha256 = reader.text("tpm_ek_sha256", _SHA256, "64 hexadecimal digits")
    settings = Settings(
        interface=_interface(reader),
        ek_sha256=ek_sha256.lower() if ek_sha256 else None,
        verifier=reader.endpoint("keylime_v", "keylime_vp", 8881),
        registrar=reader.endpoint("keylime_r", "keylime_rp", 8891),
        agent_uuid=reader.text("keylime_agent_uuid", _AGENT_UUID, "an agent's UUID"),
        agent_address=reader.host("keylime_agent_address"),
        agent_port=reader.port("keylime_agent_port", 9002),
        lists=reader.lists("keylime"),
        instance_lists=reader.lists("keylime_instance"),
        active=_active(reader),
        launch=_launch(reader),
    )
    problems = _check(settings, reader)
    return dataclasses.replace(settings, problems=tuple(problems)), problems


def _check(settings: Settings, reader: _Reader) -> list[str]:
    """What is missing, beside what was wrong when it was read."""
    _check_launch(settings, reader)
    if not settings.asked:
        return _problems_unasked(settings, reader)
    if not settings.lists.given and reader.raw("keylime_container") is None:
        reader.problems.append("neither driver_info/keylime_container nor keylime_allowlist is set")
    if CONF.libattest.ek_trust == "enrolled" and reader.raw("tpm_ek_sha256") is None:
        reader.wrong("tpm_ek_sha256", "is missing: [libattest]ek_trust is enrolled")
    if settings.interface == "keylime":
        for key in ("keylime_v", "keylime_r"):
            if reader.raw(key) is None:
                reader.wrong(key, "is missing")
    if settings.active == "required":
        if settings.agent_address is None and reader.raw("keylime_agent_address") is None:
            reader.wrong("keylime_agent_address", "is missing: attest_active is required")
        if not settings.instance_lists.given:
            reader.problems.append(
                "neither driver_info/keylime_instance_container nor keylime_instance_allowlist is "
                "set: attest_active is required"
            )
    if settings.active != "off" and settings.registrar is None:
        reader.wrong(
            "attest_active",
            "needs a Keylime agent in the instance and driver_info/keylime_r: without Keylime, "
            "attestation ends when the deploy ramdisk does",
        )
    return reader.problems


def _interface(reader: _Reader) -> str:
    value = reader.raw("attestation_interface")
    if value is None:
        value = CONF.libattest.default_attestation_interface
    enabled = CONF.libattest.enabled_attestation_interfaces
    if value in enabled or value == NO_ATTESTATION:
        return str(value)
    reader.wrong(
        "attestation_interface",
        f"'{one_line(value, 60)}' is not one of [libattest]enabled_attestation_interfaces: "
        + ", ".join(enabled),
    )
    # Neither this name nor no-attestation: it was asked for something.
    return "unknown"


def _active(reader: _Reader) -> str:
    value = reader.raw("attest_active")
    if value in (None, False):
        return "off"
    if value in ("required", "optional", "off"):
        return str(value)
    reader.wrong("attest_active", "is none of required, optional, off")
    return "required"


def _launch(reader: _Reader) -> Launch:
    ramdisk = reader.raw("trusted_boot_ramdisk")
    if str(ramdisk).lower() not in ("none", "true", "false"):
        reader.wrong("trusted_boot_ramdisk", "is neither true nor false")
    on_failure = reader.raw("trusted_boot_on_failure")
    if on_failure not in (None, "refuse", "warn"):
        reader.wrong("trusted_boot_on_failure", "is none of refuse, warn")
    return Launch(
        # What is no answer is taken for yes, so that nobody takes it for no.
        ramdisk=str(ramdisk).lower() not in ("none", "false"),
        policy=reader.path("trusted_boot_policy"),
        instance_policy=reader.path("trusted_boot_instance_policy"),
        warn=on_failure == "warn",
    )


def _check_launch(settings: Settings, reader: _Reader) -> None:
    launch = settings.launch
    if launch == Launch():
        return
    if settings.interface != "libattest":
        reader.problems.append(
            f"driver_info/trusted_boot_… need attestation_interface=libattest: "
            f"{settings.interface} compares no launch"
        )
    if launch.ramdisk and reader.raw("trusted_boot_policy") is None:
        reader.wrong("trusted_boot_policy", "is missing: trusted_boot_ramdisk is set")
    if launch.policy is not None and not launch.ramdisk:
        reader.wrong("trusted_boot_ramdisk", "is missing: trusted_boot_policy is set")
    if launch.instance_policy is not None and settings.active == "off":
        reader.wrong("trusted_boot_instance_policy", "needs attest_active: nobody else reads it")
    if launch.warn and launch.policy is None and launch.instance_policy is None:
        reader.wrong("trusted_boot_on_failure", "is set, and no launch is compared")
    if launch.warn and CONF.libattest.require_attestation:
        reader.wrong("trusted_boot_on_failure", "is warn: [libattest]require_attestation is set")


def _problems_unasked(settings: Settings, reader: _Reader) -> list[str]:
    """A node that is not attested needs no settings; wrong ones there are of no consequence."""
    if CONF.libattest.require_attestation:
        return ["[libattest]require_attestation is set: no-attestation is refused"]
    if settings.active != "off":
        return ["driver_info/attest_active is set for a node that is not attested"]
    return [
        line
        for line in reader.problems
        if "attestation_interface" in line or "trusted_boot_" in line
    ]
