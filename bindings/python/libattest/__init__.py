# SPDX-License-Identifier: Apache-2.0
"""libattest: does a node's evidence prove that it booted and runs what its owner expects?

    report = libattest.appraise(evidence, policy, nonce=nonce)
    if not report.trusted:
        for finding in report.findings:
            print(finding)

Exceptions are for input that is not of its format and for calls that make no sense. Evidence that
is well-formed and bad is not an exception: it is findings in the report.
"""

from ._keylime import Keylime
from ._libattest import (
    CredentialChallenge,
    EndorsementKey,
    Evidence,
    EventLog,
    Ima,
    Key,
    Node,
    Policy,
    Quote,
    Report,
    appraise,
    boot_config_format,
    check_boot_config,
    make_nonce,
    parse_pcrs,
    render_boot_config,
    switch_boot_config,
    version,
)
from ._types import (
    BootProblem,
    ChainError,
    Component,
    Coverage,
    Error,
    Event,
    EventLogFormat,
    FileError,
    Finding,
    Hash,
    ImaDigest,
    ImaFormat,
    KeyFormat,
    KeylimeAgent,
    KeylimeCheck,
    KeylimeError,
    KeylimeQuote,
    KeylimeStatus,
    MalformedError,
    PcrClaim,
    PcrState,
    Profile,
    QuoteFormat,
    RefusedError,
    Severity,
    StateError,
    Verdict,
)

__version__ = version()

__all__ = [
    "BootProblem",
    "ChainError",
    "Component",
    "Coverage",
    "CredentialChallenge",
    "EndorsementKey",
    "Error",
    "Event",
    "EventLog",
    "EventLogFormat",
    "Evidence",
    "FileError",
    "Finding",
    "Hash",
    "Ima",
    "ImaDigest",
    "ImaFormat",
    "Key",
    "KeyFormat",
    "Keylime",
    "KeylimeAgent",
    "KeylimeCheck",
    "KeylimeError",
    "KeylimeQuote",
    "KeylimeStatus",
    "MalformedError",
    "Node",
    "PcrClaim",
    "PcrState",
    "Policy",
    "Profile",
    "Quote",
    "QuoteFormat",
    "RefusedError",
    "Report",
    "Severity",
    "StateError",
    "Verdict",
    "appraise",
    "boot_config_format",
    "check_boot_config",
    "make_nonce",
    "parse_pcrs",
    "render_boot_config",
    "switch_boot_config",
    "version",
]
