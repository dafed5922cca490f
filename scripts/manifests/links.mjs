// The references between objects: selectors pick pods, ports have names, what is mounted exists.

/** The wrong references between the objects of one target: an array of {object, message}. */
export function links(objects) {
  const workloads = objects.filter(({ kind }) => kind === "Deployment");
  // A target without workloads is for those of others.
  return workloads.length === 0
    ? []
    : objects.flatMap((object) =>
        [...selections(object, workloads), ...references(object, objects), ...layer7(object, objects)].map(
          (message) => ({ object, message }),
        ),
      );
}

function selections(object, workloads) {
  const { kind, metadata, spec } = object;
  const labels = {
    Service: spec?.selector,
    PodDisruptionBudget: spec?.selector?.matchLabels,
    NetworkPolicy: spec?.podSelector?.matchLabels,
    PodMonitor: spec?.selector?.matchLabels,
    PeerAuthentication: spec?.selector?.matchLabels,
    AuthorizationPolicy: spec?.selector?.matchLabels,
    Deployment: spec?.selector?.matchLabels,
  }[kind];
  if (!labels) return [];
  const selected = workloads.filter(
    (workload) =>
      workload.metadata.namespace === metadata.namespace &&
      Object.entries(labels).every(([key, value]) => workload.spec.template.metadata.labels[key] === value),
  );
  if (selected.length === 0) return [`selects no pod of this target: ${JSON.stringify(labels)}`];
  const ports = selected
    .flatMap((workload) => workload.spec.template.spec.containers)
    .flatMap((container) => container.ports ?? []);
  const has = (port) =>
    ports.some(({ name, containerPort }) => port === name || Number(port) === containerPort);
  const asked =
    {
      Service: spec.ports?.map(({ targetPort, port }) => targetPort ?? port),
      PodMonitor: spec.podMetricsEndpoints?.map(({ port }) => port),
      PeerAuthentication: Object.keys(spec.portLevelMtls ?? {}),
    }[kind] ?? [];
  return asked.filter((port) => !has(port)).map((port) => `port ${port} is none of its pods'`);
}

function references({ kind, metadata, spec }, objects) {
  if (kind !== "Deployment") return [];
  const pod = spec.template.spec;
  const exists = (kind, name) =>
    objects.some(
      (other) =>
        other.kind === kind &&
        other.metadata.name === name &&
        other.metadata.namespace === metadata.namespace,
    );
  const volumes = (pod.volumes ?? []).map(({ name }) => name);
  return pod.containers
    .flatMap((container) => [
      ...(container.envFrom ?? [])
        .filter(
          ({ configMapRef }) =>
            configMapRef && !configMapRef.optional && !exists("ConfigMap", configMapRef.name),
        )
        .map(({ configMapRef }) => `ConfigMap ${configMapRef.name} is not there`),
      ...(container.volumeMounts ?? [])
        .filter(({ name }) => !volumes.includes(name))
        .map(({ name }) => `volume ${name} is not there`),
      ...volumes
        .filter((name) => !container.volumeMounts?.some((mount) => mount.name === name))
        .map((name) => `volume ${name} is mounted nowhere`),
    ])
    .concat(
      exists("ServiceAccount", pod.serviceAccountName)
        ? []
        : [`ServiceAccount ${pod.serviceAccountName} is not there`],
    );
}

/** Only a sidecar enforces what is said of methods and paths; ztunnel would refuse every connection. */
function layer7({ kind, metadata, spec }, objects) {
  if (kind !== "AuthorizationPolicy" || spec.targetRefs) return [];
  const reads = spec.rules?.some(({ to }) =>
    to?.some(({ operation }) => operation.methods ?? operation.paths ?? operation.hosts),
  );
  const namespace = objects.find(
    (object) => object.kind === "Namespace" && object.metadata.name === metadata.namespace,
  );
  const sidecars = namespace?.metadata.labels?.["istio-injection"] === "enabled";
  return reads && !sidecars ? ["says something of methods or paths, but its pods have no sidecar"] : [];
}
