#!/usr/bin/env python3
"""Each mistake in flux/ is found: the real directories, with one thing changed in what kustomize makes of them."""

import functools
import pathlib
import shutil
import sys
import tempfile
import unittest

import yaml

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))

from flux_references import unsound_examples, unsound_settings  # noqa: E402
from fluxrefs import folder as outside  # noqa: E402
from fluxrefs.checks import CHECKS  # noqa: E402
from fluxrefs.cluster import Repository, expand  # noqa: E402
from fluxrefs.variables import substituted, used  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
GIVEN = {"POLICIES_URL": "https://git.example/policies.git"}
SHARED = Repository(ROOT)


class Changed(Repository):
    """The same directories, but in what one of them builds, one text is another."""

    def __init__(self, path, old, new):
        super().__init__(ROOT)
        self.path, self.old, self.new, self.hit = path, old, new, 0

    def build(self, path, over=None, components=()):
        text = yaml.safe_dump_all(SHARED.build(path, over, components), width=10_000)
        if path.removeprefix("./") == self.path:
            self.hit = text.count(self.old)
            text = text.replace(self.old, self.new)
        return [thing for thing in yaml.safe_load_all(text) if thing]


@functools.cache
def judged(cluster, path="", old="", new=""):
    """The findings about a cluster, and the checks that made them."""
    repository = Changed(path, old, new)
    made, wrong = expand(repository, f"flux/clusters/{cluster}", GIVEN)
    assert not path or repository.hit, f"{path} has no {old!r} to change"
    said = {check: list(check(made)) for check in CHECKS}
    return wrong + sum(said.values(), []), {check for check, messages in said.items() if messages}


def found(*change):
    return judged(*change)[0]


STACK = "flux/stacks/production"
AMBIENT = "flux/components/istio/ambient"
GATEWAY = "flux/components/istio/gateway/load-balancer"

MISTAKES = {
    "a path that is not there": (STACK, "./flux/components/certs/issuers", "./flux/components/certs/issuer", "is not a directory with a kustomization.yaml"),
    "a source that is not there": (STACK, "kind: GitRepository\n    name: hfi\n  timeout: 2m\n  wait: true", "kind: OCIRepository\n    name: hfi\n  timeout: 2m\n  wait: true", "its source OCIRepository flux-system/hfi is not there"),
    "a dependency that is mistyped": (STACK, "dependsOn:\n  - name: hfi-gateway-api", "dependsOn:\n  - name: hfi-gateway-apis", "depends on Kustomization flux-system/hfi-gateway-apis, which is not there"),
    "a name that others may have": (STACK, "kind: Alert\nmetadata:\n  name: hfi-on-call", "kind: Alert\nmetadata:\n  name: on-call", "needs a name that begins with hfi"),
    "a dependency in a circle": (STACK, "dependsOn:\n  - name: hfi-gateway-api", "dependsOn:\n  - name: hfi-gateway-api\n  - name: hfi", "Kustomization flux-system/hfi, which waits for it"),
    "custom resources before their CRDs": (STACK, "  dependsOn:\n  - name: hfi-cert-manager\n", "", "brings the CRDs of cert-manager.io"),
    "a Gateway before the CRDs of the Gateway API": (STACK, "  dependsOn:\n  - name: hfi-gateway-api\n", "", "brings the CRDs of gateway.networking.k8s.io"),
    "a Gateway before istiod": (STACK, "dependsOn:\n  - name: hfi-istio\n  - name: hfi-certs", "dependsOn:\n  - name: hfi-gateway-api\n  - name: hfi-certs", "which makes its pods"),
    "a link that does not wait": (STACK, "wait: true", "wait: false", "it needs `wait` or `healthChecks`"),
    "a link without a timeout": (STACK, "  timeout: 5m\n", "", "needs timeout"),
    "a timeout shorter than its releases'": (STACK, "  timeout: 5m\n", "  timeout: 1m\n", "gives up before its first HelmRelease does"),
    "a repair that has to wait": (STACK, "  timeout: 5m\n", "  timeout: 15m\n", "a commit that repairs a failed rollout would wait for 15m"),
    "a retry slower than the interval": (STACK, "retryInterval: 2m", "retryInterval: 2h", "retryInterval must be shorter"),
    "CRDs that are pruned": (STACK, "prune: false", "prune: true", "would take all objects of its CRDs along"),
    "CRDs that go with their Kustomization": (STACK, "  deletionPolicy: Orphan\n", "", "would take all objects of its CRDs along"),
    "one object with two owners": (STACK, "path: ./flux/components/istio/telemetry/failures-only", "path: ./flux/components/policies", "applied by"),
    "a setting that nothing uses": (STACK, "ISTIO_GATEWAY_CPU:", "ISTIO_GATEWAYS_CPU:", "nothing uses ISTIO_GATEWAYS_CPU"),
    "variables from a map that is not there": (STACK, "name: hfi-stack\n    - kind", "name: hfi-stacks\n    - kind", "hfi-stacks for its variables is not there"),
    "health asked of another kind": (STACK, "kind: Gateway", "kind: GatewayClass", "asks about gateway.networking.k8s.io/v1 GatewayClass, of which it has none"),
    "an object that is ready before anybody saw it": (STACK, "kind: ClusterIssuer", "kind: Issuer", "takes a ClusterIssuer without a status for ready"),
    "an expression that any status satisfies": (STACK, "&& c.observedGeneration == metadata.generation", "", "must demand a condition (`exists`) whose observedGeneration"),
    "an expression that no condition satisfies": (STACK, "status.conditions.exists(c, ", "status.conditions.all(c, ", "must demand a condition (`exists`)"),
    "a source that is checked out as a whole": ("flux/clusters/production", "sparseCheckout", "sparsCheckout", "checks out the whole repository"),
    "a source that lacks what is applied": ("flux/clusters/production", "  - k8s\n", "", "checks out flux; its sparseCheckout must be flux, k8s"),
    "an alert about something else": (STACK, "name: fault-policies\n    namespace: boifi", "name: fault-policies\n    namespace: default", "GitRepository default/fault-policies is not there"),
    "an alert without its provider": (STACK, "providerRef:\n    name: hfi-on-call", "providerRef:\n    name: oncall", "its provider oncall is not there"),
    "a Secret that nobody was told of": (STACK, "name: on-call-webhook", "name: slack-url", "says nothing of the Secret `slack-url`"),
    "a chart's source that is not there": (AMBIENT, "kind: HelmRepository\n        name: istio\n", "kind: HelmRepository\n        name: istios\n", "its source HelmRepository istio-system/istios is not there"),
    "a release that waits for nobody": (AMBIENT, "- name: istio-cni", "- name: istio-cnis", "depends on HelmRelease istio-system/istio-cnis, which is not there"),
    "releases in a circle": (AMBIENT, "- name: istio-base", "- name: ztunnel", "waits for itself"),
    "releases out of Istio's order": (AMBIENT, "- name: istio-cni", "- name: istio-base", "must depend on HelmRelease istio-system/istio-cni"),
    "a version that is a range": (AMBIENT, "version: 1.30.3", "version: 1.30.x", "is not exact"),
    "two versions of Istio": (AMBIENT, "chart: ztunnel\n      interval: 12h\n      sourceRef:\n        kind: HelmRepository\n        name: istio\n      version: 1.30.3", "chart: ztunnel\n      interval: 12h\n      sourceRef:\n        kind: HelmRepository\n        name: istio\n      version: 1.29.6", "are of several versions: 1.29.6, 1.30.3"),
    "a chart of Istio elsewhere": (AMBIENT, "name: ztunnel\n  namespace: istio-system", "name: ztunnel\n  namespace: kube-system", "find each other in istio-system"),
    "a release that leaves changes by hand": (AMBIENT, "mode: enabled", "mode: warn", "would leave what somebody changed by hand"),
    "a version that is not found for half a day": (AMBIENT, "interval: 5m", "interval: 12h", "would not be found for 12h"),
    "a release that gives up": (AMBIENT, "RetryOnFailure", "RemediateOnFailure", "must be tried again"),
    "a chart without the profile": (AMBIENT, "profile: ambient\n    resources:\n      requests:\n        cpu: ${ISTIO_D", "resources:\n      requests:\n        cpu: ${ISTIO_D", "have the profile ambient"),
    "a webhook that is fought over": (AMBIENT, "validationFailurePolicy: Fail", "validationFailurePolicy: Ignore", "change the webhook back and forth"),
    "a variable without a value": (AMBIENT, "${CNI_BIN_DIR:=/opt/cni/bin}", "${CNI_DIR}", "${CNI_DIR} has neither a default nor a value"),
    "a namespace that nobody makes": (AMBIENT, "kind: Namespace", "kind: ServiceAccount", "makes its namespace"),
    "a namespace that is pruned": (AMBIENT, "kustomize.toolkit.fluxcd.io/prune: disabled", "kustomize.toolkit.fluxcd.io/prune: enabled", "would be pruned with everything in it"),
    "the control plane under another name": (AMBIENT, "service: boifi/hfi-control-plane.", "service: boifi/hfi-controlplane.", "calls hfi-controlplane.boifi, which is not there"),
    "the control plane at another port": (AMBIENT, "port: 8080", "port: 8081", "calls port 8081 of hfi-control-plane.boifi, which has 8080"),
    "an access log that the mesh has not": (AMBIENT, "name: hfi-access-log", "name: hfi-log", "the mesh has no provider hfi-access-log"),
    "a gateway without its parameters": (GATEWAY, "kind: ConfigMap\n      name: hostk8s-gateway", "kind: ConfigMap\n      name: gateway", "its parameters, ConfigMap gateway, are not there"),
    "parameters of an unknown kind": (GATEWAY, "podDisruptionBudget:", "pdb:", "Istio takes no pdb"),
    "a listener without a certificate": (GATEWAY, "secretName: hostk8s-gateway-tls", "secretName: gateway-tls", "no Certificate makes the Secret hostk8s-gateway-tls"),
    "a certificate without an issuer": (GATEWAY, "${GATEWAY_ISSUER:=cluster-ca}", "nobody", "its issuer nobody is not there"),
    "a receiver that believes everybody": ("flux/components/policies", "type: github", "type: generic", "authenticates nobody"),
    "a receiver of something else": ("flux/components/policies", "resources:\n  - apiVersion: source.toolkit.fluxcd.io/v1\n    kind: GitRepository\n    name: fault-policies", "resources:\n  - apiVersion: source.toolkit.fluxcd.io/v1\n    kind: GitRepository\n    name: policies", "GitRepository boifi/policies is not there"),
    "a notification to another address": ("flux/components/policies", "svc.cluster.local:8080/v1", "svc.cluster.local:80/v1", "calls port 80 of hfi-control-plane.boifi"),
}

DEMO_MISTAKES = {
    "a waypoint that Istio has not": ("istio.io/waypoint-for: service", "istio.io/waypoint-for: namespace", "Istio has no waypoint for namespace"),
    "a route without its gateway": ("name: hostk8s-gateway", "name: gateway", "its parent Gateway istio-system/gateway is not there"),
    "a plugin for a gateway that is not there": ("kind: Gateway\n    name: waypoint", "kind: Gateway\n    name: waypoints", "its target Gateway demo/waypoints is not there"),
    "a plugin of a control plane without a cluster": ("control_plane_address: hfi-control-plane.boifi", "control_plane_address: checkout.demo", "so waypoints have no cluster for it"),
}

SIDECAR_MISTAKES = {
    "a module that nobody serves yet": ("flux/stacks/sidecar", "  dependsOn:\n  - name: hfi\n", "", "its module comes from Kustomization flux-system/hfi, which it must depend on"),
    "a module that an image need not have": ("flux/components/hfi/sidecar", "path: /filter/", "path: /v1/health#", "hfi-control-plane (Kustomization flux-system/hfi): starts with /v1/health"),
    "plugins of another module": ("k8s/plugin/mesh", ":8080/filter/", ":8080/filter/00", "starts with /filter/"),
}


APPLICATIONS = "flux/examples/applications"
APPLICATIONS_MISTAKES = {
    "an artifact that hfi does not make": ("flux/components/applications/tenant", "kind: ExternalArtifact\n    name: hfi-istio-", "kind: ExternalArtifact\n    name: hfi-", "its source ExternalArtifact hfi-istio/hfi-shop is not there"),
    "a component that is not there": (APPLICATIONS, "path: ./flux/components/applications/tenant", "path: ./flux/components/applications/tenant\n  components: [../envoyfilters]", "flux/components/applications/envoyfilters is not a directory"),
    "a namespace that is misspelt": (APPLICATIONS, "NAMESPACE: shop", "NAMESPCE: shop", "nothing uses NAMESPCE"),
    "an alert about other artifacts": ("flux/components/applications/alert", "kind: ExternalArtifact\n    name: '*'", "kind: ExternalArtifact\n    name: '*'\n    namespace: shop", "ExternalArtifact shop/* is not there"),
}


class EveryMistakeIsFound(unittest.TestCase):
    def test_the_folders_as_they_are_have_none(self):
        for cluster in ("local", "production", "sidecar"):
            with self.subTest(cluster):
                self.assertEqual(found(cluster), [])

    def test_each_mistake_in_production_is_named(self):
        for title, (path, old, new, message) in MISTAKES.items():
            with self.subTest(title):
                self.assertIn(message, "\n".join(found("production", path, old, new)))

    def test_each_mistake_in_the_demo_is_named(self):
        for title, (old, new, message) in DEMO_MISTAKES.items():
            with self.subTest(title):
                self.assertIn(message, "\n".join(found("local", "flux/examples/demo", old, new)))

    def test_each_mistake_with_sidecars_is_named(self):
        for title, (path, old, new, message) in SIDECAR_MISTAKES.items():
            with self.subTest(title):
                self.assertIn(message, "\n".join(found("sidecar", path, old, new)))

    def test_a_stack_may_have_applications(self):
        with_them = ("flux/clusters/production", "path: ./flux/stacks/production", "path: ./flux/stacks/production\n  components: [../applications]")
        self.assertEqual(found("production", *with_them), [])

    def test_each_mistake_with_applications_is_named(self):
        for title, (path, old, new, message) in APPLICATIONS_MISTAKES.items():
            with self.subTest(title):
                repository = Changed(path, old, new)
                said = [message for where, message in unsound_examples(repository, ROOT / "flux", GIVEN) if where == APPLICATIONS]
                self.assertTrue(repository.hit)
                self.assertIn(message, "\n".join(said))

    def test_a_waypoint_in_a_mesh_of_sidecars_is_named(self):
        self.assertIn(
            "a waypoint without ztunnel",
            "\n".join(found("sidecar", "flux/stacks/sidecar", "./k8s/plugin/mesh", "./flux/examples/demo")),
        )

    def test_variables_without_post_build_are_named(self):
        self.assertIn(
            "but no postBuild",
            "\n".join(found("production", STACK, "./flux/components/istio/telemetry/failures-only", "./flux/components/istio/gateway/base")),
        )

    def test_every_check_has_a_mistake_that_it_finds(self):
        silent = set(CHECKS)
        for path, old, new, _ in MISTAKES.values():
            silent -= judged("production", path, old, new)[1]
        for old, new, _ in DEMO_MISTAKES.values():
            silent -= judged("local", "flux/examples/demo", old, new)[1]
        for path, old, new, _ in SIDECAR_MISTAKES.values():
            silent -= judged("sidecar", path, old, new)[1]
        self.assertEqual([check.__name__ for check in silent], [])


class VariablesAreFilledInAsFluxDoes(unittest.TestCase):
    THING = {"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "${A}", "b": "${B:=2}", "c": "$${C}"}}

    def test_defaults_hold_only_without_a_value(self):
        filled, missing = substituted([self.THING], {"A": "x", "B": "true"})
        self.assertEqual((filled[0]["data"]["a"], filled[0]["data"]["b"]), ("x", True))
        self.assertEqual(missing, set())

    def test_what_has_no_value_is_missing(self):
        self.assertEqual(substituted([self.THING], {})[1], {"A"})

    def test_marked_objects_stay_as_they_are(self):
        marked = {**self.THING, "metadata": {"name": "a", "annotations": {"kustomize.toolkit.fluxcd.io/substitute": "disabled"}}}
        self.assertEqual(substituted([marked], {}), ([marked], set()))
        self.assertEqual(used([marked]), {})

    def test_each_is_known_with_its_defaults(self):
        self.assertEqual(used([self.THING]), {"A": {None}, "B": {"2"}})


class SettingsAreDocumentedAsTheyAre(unittest.TestCase):
    def test_as_the_components_use_them(self):
        self.assertEqual(list(unsound_settings({"A": "1", "POLICIES_URL": "x"}, {"A": {"1"}, "POLICIES_URL": {None}})), [])

    def test_every_difference_is_named(self):
        said = "\n".join(unsound_settings({"A": "1", "B": "2"}, {"B": {"3"}, "C": {"4"}, "POLICIES_URL": {"y"}}))
        for message in ("A is in settings.env, but nothing uses it", "B is 2 in settings.env", "C is a setting, but", "POLICIES_URL is a setting, but"):
            self.assertIn(message, said)


class WhatIsSaidOutsideHolds(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "flux"
        (self.folder / "stacks/local").mkdir(parents=True)
        for file in ("README.md", "stacks/local/kind.yaml"):
            shutil.copy(ROOT / "flux" / file, self.folder / file)

    def said(self, check):
        return "\n".join(check(self.folder, SHARED))

    def test_a_link_to_nowhere_is_named(self):
        (self.folder / "README.md").write_text("[a](examples/none) and `flux/none` and [b](README.md)")
        said = self.said(outside.links_lead_somewhere)
        self.assertIn("links to examples/none", said)
        self.assertIn("names flux/none", said)
        self.assertNotIn("links to README.md", said)

    def test_a_port_that_leads_nowhere_is_named(self):
        self.assertEqual(self.said(outside.the_laptops_ports_lead_to_services), "")
        file = self.folder / "stacks/local/kind.yaml"
        file.write_text(file.read_text().replace("30444", "30443"))
        self.assertIn("node port 30444", self.said(outside.the_laptops_ports_lead_to_services))


class KustomizesWordIsPassedOn(unittest.TestCase):
    def test_a_folder_that_does_not_build_is_a_finding(self):
        repository = Repository(ROOT)
        repository.kustomize = "false"
        _, wrong = expand(repository, "flux/clusters/local", GIVEN)
        self.assertEqual(len(wrong), 1)


if __name__ == "__main__":
    unittest.main()
