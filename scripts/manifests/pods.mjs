// The rules for every workload of ours: Kubernetes' restricted Pod Security Standard and a bit more.

/** The mistakes of the pods of a workload: an array of messages. */
export function pods({ kind, spec }) {
  if (!["Deployment", "StatefulSet", "DaemonSet", "Job"].includes(kind)) return [];
  const pod = spec.template.spec;
  const containers = [...(pod.initContainers ?? []), ...pod.containers];
  return [
    ...[
      [
        pod.securityContext?.runAsNonRoot === true && pod.securityContext.runAsUser > 0,
        "must run as a user other than root",
      ],
      [
        pod.securityContext?.seccompProfile?.type === "RuntimeDefault",
        "must have the seccomp profile RuntimeDefault",
      ],
      [!pod.hostNetwork && !pod.hostPID && !pod.hostIPC, "must not share the host's namespaces"],
      [
        pod.automountServiceAccountToken !== undefined,
        "must say whether it gets a token of its ServiceAccount",
      ],
      [!pod.volumes?.some((volume) => volume.hostPath), "must not mount paths of the host"],
      [kind === "Job" || pod.topologySpreadConstraints?.length > 0, "must be spread over nodes"],
    ].flatMap(([holds, message]) => (holds ? [] : [message])),
    ...containers.flatMap((container) =>
      ofContainer(container, kind).map((message) => `container ${container.name} ${message}`),
    ),
  ];
}

function ofContainer(
  { securityContext, resources, readinessProbe, livenessProbe, startupProbe, image },
  kind,
) {
  return [
    [securityContext?.allowPrivilegeEscalation === false, "must refuse privilege escalation"],
    [securityContext?.readOnlyRootFilesystem === true, "must have a read-only root"],
    [
      securityContext?.capabilities?.drop?.includes("ALL") && !securityContext.capabilities.add,
      "must drop all capabilities",
    ],
    [
      resources?.requests?.cpu && resources.requests.memory && resources.limits?.memory,
      "must ask for CPU and memory, and bound its memory",
    ],
    [
      kind === "Job" || (readinessProbe && livenessProbe && startupProbe),
      "must have start-up, readiness and liveness probes",
    ],
    [/[:@]/.test(image ?? "") && !image.endsWith(":latest"), "must name its image by a tag or digest"],
  ].flatMap(([holds, message]) => (holds ? [] : [message]));
}
