#!/usr/bin/env python3
"""Tests of scripts/names: each name that some system refuses is found, and what only looks like one is not."""

import subprocess
import tempfile
import unittest
from pathlib import Path

NAMES = Path(__file__).parent / "names"
REFUSED = {
    "corpus/nul": "'nul' is the name of a device",
    "NUL": "is the name of a device",
    "con/readme.md": "'con' is the name of a device",
    "Aux.txt": "is the name of a device",
    "prn.tar.gz": "is the name of a device",
    "nul .txt": "is the name of a device",
    "nul  ": "is the name of a device",
    "com1.yaml": "is the name of a device",
    "LPT9": "is the name of a device",
    "com²": "is the name of a device",
    "CONIN$": "is the name of a device",
    "conout$.log": "is the name of a device",
    "nul:stream": "is the name of a device",
    "a.": "ends in a dot or a blank",
    "a ": "ends in a dot or a blank",
    "a. /b": "'a. ' ends in a dot or a blank",
    "a:b": "holds ':'",
    "a\\b": "holds '\\\\'",
    'a"b': "holds '\"'",
    "a|b": "holds '|'",
    "a?b": "holds '?'",
    "a*b": "holds '*'",
    "a<b": "holds '<'",
    "a>b": "holds '>'",
    "a\tb": "holds '\\t'",
    "a\nb": "holds '\\n'",
    "git~1/config": "'git~1' is another form of .git",
    "b/GIT~1": "is another form of .git",
    ".git /x": "is another form of .git",
    ".GIT.": "is another form of .git",
    "a/.g\u200cit/x": "is another form of .git",
}
ALLOWED = [
    "null",
    "console.rs",
    "nul-byte",
    "com",
    "com0",
    "com10",
    "auxiliary/con-fig",
    "x.nul",
    "conin",
    ".gitignore",
    ".github/workflows/ci.yml",
    "git~2",
    "a b",
    "...a",
    "größe",
]


class Names(unittest.TestCase):
    def said(self, *paths):
        with tempfile.TemporaryDirectory() as root:
            git = ["git", "-C", root, "-c", "core.protectNTFS=false", "-c", "core.protectHFS=false"]
            subprocess.run([*git, "init", "--quiet"], check=True)
            empty = subprocess.run(
                [*git, "hash-object", "-w", "--stdin"], input=b"", check=True, capture_output=True
            ).stdout.strip().decode()
            entries = b"".join(f"100644 {empty}\t{path}\0".encode() for path in paths)
            subprocess.run([*git, "update-index", "-z", "--index-info"], input=entries, check=True)
            ended = subprocess.run([NAMES, root], capture_output=True, text=True)
        self.assertEqual(ended.stderr, "")
        lines = ended.stdout.splitlines()
        self.assertEqual(ended.returncode, 0 if lines[-1].startswith("names:") else 1)
        return lines

    def test_each_name_that_some_system_refuses(self):
        lines = self.said(*REFUSED, *ALLOWED)
        self.assertEqual(len(lines), len(REFUSED))
        for path, wanted in REFUSED.items():
            with self.subTest(path):
                shown = path if path.isprintable() else repr(path)[1:-1]
                self.assertTrue(any(line.startswith(f"{shown}: ") and wanted in line for line in lines), lines)

    def test_names_that_only_look_alike(self):
        self.assertEqual(self.said(*ALLOWED), [f"names: {len(ALLOWED)} files can be checked out on any system"])

    def test_names_that_differ_by_case_only(self):
        self.assertIn("'Readme.md' and 'README.md' are one name", "\n".join(self.said("README.md", "Readme.md")))
        self.assertIn("'docs' and 'Docs' are one name", "\n".join(self.said("Docs/a", "docs/b")))
        self.assertIn("are one name", "\n".join(self.said("stra\u00dfe", "STRASSE")))

    def test_names_that_differ_by_encoding_only(self):
        self.assertIn("are one name", "\n".join(self.said("caf\u00e9", "cafe\u0301")))

    def test_two_directories_with_files_of_the_same_name(self):
        self.assertEqual(len(self.said("a/b", "b/a", "c/a/b")), 1)


if __name__ == "__main__":
    unittest.main()
