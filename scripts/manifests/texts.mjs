// The rules for every object: names, and text that Flux would replace.

/** The mistakes of an object: an array of messages. */
export function texts(object) {
  const { kind, metadata } = object;
  const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
  const substituted = metadata?.annotations?.["kustomize.toolkit.fluxcd.io/substitute"] !== "disabled";
  const dotted =
    kind === "CustomResourceDefinition" || kind?.startsWith("ClusterRole") || kind?.startsWith("Role");
  return [
    [dotted || label.test(metadata?.name ?? ""), `the name ${metadata?.name} is not an RFC 1123 label`],
    [
      metadata?.namespace === undefined || label.test(metadata.namespace),
      `the namespace ${metadata?.namespace} is not an RFC 1123 label`,
    ],
    [
      !substituted || !JSON.stringify(object).includes("${"),
      "has `${`, which Flux replaces: annotate it with kustomize.toolkit.fluxcd.io/substitute: disabled",
    ],
    [
      kind !== "PeerAuthentication" || !object.spec?.portLevelMtls || object.spec.selector,
      "portLevelMtls needs a selector",
    ],
    [
      kind !== "AuthorizationPolicy" || object.spec?.action !== "DENY" || object.spec.rules?.length > 0,
      "a DENY without rules is refused by Istio",
    ],
  ].flatMap(([holds, message]) => (holds ? [] : [message]));
}
