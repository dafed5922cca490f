// Flux labels what it applies with the name of the link, so that name fits into a label for every namespace.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "../packages.mjs";

const link = join(import.meta.dirname, "../../../flux/components/applications/tenant/link.yaml");

test("the link of a tenant", () => {
  const text = readFileSync(link, "utf8").replaceAll("${NAMESPACE}", "n".repeat(63));
  const { name } = parse(text).metadata;
  assert(name.length <= 63, `${name} is too long for the label kustomize.toolkit.fluxcd.io/name`);
});
