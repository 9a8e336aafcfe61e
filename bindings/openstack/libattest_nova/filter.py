# SPDX-License-Identifier: Apache-2.0
"""Nova's scheduler asks: which of these hosts may take this request?

    [filter_scheduler]
    available_filters = nova.scheduler.filters.all_filters
    available_filters = libattest_nova.TrustedFilter
    enabled_filters = …,TrustedFilter

A flavor with `trust:trusted_host = trusted` is placed on hosts with a fresh and explicit good
verdict and nowhere else: who is unknown, silent, late or strange is not trusted. What goes wrong
here ends with no host and a line in the log, never with an exception.
"""

import collections
import itertools
import os
from collections.abc import Iterable
from typing import Any

from libattest_openstack.words import one_line
from nova.scheduler import filters
from oslo_log import log

from .conf import CONF, INSECURE_SSL
from .verdicts import Verdicts

LOG = log.getLogger(__name__)

SCOPED = "trust:trusted_host"
UNSCOPED = "trusted_host"
AGGREGATE_KEY = "attestation:required"
_WANTS = ("trusted", "untrusted")
_MAX_TOLD = 1000


class _Refused(Exception):
    """A request that no host can serve, for a reason of its own."""


class TrustedFilter(filters.BaseHostFilter):  # type: ignore[misc]
    """Passes the hosts whose attestation is as the flavor's trust:trusted_host says."""

    # One decision for all instances of a request: they are placed on what it left over.
    run_filter_once_per_request = True
    # A host that has lost its trust must not start a new image either.
    RUN_ON_REBUILD = True

    def __init__(self) -> None:
        super().__init__()
        # One a process: this runs in the parent of the scheduler's workers.
        self._of_process: dict[int, Verdicts] = {}
        self._unscoped: set[str] = set()
        self._by_aggregate: bool = CONF.trusted_computing.require_by_aggregate
        self._insecure: bool = CONF.trusted_computing.attestation_insecure_ssl
        if self._insecure:
            LOG.error("%s", INSECURE_SSL)

    def host_passes(self, host_state: Any, filter_properties: Any) -> bool:
        return bool(self.filter_all([host_state], filter_properties))

    def filter_all(self, filter_obj_list: Iterable[Any], filter_properties: Any) -> Iterable[Any]:
        """The hosts, in their order. What does not ask for trust gets back what it gave."""
        try:
            wanted = self._wanted(filter_properties)
            if wanted is None and not self._by_aggregate:
                return filter_obj_list
            hosts = list(filter_obj_list)
            required = _required(hosts) if self._by_aggregate else None
            if wanted is None:
                return self._passing_required(hosts, required, filter_properties)
            asked = hosts
            if wanted == "untrusted" and required is not None:
                asked = list(itertools.compress(hosts, [not one for one in required]))
            return self._passing(asked, wanted, filter_properties, hosts)
        except _Refused as refused:
            LOG.error(
                "No host for %(request)s: %(why)s",
                {"request": _request(filter_properties), "why": refused},
            )
        except Exception:
            LOG.exception("No host for %s: attestation failed here", _request(filter_properties))
        return []

    def _wanted(self, spec: Any) -> str | None:
        """What the flavor asks for; None: nothing."""
        if "extra_specs" not in spec.flavor:
            return None
        specs = spec.flavor.extra_specs
        if SCOPED not in specs and UNSCOPED not in specs:
            return None
        values = {specs[key] for key in (SCOPED, UNSCOPED) if key in specs}
        if UNSCOPED in specs:
            self._tell_unscoped(str(spec.flavor.flavorid))
        if len(values) > 1:
            raise _Refused(f"the flavor's {SCOPED} and {UNSCOPED} contradict each other")
        (value,) = values
        if value not in _WANTS:
            shown = one_line(repr(value), 80)
            raise _Refused(f"the flavor's {SCOPED} is {shown}, neither trusted nor untrusted")
        return str(value)

    def _tell_unscoped(self, flavor: str) -> None:
        """Once a flavor and worker."""
        if flavor in self._unscoped or len(self._unscoped) >= _MAX_TOLD:
            return
        self._unscoped.add(flavor)
        LOG.warning(
            "Flavor %(flavor)s has the key %(unscoped)s, taken as %(scoped)s: Nova's own filter "
            "passed over it, and every host was good enough. Set %(scoped)s, unset %(unscoped)s",
            {"flavor": one_line(flavor, 80), "unscoped": UNSCOPED, "scoped": SCOPED},
        )

    def _passing_required(self, hosts: list[Any], required: Any, spec: Any) -> list[Any]:
        """All hosts but those of aggregates that want trust and do not have it."""
        if not any(required):
            return hosts
        asked = list(itertools.compress(hosts, required))
        good = set(map(id, self._passing(asked, "trusted", spec, hosts)))
        return [
            host for host, one in zip(hosts, required, strict=True) if not one or id(host) in good
        ]

    def _passing(
        self, hosts: list[Any], wanted: str, spec: Any, everyone: list[Any]
    ) -> list[Any]:
        """Those with the wanted verdict; `everyone` are the hosts that the scheduler gave."""
        if self._insecure:
            raise _Refused(INSECURE_SSL)
        names = [host.nodename for host in hosts]
        decision = self._verdicts().decide(names)
        mask = decision.trusted if wanted == "trusted" else decision.untrusted
        passing = self._unambiguous(list(itertools.compress(hosts, mask)), everyone)
        if LOG.isEnabledFor(log.DEBUG):
            for index, name in enumerate(names):
                LOG.debug("Host %(host)s: %(why)s", {"host": name, "why": decision.reason(index)})
        LOG.info(
            "%(passing)d of %(hosts)d hosts are %(wanted)s, for %(request)s: %(counts)s",
            {
                "passing": len(passing),
                "hosts": len(hosts),
                "wanted": wanted,
                "request": _request(spec),
                "counts": ", ".join(f"{n} {why}" for why, n in decision.counts.items() if n),
            },
        )
        return passing

    def _unambiguous(self, passing: list[Any], everyone: list[Any]) -> list[Any]:
        """A verdict is of one machine: of two hosts with one name nobody knows whose it is."""
        if len({host.nodename for host in everyone}) == len(everyone):
            return passing
        names = collections.Counter(host.nodename for host in everyone)
        twice = {name for name, times in names.items() if times > 1}
        self._verdicts().warn(
            "ambiguous",
            "Several compute services have hosts of one name, and none of these is trusted: "
            + ", ".join(one_line(name, 80) for name in sorted(twice)[:5]),
        )
        return [host for host in passing if host.nodename not in twice]

    def _verdicts(self) -> Verdicts:
        """This process's. Made by the first who asks; of two threads that do, the first stays."""
        pid = os.getpid()
        known = self._of_process.get(pid)
        return known if known is not None else self._of_process.setdefault(pid, Verdicts())


def _required(hosts: list[Any]) -> list[bool]:
    """Which hosts are in an aggregate that takes only trusted ones."""
    # Hosts share their aggregates' objects, so each is read once.
    known: dict[int, bool] = {}

    def wants(aggregate: Any) -> bool:
        wanted = known.get(id(aggregate))
        if wanted is None:
            # Whatever is not a plain no is a yes.
            value = aggregate.metadata.get(AGGREGATE_KEY, "false")
            wanted = known[id(aggregate)] = str(value).strip().lower() != "false"
        return wanted

    return [any(map(wants, host.aggregates)) for host in hosts]


def _request(spec: Any) -> str:
    try:
        return f"instance {spec.instance_uuid}"
    except Exception:  # what Nova's objects raise for a field that nobody has set
        return "a request without an instance"
