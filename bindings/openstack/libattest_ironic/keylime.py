# SPDX-License-Identifier: Apache-2.0
"""An external Keylime verifier attests; we make sure first that it is this node's TPM."""

import libattest
from libattest_openstack import library
from libattest_openstack.words import one_line

from . import identity, peers
from . import lists as lists_
from .attestation import AttestationInterface, Evidenced, Subject
from .exceptions import AttestationFailure, AttestationPending
from .settings import Settings


class KeylimeAttestation(AttestationInterface):
    """The workflow of a Keylime verifier and registrar outside of Ironic."""

    name = "keylime"

    def validate(self, settings: Settings) -> list[str]:
        return []

    def start_attestation(self, subject: Subject) -> None:
        """Checks lists, EK and AK, and hands the agent to the verifier with exactly that AK."""
        self._add(subject, lists_.load(subject.settings.lists))

    def _add(self, subject: Subject, lists: lists_.Lists) -> None:
        client = peers.keylime(subject.settings)
        agent = peers.registered(client, subject)
        evidenced = self.identify(client, agent, subject, lists)
        # A verdict of before is no verdict of now: what the verifier knows of the node ends here.
        peers.ask("verifier", client.delete, agent.uuid)
        peers.ask(
            "verifier",
            client.add,
            agent,
            runtime_policy=None,
            allowlist=lists.allowlist,
            excludelist=lists.excludelist,
            tpm_policy=None,
            mb_policy=None,
            policy_name=None,
        )
        subject.scratch["agent"] = agent
        subject.scratch["evidenced"] = evidenced

    def validate_security_status(self, subject: Subject) -> Evidenced:
        if "agent" not in subject.scratch:
            self.start_attestation(subject)
        client = peers.keylime(subject.settings)
        agent, before = subject.scratch["agent"], subject.scratch["evidenced"]
        self._status(client, agent.uuid)
        # The verifier speaks of an agent's UUID; that it still is the same TPM and boot is ours.
        now = self.identify(client, agent, subject, None)
        if (now.ek_sha256, now.ak_name, now.boot) != (
            before.ek_sha256,
            before.ak_name,
            before.boot,
        ):
            raise AttestationFailure("the node has rebooted while it was being attested")
        return Evidenced(now.ek_sha256, now.ak_name, now.boot, now.ak_proven, before.lists)

    def validate_active(self, subject: Subject) -> Evidenced:
        """The verifier quotes on its own; here its last word is read."""
        if "agent" not in subject.scratch:
            self._add(subject, lists_.load(subject.settings.instance_lists))
        self._status(peers.keylime(subject.settings), subject.scratch["agent"].uuid)
        evidenced: Evidenced = subject.scratch["evidenced"]
        return evidenced

    @staticmethod
    def _status(client: "libattest.Keylime", uuid: str) -> None:
        """Returns if the verifier trusts the agent."""
        status = peers.ask("verifier", client.status, uuid)
        if status is None or status.verdict == "not-attested":
            raise AttestationFailure(f"the verifier no longer attests agent {uuid}")
        if status.verdict == "failed":
            why = one_line(status.last_event_id, 200) or "no reason given"
            raise AttestationFailure(f"the verifier says {status.state_name}: {why}")
        if status.verdict != "trusted":
            raise AttestationPending(f"the verifier says {status.state_name}")

    def unregister_node(self, subject: Subject) -> None:
        if subject.agent_uuid is None:
            return
        client = peers.keylime(subject.settings)
        if subject.settings.verifier is not None:
            peers.ask("verifier", client.delete, subject.agent_uuid)
        # A ramdisk makes a new AK at its next boot, and registrars from 7.14 on refuse that.
        peers.ask("registrar", client.delete_registration, subject.agent_uuid)

    @staticmethod
    def identify(
        client: "libattest.Keylime",
        agent: "libattest.KeylimeAgent",
        subject: Subject,
        lists: lists_.Lists | None,
    ) -> Evidenced:
        """Holds the agent's EK to the node, and an identity quote of now to its AK."""
        ek = identity.check_ek(
            subject.settings, subject.pinned, agent.ek, agent.ek_certificate
        )
        nonce = libattest.make_nonce(16).hex()
        answer = peers.ask("agent", client.identity_quote, agent, nonce)
        ak_name, boot = library.call(_verify_identity, agent.ak, answer.quote, nonce)
        identity.check_ak(subject.pinned, ak_name, proven=False)
        return Evidenced(ek.sha256, ak_name, boot, False, lists.digest if lists else "")


def _verify_identity(ak: bytes, quote_text: str, nonce: str) -> tuple[str, tuple[int, int]]:
    try:
        key = libattest.Key.load(ak)
        quote = libattest.Quote.parse_keylime(quote_text)
        report = quote.verify(key, nonce=nonce.encode())
    except libattest.MalformedError as error:
        raise AttestationFailure(f"the agent's identity quote: {error}") from error
    if not report.quote_verified or key.name is None:
        failures = [f.message for f in report.findings if f.severity >= libattest.Severity.FAILURE]
        raise AttestationFailure(
            f"the agent's identity quote: {failures[0] if failures else 'not verified'}", failures
        )
    return key.name.hex(), (quote.reset_count, quote.restart_count)
