// The variables of flux/ as Flux fills them in, so that the checked objects are the applied ones.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const variable = /(?<!\$)\$\{([A-Z_][A-Z0-9_]*)(?::=([^}]*))?\}/g;

/** The text that kustomize built, with defaults for its variables, and the example's value where there is none. */
export function filled(text, root) {
  const settings = readFileSync(join(root, "flux/examples/settings/settings.env"), "utf8");
  const example = (name) => settings.match(new RegExp(`^${name}=(.*)$`, "m"))?.[1];
  return text.replace(variable, (written, name, value) => value ?? example(name) ?? written);
}
