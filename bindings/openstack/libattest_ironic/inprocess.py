# SPDX-License-Identifier: Apache-2.0
"""No verifier: the conductor asks for evidence with a fresh nonce and appraises it itself.

With driver_info/keylime_r evidence comes from the node's Keylime agent: AK and agent certificate
are the registrar's, which vouches for the AK. Without it evidence comes from the deploy ramdisk:
the AK is bound to its EK by a credential challenge of ours.
"""

import base64
import dataclasses
import functools
import time
import weakref
from collections.abc import Callable

import libattest
from libattest_openstack import library

from . import identity, launch, peers
from . import lists as lists_
from .attestation import AttestationInterface, Evidenced, Subject
from .exceptions import AttestationFailure
from .settings import ListSource, Settings

# PCRs 0 to 9 make the IMA list's boot_aggregate, and PCR 10 is the list's own.
PCR_MASK = 0x7FF
IMA_PCR, LAUNCH_PCR = 10, 17
MAX_FINDINGS = 20

# The sizes of ipa/README.md, in bytes.
KEY_LIMIT, CERTIFICATE_LIMIT, ANSWER_LIMIT, QUOTE_LIMIT = 1 << 10, 1 << 16, 64, 1 << 12
LOG_LIMIT, LAUNCH_LOG_LIMIT = 1 << 25, 1 << 20


@dataclasses.dataclass(frozen=True, slots=True)
class Evidence:
    """What one round has brought. A nonce is used once."""

    ak: libattest.Key
    nonce: bytes
    keylime_quote: str | None = None
    quote: tuple[bytes, bytes, bytes] | None = None
    eventlog: bytes = b""
    # None: the list is left out. What is empty is a list without entries.
    ima: bytes | None = b""
    ima_entry: int = 0
    launch_log: bytes = b""


# Asks for a quote of the PCRs of a mask, with its logs.
Quoter = Callable[[int], Evidence]


class InProcessAttestation(AttestationInterface):
    """Appraisal by libattest in the conductor's own process."""

    name = "libattest"

    def validate(self, settings: Settings) -> list[str]:
        return []

    def start_attestation(self, subject: Subject) -> None:
        """Loads what the node may run: a wrong checksum stops it before it is asked anything."""
        settings = subject.settings
        subject.scratch["lists"] = lists_.load(settings.lists)
        subject.scratch["launch"] = _launch_policy(settings.lists, settings.launch.policy)

    def validate_security_status(self, subject: Subject) -> Evidenced:
        if "lists" not in subject.scratch:
            self.start_attestation(subject)
        lists: lists_.Lists = subject.scratch["lists"]
        if subject.settings.registrar is not None:
            quote, ek_sha256, proven = self._from_agent(subject)
        else:
            quote, ek_sha256, proven = self._from_ramdisk(subject)
        verdict = library.call(appraise, quote(PCR_MASK), make_policy(lists), libattest.Node())
        identity.check_ak(subject.pinned, verdict.ak_name, proven)
        evidenced = Evidenced(
            ek_sha256, verdict.ak_name, verdict.boot, proven, lists.digest, verdict.notes
        )
        return judge_launch(launch.OF_RAMDISK, quote, subject.scratch["launch"], evidenced)

    def validate_active(self, subject: Subject) -> Evidenced:
        """A quote and what the IMA list has gained since the last one."""
        scratch = subject.scratch
        if "policy" not in scratch:
            lists = lists_.load(subject.settings.instance_lists)
            agent = peers.registered(peers.keylime(subject.settings), subject)
            ek = identity.check_ek(subject.settings, subject.pinned, agent.ek, agent.ek_certificate)
            digest = library.call(lambda: lists.digest)
            settings = subject.settings
            scratch.update(agent=agent, ak=load_ak(agent), ek=ek.sha256, lists=digest)
            scratch["launch"] = _launch_policy(
                settings.instance_lists, settings.launch.instance_policy
            )
            scratch["policy"] = shared_policy(lists, digest)
        # At once: under eventlet each way to another thread and back costs more than an appraisal.
        verdict = library.call(self._round, subject)
        evidenced = Evidenced(
            scratch["ek"], verdict.ak_name, verdict.boot, False, scratch["lists"], verdict.notes
        )
        client = peers.keylime(subject.settings)
        quote = functools.partial(agent_evidence, client, scratch["agent"], scratch["ak"])
        return judge_launch(launch.OF_INSTANCE, quote, scratch["launch"], evidenced)

    @staticmethod
    def _round(subject: Subject) -> "Verdict":
        """Runs where it may not log."""
        scratch = subject.scratch
        client = peers.keylime(subject.settings)
        evidence = agent_evidence(
            client, scratch["agent"], scratch["ak"], PCR_MASK, scratch["node"].ima_entries
        )
        return appraise(evidence, scratch["policy"], scratch["node"])

    def peer(self, subject: Subject) -> str:
        # The registrar is asked about an active node once, the agent again and again.
        return subject.uuid if "policy" in subject.scratch else super().peer(subject)

    def unregister_node(self, subject: Subject) -> None:
        """The registrar forgets the agent: a ramdisk makes a new AK at its next boot."""
        if subject.settings.registrar is not None and subject.agent_uuid is not None:
            client = peers.keylime(subject.settings)
            peers.ask("registrar", client.delete_registration, subject.agent_uuid)

    @staticmethod
    def _from_agent(subject: Subject) -> tuple[Quoter, str, bool]:
        client = peers.keylime(subject.settings)
        agent = peers.registered(client, subject)
        ek = identity.check_ek(subject.settings, subject.pinned, agent.ek, agent.ek_certificate)
        ak = load_ak(agent)
        return functools.partial(agent_evidence, client, agent, ak), ek.sha256, False

    @staticmethod
    def _from_ramdisk(subject: Subject) -> tuple[Quoter, str, bool]:
        ramdisk = peers.Ramdisk(subject)
        who = ramdisk.command("get_identity", ek=None)
        ek = identity.check_ek(
            subject.settings,
            subject.pinned,
            peers.field(who, "ek_public", KEY_LIMIT),
            peers.field(who, "ek_certificate", CERTIFICATE_LIMIT, required=False),
        )
        ak = challenge_ak(ramdisk, ek, peers.field(who, "ak_public", KEY_LIMIT))
        return functools.partial(ramdisk_evidence, ramdisk, ak), ek.sha256, True


def challenge_ak(
    ramdisk: peers.Ramdisk, ek: "libattest.EndorsementKey", public: bytes
) -> libattest.Key:
    """TPM2_MakeCredential: only the TPM with this EK that also holds this AK can answer."""
    try:
        challenge = library.call(
            libattest.CredentialChallenge, ek, library.call(libattest.Key.load, public)
        )
    except (libattest.Error, ValueError) as error:
        raise AttestationFailure(f"the node's attestation key is not usable: {error}") from error
    answer = ramdisk.command(
        "activate_credential",
        credential=base64.b64encode(challenge.credential).decode(),
        secret=base64.b64encode(challenge.secret).decode(),
    )
    proven = library.call(challenge.check, peers.field(answer, "answer", ANSWER_LIMIT))
    if not proven or challenge.ak is None:
        raise AttestationFailure(
            "the credential challenge was not answered: the attestation key is not in the TPM of "
            "this endorsement key"
        )
    return challenge.ak


def ramdisk_evidence(ramdisk: peers.Ramdisk, ak: libattest.Key, mask: int) -> Evidence:
    """One quote of the deploy ramdisk, with the logs of the PCRs of `mask`."""
    nonce = libattest.make_nonce(32)
    answer = ramdisk.command(
        "quote",
        nonce=base64.b64encode(nonce).decode(),
        pcrs=[pcr for pcr in range(24) if mask >> pcr & 1],
        bank="sha256",
        ima_entry=0,
    )
    attest, signature, pcrs = (
        peers.field(answer, part, QUOTE_LIMIT) for part in ("quote", "signature", "pcrs")
    )
    return Evidence(
        ak,
        nonce,
        quote=(attest, signature, pcrs),
        eventlog=peers.field(answer, "eventlog", LOG_LIMIT, required=False),
        ima=peers.field(answer, "ima", LOG_LIMIT, required=False) if mask >> IMA_PCR & 1 else None,
        launch_log=(
            peers.field(answer, "launchlog", LAUNCH_LOG_LIMIT, required=False)
            if mask >> LAUNCH_PCR & 1
            else b""
        ),
    )


def load_ak(agent: "libattest.KeylimeAgent") -> libattest.Key:
    try:
        return library.call(libattest.Key.load, agent.ak)
    except libattest.Error as error:
        raise AttestationFailure(f"the agent's attestation key: {error}") from error


def agent_evidence(
    client: "libattest.Keylime",
    agent: "libattest.KeylimeAgent",
    ak: libattest.Key,
    mask: int,
    ima_entry: int = 0,
) -> Evidence:
    """One integrity quote of a Keylime agent, with the logs of the PCRs of `mask`."""
    nonce = libattest.make_nonce(16).hex()
    answer = peers.ask("agent", client.integrity_quote, agent, nonce, mask, ima_entry=ima_entry)
    return Evidence(
        ak,
        nonce.encode(),
        keylime_quote=answer.quote,
        eventlog=answer.eventlog or b"",
        ima=answer.ima or b"" if mask >> IMA_PCR & 1 else None,
        ima_entry=answer.ima_entry or 0,
    )


def _launch_policy(source: ListSource, name: str | None) -> libattest.Policy | None:
    return None if name is None else launch.make_policy(lists_.load_policy(source, name))


def judge_launch(
    which: str, quote: Quoter, policy: libattest.Policy | None, evidenced: Evidenced
) -> Evidenced:
    """Holds the launch of a node that is good so far to its policy, by a quote of its own.

    A quote of more PCRs than a policy has rules for is not trusted where there is an event log.
    """
    if policy is None:
        return evidenced
    evidenced = dataclasses.replace(evidenced, launch=which)
    try:
        verdict = library.call(appraise, quote(launch.PCR_MASK), policy, None)
    except AttestationFailure as failure:
        raise launch.LaunchFailure(failure, evidenced) from failure
    if (verdict.ak_name, verdict.boot) != (evidenced.ak_name, evidenced.boot):
        raise AttestationFailure("the node has rebooted while it was being attested")
    notes = (*evidenced.notes, *(f"{which}: {note}" for note in verdict.notes))
    return dataclasses.replace(evidenced, notes=notes)


def make_policy(lists: lists_.Lists) -> libattest.Policy:
    """The appraisal policy of these lists: the IMA list, all of it, by what the allowlist says."""
    try:
        policy = library.call(
            libattest.Policy.parse,
            b'{"version": 1, "bank": "sha256", "ak": {"attributes": "required"},'
            b' "ima": {"required": true}}',
        )
        library.call(policy.add_allowlist, lists.allowlist, None, lists.excludelist)
    except libattest.Error as error:
        raise AttestationFailure(f"the allowlist or excludelist: {error}") from error
    return policy


_POLICIES: "weakref.WeakValueDictionary[str, libattest.Policy]" = weakref.WeakValueDictionary()


def shared_policy(lists: lists_.Lists, digest: str) -> libattest.Policy:
    """make_policy() once for all nodes with these lists: a distribution's takes megabytes."""
    policy = _POLICIES.get(digest)
    if policy is None:
        policy = _POLICIES[digest] = make_policy(lists)
    return policy


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """A trusted one; there is no other kind."""

    ak_name: str
    boot: tuple[int, int]
    notes: tuple[str, ...]


def appraise(evidence: Evidence, policy: libattest.Policy, node: libattest.Node | None) -> Verdict:
    """Raises AttestationFailure unless the report says trusted. Runs where it may not log."""
    try:
        key = evidence.ak
        gathered = libattest.Evidence(ak=key)
        if evidence.keylime_quote is not None:
            gathered.set_keylime_quote(evidence.keylime_quote)
            quote = libattest.Quote.parse_keylime(evidence.keylime_quote)
        else:
            assert evidence.quote is not None
            gathered.set_quote(*evidence.quote)
            quote = libattest.Quote.parse(*evidence.quote)
        if evidence.eventlog:
            gathered.set_eventlog(evidence.eventlog)
        if evidence.launch_log:
            gathered.set_launch_log(evidence.launch_log)
        if evidence.ima is not None:
            gathered.set_ima(evidence.ima, first_entry=evidence.ima_entry)
        report = libattest.appraise(
            gathered, policy, nonce=evidence.nonce, now=int(time.time()), node=node
        )
    except libattest.MalformedError as error:
        raise AttestationFailure(f"the evidence is malformed: {error}") from error
    bad = [f for f in report.findings if f.severity >= libattest.Severity.FAILURE]
    # The event that is the reason says more than that its PCR has another value.
    failures = [f.message for f in sorted(bad, key=lambda f: f.id != "event-unknown")]
    if not report.trusted or key.name is None:
        reason = failures[0] if failures else f"the verdict is {report.verdict}"
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        raise AttestationFailure(reason + more, failures[:MAX_FINDINGS])
    notes = tuple(
        f.message for f in report.findings if f.severity == libattest.Severity.WARNING
    )
    return Verdict(key.name.hex(), (quote.reset_count, quote.restart_count), notes[:MAX_FINDINGS])
