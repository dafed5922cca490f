// The rules for every WasmPlugin, so that no application suffers from it. Istio's schema lets all of
// this through, and its webhook some.
const control = { namespace: "boifi", labels: { "app.kubernetes.io/name": "hfi-control-plane" } };
const root = "istio-system";

/** The mistakes of a plugin: an array of messages. */
export function plugin({ kind, metadata, spec }) {
  if (kind !== "WasmPlugin") return [];
  const { selector, targetRef, targetRefs, match, url, sha256, failStrategy, phase, imagePullPolicy } = spec;
  const referred = targetRefs ?? (targetRef ? [targetRef] : undefined);
  const modes = match?.map(({ mode }) => mode);
  const labels = selector?.matchLabels ?? {};
  return [
    [
      failStrategy === "FAIL_OPEN",
      "failStrategy must be FAIL_OPEN: any other denies traffic when the module fails",
    ],
    [phase === "STATS", "phase must be STATS: what authorisation denies is to be denied first"],
    [
      imagePullPolicy === "IfNotPresent",
      "imagePullPolicy must be IfNotPresent: the digest says which module it is",
    ],
    [/^[0-9a-f]{64}$/.test(sha256 ?? ""), "sha256 must be 64 hexadecimal digits"],
    [
      url?.startsWith("oci://") || (url?.startsWith("http://") && url.endsWith(`/filter/${sha256}.wasm`)),
      "url must be oci://…, or end in /filter/SHA256.wasm with the digest of sha256",
    ],
    [!selector || !referred, "selector and targetRefs exclude each other"],
    [
      !referred?.some(({ namespace }) => namespace),
      "targetRefs name things of the plugin's own namespace only",
    ],
    [
      !referred || !match,
      "a plugin with targetRefs has no match: a waypoint's requests are inbound, and for Istio a gateway is CLIENT",
    ],
    [
      referred || (modes?.length === 1 && ["SERVER", "CLIENT"].includes(modes[0])),
      "a plugin for sidecars has one match, SERVER or CLIENT: else a fault hits each request twice on its way",
    ],
    [
      metadata.namespace !== control.namespace,
      "a plugin in the control plane's namespace would fault what ends faults",
    ],
    [
      metadata.namespace !== root || referred || "hfi.dev/inject" in labels,
      "in Istio's root namespace a plugin is for the whole mesh: it needs the label hfi.dev/inject",
    ],
    [
      metadata.namespace !== root ||
        !selector ||
        Object.entries(labels).some(([key, value]) => control.labels[key] !== value),
      "the selector selects the control plane",
    ],
  ].flatMap(([holds, message]) => (holds ? [] : [message]));
}
