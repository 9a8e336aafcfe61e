# SPDX-License-Identifier: Apache-2.0
"""What the plug-ins of Ironic and Nova have in common. It needs neither of the two."""
