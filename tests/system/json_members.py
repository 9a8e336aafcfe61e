# SPDX-License-Identifier: Apache-2.0
"""Writes each member of collect's JSON to a file of its name: base64 as bytes, null not at all.

usage: json_members.py JSON DIR
       json_members.py --list N FILE    (writes an IMA list of N entries, the fourth of template "ima")
"""

import base64
import hashlib
import json
import pathlib
import sys

PLAIN = ("ek_template", "ima_entry")
MEMBERS = (
    {"ek_template", "ek_public", "ek_certificate", "ak_public"},
    {"answer"},
    {"ak_public", "quote", "signature", "pcrs", "eventlog", "ima", "ima_entry"},
)


def entry(number: int) -> bytes:
    def sized(data: bytes) -> bytes:
        return len(data).to_bytes(4, "little") + data

    path = b"/bin/%d" % number
    digest = hashlib.sha1(path).digest()
    if number == 3:
        return (10).to_bytes(4, "little") + digest + sized(b"ima") + digest + sized(path)
    fields = sized(b"sha1:\0" + digest) + sized(path + b"\0")
    return (10).to_bytes(4, "little") + digest + sized(b"ima-ng") + sized(fields)


def main() -> None:
    if sys.argv[1] == "--list":
        pathlib.Path(sys.argv[3]).write_bytes(b"".join(map(entry, range(int(sys.argv[2])))))
        return
    text = pathlib.Path(sys.argv[1]).read_text()
    answer = json.loads(text)
    if text.count("\n") != 1 or set(answer) not in MEMBERS:
        sys.exit(f"not the members of a sub-command: {sorted(answer)}")
    for name, value in answer.items():
        path = pathlib.Path(sys.argv[2], name)
        path.unlink(missing_ok=True)
        if value is not None:
            path.write_bytes(
                str(value).encode() if name in PLAIN else base64.b64decode(value, validate=True)
            )


if __name__ == "__main__":
    main()
