# SPDX-License-Identifier: Apache-2.0
"""Enumerations, records and exceptions: what is better written in Python than in C++."""

import collections.abc
import dataclasses
import enum
from typing import Self

from . import _libattest


class Error(Exception):
    """libattest could not do its work."""


class MalformedError(Error, ValueError):
    """The input is not of its format: what, where, which field, and what is wrong with it."""


class RefusedError(Error):
    """Well-formed, and must not be trusted: an EK or AK that is not as it must be."""


class ChainError(RefusedError):
    """A certificate chain that does not vouch for the EK."""


class StateError(Error, RuntimeError):
    """The object can not do this now: after its end, or while another call uses it."""


class FileError(Error, OSError):
    """A file that can not be read, or not be written as a whole."""


class NetworkError(Error):
    """A call over the network could not do its work. It says nothing about a node.

    reason: "network" (not reached, or hung up), "peer" (its certificate), "timeout", "cancelled",
    "refused" (status is the HTTP status) or "answer" (not understood).
    """

    def __init__(self, message: str, reason: str = "answer", status: int | None = None) -> None:
        super().__init__(message, reason, status)
        self.reason = reason
        self.status = status

    def __str__(self) -> str:
        return str(self.args[0])


class KeylimeError(NetworkError):
    """A call to Keylime could not do its work."""


class OatError(NetworkError):
    """A call to an OAT server could not do its work: no host has a verdict of it."""


class _Number(enum.IntEnum):
    """Numbers of the C ABI. Also made from their names: Hash("sha256").

    A newer library may return numbers that are not listed here. They become members without a
    name, equal to none of the others.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if isinstance(value, str):
            return next((member for member in cls if str(member) == value), None)
        if isinstance(value, int) and 1 <= value < 2**31:
            member = int.__new__(cls, value)
            member._name_ = f"NUMBER_{value}"
            member._value_ = value
            return member
        return None

    def __str__(self) -> str:
        return self._name_.lower().replace("_", "-")

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


class Verdict(_Number):
    """Only TRUSTED is good news."""

    UNKNOWN = 0
    TRUSTED = 1
    UNTRUSTED = 2

    def __str__(self) -> str:
        return _libattest.verdict_name(self)

    def __bool__(self) -> bool:
        raise TypeError("a Verdict is neither true nor false: compare it with Verdict.TRUSTED")


class Severity(_Number):
    """INFO: worth knowing. WARNING: not proven, nor asked for. FAILURE: not what was expected."""

    INFO = 1
    WARNING = 2
    FAILURE = 3

    def __str__(self) -> str:
        return _libattest.severity_name(self)


class Component(_Number):
    """What a finding is about."""

    QUOTE = 1
    AK = 2
    PCR = 3
    EVENTLOG = 4
    IMA = 5
    POLICY = 6
    NODE = 7
    LAUNCHLOG = 8

    def __str__(self) -> str:
        return _libattest.component_name(self)


class PcrState(_Number):
    """How a quoted PCR ended. Only APPRAISED says that a policy has judged it."""

    UNEXPLAINED = 0
    REPLAYED = 1
    INITIAL = 2
    APPRAISED = 3
    MISMATCH = 4

    def __str__(self) -> str:
        return _libattest.pcr_state_name(self)


class Coverage(_Number):
    """How far an event's digest vouches for its data."""

    OPAQUE = 1
    COVERED = 2
    PARTLY = 3
    MISMATCH = 4
    UNEXTENDED = 5

    def __str__(self) -> str:
        return _libattest.coverage_name(self)


class Hash(_Number):
    """Digest algorithms, by their TPM_ALG_IDs. They name banks of PCRs, too."""

    SHA1 = 0x0004
    SHA256 = 0x000B
    SHA384 = 0x000C
    SHA512 = 0x000D
    SM3_256 = 0x0012
    SHA3_256 = 0x0027
    SHA3_384 = 0x0028
    SHA3_512 = 0x0029

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if isinstance(value, str):
            value = _libattest.hash_from_name(value) or None
            return None if value is None else cls(value)
        return super()._missing_(value)

    def __str__(self) -> str:
        return _libattest.hash_name(self) or self._name_.lower()


class KeyFormat(_Number):
    """What a key was loaded from."""

    TPM2B_PUBLIC = 1
    TPMT_PUBLIC = 2
    PEM = 3
    SPKI_DER = 4
    CERTIFICATE_PEM = 5
    CERTIFICATE_DER = 6
    TPM_PUBKEY = 7
    TPM_KEY = 8


class QuoteFormat(_Number):
    """What a quote is written as: by a TPM 2.0, or by TPM_Quote or TPM_Quote2 of a TPM 1.2."""

    ATTEST = 1
    QUOTE_INFO = 2
    QUOTE_INFO2 = 3


class EventLogFormat(_Number):
    """The formats of boot event logs, and of a dynamic launch's log."""

    SHA1 = 1
    CRYPTO_AGILE = 2
    TXT_CONTAINER = 3
    TXT_LEGACY = 4


class ImaFormat(_Number):
    """binary_runtime_measurements and ascii_runtime_measurements."""

    BINARY = 1
    ASCII = 2


class ImaDigest(_Number):
    """What the kernel extends into a bank.

    NATIVE: the bank's own hash of the template data. PADDED: SHA-1 padded with zeros. PADDED_OLD:
    the same, violations too (kernels before 5.8).
    """

    NATIVE = 1
    PADDED = 2
    PADDED_OLD = 3


class Profile(_Number):
    """What a policy is learned of.

    EVERYTHING: every quoted PCR that stays the same from boot to boot, and the IMA list.
    TRUSTED_BOOT: PCRs 0 to 7 (BIOS) and 17 to 19 (VMM) after a dynamic launch. MEASURED_BOOT: PCRs
    0 to 9 (BIOS and boot loader).
    """

    EVERYTHING = 0
    TRUSTED_BOOT = 1
    MEASURED_BOOT = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `code` and `id` are stable; `message` is for people."""

    code: int
    id: str
    severity: Severity
    component: Component
    pcr: int | None
    index: int | None
    offset: int | None
    expected: str | None
    found: str | None
    message: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.message}"


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """One event of a boot log. `type` is never proven; `coverage` says what `data` is worth."""

    index: int
    offset: int
    pcr: int
    type: int
    type_name: str
    digests: dict[str, bytes]
    data: bytes
    coverage: Coverage


@dataclasses.dataclass(frozen=True, slots=True)
class PcrClaim:
    """A PCR value as the TPM signed it, and how the appraisal of it ended."""

    bank: str
    index: int
    value: bytes
    state: PcrState


@dataclasses.dataclass(frozen=True, slots=True)
class KeylimeAgent:
    """What a registrar knows of an agent: claims, until a quote is verified."""

    uuid: str
    ak: bytes
    ek: bytes
    ek_certificate: bytes
    certificate: str
    ip: str
    port: int


@dataclasses.dataclass(frozen=True, slots=True)
class KeylimeStatus:
    """What a verifier says of an agent. Only the verdict "trusted" is good news.

    verdict: "trusted", "failed", "pending", "unreachable" or "not-attested".
    """

    verdict: str
    state: int
    state_name: str
    attestation_count: int | None
    last_event_id: str
    severity: int | None

    @property
    def trusted(self) -> bool:
        return self.verdict == "trusted"

    def __bool__(self) -> bool:
        raise TypeError("a KeylimeStatus is neither true nor false: ask for .trusted")


@dataclasses.dataclass(frozen=True, slots=True)
class KeylimeQuote:
    """What an agent answered: claims, until an appraisal."""

    quote: str
    hash_alg: str
    enc_alg: str
    sign_alg: str
    public_key: str
    boottime: int | None
    ima: bytes | None
    ima_entry: int | None
    eventlog: bytes | None


@dataclasses.dataclass(frozen=True, slots=True)
class KeylimeCheck:
    """One check of a Keylime's set-up. health: "ok", "warning", "bad" or "unknown"."""

    id: str
    health: str
    message: str


class OatHosts(list["HostVerdict"]):
    """What a server said of hosts: a HostVerdict for each, in the order in which it was asked.

    reasons: of hosts whose verdict is not just what the server said, by their names: "name-refused"
    (not asked about), "not-answered", "unknown", "timeout", "pending" (the server's words), "level"
    (none of its words), "no-time", "time" (not understood), "future" or "contradiction" (of several
    entries the worst).
    ignored: how many entries were about hosts that were not asked for.
    """

    def __init__(
        self, hosts: collections.abc.Iterable["HostVerdict"], reasons: dict[str, str], ignored: int
    ) -> None:
        super().__init__(hosts)
        self.reasons = reasons
        self.ignored = ignored


@dataclasses.dataclass(frozen=True, slots=True)
class BootProblem:
    """What is wrong with a boot configuration. `code` and `id` are stable; `message` is for people.

    severity: FAILURE does not boot, WARNING not as it should, INFO is worth knowing.
    """

    code: int
    id: str
    severity: Severity
    line: int | None
    message: str

    def __str__(self) -> str:
        place = "" if self.line is None else f"line {self.line}: "
        return f"{self.severity}: {place}{self.message}"


@dataclasses.dataclass(frozen=True, slots=True)
class HostVerdict:
    """What a server said of a host. `name` is compared byte by byte.

    measured_at: the server's own time of the measurement, in Unix seconds. Without one, `verdict`
    counts as unknown.
    """

    name: str
    verdict: Verdict
    measured_at: float | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """What is known of hosts at one moment, in the order in which they were asked for.

    trusted, untrusted: a byte a host, 0 or 1, for itertools.compress(hosts, decision.trusted): an
    explicit, fresh verdict, and nothing else. to_fetch: the names to ask the server about, each
    once. counts: how many hosts there are of each reason.
    """

    trusted: bytes
    untrusted: bytes
    to_fetch: list[str]
    counts: dict[str, int]
    reasons: bytes

    def reason(self, index: int) -> str:
        """A host's: "trusted", "untrusted", "unknown", "missing", "expired", "future-time",
        "no-time" or "invalid-name"."""
        return _libattest.host_reason_name(self.reasons[index])

    def __bool__(self) -> bool:
        raise TypeError("a Decision is neither true nor false: ask for .trusted")


# They are found, shown and pickled where programs import them from.
for _public in (
    *(Error, FileError, KeylimeError, MalformedError, RefusedError, ChainError, StateError),
    *(NetworkError, OatError, OatHosts),
    *(Verdict, Severity, Component, PcrState, Coverage, Hash),
    *(KeyFormat, QuoteFormat, EventLogFormat, ImaFormat, ImaDigest, Profile),
    *(BootProblem, Finding, Event, PcrClaim),
    *(Decision, HostVerdict),
    *(KeylimeAgent, KeylimeCheck, KeylimeQuote, KeylimeStatus),
):
    _public.__module__ = "libattest"
del _public
