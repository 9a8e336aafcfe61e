# SPDX-License-Identifier: Apache-2.0
"""A file that others read at any moment, or that must not be lost: the old one or the new one."""

import contextlib
import os
import tempfile


def replace(path: str | os.PathLike[str], data: bytes, mode: int = 0o600) -> None:
    """Puts a new file in the place of the old one, in one step. Raises OSError."""
    folder = os.path.dirname(os.path.abspath(path))
    fd, temporary = tempfile.mkstemp(dir=folder, prefix=".new-")  # nobody else can read it yet
    try:
        with open(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(fd, mode)
            os.fsync(fd)  # else a crash might leave an empty file, which says or pins nothing
        os.rename(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
