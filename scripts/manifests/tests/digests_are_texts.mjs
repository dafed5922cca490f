// The digest of a module stays a text, whatever its digits: unquoted, 64 of them may be read as a number.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "../packages.mjs";

const root = join(import.meta.dirname, "../../..");
const numbers = ["1".repeat(64), `1e${"0".repeat(61)}1`, `0${"7".repeat(63)}`];

for (const path of globSync("{k8s,flux}/**/*.yaml", { cwd: root })) {
  const text = readFileSync(join(root, path), "utf8");
  if (!/^ +sha256:/m.test(text)) continue;
  test(path, () => {
    for (const digest of numbers) {
      const { spec } = parse(text.replace(/[0-9a-f]{64}/g, digest));
      assert.equal(spec.sha256, digest);
    }
  });
}

test("as scripts/push-filter prints it", () => {
  const printed = readFileSync(join(root, "scripts/push-filter"), "utf8");
  assert.match(printed, /^ {2}sha256: "\{digest\(/m);
});
