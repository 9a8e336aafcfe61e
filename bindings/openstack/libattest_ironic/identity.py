# SPDX-License-Identifier: Apache-2.0
"""Which TPM is this node's? An address is not an answer: any genuine TPM can be relayed.

[libattest]ek_trust:
  enrolled   driver_info/tpm_ek_sha256 names the endorsement key.
  ca         a certificate under ek_ca_dir says that it is a genuine TPM's; the first such EK is
             pinned, since any other genuine TPM has a certificate, too.
  first_use  the first EK is pinned.
What is pinned changes by an operator's command alone (vendor passthru forget_identity). Where the
AK was not proven to be in the EK's TPM by a challenge of ours, first_use pins the AK as well.
"""

import glob
import os
import time

import libattest
from libattest_openstack import library
from libattest_openstack.words import one_line

from .conf import CONF
from .exceptions import AttestationFailure
from .settings import Settings

_MAX_CERTIFICATE = 1 << 16


def check_ek(
    settings: Settings, pinned: dict[str, str], public: bytes, certificate: bytes
) -> "libattest.EndorsementKey":
    """The node's endorsement key. Raises AttestationFailure if it is not the right one's."""
    trust = CONF.libattest.ek_trust
    try:
        ek = library.call(
            libattest.EndorsementKey, public=public or None, certificate=certificate or None
        )
    except (libattest.Error, ValueError) as error:
        raise AttestationFailure(
            f"the endorsement key is not usable, only a TPM 2.0's is: {error}"
        ) from error
    if settings.ek_sha256 is not None and ek.sha256 != settings.ek_sha256:
        raise AttestationFailure(
            f"another TPM answers: its endorsement key is {ek.sha256}, driver_info/tpm_ek_sha256 "
            f"is {settings.ek_sha256}"
        )
    if settings.ek_sha256 is None and trust == "enrolled":
        raise AttestationFailure(
            f"driver_info/tpm_ek_sha256 is missing; the node says it is {ek.sha256}"
        )
    if CONF.libattest.ek_ca_dir and (certificate or trust == "ca"):
        _check_chain(ek, certificate)
    elif trust == "ca":
        raise AttestationFailure("[libattest]ek_trust is ca and ek_ca_dir is not set")
    if trust != "enrolled" and pinned.get("ek_sha256", ek.sha256) != ek.sha256:
        raise AttestationFailure(
            f"another TPM answers: its endorsement key is {ek.sha256}, pinned is "
            f"{pinned['ek_sha256']}; if the TPM was changed on purpose, use the vendor passthru "
            "method forget_identity"
        )
    return ek


def check_ak(pinned: dict[str, str], ak_name: str, proven: bool) -> None:
    """Holds an AK to the one of before, where nothing but its first use spoke for it."""
    if proven or CONF.libattest.ek_trust != "first_use":
        return
    if pinned.get("ak_name", ak_name) != ak_name:
        raise AttestationFailure(
            f"the attestation key has changed from {pinned['ak_name']} to {ak_name}; if that was "
            "on purpose, use the vendor passthru method forget_identity"
        )


def to_pin(pinned: dict[str, str], ek_sha256: str, ak_name: str, proven: bool) -> dict[str, str]:
    """What to pin now, after evidence that was good."""
    trust = CONF.libattest.ek_trust
    if trust == "enrolled":
        return {}
    new = {"ek_sha256": ek_sha256}
    if trust == "first_use" and not proven:
        new["ak_name"] = ak_name
    return {key: value for key, value in new.items() if key not in pinned}


def _check_chain(ek: "libattest.EndorsementKey", certificate: bytes) -> None:
    if not certificate:
        raise AttestationFailure("the TPM shows no endorsement key certificate")
    roots = _certificates()
    if not roots:
        raise AttestationFailure(f"there is no certificate in {CONF.libattest.ek_ca_dir}")
    try:
        library.call(ek.verify_chain, roots, now=int(time.time()))
    except libattest.Error as error:
        raise AttestationFailure(
            f"the endorsement key's certificate: {one_line(error, 300)}"
        ) from error


def _certificates() -> list[bytes]:
    found = []
    for path in sorted(glob.glob(os.path.join(CONF.libattest.ek_ca_dir, "*"))):
        if not path.endswith((".pem", ".crt", ".cer", ".der")) or not os.path.isfile(path):
            continue
        with open(path, "rb") as file:
            found.append(file.read(_MAX_CERTIFICATE))
    return found
