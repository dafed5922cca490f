// Each check can fail: a manifest of ours with one mistake in it, and what is said about that.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { findings } from "../findings.mjs";
import { objects, targets } from "../targets.mjs";

const built = new Map();

before(() => {
  for (const { name, objects } of targets().filter(({ name }) =>
    /^k8s\/(overlays|plugin)\/[a-z]+$/.test(name),
  ))
    built.set(name, objects());
});

/** The target with a change to its first object of that kind. */
async function wrong(target, kind, change) {
  const copy = structuredClone(built.get(`k8s/${target}`));
  change(
    copy.find((object) => object.kind === kind),
    copy,
  );
  return (await findings(copy)).join("\n");
}

const container = (object) => object.spec.template.spec.containers[0];

const mistakes = [
  // Schemas, of kinds from each source and at any depth.
  ["overlays/default", "Deployment", (d) => (d.spec.relicas = 2), "spec.relicas: is not a field"],
  [
    "overlays/default",
    "Deployment",
    (d) => (container(d).readinesProbe = {}),
    "containers[0].readinesProbe: is not a field",
  ],
  ["overlays/default", "Deployment", (d) => (d.metadata.lables = {}), "metadata.lables: is not a field"],
  ["overlays/default", "Deployment", (d) => delete d.spec.selector, "required property selector"],
  ["overlays/default", "Deployment", (d) => (container(d).resources.requests.memory = "12Mx"), "quantity"],
  ["overlays/default", "ConfigMap", (c) => (c.data.HFI_INTERVAL = 30), "must be string"],
  [
    "overlays/default",
    "Deployment",
    (d) => (d.apiVersion = "apps/v3"),
    "no schema is known of apps/v3 Deployment",
  ],
  [
    "overlays/sidecar",
    "AuthorizationPolicy",
    (a) => (a.spec.rules[0].to[0].operation.method = ["GET"]),
    "operation.method: is not a field",
  ],
  [
    "plugin/sidecar",
    "WasmPlugin",
    (w) => (w.spec.match[0].mode = "Server"),
    "must be equal to one of the allowed values",
  ],
  ["plugin/sidecar", "WasmPlugin", (w) => (w.spec.selctor = {}), "spec.selctor: is not a field"],
  // Plugins.
  ["plugin/sidecar", "WasmPlugin", (w) => delete w.spec.failStrategy, "failStrategy must be FAIL_OPEN"],
  ["plugin/sidecar", "WasmPlugin", (w) => (w.spec.phase = "AUTHN"), "phase must be STATS"],
  ["plugin/sidecar", "WasmPlugin", (w) => delete w.spec.sha256, "sha256 must be 64"],
  ["plugin/sidecar", "WasmPlugin", (w) => (w.spec.sha256 = "0".repeat(64)), "url must be oci://"],
  ["plugin/sidecar", "WasmPlugin", (w) => (w.spec.sha256 = 1e63), "must be string"],
  ["plugin/sidecar", "WasmPlugin", (w) => delete w.spec.imagePullPolicy, "imagePullPolicy"],
  ["plugin/sidecar", "WasmPlugin", (w) => delete w.spec.match, "has one match, SERVER or CLIENT"],
  [
    "plugin/sidecar",
    "WasmPlugin",
    (w) => (w.spec.match[0].mode = "CLIENT_AND_SERVER"),
    "has one match, SERVER or CLIENT",
  ],
  ["plugin/sidecar", "WasmPlugin", (w) => (w.metadata.namespace = "boifi"), "would fault what ends faults"],
  ["plugin/waypoint", "WasmPlugin", (w) => (w.spec.match = [{ mode: "SERVER" }]), "has no match"],
  [
    "plugin/waypoint",
    "WasmPlugin",
    (w) => (w.spec.selector = { matchLabels: { a: "b" } }),
    "exclude each other",
  ],
  ["plugin/waypoint", "WasmPlugin", (w) => (w.spec.targetRefs[0].namespace = "demo"), "own namespace only"],
  ["plugin/mesh", "WasmPlugin", (w) => delete w.spec.selector, "needs the label hfi.dev/inject"],
  [
    "plugin/mesh",
    "WasmPlugin",
    (w) => (w.spec.selector.matchLabels = { "app.kubernetes.io/name": "hfi-control-plane" }),
    "selects the control plane",
  ],
  // Pods.
  [
    "overlays/default",
    "Deployment",
    (d) => delete d.spec.template.spec.securityContext.runAsNonRoot,
    "other than root",
  ],
  [
    "overlays/default",
    "Deployment",
    (d) => delete d.spec.template.spec.securityContext.seccompProfile,
    "seccomp",
  ],
  [
    "overlays/default",
    "Deployment",
    (d) => delete container(d).securityContext.capabilities,
    "drop all capabilities",
  ],
  [
    "overlays/default",
    "Deployment",
    (d) => delete container(d).securityContext.readOnlyRootFilesystem,
    "read-only root",
  ],
  [
    "overlays/default",
    "Deployment",
    (d) => delete container(d).securityContext.allowPrivilegeEscalation,
    "privilege escalation",
  ],
  ["overlays/default", "Deployment", (d) => delete container(d).resources.limits, "bound its memory"],
  ["overlays/default", "Deployment", (d) => delete container(d).startupProbe, "liveness probes"],
  ["overlays/default", "Deployment", (d) => (container(d).image = "hfi"), "tag or digest"],
  [
    "overlays/default",
    "Deployment",
    (d) => delete d.spec.template.spec.topologySpreadConstraints,
    "spread over nodes",
  ],
  [
    "overlays/default",
    "Deployment",
    (d) => delete d.spec.template.spec.automountServiceAccountToken,
    "gets a token",
  ],
  ["overlays/default", "Deployment", (d) => (d.spec.template.spec.hostNetwork = true), "host's namespaces"],
  [
    "overlays/default",
    "Deployment",
    (d) => d.spec.template.spec.volumes.push({ name: "h", hostPath: { path: "/" } }),
    "paths of the host",
  ],
  // References between objects.
  ["overlays/default", "Service", (s) => (s.spec.selector = { app: "hfi" }), "selects no pod"],
  ["overlays/default", "Service", (s) => (s.spec.ports[0].targetPort = "web"), "port web is none"],
  ["overlays/default", "PodDisruptionBudget", (p) => (p.metadata.namespace = "default"), "selects no pod"],
  [
    "overlays/default",
    "NetworkPolicy",
    (n) => (n.spec.podSelector.matchLabels = { app: "hfi" }),
    "selects no pod",
  ],
  [
    "overlays/sidecar",
    "PeerAuthentication",
    (p) => (p.spec.portLevelMtls = { 8081: { mode: "PERMISSIVE" } }),
    "port 8081 is none",
  ],
  ["overlays/default", "ConfigMap", (c) => (c.metadata.name = "other"), "is not there"],
  [
    "overlays/default",
    "Deployment",
    (d) => (d.spec.template.spec.serviceAccountName = "other"),
    "ServiceAccount other is not there",
  ],
  ["overlays/default", "Deployment", (d) => d.spec.template.spec.volumes.pop(), "volume halt is not there"],
  [
    "overlays/default",
    "Deployment",
    (d) => container(d).volumeMounts.pop(),
    "volume halt is mounted nowhere",
  ],
  [
    "overlays/ambient",
    "PeerAuthentication",
    (_, all) =>
      all.push(built.get("k8s/overlays/sidecar").find(({ kind }) => kind === "AuthorizationPolicy")),
    "have no sidecar",
  ],
  // Texts.
  ["overlays/default", "Service", (s) => (s.metadata.name = "hfi_control_plane"), "not an RFC 1123 label"],
  ["overlays/default", "ConfigMap", (c) => (c.data.HFI_REPO = "${REPO}"), "which Flux replaces"],
  ["overlays/sidecar", "PeerAuthentication", (p) => delete p.spec.selector, "portLevelMtls needs a selector"],
  [
    "overlays/sidecar",
    "AuthorizationPolicy",
    (a) => (a.spec = { ...a.spec, action: "DENY", rules: [] }),
    "DENY without rules",
  ],
];

for (const [target, kind, change, said] of mistakes) {
  test(`${target}, ${kind}: ${said}`, async () => {
    const text = await wrong(target, kind, change);
    assert.ok(text.includes(said), `found only: ${text || "nothing"}`);
  });
}

test("what a kind leaves open may hold anything", async () => {
  assert.equal(
    await wrong("plugin/sidecar", "WasmPlugin", (w) => (w.spec.pluginConfig.deep = { er: [1] })),
    "",
  );
});

test("a key given twice is an error", () => {
  assert.throws(() => objects("a: 1\na: 2\n"), /unique/);
});
