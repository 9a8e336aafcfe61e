# SPDX-License-Identifier: Apache-2.0
"""The options. They are registered when this module is imported: periodics read theirs at import.

[keylime] holds what the Ironic specification of the attestation interface names and nothing else.
"""

from oslo_config import cfg

CONF = cfg.CONF

_CV_CA = "/var/lib/keylime/cv_ca"

LIBATTEST_OPTS = [
    cfg.ListOpt(
        "enabled_attestation_interfaces",
        default=["no-attestation"],
        help="Attestation interfaces that driver_info/attestation_interface may name: "
        "no-attestation, keylime, libattest.",
    ),
    cfg.StrOpt(
        "default_attestation_interface",
        default="no-attestation",
        help="The attestation interface of a node whose driver_info names none.",
    ),
    cfg.BoolOpt(
        "require_attestation",
        default=False,
        help="No node goes unattested: no-attestation and report-only are refused, and the "
        "conductor does not start while a hardware type of somebody else is enabled.",
    ),
    cfg.BoolOpt(
        "allow_adopt",
        default=False,
        help="Let nodes that ask for attestation be adopted. Adoption makes a node active without "
        "any step, so without a verdict.",
    ),
    cfg.StrOpt(
        "ek_trust",
        default="enrolled",
        choices=[
            ("enrolled", "driver_info/tpm_ek_sha256 names the node's endorsement key"),
            ("ca", "an EK certificate under ek_ca_dir; the first one seen is pinned"),
            ("first_use", "the first endorsement key seen is pinned"),
        ],
        help="How it is known which TPM is a node's.",
    ),
    cfg.StrOpt(
        "ek_ca_dir",
        help="Folder with the certificates (PEM or DER) of the authorities that issue EK "
        "certificates. With ek_trust=ca a certificate under one of them is required; otherwise "
        "one is checked if the node has one.",
    ),
    cfg.StrOpt(
        "lists_dir",
        default="/etc/ironic/attestation",
        help="Folder of allowlists, checksums and excludelists that are files on the conductor. "
        "Files elsewhere are refused: whoever may set driver_info could have any file sent away.",
    ),
    cfg.IntOpt(
        "max_list_size",
        default=64 * 1024 * 1024,
        min=1024,
        help="The most bytes that an allowlist or excludelist may have.",
    ),
    cfg.StrOpt(
        "tboot_args",
        default="",
        help="What tboot's own command line says in the boot files of libattest-pxe, such as "
        "logging=serial,memory.",
    ),
    cfg.StrOpt("keylime_ca", default=f"{_CV_CA}/cacert.crt", help="CA of verifier and registrar."),
    cfg.StrOpt("keylime_cert", default=f"{_CV_CA}/client-cert.crt", help="Client certificate."),
    cfg.StrOpt("keylime_key", default=f"{_CV_CA}/client-private.pem", help="Its private key."),
    cfg.BoolOpt(
        "keylime_check_name",
        default=True,
        help="Check the host name in the certificates of verifier and registrar. Those that "
        "Keylime makes for itself need False: then the chain is verified, not the name.",
    ),
    cfg.IntOpt("call_timeout", default=30, min=1, help="Seconds for one call to a peer."),
    cfg.IntOpt(
        "attestation_timeout",
        default=600,
        min=1,
        help="Seconds from the start of an attestation to its verdict. After them the verdict is "
        "unknown, which is a failure.",
    ),
    cfg.IntOpt(
        "poll_interval", default=5, min=1, help="Seconds between two looks at waiting nodes."
    ),
    cfg.IntOpt(
        "workers",
        default=16,
        min=2,
        max=64,
        help="Calls to peers that may be under way at once: so many for cleanings and deployments, "
        "and as many more for active nodes. Under eventlet they share its native threads "
        "(EVENTLET_THREADPOOL_SIZE, 20), of which there must be more.",
    ),
    cfg.IntOpt(
        "workers_per_peer",
        default=4,
        min=1,
        help="Of these, how many for one verifier or one registrar, and for all agents of active "
        "nodes that did not answer the last time, or not within 5 seconds: who is stuck keeps the "
        "others free.",
    ),
    cfg.IntOpt(
        "active_interval",
        default=60,
        min=1,
        help="Seconds between two attestations of an active node.",
    ),
    cfg.IntOpt(
        "active_poll_interval",
        default=5,
        min=1,
        help="Seconds between two looks at which active nodes are to be attested.",
    ),
    cfg.IntOpt(
        "active_unreachable_after",
        default=900,
        min=1,
        help="Seconds without a verdict after which an active node with attest_active=required "
        "has failed.",
    ),
    cfg.StrOpt(
        "on_active_failure",
        default="maintenance",
        choices=["log", "maintenance", "power_off"],
        help="What happens to an active node that fails: it is logged, or also put into "
        "maintenance, or also powered off.",
    ),
    cfg.IntOpt(
        "checkpoint_interval",
        default=600,
        min=1,
        help="Seconds between two saves of what is remembered of an active node. A new verdict is "
        "saved at once.",
    ),
]

KEYLIME_OPTS = [
    cfg.BoolOpt(
        "fail_clean_on_attestation_failure",
        default=True,
        help="Cleaning fails when attestation does. False: only reported.",
    ),
    cfg.BoolOpt(
        "fail_deploy_on_attestation_failure",
        default=True,
        help="A deployment fails when attestation does. False: only reported.",
    ),
]

CONF.register_opts(LIBATTEST_OPTS, group="libattest")
CONF.register_opts(KEYLIME_OPTS, group="keylime")


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """For oslo-config-generator."""
    return [("libattest", LIBATTEST_OPTS), ("keylime", KEYLIME_OPTS)]


def report_only(phase: str) -> bool:
    """Whether a failure in this phase ("clean", "deploy") is only reported."""
    enforced = (
        CONF.keylime.fail_clean_on_attestation_failure
        if phase == "clean"
        else CONF.keylime.fail_deploy_on_attestation_failure
    )
    return not enforced
