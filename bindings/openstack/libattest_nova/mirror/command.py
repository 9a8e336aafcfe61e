# SPDX-License-Identifier: Apache-2.0
"""libattest-nova-mirror [--once] [--dry-run] [--config-file FILE]…

Exit status of --once: 0 all hosts are trusted and mirrored, 1 some are not trusted, 2 it could not do
its work. Of the daemon: 0 it was asked to end and has taken the trait from all hosts, 2 else.
"""

import contextlib
import fcntl
import logging
import os
import sys
from collections.abc import Iterator, Sequence

import libattest
from oslo_config import cfg
from oslo_log import log

from .. import verdict_file
from ..conf import CONF
from . import options
from .acts import Acts
from .agents import AgentSettings, AgentSource
from .compute import Compute
from .daemon import NOT_DONE, Mirror, Times
from .ironic import Ironic
from .lanes import Lane, Service
from .placement import Placement, check_trait
from .rest import Rest, Rests
from .sources import Agents, FilterSource, Source
from .state import StateFolder
from .verdicts import VerdictWriter

LOG = logging.getLogger(__name__)

CLI = [
    cfg.BoolOpt(
        "once", default=False, help="Mirror once and end; the traits stay as they are then."
    ),
    cfg.BoolOpt(
        "dry-run",
        default=False,
        help="Say what --once would do, on standard output, and do nothing.",
    ),
]


class Refused(Exception):
    """It does not begin, and the words say why."""


def main(arguments: Sequence[str] | None = None) -> int:
    CONF.register_cli_opts(CLI)
    log.register_options(CONF)
    try:
        # Nova's own files: /etc/nova/nova.conf, and libattest-nova-mirror.conf beside it.
        CONF(sys.argv[1:] if arguments is None else arguments, project="nova",
             prog="libattest-nova-mirror")  # fmt: skip
        # Not on standard output, which is --dry-run's.
        CONF.set_default("use_stderr", True)
        log.setup(CONF, "libattest-nova-mirror")
        return _run()
    except (Refused, libattest.Error, cfg.Error) as error:
        sys.stderr.write(f"libattest-nova-mirror: {error}\n")
        return NOT_DONE


def _run() -> int:
    _check(CONF[options.GROUP])
    with contextlib.ExitStack() as stack:
        mirror = _mirror(CONF[options.GROUP], stack)
        if CONF.once or CONF.dry_run:
            status = mirror.once()
        else:
            mirror.handle_signals()
            status = mirror.run()
    return status


def _mirror(mine: cfg.ConfigOpts.GroupAttr, stack: contextlib.ExitStack) -> Mirror:
    """What `stack` ends with it."""
    acts, folder = Acts(dry_run=CONF.dry_run), StateFolder(mine.state_dir)
    if not CONF.dry_run:
        folder.prepare()
        stack.enter_context(_alone(folder.lock))
    writer = _writer(mine)
    source = _source(mine, acts, folder)
    stack.callback(source.close)
    lanes: dict[str, Lane] = {}
    for name, service in _services(mine, acts):
        # When a service is disabled or enabled, nova-compute writes that into its provider's traits. A
        # write of ours at the same time would make it give up until its next periodic task.
        after = lanes.get("placement") if name == "nova" else None
        lanes[name] = Lane(name, service, mine.cycle_timeout, mine.exit_timeout, after)
        stack.callback(lanes[name].close)
    times = Times(mine.interval, mine.verdict_lifetime, mine.cycle_timeout, mine.exit_timeout)
    return Mirror(times, source, list(lanes.values()), writer)


def _check(mine: cfg.ConfigOpts.GroupAttr) -> None:
    try:
        check_trait(mine.trait)
    except ValueError as error:
        raise Refused(f"[libattest_mirror]trait: {error}") from error
    if mine.source == "filter" and CONF.trusted_computing.backend == "file":
        raise Refused(
            "[libattest_mirror]source is filter and [trusted_computing]backend is file: the file "
            "is what this daemon writes"
        )
    if mine.source == "agents":
        for option in ("host_map", "keylime_registrar"):
            if not CONF.trusted_computing[option]:
                raise Refused(f"[trusted_computing]{option} is not set")
    if mine.ironic_traits and not CONF.trusted_computing.host_map:
        raise Refused("[libattest_mirror]ironic_traits needs a [trusted_computing]host_map")
    if mine.verdict_lifetime <= mine.interval + mine.cycle_timeout:
        LOG.warning(
            "[libattest_mirror]verdict_lifetime is not more than interval and cycle_timeout "
            "together: hosts that are well will lose their trait between two polls"
        )
    for group in options.SERVICES:
        if CONF[group].insecure:
            LOG.warning("[%s]insecure: anybody between here and there can change the traits", group)


@contextlib.contextmanager
def _alone(path: str) -> Iterator[None]:
    """Two daemons would each take what the other gives."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise Refused(f"another one is running: {path} is locked") from None
    try:
        yield
    finally:
        os.close(fd)


def _writer(mine: cfg.ConfigOpts.GroupAttr) -> VerdictWriter | None:
    if not mine.write_verdicts or CONF.dry_run:
        return None
    key = verdict_file.load_key(CONF.trusted_computing.verdict_key_file)
    return VerdictWriter(CONF.trusted_computing.verdict_file, key)


def _source(mine: cfg.ConfigOpts.GroupAttr, acts: Acts, folder: StateFolder) -> Source:
    trusted = CONF.trusted_computing
    if mine.source == "filter":
        nova = Compute(Rest("nova", options.adapter("nova"), mine.call_timeout), mine.trait, acts)
        return FilterSource(trusted.host_map, nova.names)
    return Agents(
        AgentSource(
            AgentSettings(
                host_map=trusted.host_map,
                policies_dir=mine.policies_dir,
                policy=mine.policy,
                registrar=trusted.keylime_registrar,
                ca=trusted.keylime_ca,
                cert=trusted.keylime_cert,
                key=trusted.keylime_key,
                check_name=trusted.keylime_check_name,
                call_timeout=mine.call_timeout,
                workers=mine.workers,
                save=not CONF.dry_run,
            ),
            folder,
        )
    )


def _services(mine: cfg.ConfigOpts.GroupAttr, acts: Acts) -> Iterator[tuple[str, Service]]:
    """The ones that are wanted, each with connections of its own."""

    def rests(name: str) -> Rests:
        connections = range(mine.connections)
        return Rests([Rest(name, options.adapter(name), mine.call_timeout) for _ in connections])

    if mine.ironic_traits:
        yield "ironic", Ironic(rests("ironic"), mine.trait, acts)
    if mine.mirror_trait:
        yield "placement", Placement(rests("placement"), mine.trait, acts)
    if mine.disable_services != "off" or mine.stop_instances != "off":
        yield (
            "nova",
            Compute(
                Rest("nova", options.adapter("nova"), mine.call_timeout),
                mine.trait,
                acts,
                disable=mine.disable_services,
                stop=mine.stop_instances,
            ),
        )
