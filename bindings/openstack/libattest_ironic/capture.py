# SPDX-License-Identifier: Apache-2.0
"""The seed's other direction: allowlist and checksum that the node made go to Swift.

A node that writes its own allowlist can allow itself anything, so nothing of it is used until an
operator has named the SHA-256 of what he has looked at.
"""

import hashlib
import io
import tarfile
import zlib
from typing import Any

from ironic.common import exception

from . import peers, waiting
from .exceptions import AttestationFailure
from .lists import SwiftStore

# ipa/README.md.
MEMBERS = ("root/allowlist.txt", "root/checksum.txt")
MAX_UNPACKED = 64 * 1024 * 1024
MAX_PACKED = 32 * 1024 * 1024


def unpack(packed: bytes) -> bytes:
    """The allowlist, if it is all there is and has the checksum beside it."""
    # Unpacked in one bounded step: tarfile would believe the sizes of a compressed stream.
    inflate = zlib.decompressobj(wbits=31)
    try:
        data = inflate.decompress(packed, MAX_UNPACKED + 1)
        if len(data) > MAX_UNPACKED or not inflate.eof or inflate.unused_data:
            raise AttestationFailure("the node's lists are too big, cut short or followed by more")
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            members = archive.getmembers()
            if tuple(m.name for m in members) != MEMBERS or not all(m.isreg() for m in members):
                raise AttestationFailure("the node's lists are not the two files they should be")
            files = [archive.extractfile(member) for member in members]
            allowlist, checksum = (file.read() for file in files if file is not None)
    except (zlib.error, tarfile.TarError, OSError, ValueError) as error:
        raise AttestationFailure(f"the node's lists can not be unpacked: {error}") from error
    found = hashlib.sha256(allowlist).hexdigest()
    if checksum.split()[:1] != [found.encode()]:
        raise AttestationFailure("the node's allowlist does not have the checksum beside it")
    return allowlist


def fetch(task: Any) -> bytes:
    """Asks the ramdisk for its lists."""
    answer = peers.Ramdisk(waiting.subject_of(task.node, task)).command(
        "get_keylime_attestation_files"
    )
    return unpack(peers.field(answer, "file_list", MAX_PACKED))


def store(task: Any, allowlist: bytes, approved: str) -> str:
    """Uploads what the operator has approved; the container's name."""
    container = waiting.subject_of(task.node).settings.lists.container
    if container is None:
        raise exception.MissingParameterValue("driver_info/keylime_container is missing")
    digest = hashlib.sha256(allowlist).hexdigest()
    if digest != approved.lower():
        raise exception.InvalidParameterValue(
            f"the node's allowlist is now {digest}, not the approved {approved}: look again"
        )
    swift = SwiftStore(container)
    swift.put("allowlist", allowlist)
    swift.put("allowlist_checksum", digest.encode() + b"\n")
    return container
