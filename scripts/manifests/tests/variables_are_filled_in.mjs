// The objects of flux/ that are checked are those that Flux would apply.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { filled } from "../variables.mjs";

const root = join(import.meta.dirname, "../../..");

test("a default holds", () => {
  assert.equal(filled("a: ${REPLICAS:=2}\nb: ${IMAGE:=hfi:0.1.0}", root), "a: 2\nb: hfi:0.1.0");
});

test("what has none gets the example's value", () => {
  assert.match(filled("url: ${POLICIES_URL}", root), /^url: https:\/\//);
});

test("what nobody knows stays, for the check that refuses it", () => {
  assert.equal(filled("a: ${NOBODYS}\nb: ${datasource}", root), "a: ${NOBODYS}\nb: ${datasource}");
});
