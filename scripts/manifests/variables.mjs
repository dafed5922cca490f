// The variables of flux/ as Flux fills them in, so that the checked objects are the applied ones.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "./packages.mjs";

const variable = /(?<!\$)\$\{([A-Z_][A-Z0-9_]*)(?::=([^}]*))?\}/g;

/** The text that kustomize built, with defaults for its variables, and an example's value where there is none. */
export function filled(text, root) {
  const read = (path) => readFileSync(join(root, "flux/examples", path), "utf8");
  const [settings, link] = [read("settings/settings.env"), read("applications/namespace.yaml")];
  const own = parse(link).spec.postBuild.substitute;
  const example = (name) => own[name] ?? settings.match(new RegExp(`^${name}=(.*)$`, "m"))?.[1];
  return text.replace(variable, (written, name, value) => value ?? example(name) ?? written);
}
