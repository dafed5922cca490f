// The packages that scripts/manifests/tools installs, which lie where Node does not look for them.
import { createRequire } from "node:module";
import { join } from "node:path";

/** The directory of the packages. */
export const packages = join(import.meta.dirname, "../../.cache/schemas/node_modules");
const require = createRequire(join(packages, "index.js"));

export const { parse, parseAllDocuments } = require("yaml");
export const ts = require("typescript");
