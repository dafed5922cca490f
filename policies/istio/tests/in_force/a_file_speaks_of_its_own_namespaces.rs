//! What a file has by hand of a namespace that is not for it changes nothing for anybody.

use crate::catalogs::{application, catalog, evil_keeps_to_itself, findings, guarded, in_force};
use istio_config::InForce;

const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: reviews, namespace: shop, labels: {istio.io/use-waypoint: web}}\nspec: {ports: [{port: 80}]}\n";

/// What an application of `shop` says, and what a file of somebody else has by hand.
const TAKEN: [(&str, &str); 7] = [
    // The waypoint that alone may call the pods.
    (
        "{dataplane: ambient, authorizationPolicy: {allow: [{from: [web], methods: [GET]}]}}",
        "apiVersion: v1\nkind: Service\nmetadata: {name: reviews, namespace: shop, labels: {istio.io/use-waypoint: web, istio.io/use-waypoint-namespace: evil}}\nspec: {ports: [{port: 80}]}\n",
    ),
    // The data plane.
    (
        "{sidecar: {calls: [reviews]}, virtualService: {timeout: 1s}}",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {istio.io/dataplane-mode: ambient}}\n",
    ),
    // A namespace of which the repository had no Gateway, no Service, or nothing at all.
    (
        "{virtualService: {hosts: [shop.example.com], gateways: [istio-ingress/public]}}",
        "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: x, namespace: istio-ingress}\nspec: {selector: {istio: x}, servers: [{hosts: [x.example.com], port: {name: http, number: 80, protocol: HTTP}}]}\n",
    ),
    (
        "{virtualService: {routes: [{to: [{service: pay.bank}]}]}}",
        "apiVersion: v1\nkind: Service\nmetadata: {name: x, namespace: bank}\nspec: {ports: [{port: 80}]}\n",
    ),
    (
        "{virtualService: {spec: {hosts: [example.com], http: [{route: [{destination: {host: reviews}}]}]}}}",
        "apiVersion: v1\nkind: Service\nmetadata: {name: example, namespace: com}\nspec: {ports: [{port: 80}]}\n",
    ),
    // The name of an object.
    (
        "{virtualService: {timeout: 1s}}",
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: reviews-virtual-service, namespace: shop}\nspec: {hosts: [nobody], http: [{route: [{destination: {host: nobody}}]}]}\n",
    ),
    // The routes of a host.
    (
        "{virtualService: {timeout: 1s}}",
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: x, namespace: shop}\nspec: {hosts: [reviews], http: [{route: [{destination: {host: reviews}}]}]}\n",
    ),
];

#[test]
fn objects_of_other_namespaces_change_nothing_for_them() {
    for (said, by_hand) in TAKEN {
        let mut is_taken = false;
        // Whichever comes first by its path.
        for dir in ["apps", "shop"] {
            let [document, service] = ["reviews", "service"].map(|name| format!("{dir}/{name}.yaml"));
            let files = [
                (&*document, application("shop/reviews", said)),
                (&*service, SERVICE.to_owned()),
                ("evil/zz.yaml", format!("---\n{by_hand}")),
            ];
            let alone = in_force(&files[..2]);
            let beside = guarded(&files, &InForce::default(), evil_keeps_to_itself);
            assert_eq!(beside.to_be_in_force(), alone, "{by_hand}: {:?}", findings(&beside));
            let [told] = &*findings(&beside) else { panic!("{by_hand}: {:?}", findings(&beside)) };
            assert!(
                told.starts_with("evil/zz.yaml:2:1: metadata: `") && told.ends_with(" [LIM02]"),
                "{told}"
            );
            assert!(beside.is_valid(), "it is a warning");
            is_taken |= catalog(&files, &InForce::default()).to_be_in_force() != alone;
        }
        // Where no Guardrail says so, any file may speak of any namespace.
        assert!(is_taken, "{by_hand}");
    }
}

#[test]
fn a_file_is_told_once_for_each_namespace_and_only_beside_applications() {
    let service = |name: &str, namespace: &str| {
        format!("---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: {namespace}}}\n")
    };
    let text = [("a", "shop"), ("b", "evil"), ("c", "bank"), ("d", "shop")];
    let text: String = text.into_iter().map(|(name, namespace)| service(name, namespace)).collect();
    let files = [
        ("evil/zz.yaml", text),
        ("shop/reviews.yaml", application("shop/reviews", "{peerAuthentication: {}}")),
    ];
    let told = findings(&guarded(&files, &InForce::default(), evil_keeps_to_itself));
    let right = "below a Guardrail that allows the namespace [LIM02]";
    assert_eq!(
        told,
        [
            format!(
                "evil/zz.yaml:2:1: metadata: `shop` is not within the namespaces of the Guardrails, so 2 objects of this file count for no application; move them {right}"
            ),
            format!(
                "evil/zz.yaml:10:1: metadata: `bank` is not within the namespaces of the Guardrails, so this object counts for no application; move it {right}"
            ),
        ]
    );
    assert_eq!(findings(&guarded(&files[..1], &InForce::default(), evil_keeps_to_itself)), [""; 0]);
}
