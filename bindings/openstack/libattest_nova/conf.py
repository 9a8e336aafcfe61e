# SPDX-License-Identifier: Apache-2.0
"""The options, all in [trusted_computing]. They are registered when this module is imported.

Those that Nova's own TrustedFilter had are accepted under every name they ever had: the later
Novas that had it passed over `server = …` and the like without a word.
"""

from oslo_config import cfg

CONF = cfg.CONF
GROUP = "trusted_computing"

_CV_CA = "/var/lib/keylime/cv_ca"

INSECURE_SSL = (
    "[trusted_computing]attestation_insecure_ssl = true is refused: who can stand between the "
    "scheduler and the attestation service could call any host trusted. Take the line out, and "
    "name the certificate of the service, or its authority's, in attestation_server_ca_file."
)

NOVA_OPTS = [
    cfg.StrOpt(
        "attestation_server",
        deprecated_name="server",
        help="Host name or address of the attestation service (backend oat).",
    ),
    cfg.StrOpt(
        "attestation_server_ca_file",
        deprecated_name="server_ca_file",
        help="PEM file with the certificate of the attestation service or of its authority. The "
        "service is always verified against it.",
    ),
    cfg.PortOpt(
        "attestation_port",
        default=8443,
        deprecated_name="port",
        help="HTTPS port of the attestation service. OpenAttestation 2: 8181.",
    ),
    cfg.StrOpt(
        "attestation_api_url",
        default="/OpenAttestationWebServices/V1.0",
        deprecated_name="api_url",
        help="Path of the attestation service. OpenAttestation before 1.5: "
        "/OpenAttestationWebServices/V1.0; from 1.5 on: /AttestationService/resources.",
    ),
    cfg.StrOpt(
        "attestation_auth_blob",
        secret=True,
        deprecated_name="auth_blob",
        help="What the attestation service wants to see in the header x-auth-blob. It is sent to "
        "that service and nowhere else.",
    ),
    cfg.IntOpt(
        "attestation_auth_timeout",
        default=60,
        min=0,
        help="Seconds that a verdict is good for, from when it arrived here and from when the "
        "service says that it was made, whichever ends first. 0 is taken as 1.",
    ),
    cfg.BoolOpt(
        "attestation_insecure_ssl",
        default=False,
        help="Refused when true: with it no host is trusted. It never had an effect in Nova.",
    ),
]

OPTS = [
    cfg.StrOpt(
        "backend",
        default="oat",
        choices=[
            ("oat", "an OpenAttestation (or compatible) service, by PollHosts"),
            ("keylime", "a Keylime verifier, for the agents of host_map"),
            ("file", "the verdict file that libattest-nova-mirror writes"),
        ],
        help="Who says whether a host is trusted.",
    ),
    cfg.FloatOpt(
        "fetch_timeout",
        default=5.0,
        min=0.1,
        max=60.0,
        help="Seconds for one fetch of all verdicts that are missing, and the most that a request "
        "waits for them.",
    ),
    cfg.IntOpt(
        "retry_interval",
        default=10,
        min=1,
        help="Seconds before a host without a verdict is asked about again, and before the "
        "service is asked again when that failed; doubled at each further failure.",
    ),
    cfg.IntOpt(
        "max_retry_interval",
        default=120,
        min=1,
        help="The most seconds between two attempts at a service that fails.",
    ),
    cfg.FloatOpt(
        "clock_skew",
        default=30.0,
        min=0.0,
        max=600.0,
        help="Seconds that the service's clock may be ahead. Verdicts of a later time are refused.",
    ),
    cfg.IntOpt(
        "max_hosts",
        default=100000,
        min=1,
        help="Hosts whose verdicts a scheduler worker remembers. Those above are not trusted.",
    ),
    cfg.IntOpt(
        "batch",
        default=100,
        min=1,
        max=500,
        help="The most hosts in one request to the attestation service (backend oat).",
    ),
    cfg.BoolOpt(
        "require_by_aggregate",
        default=False,
        help="Hosts of aggregates with the metadata attestation:required=true take instances only "
        "while they are trusted, whatever the flavor asks for.",
    ),
    cfg.StrOpt(
        "host_map",
        help="File that says which Keylime agent, or which attestation key, is which host's. "
        "Needed by the backend keylime: a host's name proves nothing.",
    ),
    cfg.StrOpt("keylime_verifier", help="HOST:PORT of the Keylime verifier."),
    cfg.StrOpt(
        "keylime_registrar",
        help="HOST:PORT of the Keylime registrar (its TLS port). Needed where host_map names "
        "attestation keys: the agent's must be that one.",
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
    cfg.StrOpt(
        "verdict_file",
        default="/var/lib/libattest/verdicts",
        help="File of verdicts that libattest-nova-mirror keeps (backend file).",
    ),
    cfg.StrOpt(
        "verdict_key_file",
        default="/etc/nova/libattest-verdict.key",
        help="File with the key that authenticates the verdict file.",
    ),
    cfg.BoolOpt(
        "share_verdicts",
        default=False,
        help="Share verdicts among all schedulers through the cache of Nova's section [cache]. "
        "Entries are authenticated with the key of share_key_file.",
    ),
    cfg.StrOpt(
        "share_key_file",
        default="/etc/nova/libattest-share.key",
        help="File with the key of the shared verdicts, at least 32 bytes, the same on every "
        "scheduler. Only its owner and group may read it: head -c 32 /dev/urandom.",
    ),
]

CONF.register_opts(NOVA_OPTS + OPTS, group=GROUP)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """For oslo-config-generator."""
    return [(GROUP, NOVA_OPTS + OPTS)]
