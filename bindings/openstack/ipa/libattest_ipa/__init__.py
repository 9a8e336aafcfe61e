# SPDX-License-Identifier: Apache-2.0
"""What a deploy ramdisk answers when the conductor attests its node. README.md is the protocol."""


class NodeError(Exception):
    """A command could not do its work; the text is one line for the operator."""


class WrongParameters(ValueError):
    """The parameters of a command are not what the protocol says."""
