#!/usr/bin/env python3
"""Tests of scripts/layers: each breach is found, where it is, and what is allowed is not."""

import subprocess
import tempfile
import unittest
from pathlib import Path

LAYERS = Path(__file__).parent / "layers"
RULES = """
[shop]
layers = ["base", "middle", "top"]
everywhere = ["serde"]
[shop.owners]
git2 = ["base::disk"]
http = ["top"]
"""
SOUND = {
    "Cargo.toml": "[dependencies]\ngit2 = '1'\nhttp = '1'\nserde = '1'\n",
    "src/lib.rs": "pub mod base;\npub mod middle;\npub mod top;\npub use base::disk::Disk;\n",
    "src/base.rs": "pub mod disk;\npub mod tape;\n",
    "src/base/disk.rs": "use git2::Repository;\nuse super::tape::Tape;\n",
    "src/base/tape.rs": "// crate::top::Shelf\nconst NAME: &str = \"crate::top git2::Error\";\n",
    "src/middle.rs": "use crate::{Disk, base::tape::{self, Tape}};\n#[cfg(test)]\nmod tests {\n    use crate::top::Shelf;\n}\n",
    "src/top.rs": "use crate::middle::Cart;\nfn shelf() -> http::Uri { crate::base::disk::find() }\n",
}


class Layers(unittest.TestCase):
    def findings(self, changed, rules=RULES):
        with tempfile.TemporaryDirectory() as root:
            files = {f"shop/{name}": text for name, text in {**SOUND, **changed}.items()}
            for name, text in {**files, "scripts/layers.toml": rules}.items():
                path = Path(root, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            ended = subprocess.run([LAYERS, root], capture_output=True, text=True)
            self.assertEqual(ended.stderr, "")
            lines = ended.stdout.splitlines()
            self.assertEqual(ended.returncode, 0 if lines[0].startswith("layers:") else 1)
            return lines

    def found(self, changed, wanted, rules=RULES):
        findings = self.findings(changed, rules)
        self.assertTrue(any(wanted in finding for finding in findings), findings)

    def test_downward_imports_tests_comments_and_texts_are_fine(self):
        self.assertEqual(self.findings({}), ["layers: shop: imports run one way"])

    def test_an_import_of_a_higher_layer(self):
        wanted = "shop/src/middle.rs:2: middle uses top, which is a layer above it"
        self.found({"src/middle.rs": "use crate::base::tape;\nuse crate::top::Shelf;\n"}, wanted)

    def test_an_import_in_the_middle_of_a_tree(self):
        tree = "use crate::{\n    base::{disk::Disk, tape},\n    top::{Shelf, Window},\n};\n"
        self.found({"src/middle.rs": tree}, "shop/src/middle.rs:3: middle uses top")

    def test_a_path_in_an_expression(self):
        self.found({"src/base/tape.rs": "fn a() {\n    crate::middle::cart()\n}\n"}, "tape.rs:2: base uses middle")

    def test_an_import_by_way_of_super(self):
        self.found({"src/base/tape.rs": "use super::super::top::Shelf;\n"}, "tape.rs:1: base uses top")

    def test_super_in_a_module_within_a_file(self):
        self.assertEqual(len(self.findings({"src/middle.rs": "mod cart {\n    use super::Cart;\n}\n"})), 1)
        self.found({"src/middle.rs": "mod cart {\n    use super::super::top::Cart;\n}\n"}, "middle.rs:2: middle uses top")

    def test_an_import_by_the_name_that_the_crate_gives_it(self):
        lib = SOUND["src/lib.rs"] + "pub use top::Shelf;\n"
        self.found({"src/lib.rs": lib, "src/middle.rs": "use crate::Shelf;\n"}, "middle.rs:1: middle uses top")

    def test_a_circle_among_siblings(self):
        wanted = "a circle in shop::base: disk uses tape (shop/src/base/disk.rs:2), tape uses disk (shop/src/base/tape.rs:1)"
        self.found({"src/base/tape.rs": "use super::disk::Disk;\n"}, wanted)

    def test_a_circle_without_layers(self):
        rules = "[shop]\n"
        self.found({"src/base.rs": "use crate::top::Shelf;\n"}, "a circle in shop: ", rules)

    def test_a_dependency_outside_of_its_owner(self):
        self.found({"src/top.rs": "\nuse git2::Oid;\n"}, "shop/src/top.rs:2: git2 is named outside of base::disk")
        self.found({"src/top.rs": "fn a() -> git2::Oid {}\n"}, "top.rs:1: git2 is named outside")

    def test_a_module_with_the_name_of_a_dependency(self):
        lib = SOUND["src/lib.rs"] + "pub mod http;\n"
        rules = RULES.replace('"base", ', '"http", "base", ').replace('http = ["top"]', 'http = ["http"]')
        own = {"src/lib.rs": lib, "src/http.rs": "use http::Uri;\n", "src/top.rs": "use crate::http;\nfn a() { http::a() }\n"}
        self.assertEqual(self.findings(own, rules), ["layers: shop: imports run one way"])

    def test_what_the_rules_do_not_know(self):
        self.found({"src/cellar.rs": "\n"}, "cellar is not a layer")
        cargo = SOUND["Cargo.toml"] + "clap = '1'\n"
        self.found({"Cargo.toml": cargo}, "shop depends on clap")

    def test_what_the_rules_name_and_is_not_there(self):
        self.found({}, "shop has no module attic", RULES.replace('"top"]\nev', '"top", "attic"]\nev'))
        self.found({}, "shop does not depend on clap", RULES + 'clap = ["top"]\n')
        self.found({}, "has no module base::drum", RULES.replace("base::disk", "base::drum"))


if __name__ == "__main__":
    unittest.main()
