# SPDX-License-Identifier: Apache-2.0
"""The trait of Ironic nodes, on a real Ironic: Nova makes a node's provider from its node.traits."""

import contextlib
import pathlib
import sqlite3
import sys
import tempfile
import unittest
from unittest import mock

from mirror_doubles import make_adapter
from service import ApiError, Ironic

from libattest_nova.mirror import clock
from libattest_nova.mirror import ironic as mirror_ironic
from libattest_nova.mirror.acts import Acts
from libattest_nova.mirror.book import Host
from libattest_nova.mirror.rest import Rest, Rests, ServiceError

TRAIT = "CUSTOM_ATTESTED"


def setUpModule() -> None:
    global IRONIC
    folder = unittest.enterModuleContext(tempfile.TemporaryDirectory())
    IRONIC = unittest.enterModuleContext(Ironic(pathlib.Path(folder)))


class NodeTraits(unittest.TestCase):
    def setUp(self) -> None:
        self.nodes = [IRONIC.enroll() for _ in range(3)]
        for node in self.nodes:
            self.addCleanup(IRONIC.request, "DELETE", f"/v1/nodes/{node}")
        rest = Rest("ironic", make_adapter(IRONIC.url, "baremetal"), 10.0)
        self.ironic = mirror_ironic.Ironic(Rests([rest]), TRAIT, Acts(dry_run=False))

    def apply(self, *standings: str, kind: str = "ironic") -> None:
        now = clock.now()
        hosts = {
            node: Host(node, standing, now + 60, None, kind)  # type: ignore[arg-type]
            for node, standing in zip(self.nodes, standings)
        }
        self.ironic.apply(hosts, now + 20)

    def give(self, node: str, *traits: str) -> None:
        IRONIC.request("PUT", f"/v1/nodes/{node}/traits", {"traits": list(traits)})

    def traits(self) -> list[set[str]]:
        return [set(IRONIC.request("GET", f"/v1/nodes/{n}/traits")["traits"]) for n in self.nodes]

    def test_the_trait_is_given_and_taken_and_others_stay(self):
        self.give(self.nodes[0], "CUSTOM_OTHER")
        self.give(self.nodes[1], "CUSTOM_OTHER", TRAIT)
        self.give(self.nodes[2], TRAIT)  # nobody's host
        self.apply("trusted", "untrusted")
        self.assertEqual([{"CUSTOM_OTHER", TRAIT}, {"CUSTOM_OTHER"}, set()], self.traits())
        self.ironic.withdraw(clock.now() + 20)
        self.assertEqual([{"CUSTOM_OTHER"}, {"CUSTOM_OTHER"}, set()], self.traits())

    def test_only_trusted_is_trusted(self):
        for standing in ("untrusted", "silent", "waiting"):
            self.apply(standing)
            self.assertEqual(set(), self.traits()[0])

    def test_a_host_of_another_kind_is_no_node(self):
        self.give(self.nodes[1], TRAIT)
        self.apply("trusted", "trusted", kind="compute")
        self.assertEqual([set(), set(), set()], self.traits())

    def test_more_nodes_than_a_page(self):
        with mock.patch.object(mirror_ironic, "PAGE", 1):
            self.apply("trusted", "trusted", "trusted")
        self.assertEqual([{TRAIT}] * 3, self.traits())

    def test_a_node_that_is_locked_is_for_the_next_turn_and_the_others_are_not(self):
        self.give(self.nodes[0], TRAIT)
        with self.locked(self.nodes[0]):
            with self.assertRaisesRegex(ServiceError, "HTTP 409"):
                self.apply("untrusted", "trusted")
            self.assertEqual([{TRAIT}, {TRAIT}, set()], self.traits())
        self.apply("untrusted", "trusted")
        self.assertEqual([set(), {TRAIT}, set()], self.traits())

    @contextlib.contextmanager
    def locked(self, node: str):
        """As a conductor that works on it holds it."""
        self.reserve(node, "another-conductor")
        try:
            with self.assertRaises(ApiError):
                self.give(node, "CUSTOM_X")
            yield
        finally:
            self.reserve(node, None)

    @staticmethod
    def reserve(node: str, who: str | None) -> None:
        database = IRONIC.folder / "ironic.sqlite"
        with contextlib.closing(sqlite3.connect(database, timeout=20)) as db, db:
            db.execute("UPDATE nodes SET reservation = ? WHERE uuid = ?", [who, node])


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
