# SPDX-License-Identifier: Apache-2.0
"""The trait on the resource providers of trusted hosts, and on no other provider.

Whoever has it is asked for at each turn, not remembered: what a lost answer, a former run or
somebody else has left is taken away, too. Only our own trait is added or taken; the others go back
as they were, under the provider's generation, so that nobody's change is undone by ours.
"""

import dataclasses
import re
from collections.abc import Callable

from . import clock
from .acts import Acts
from .book import Host, Hosts
from .rest import Rest, Rests, ServiceError, member

# 1.18: GET /resource_providers?required=
MICROVERSION = "1.18"
# PUTs of one provider's traits that may meet another's change.
CONFLICTS = 8

_TRAIT = re.compile(r"CUSTOM_[A-Z0-9_]{1,248}")


def check_trait(name: str) -> str:
    """Raises ValueError: a standard trait is somebody else's."""
    if not _TRAIT.fullmatch(name):
        raise ValueError(f"{name!r} is not a trait CUSTOM_… of capitals, digits and underscores")
    return name


@dataclasses.dataclass(frozen=True, slots=True)
class Provider:
    uuid: str
    name: str


class Placement:
    """A part of a lane: see lanes.py."""

    def __init__(self, rests: Rests, trait: str, acts: Acts) -> None:
        self._rests = rests
        self._trait = check_trait(trait)
        self._acts = acts

    def apply(self, hosts: Hosts, deadline: float) -> None:
        """Takes the trait from all that must not have it, then gives it to those that may.

        Goes on past what fails for one provider. Raises the first failure in the end.
        """
        known = self._known(deadline)
        holders = self._holders(deadline) if known else []
        # Of an Ironic node the trait is node.traits' (ironic.py), and stays where Nova put it.
        good = {name for name, host in hosts.items() if host.standing == "trusted"}
        failures = self._rests.each(
            lambda rest, provider: self._take(rest, provider, deadline),
            [provider for provider in holders if provider.name not in good],
        )
        new = good - {provider.name for provider in holders}
        wanted = [hosts[name] for name in sorted(new) if hosts[name].kind == "compute"]
        if wanted and not known:
            self._acts.do(
                f"make the trait {self._trait} in placement", lambda: self._make(deadline)
            )
        # One long answer instead of a question for each.
        providers = self._providers("", deadline) if wanted else []
        by_name = {provider.name: provider for provider in providers}
        failures += self._rests.each(
            lambda rest, host: self._give(rest, host, by_name[host.name], deadline),
            [host for host in wanted if host.name in by_name],
        )
        if failures:
            raise failures[0]

    def withdraw(self, deadline: float) -> None:
        """Takes the trait from everybody, and looks whether it is so."""
        if self._known(deadline):
            self.apply({}, deadline)
            left = self._holders(deadline)
            if left:
                raise ServiceError(f"placement: {len(left)} providers still have {self._trait}")

    def _known(self, deadline: float) -> bool:
        try:
            self._rests.first.call(
                "GET", f"/traits/{self._trait}", MICROVERSION, expect=(204,), deadline=deadline
            )
        except ServiceError as error:
            if error.status == 404:
                return False
            raise
        return True

    def _make(self, deadline: float) -> None:
        path = f"/traits/{self._trait}"
        self._rests.first.call("PUT", path, MICROVERSION, expect=(201, 204), deadline=deadline)

    def _holders(self, deadline: float) -> list[Provider]:
        return self._providers(f"required={self._trait}", deadline)

    def _providers(self, query: str, deadline: float) -> list[Provider]:
        answer = self._rests.first.get(
            f"/resource_providers?{query}", MICROVERSION, deadline=deadline
        )
        what = "placement"
        return [
            Provider(_uuid(member(row, "uuid", str, what)), member(row, "name", str, what))
            for row in member(answer, "resource_providers", list, what)
        ]

    def _take(self, rest: Rest, provider: Provider, deadline: float) -> None:
        self._acts.do(
            f"take {self._trait} from {provider.name!r} ({provider.uuid})",
            lambda: self._change(rest, provider, lambda: False, deadline),
        )

    def _give(self, rest: Rest, host: Host, provider: Provider, deadline: float) -> None:
        if host.fresh:
            self._acts.do(
                f"give {self._trait} to {provider.name!r} ({provider.uuid})",
                lambda: self._change(rest, provider, lambda: host.fresh, deadline),
            )

    def _change(
        self, rest: Rest, provider: Provider, wanted: Callable[[], bool], deadline: float
    ) -> None:
        path = f"/resource_providers/{provider.uuid}/traits"
        for _ in range(CONFLICTS):
            try:
                answer = rest.get(path, MICROVERSION, deadline=deadline)
                traits = member(answer, "traits", list, "placement")
                generation = member(answer, "resource_provider_generation", int, "placement")
                # Late: what was fresh when the turn began may not be by now.
                want = wanted()
                if (self._trait in traits) == want:
                    return
                others = [trait for trait in traits if trait != self._trait]
                body = {
                    "resource_provider_generation": generation,
                    "traits": [*others, self._trait] if want else others,
                }
                rest.call("PUT", path, MICROVERSION, body, deadline=deadline)
                return
            except ServiceError as error:
                if error.status == 404:
                    return  # the provider is gone, and its traits with it
                if error.status != 409 or clock.now() >= deadline:
                    raise
        raise ServiceError(
            f"placement: {provider.name!r} changes faster than its traits can be set"
        )


def _uuid(text: str) -> str:
    # It becomes a part of a path.
    if not re.fullmatch(r"[0-9a-fA-F-]{32,36}", text):
        raise ServiceError("placement: the uuid of a provider is none")
    return text
