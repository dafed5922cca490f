// All that can be said against the objects of one target.
import { againstSchemas } from "./schema.mjs";
import { links } from "./links.mjs";
import { plugin } from "./plugins.mjs";
import { pods } from "./pods.mjs";
import { texts } from "./texts.mjs";

/** Every finding as a line of text. */
export async function findings(objects) {
  const invalid = await againstSchemas(objects);
  // The rules take for granted what schemas say.
  const found = invalid.length > 0 ? invalid : [...objects.flatMap(rules), ...links(objects)];
  return found.map(({ object, message }) => `${object.kind} ${object.metadata?.name}: ${message}`);
}

function rules(object) {
  return [plugin, pods, texts].flatMap((rule) => rule(object)).map((message) => ({ object, message }));
}
