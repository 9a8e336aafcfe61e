# SPDX-License-Identifier: Apache-2.0
"""Writes table.tsv: what Python's re.match says of exclude patterns and paths.

The first line is a JSON array of paths. Each further line is a pattern as a JSON string, a tab and a
digit a path: 1 where it matches; or a pattern, a path as a JSON string and one digit, by tabs.
Run it as: python3 make.py > table.tsv

Python reads text in code points and libattest in bytes, so that the paths are ASCII, except for the
patterns in UNICODE, whose answer is the same either way. Paths do not end in a newline, before which
Python's $ also matches.
"""
import json
import re

PATTERNS = [
    "/tmp", "/tmp(/.*)?", "/tmp/.*", "/tmp/", "^/tmp/.*$", "/tmp$", "/tmp/$", "lib", "/usr/lib",
    "/usr/.*/lib", r"/usr/lib\.so", r"/usr/lib/.*\.so", r"/usr/lib/.*\.so(\.[0-9]+)*$", "/var/(log|tmp)/",
    "/var/(?:log|tmp)/.*", "(/a|/b)(/c|/d)$", "/a|/b", "/a$|/b$", "^(/tmp|/var)", r"\A/tmp", r"/tmp\Z",
    r"/var/log/\w+\.log", r"/var/log/\w+\.log\Z", r"/run/user/\d+/", r"/run/user/\d{4}$",
    r"/run/user/\d{2,3}$", r"/run/user/\d{3,}$", r"/run/user/\d{3,}?$", r"/run/user/\D+$", r"/x\sy", r"/x\Sy",
    r"/x\Wy", r"/x[\s]y", r"/x[\S]y", r"/x[^\s]y", r"/x[\W]y", r"/x[^\w]y", r"/x[\d\s]y", r"/x[^\d]y", "/x.y",
    "/x.*y", "/x.+y", "/x.?y", "/x.??y", "/x.*?y$", "/x[a-c]y", "/x[^a-c]y", "/x[]a]y", "/x[^]a]y", "/x[a-]y",
    "/x[-a]y", r"/x[\]]y", r"/x[\\]y", r"/x[\-a]y", "/x[.]y", "/x[$]y", "/x[(|)]y", "/x[{}]y", "/x[a^]y",
    "/x[+-/]y", "/x{2}y", "/x{2,}y", "/x{1,2}y", "/x{0}y", "/x{0,1}y$", "/x{1,2}?y", "(/x)*y",
    "(/x)+y", "(/x){2}y", "(/x){2}$", "(?:/x/){1,2}$", "((/a)|(/b))+$", "(/a|)b", "(|/a)b", "()/a", "(/a(/b)?)+$",
    "/(a*)*b", "/(a|ab)(c|bcd)$", "/(a+)+$", "/(a?){3}$", "/(a|b)*?c", "/(|a)*b", "/(|a)+b", "/(a*)+$", r"/\.hidden",
    r"/\[x\]", r"/\{x\}", r"/a\+b", r"/a\*b", r"/a\?b", r"/a\|b", r"/a\^b", r"/a\$b", r"/\(x\)", r"/a\\b", r"/a\/b",
    r"/a\-b", r"/a\ b", r"/a\_b", "/a}b", "/a]b", "/a b", "/a\tb", "/A", "/[A-Z]", "/[a-zA-Z0-9_]+$",
    "/home/[^/]+/\\.cache", "/home/[^/]+/\\.cache/.*", "/proc/[0-9]+/.*", "/.*\\.(pyc|pyo)$", "/.*/__pycache__/.*",
    "/dev/(shm|pts)(/.*)?$", "/a.b.c", "/a$b", "/a^b", "(^/a)", "(/a$)", "/x[!-~]y", "/x[\t ]y", "boot_aggregate",
    "/[^/]*$", "/./.", "//", "/+a", "/a{3}", "/(ab){2,3}c", "/a(b|c|d)e", "/a(?:b|(?:c|d))e$", "/(x|y|z){2}$",
]
PATHS = [
    "/", "/a", "/b", "/ab", "/abc", "/abcd", "/A", "/Z9_", "/a/", "/a/b", "/a/c", "/b/d", "/a/b/a", "/aaa", "/aaab", "/aab",
    "/b", "b", "a", "/xy", "/xxy", "/xxxy", "/x y", "/x\ty", "/x\x0by", "/x\x0cy", "/x\ry", "/x\ny", "/x.y", "/x-y",
    "/x]y", "/x\\y", "/x$y", "/x(y", "/x|y", "/x{y", "/x}y", "/x^y", "/x+y", "/x,y", "/x/y", "/xay", "/xby", "/xdy", "/x0y",
    "/x_y", "/xabcy", "/x/x", "/x/xy", "/x/x/", "/x//x/", "/tmp", "/tmp/", "/tmp/a", "/tmp/a/b", "/tmpfile", "/TMP", "tmp",
    "/usr/lib", "/usr/lib.so", "/usr/libxso", "/usr/lib/x.so", "/usr/lib/x.so.6", "/usr/lib/x.so.6.1", "/usr/lib/x.so.a",
    "/usr/share/lib", "/usr/local/lib/y", "/usr/a\nb/lib", "lib", "/lib", "/var/log/", "/var/log/syslog", "/var/log/a_1.log",
    "/var/log/a.log", "/var/log/a.log.1", "/var/log/a-b.log", "/var/tmp/x", "/run/user/7", "/run/user/77", "/run/user/777",
    "/run/user/1000", "/run/user/1000/bus", "/run/user/root", "/.hidden", "/xhidden", "/[x]", "/{x}", "/(x)", "/a+b",
    "/a*b", "/a?b", "/a|b", "/a^b", "/a$b", "/a\\b", "/a-b", "/a b", "/a_b", "/a}b", "/a]b", "/a\tb", "/home/u/.cache",
    "/home/u/.cache/x", "/home/u/v/.cache", "/proc/1/maps", "/proc/self/maps", "/p/x.pyc", "/p/x.pyd", "/p/__pycache__/x",
    "/dev/shm", "/dev/shm/a", "/dev/shmx", "/dev/pts/0", "/a.b.c", "/aXbXc", "/a\nb.c", "boot_aggregate", "boot_aggregate2",
    "//", "//a", "///a", "/ababc", "/abababc", "/abababab", "/abe", "/ace", "/ade", "/acex", "/xyz", "/xx", "/acbcd", "/abcde", "",
]
UNICODE = [
    ("/é", "/é"), ("/é", "/e"), ("/é", "/ée"), ("/é+$", "/ééé"), ("/é+$", "/é"), ("/é+$", "/éa"), ("/(é|ü)x", "/üx"),
    ("/(é|ü)x", "/ux"), ("/日本{2}$", "/日本本"), ("/日本{2}$", "/日本"), ("/日本*$", "/日"), ("/x.*é$", "/x/日/é"),
    ("/x.*é$", "/x/日/e"), ("/é?a", "/a"), ("/é?a", "/éa"), ("/é?a", "/éé"), ("/[^/]+/é", "/日/é"), ("/😀+$", "/😀😀"),
]


def digit(pattern, path):
    return str(int(re.match(pattern, path) is not None))


def main():
    print(json.dumps(PATHS))
    for pattern in PATTERNS:
        print(json.dumps(pattern), "".join(digit(pattern, path) for path in PATHS), sep="\t")
    for pattern, path in UNICODE:
        print(json.dumps(pattern), json.dumps(path), digit(pattern, path), sep="\t")


main()
