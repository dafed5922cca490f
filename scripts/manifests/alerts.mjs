// Tests the alerts of k8s/components/monitoring with promtool: each of them fires when it must, and not before. Ends
// with 1 if one does not, or lacks a test of either.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "./packages.mjs";

const root = join(import.meta.dirname, "../..");
const promtool = process.env.HFI_PROMTOOL ?? join(root, ".cache/prometheus/usr/bin/promtool");
const read = (file) => parse(readFileSync(join(root, file), "utf8"));
const { groups } = read("k8s/components/monitoring/prometheusrule.yaml").spec;
const suite = read("scripts/manifests/alerts.test.yaml");

const rules = groups.flatMap((group) => group.rules);
const tests = suite.tests.flatMap((test) => test.alert_rule_test);
const findings = [];
for (const { alert } of rules) {
  const fires = tests.filter((test) => test.alertname === alert).map((test) => Boolean(test.exp_alerts?.length));
  if (!fires.includes(true)) findings.push(`no test has ${alert} fire`);
  if (!fires.includes(false)) findings.push(`no test has ${alert} not fire`);
}
for (const { alertname } of tests) {
  if (!rules.some(({ alert }) => alert === alertname)) findings.push(`${alertname} is tested and not there`);
}

// promtool compares all annotations. Most tests say nothing of them: then those of the rule are meant, as they stand.
for (const test of tests) {
  const { annotations } = rules.find(({ alert }) => alert === test.alertname) ?? {};
  for (const alert of test.exp_alerts ?? []) alert.exp_annotations ??= annotations;
}
const folder = mkdtempSync(join(tmpdir(), "hfi-alerts-"));
try {
  // JSON is YAML too.
  writeFileSync(join(folder, "rules.yaml"), JSON.stringify({ groups }));
  writeFileSync(join(folder, "tests.yaml"), JSON.stringify(suite));
  const ran = spawnSync(promtool, ["test", "rules", "tests.yaml"], { cwd: folder, encoding: "utf8" });
  if (ran.status !== 0) findings.push((ran.error?.message ?? ran.stdout + ran.stderr).trim());
} finally {
  rmSync(folder, { recursive: true });
}

console.log(`${findings.length === 0 ? "ok    " : "WRONG "} alerts (${rules.length} rules, ${tests.length} tests)`);
for (const finding of findings) console.log(`         ${finding}`);
if (findings.length > 0) process.exitCode = 1;
