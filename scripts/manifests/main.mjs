// Checks everything that can be applied; ends with 1 if anything is wrong.
import { findings } from "./findings.mjs";
import { targets } from "./targets.mjs";

for (const { name, objects } of targets()) {
  let found;
  let count = 0;
  try {
    const built = objects();
    count = built.length;
    found = await findings(built);
  } catch (error) {
    found = [String(error.stderr ?? error.stack).trim()];
  }
  console.log(`${found.length === 0 ? "ok    " : "WRONG "} ${name} (${count} objects)`);
  for (const finding of found) console.log(`         ${finding}`);
  if (found.length > 0) process.exitCode = 1;
}
