// Objects against the schemas of their kinds, strictly: the validators that were generated from them
// find what is missing or wrong, and `unknownFields` what a kind does not have.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { packages } from "./packages.mjs";
import { unknownFields } from "./fields.mjs";

const sources = [
  "kubernetes-models",
  ...["cert-manager", "flux-cd", "gateway-api", "istio", "prometheus-operator"].map(
    (name) => `@kubernetes-models/${name}`,
  ),
];

/** The objections of the schemas to the objects: an array of {object, message}. */
export async function againstSchemas(objects) {
  const all = objects.map((object) => ({ object, module: moduleOf(object) }));
  const known = all.filter(({ module }) => module);
  const foreign = all
    .filter(({ module }) => !module)
    .map(({ object }) => ({ object, message: `no schema is known of ${object.apiVersion} ${object.kind}` }));
  const invalid = await Promise.all(known.map(validate));
  return [...foreign, ...unknownFields(known), ...invalid.flat()];
}

/** The module of a kind: a class with a validator, and its type. */
function moduleOf({ apiVersion, kind }) {
  if (!/^[a-z0-9.-]+(\/[a-z0-9]+)?$/.test(apiVersion ?? "") || !/^[A-Za-z]+$/.test(kind ?? ""))
    return undefined;
  return sources.map((source) => join(packages, source, apiVersion, `${kind}.js`)).find(existsSync);
}

async function validate({ object, module }) {
  const { [object.kind]: Model } = await import(pathToFileURL(module));
  try {
    new Model(object).validate();
    return [];
  } catch (error) {
    return [{ object, message: error.message }];
  }
}
