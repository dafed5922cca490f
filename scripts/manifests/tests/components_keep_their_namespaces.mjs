// Every component can be added to the overlay that lists them, and each overlay on top of it leaves objects where they are.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { build } from "../targets.mjs";

const root = join(import.meta.dirname, "../../..");
const listed = "k8s/overlays/default/kustomization.yaml";
let folder;

before(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), "hfi-manifests-"));
  cpSync(join(root, "k8s"), join(folder, "k8s"), { recursive: true });
  const text = readFileSync(join(root, listed), "utf8");
  writeFileSync(join(folder, listed), text.replace(/^# (components:|  - .*)$/gm, "$1"));
});

after(() => rmSync(folder, { recursive: true }));

for (const overlay of ["default", "ambient", "sidecar"]) {
  test(overlay, () => {
    const built = build(join(folder, "k8s/overlays", overlay));
    const where = (kind) =>
      built
        .filter((object) => object.kind === kind)
        .map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`);
    assert.deepEqual(where("Namespace").sort(), ["/boifi", "/hfi-istio"]);
    assert(where("Role").includes("hfi-istio/hfi-artifacts"));
    assert(where("RoleBinding").includes("hfi-istio/hfi-artifacts"));
    assert(where("Deployment").includes("boifi/hfi-control-plane"));
  });
}
