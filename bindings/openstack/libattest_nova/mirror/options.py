# SPDX-License-Identifier: Apache-2.0
"""[libattest_mirror], and how the services are reached: [placement], [nova] and [ironic].

These three have keystoneauth's options, as everywhere in OpenStack, so that the [placement] of
nova.conf does as it is. Without an auth_type of its own [nova] is reached as [placement] is.
"""

from collections.abc import Callable, Iterable
from typing import Any

from keystoneauth1 import loading
from oslo_config import cfg

from ..conf import CONF

GROUP = "libattest_mirror"
SERVICES = {"placement": "placement", "nova": "compute", "ironic": "baremetal"}

_WHEN = [
    ("off", "never"),
    ("untrusted", "when its attestation has failed"),
    ("not-trusted", "also when there was no verdict for verdict_lifetime"),
]

OPTS = [
    cfg.StrOpt(
        "source",
        default="agents",
        choices=[
            ("agents", "the Keylime agents of [trusted_computing]host_map, appraised here"),
            ("filter", "whoever [trusted_computing]backend names, except its file"),
        ],
        help="Whose verdicts are mirrored.",
    ),
    cfg.StrOpt(
        "trait",
        default="CUSTOM_ATTESTED",
        help="The trait of trusted hosts. Nobody else may use it: wherever it is and should not be, "
        "it is taken away.",
    ),
    cfg.BoolOpt(
        "mirror_trait",
        default=True,
        help="Keep the trait in placement. False: only the verdict file is kept.",
    ),
    cfg.BoolOpt(
        "ironic_traits",
        default=False,
        help="Also keep the trait of hosts of the kind ironic, in node.traits.",
    ),
    cfg.StrOpt(
        "disable_services",
        default="off",
        choices=_WHEN,
        help="When the compute service of a host is disabled. It is enabled again when the host is "
        "trusted, unless somebody else had disabled it.",
    ),
    cfg.StrOpt(
        "stop_instances",
        default="off",
        choices=_WHEN,
        help="When the instances of a host whose flavors ask for trust are locked by an "
        "administrator's lock, and stopped. To unlock and start them is the operator's.",
    ),
    cfg.IntOpt(
        "interval", default=30, min=1, help="Seconds from one poll of all hosts to the next."
    ),
    cfg.IntOpt(
        "verdict_lifetime",
        default=120,
        min=2,
        help="Seconds that a trusted verdict is good for when a host falls silent, from when its "
        "quote was asked for. More than interval and cycle_timeout together.",
    ),
    cfg.IntOpt(
        "cycle_timeout",
        default=20,
        min=1,
        help="Seconds for a poll of all hosts, and for one turn at each service.",
    ),
    cfg.IntOpt(
        "call_timeout",
        default=10,
        min=1,
        help="Seconds for all that one host is asked, and for one call to a service.",
    ),
    cfg.IntOpt(
        "exit_timeout",
        default=60,
        min=1,
        help="Seconds for taking the trait from all hosts before the daemon ends, after at most "
        "cycle_timeout for what is under way. What starts the daemon must not kill it before.",
    ),
    cfg.IntOpt(
        "connections",
        default=8,
        min=1,
        max=64,
        help="Calls to placement, and to Ironic, that may be under way at once. Two a host are "
        "needed when it changes, and for all hosts at the end, within exit_timeout.",
    ),
    cfg.IntOpt(
        "workers",
        default=16,
        min=2,
        max=256,
        help="Agents that are asked at once; a quarter of them is for agents that did not answer "
        "the last time.",
    ),
    cfg.StrOpt(
        "policies_dir",
        default="/etc/nova/attestation",
        help="Folder of the appraisal policies (attest policy create).",
    ),
    cfg.StrOpt(
        "policy",
        default="policy.json",
        help="The policy of hosts for which the map names no other.",
    ),
    cfg.StrOpt(
        "state_dir",
        default="/var/lib/libattest/mirror",
        help="Folder of what is remembered of each host. Nobody else may write there.",
    ),
    cfg.BoolOpt(
        "write_verdicts",
        default=True,
        help="Keep [trusted_computing]verdict_file, for schedulers with the backend file.",
    ),
]

CONF.register_opts(OPTS, group=GROUP)


def _service_opts(group: str) -> list[cfg.Opt]:
    adapter = loading.get_adapter_conf_options(include_deprecated=False)
    cfg.set_defaults(adapter, service_type=SERVICES[group], valid_interfaces=["internal", "public"])
    found: list[cfg.Opt] = [
        *loading.get_session_conf_options(),
        *loading.get_auth_common_conf_options(),
        *adapter,
    ]
    return found


def _register(group: str, options: Iterable[cfg.Opt]) -> None:
    for option in options:
        try:
            CONF.register_opt(option, group=group)
        except cfg.DuplicateOptError:
            pass  # Nova's own, in a process that has loaded it


for _group in SERVICES:
    _register(_group, _service_opts(_group))


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """For oslo-config-generator."""
    return [(GROUP, OPTS), *((group, _service_opts(group)) for group in SERVICES)]


def adapter(group: str) -> Callable[[], Any]:
    """Makes a keystoneauth1 adapter, anew each time, for the service of this group."""

    def make() -> Any:
        access = "placement" if group == "nova" and not CONF[group].auth_type else group
        auth = loading.load_auth_from_conf_options(CONF, access)
        session = loading.load_session_from_conf_options(CONF, access, auth=auth)
        made = loading.load_adapter_from_conf_options(CONF, group, session=session, auth=auth)
        if group == "ironic":
            # Catalogues have it with its version or without. Every path here has it.
            made.endpoint_override = (made.get_endpoint() or "").rstrip("/").removesuffix("/v1")
        return made

    return make
