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
from .rest import Rest, ServiceError, member

# 1.37: node traits.
MICROVERSION = "1.37"
PAGE = 1000
MAX_PAGES = 1000


class Ironic:
    """A part of a lane: see lanes.py."""

    def __init__(self, rest: Rest, trait: str, acts: Acts) -> None:
        self._rest = rest
        self._trait = trait
        self._acts = acts

    def apply(self, hosts: Hosts, deadline: float) -> None:
        """Takes the trait from all nodes that must not have it, then gives it to those that may."""
        failures: list[ServiceError] = []
        nodes = self._nodes(deadline)
        for uuid in sorted(node for node, traits in nodes.items() if self._trait in traits):
            if not _good(hosts.get(uuid)):
                self._collect(failures, "take", uuid, deadline)
        for uuid in sorted(node for node, traits in nodes.items() if self._trait not in traits):
            if _good(hosts.get(uuid)):
                self._collect(failures, "give", uuid, deadline)
        if failures:
            raise failures[0]

    def withdraw(self, deadline: float) -> None:
        self.apply({}, deadline)

    def _collect(self, failures: list[ServiceError], what: str, uuid: str, deadline: float) -> None:
        # 409: the node is locked, for as long as Ironic works on it. The next turn tries again.
        path = f"/v1/nodes/{uuid}/traits/{self._trait}"
        method = "PUT" if what == "give" else "DELETE"
        expect = (204,) if what == "give" else (204, 404)
        towards = "to" if what == "give" else "from"
        try:
            self._acts.do(
                f"{what} {self._trait} {towards} node {uuid}",
                lambda: self._rest.call(
                    method, path, MICROVERSION, expect=expect, deadline=deadline
                ),
            )
        except ServiceError as error:
            failures.append(error)

    def _nodes(self, deadline: float) -> dict[str, list[Any]]:
        nodes: dict[str, list[Any]] = {}
        query, marker = f"fields=uuid,traits&limit={PAGE}", ""
        for _ in range(MAX_PAGES):
            more = f"&marker={urllib.parse.quote(marker)}" if marker else ""
            answer = self._rest.get(f"/v1/nodes?{query}{more}", MICROVERSION, deadline=deadline)
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
