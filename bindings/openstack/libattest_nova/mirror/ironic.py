# SPDX-License-Identifier: Apache-2.0
"""The trait of trusted Ironic nodes, in node.traits: Nova makes a node's provider anew from there.

Nova does so once in a while (its periodic task), so placement.py takes the trait from the provider of
a node that has failed, too: until Nova has seen that the node lost it, it may come back for a moment,
and is taken again in the next turn.
"""

import re
import urllib.parse
from typing import Any

from .acts import Acts
from .book import Host, Hosts
from .rest import Rest, Rests, ServiceError, member

# 1.37: node traits.
MICROVERSION = "1.37"
PAGE = 1000
MAX_PAGES = 1000


class Ironic:
    """A part of a lane: see lanes.py."""

    def __init__(self, rests: Rests, trait: str, acts: Acts) -> None:
        self._rests = rests
        self._trait = trait
        self._acts = acts

    def apply(self, hosts: Hosts, deadline: float) -> None:
        """Takes the trait from all nodes that must not have it, then gives it to those that may.

        A node is locked for as long as Ironic works on it (409): the next turn tries again.
        """
        nodes = self._nodes(deadline)
        bad = [
            node
            for node, traits in sorted(nodes.items())
            if self._trait in traits and not _good(hosts.get(node))
        ]
        good = [
            node
            for node, traits in sorted(nodes.items())
            if self._trait not in traits and _good(hosts.get(node))
        ]
        failures = self._rests.each(lambda rest, node: self._take(rest, node, deadline), bad)
        failures += self._rests.each(
            lambda rest, node: self._give(rest, node, hosts[node], deadline), good
        )
        if failures:
            raise failures[0]

    def withdraw(self, deadline: float) -> None:
        self.apply({}, deadline)

    def _take(self, rest: Rest, node: str, deadline: float) -> None:
        path = f"/v1/nodes/{node}/traits/{self._trait}"
        self._acts.do(
            f"take {self._trait} from node {node}",
            lambda: rest.call("DELETE", path, MICROVERSION, expect=(204, 404), deadline=deadline),
        )

    def _give(self, rest: Rest, node: str, host: Host, deadline: float) -> None:
        if host.fresh:
            path = f"/v1/nodes/{node}/traits/{self._trait}"
            self._acts.do(
                f"give {self._trait} to node {node}",
                lambda: rest.call("PUT", path, MICROVERSION, expect=(204,), deadline=deadline),
            )

    def _nodes(self, deadline: float) -> dict[str, list[Any]]:
        nodes: dict[str, list[Any]] = {}
        query, marker = f"fields=uuid,traits&limit={PAGE}", ""
        for _ in range(MAX_PAGES):
            more = f"&marker={urllib.parse.quote(marker)}" if marker else ""
            answer = self._rests.first.get(
                f"/v1/nodes?{query}{more}", MICROVERSION, deadline=deadline
            )
            rows = member(answer, "nodes", list, "ironic")
            for row in rows:
                marker = _uuid(member(row, "uuid", str, "ironic"))
                nodes[marker] = member(row, "traits", list, "ironic")
            if not rows or "next" not in answer:
                return nodes
        raise ServiceError(f"ironic: more than {MAX_PAGES} pages of nodes")


def _good(host: Host | None) -> bool:
    return host is not None and host.kind == "ironic" and host.fresh


def _uuid(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F-]{32,36}", text):
        raise ServiceError("ironic: the uuid of a node is none")
    return text
