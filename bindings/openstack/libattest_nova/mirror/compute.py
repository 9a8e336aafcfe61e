# SPDX-License-Identifier: Apache-2.0
"""Nova's part, where it is asked for: the compute service of a failed host, and its instances.

A disabled service gets no new instances, forced ones neither. It does not keep Nova from starting
what is there: only an administrator's lock does, and an instance that runs is stopped behind it.
What the daemon has disabled it enables again when the host is trusted; it knows its own by the
reason that is written there. Instances stay locked and stopped: to unlock them is the operator's.
"""

import re
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from .acts import Acts
from .book import Host, Hosts
from .rest import Rest, ServiceError, member

# 2.53: services and hypervisors by UUID, in pages. From 2.88 on a list of hypervisors asks each host.
SERVICES = "2.53"
# 2.73: a reason of a lock; since 2.47 a server carries its flavor's extra specs.
SERVERS = "2.73"
PAGE = 500
MAX_PAGES = 1000
REASON = "libattest-nova-mirror: "
# What `os-stop` takes. Paused, suspended and shelved ones are locked as they are.
RUNNING = frozenset(("ACTIVE", "ERROR", "RESCUE", "REBOOT", "HARD_REBOOT", "PASSWORD"))

# "off"; "untrusted": a host that has failed; "not-trusted": or was silent for a lifetime of verdicts.
When = Literal["off", "untrusted", "not-trusted"]


class Compute:
    """A part of a lane: see lanes.py."""

    def __init__(
        self, rest: Rest, trait: str, acts: Acts, *, disable: When = "off", stop: When = "off"
    ) -> None:
        self._rest = rest
        self._acts = acts
        self._disable = disable
        self._stop = stop
        self._asks = re.compile(rf"trait[A-Za-z0-9_-]*:{trait}")
        # Locked by this process, while their host is bad. A lock's reason is no proof: a tenant who
        # may lock can write ours, and then unlock.
        self._locked: dict[str, str] = {}
        # The one that was asked for the longest time ago comes first: calls to a host that hangs
        # take up a whole turn.
        self._turn = 0
        self._tried: dict[str, int] = {}

    def names(self, deadline: float) -> list[str]:
        """All compute nodes that Nova has, by the names that the scheduler has for them."""
        return sorted(self._hypervisors(deadline))

    def apply(self, hosts: Hosts, deadline: float) -> None:
        """Goes on past what fails for one host. Raises the first failure in the end."""
        self._turn += 1
        services = self._services(deadline)
        if not any(_ours(service) for service in services.values()) and not any(
            _bad(host, self._disable) or _bad(host, self._stop) for host in hosts.values()
        ):
            self._locked.clear()
            return  # nothing to do, and Nova's hypervisors are a long list
        by_service = self._by_service(services, hosts, deadline)
        failures: list[ServiceError] = []
        for service, host in sorted(by_service, key=lambda pair: self._tried.get(pair[1].name, 0)):
            try:
                # In this order: nothing new comes while what is there is looked at.
                if self._disable != "off":
                    self._judge_service(service, host, deadline)
                if _bad(host, self._stop):
                    self._judge_instances(service, host, deadline)
                else:
                    self._forget(host.name)
            except ServiceError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def withdraw(self, deadline: float) -> None:
        """Nothing: a service or an instance is acted upon by a verdict, not for the lack of one."""

    def _services(self, deadline: float) -> Mapping[str, dict[str, Any]]:
        """nova-compute services by their host."""
        answer = self._rest.get("/os-services?binary=nova-compute", SERVICES, deadline=deadline)
        rows = member(answer, "services", list, "nova")
        return {member(row, "host", str, "nova"): row for row in rows}

    def _by_service(
        self, services: Mapping[str, dict[str, Any]], hosts: Hosts, deadline: float
    ) -> list[tuple[dict[str, Any], Host]]:
        """The services of these hosts. An Ironic node shares its one with others: it is left alone."""
        found = []
        for name, service_host in self._hypervisors(deadline).items():
            host, service = hosts.get(name), services.get(service_host)
            if host is not None and host.kind == "compute" and service is not None:
                found.append((service, host))
        return found

    def _hypervisors(self, deadline: float) -> Mapping[str, str]:
        """hypervisor_hostname -> host of its nova-compute."""
        found: dict[str, str] = {}
        for row in self._pages("/os-hypervisors/detail?", "hypervisors", SERVICES, deadline):
            service = member(row, "service", dict, "nova")
            name = member(row, "hypervisor_hostname", str, "nova")
            found[name] = member(service, "host", str, "nova")
        return found

    def _judge_service(self, service: dict[str, Any], host: Host, deadline: float) -> None:
        status = member(service, "status", str, "nova")
        path = f"/os-services/{_id(member(service, 'id', str, 'nova'))}"
        if _bad(host, self._disable) and status == "enabled":
            text = f"{REASON}{host.standing}: {host.reason}"[:255]
            body = {"status": "disabled", "disabled_reason": text}
            self._put(
                f"disable the compute service of {host.name}: {host.standing}",
                path,
                body,
                host,
                deadline,
            )
        elif host.fresh and _ours(service):
            body = {"status": "enabled"}
            self._put(f"enable the compute service of {host.name}", path, body, host, deadline)

    def _put(self, what: str, path: str, body: object, host: Host, deadline: float) -> None:
        self._tried[host.name] = self._turn
        self._acts.do(what, lambda: self._rest.call("PUT", path, SERVICES, body, deadline=deadline))

    def _judge_instances(self, service: dict[str, Any], host: Host, deadline: float) -> None:
        where = urllib.parse.quote(member(service, "host", str, "nova"))
        query = f"/servers/detail?all_tenants=1&host={where}&"
        failures: list[ServiceError] = []
        for server in self._pages(query, "servers", SERVERS, deadline):
            try:
                if self._asks_for_trust(server):
                    self._judge_instance(server, host, deadline)
            except ServiceError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def _judge_instance(self, server: dict[str, Any], host: Host, deadline: float) -> None:
        uuid = _id(member(server, "id", str, "nova"))
        if server.get("locked") is not True or uuid not in self._locked:
            reason = f"{REASON}host {host.name} is {host.standing}"[:255]
            # First: behind it nobody but an administrator starts what is stopped next.
            self._act(uuid, "lock", {"locked_reason": reason}, host, deadline)
            self._locked[uuid] = host.name
        if server.get("status") in RUNNING:
            self._act(uuid, "os-stop", None, host, deadline)

    def _act(self, uuid: str, action: str, body: object, host: Host, deadline: float) -> None:
        self._tried[host.name] = self._turn
        verb = "stop" if action == "os-stop" else action
        self._acts.do(
            f"{verb} instance {uuid}: its host {host.name} is {host.standing}",
            lambda: self._rest.call(
                "POST",
                f"/servers/{uuid}/action",
                SERVERS,
                {action: body},
                # 404: it was deleted meanwhile. 409: it is on its way to another state.
                expect=(202, 404, 409),
                deadline=deadline,
            ),
        )

    def _forget(self, name: str) -> None:
        for uuid in [uuid for uuid, host in self._locked.items() if host == name]:
            del self._locked[uuid]

    def _asks_for_trust(self, server: dict[str, Any]) -> bool:
        flavor = member(server, "flavor", dict, "nova")
        # Without it (a policy that hides it) nobody knows, and to stop everything is no answer.
        specs = member(flavor, "extra_specs", dict, "nova: a server's flavor")
        if "trusted" in (specs.get("trust:trusted_host"), specs.get("trusted_host")):
            return True
        return any(
            self._asks.fullmatch(key) and value == "required" for key, value in specs.items()
        )

    def _pages(self, query: str, name: str, version: str, deadline: float) -> Iterator[Any]:
        marker = ""
        for _ in range(MAX_PAGES):
            more = f"&marker={urllib.parse.quote(marker)}" if marker else ""
            answer = self._rest.get(f"{query}limit={PAGE}{more}", version, deadline=deadline)
            rows = member(answer, name, list, "nova")
            for row in rows:
                marker = _id(member(row, "id", str, "nova"))
                yield row
            if not rows or f"{name}_links" not in answer:
                return
        raise ServiceError(f"nova: more than {MAX_PAGES} pages of {name}")


def _ours(service: Mapping[str, Any]) -> bool:
    """Whether this service was disabled here, by this process or one before it."""
    reason = str(service.get("disabled_reason"))
    return service.get("status") == "disabled" and reason.startswith(REASON)


def _bad(host: Host, when: When) -> bool:
    if when == "off":
        return False
    return host.standing == "untrusted" or (when == "not-trusted" and host.standing == "silent")


def _id(text: str) -> str:
    # It becomes a part of a path.
    if not re.fullmatch(r"[0-9a-fA-F-]{32,36}", text):
        raise ServiceError("nova: a uuid is none")
    return text
