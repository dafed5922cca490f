// Fields that a kind does not have, by the TypeScript types that were generated from its schema. The
// validators that come with them let such fields pass, and so does an API server unless it is asked.
import { join } from "node:path";
import { packages, ts } from "./packages.mjs";

// Fields that are newer than the types: kustomize-controller 1.9 has them. The tests of the mesh apply them.
const newer = new Set(["kustomize.toolkit.fluxcd.io/v1 Kustomization spec.ignore"]);

/** Of {object, module} each, as {object, message}. */
export function unknownFields(known) {
  const { checker, types } = typesOf(known);
  return known.flatMap(({ object, module }) => {
    const found = [];
    walk(checker, object, [types.get(module)], "", (path) => {
      const kind = `${object.apiVersion} ${object.kind}`;
      if (!newer.has(`${kind} ${path}`)) found.push({ object, message: `${path}: is not a field of ${kind}` });
    });
    return found;
  });
}

const compiled = new Map();

/** The type of each module's kind, as the compiler sees it. Most targets are of the same few kinds. */
function typesOf(known) {
  const kinds = new Map(known.map(({ object, module }) => [module, object.kind]));
  const key = [...kinds.keys()].sort().join();
  if (!compiled.has(key)) compiled.set(key, compile(kinds));
  return compiled.get(key);
}

function compile(kinds) {
  const name = join(packages, "kinds.ts");
  const text = [...kinds]
    .map(
      ([module, kind], index) =>
        `export declare const kind${index}: import(${JSON.stringify(module)}).I${kind};`,
    )
    .join("\n");
  const options = {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    types: [],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  host.readFile = (path) => (path === name ? text : readFile(path));
  host.fileExists = (path) => path === name || fileExists(path);
  const program = ts.createProgram([name], options, host);
  const [diagnostic] = program.getSemanticDiagnostics(program.getSourceFile(name));
  if (diagnostic) throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, " "));
  const checker = program.getTypeChecker();
  const exports = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(name)));
  return {
    checker,
    types: new Map(
      [...kinds.keys()].map((module, index) => [module, checker.getTypeOfSymbol(exports[index])]),
    ),
  };
}

/** The types that a value may have, all alternatives and parts of the types one by one. */
function parts(types) {
  return types.flatMap((type) => (type.isUnionOrIntersection() ? parts(type.types) : [type]));
}

function walk(checker, value, types, path, report) {
  const objects = parts(types).filter(
    (type) => type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Any | ts.TypeFlags.Unknown),
  );
  if (objects.some((type) => type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown))) return;
  if (Array.isArray(value)) {
    const elements = objects
      .filter((type) => checker.isArrayType(type))
      .flatMap((type) => checker.getTypeArguments(type));
    value.forEach((element, index) => walk(checker, element, elements, `${path}[${index}]`, report));
  } else if (value !== null && typeof value === "object") {
    const fields = (name) =>
      objects.flatMap((type) => {
        const property = checker.getPropertyOfType(type, name);
        const any = checker.getIndexTypeOfType(type, ts.IndexKind.String);
        return [property && checker.getTypeOfSymbol(property), any].filter(Boolean);
      });
    // A type that names nothing is one that takes everything.
    const open = objects.every(
      (type) =>
        checker.getPropertiesOfType(type).length === 0 &&
        !checker.getIndexTypeOfType(type, ts.IndexKind.String),
    );
    if (open) return;
    for (const [name, inner] of Object.entries(value)) {
      const here = path ? `${path}.${name}` : name;
      const found = fields(name);
      if (found.length === 0) report(here);
      else walk(checker, inner, found, here, report);
    }
  }
}
