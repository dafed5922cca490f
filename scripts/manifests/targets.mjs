// Everything that can be applied: every directory with a kustomization.yaml below k8s/ and flux/.
import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { parse, parseAllDocuments } from "./packages.mjs";
import { filled } from "./variables.mjs";

const root = realpathSync(join(import.meta.dirname, "../.."));
const kustomize = process.env.HFI_KUSTOMIZE ?? join(root, ".cache/kustomize/usr/bin/kustomize");

// Components stand on something: on what a user of one of ours has.
const ground = "k8s/overlays/default";

/** Each has a name and a function that gives its objects, or throws what kustomize says. */
export function targets() {
  const folders = globSync("{k8s,flux}/**/kustomization.yaml", { cwd: root }).map(dirname).sort();
  const isComponent = (folder) =>
    parse(readFileSync(join(root, folder, "kustomization.yaml"), "utf8"))?.kind === "Component";
  const components = folders.filter(isComponent);
  const ours = components.filter((folder) => dirname(folder) === "k8s/components");
  return [
    ...folders
      .filter((folder) => !isComponent(folder))
      .map((folder) => ({ name: folder, objects: () => build(join(root, folder)) })),
    ...components.map((folder) => ({ name: `${ground} with ${folder}`, objects: () => buildWith([folder]) })),
    { name: `${ground} with every component`, objects: () => buildWith(ours) },
  ];
}

export function build(folder) {
  const text = execFileSync(kustomize, ["build", folder], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 1 << 28,
  });
  return objects(filled(text, root));
}

function buildWith(components) {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "hfi-manifests-"));
  try {
    const kustomization = {
      resources: [relative(folder, join(root, ground))],
      components: components.map((component) => relative(folder, join(root, component))),
    };
    writeFileSync(join(folder, "kustomization.yaml"), JSON.stringify(kustomization));
    return build(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The objects of a stream of YAML documents. A key given twice is an error. */
export function objects(text) {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS() ?? [];
  });
}
