//! A mesh in ambient: two namespaces, each with a waypoint. Pods are marked as istio-cni does it.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use world::World;

use super::refused::Refused;
use super::sent::{Sent, waypoint as sent_to_waypoint};
use crate::support::pods::{name, pods};
use crate::support::proxy::ask;
use crate::support::{PATIENCE, get, merge, roll_out_gateway, start_with_gateways, waypoint, workload};

/// The workloads, by namespace. The first one of each has a DestinationRule of its own.
const WORKLOADS: [(&str, &[&str]); 2] = [("shop", &["reviews", "ratings"]), ("bank", &["pay"])];

pub(super) struct Country {
    pub(super) world: World,
}

impl Country {
    /// Builds it, with further objects, and waits until its waypoints are ready.
    pub(super) async fn start(further: &[Value]) -> Result<Self> {
        let world = start_with_gateways().await?;
        let ambient = json!({"istio.io/dataplane-mode": "ambient", "istio.io/use-waypoint": "waypoint"});
        for (namespace, names) in WORKLOADS {
            let metadata = json!({"name": namespace, "labels": ambient});
            let namespace_object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
            let mut objects = vec![namespace_object, waypoint(namespace)];
            for name in names {
                objects.extend(workload(namespace, name).into_iter().map(|object| in_ambient(object, name)));
            }
            world.apply(&objects).await?;
        }
        world.apply(further).await?;
        let country = Self { world };
        country.let_connect_in("3s").await?;
        for (namespace, names) in WORKLOADS {
            for name in [&["waypoint"], names].concat() {
                roll_out_gateway(&country.world, namespace, name).await?;
            }
        }
        Ok(country)
    }

    /// Waits until istiod knows objects.
    pub(super) async fn is_known(&self, refused: &[Refused]) -> Result<()> {
        self.until("istiod to know the objects", async || {
            let known = self.world.istiod_shows("configz").await?;
            let known: Vec<_> = known.as_array().into_iter().flatten().collect();
            let is_known = |refused: &&Refused| {
                known.iter().any(|known| {
                    ["/kind", "/metadata/name", "/metadata/namespace"]
                        .iter()
                        .all(|path| known.pointer(path) == refused.object.pointer(path))
                        && known
                            .get("spec")
                            .is_some_and(|spec| spec == refused.object.get("spec").unwrap_or(&Value::Null))
                })
            };
            let unknown: Vec<_> = refused.iter().filter(|refused| !is_known(refused)).collect();
            ensure!(unknown.is_empty(), "{unknown:#?}");
            Ok(())
        })
        .await
    }

    /// All that istiod sends, after it has sent what it knows now: it sends everything in turn, so that the last change
    /// that is seen comes after all others.
    pub(super) async fn sent(&self) -> Result<Sent> {
        for time in ["4s", "3s"] {
            self.let_connect_in(time).await?;
            for (namespace, _) in WORKLOADS {
                self.until_waypoint(namespace, &format!("\"connect_timeout\":\"{time}\"")).await?;
            }
        }
        let canary = json!({
            "apiVersion": "security.istio.io/v1",
            "kind": "AuthorizationPolicy",
            "metadata": {"name": "canary", "namespace": "shop"},
            "spec": {"rules": [{"to": [{"operation": {"ports": ["8080"]}}]}]},
        });
        self.world.apply(&[canary]).await?;
        self.until_ztunnel("canary").await?;
        self.world.kubectl(&["delete", "authorizationpolicy", "canary", "--namespace=shop"]).await?;
        self.until("the canary to be gone", async || {
            ensure!(self.policy("canary").await?.is_none(), "it is there");
            Ok(())
        })
        .await?;
        let mut sent = Sent::of_ztunnel(&self.world.istiod_shows("ambientz").await?)?;
        for (namespace, _) in WORKLOADS {
            sent.add(namespace, &self.waypoint(namespace).await?);
        }
        Ok(sent)
    }

    /// What a waypoint has.
    pub(super) async fn waypoint(&self, namespace: &str) -> Result<Value> {
        let pods = pods(&self.world, namespace, None).await?;
        let pod = pods.iter().find(|pod| name(pod).starts_with("waypoint-")).context("no waypoint")?;
        sent_to_waypoint(&serde_json::from_str(&ask(&self.world, pod, "config_dump").await?)?)
    }

    /// Waits until a waypoint has a text in its configuration.
    pub(super) async fn until_waypoint(&self, namespace: &str, text: &str) -> Result<()> {
        self.until("a waypoint to have its configuration", async || {
            ensure!(self.waypoint(namespace).await?.to_string().contains(text), "{namespace} lacks {text}");
            Ok(())
        })
        .await
    }

    /// Fails if a waypoint has a text in its configuration.
    pub(super) async fn waypoint_lacks(&self, namespace: &str, text: &str) -> Result<()> {
        ensure!(!self.waypoint(namespace).await?.to_string().contains(text), "{namespace} has {text}");
        Ok(())
    }

    /// Waits until a policy is sent to ztunnel, and answers with it.
    pub(super) async fn until_ztunnel(&self, name: &str) -> Result<Value> {
        self.until("a policy to be sent to ztunnel", async || {
            self.policy(name).await?.with_context(|| format!("{name} is not sent"))
        })
        .await
    }

    /// The reason that istiod writes to a policy why ztunnel does not have all of it.
    pub(super) async fn reason_of_ztunnel(&self, name: &str) -> Result<String> {
        self.until("istiod to write a status", async || {
            let policy = get(&self.world, "shop", &format!("authorizationpolicy/{name}")).await?;
            let message = policy.pointer("/status/conditions/0/message").and_then(Value::as_str);
            message.map(str::to_owned).context("no status")
        })
        .await
    }

    async fn policy(&self, name: &str) -> Result<Option<Value>> {
        let shown = self.world.istiod_shows("ambientz").await?;
        let policies = shown.get("policies").and_then(Value::as_array).into_iter().flatten();
        let mut named = policies.filter(|policy| policy.get("name").is_some_and(|own| own == name));
        Ok(named.next().cloned())
    }

    /// Writes how long the waypoints wait for a connection. `reviews` also has a subset.
    async fn let_connect_in(&self, time: &str) -> Result<()> {
        let rules = WORKLOADS.iter().filter_map(|(namespace, names)| {
            let name = names.first()?;
            Some(json!({
                "apiVersion": "networking.istio.io/v1",
                "kind": "DestinationRule",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {
                    "host": format!("{name}.{namespace}.svc.cluster.local"),
                    "subsets": [{"name": "v1", "labels": {"app": name}}],
                    "trafficPolicy": {"connectionPool": {"tcp": {"connectTimeout": time}}},
                },
            }))
        });
        self.world.apply(&rules.collect::<Vec<_>>()).await
    }

    async fn until<T>(&self, what: &'static str, look: impl AsyncFn() -> Result<T>) -> Result<T> {
        let deadline = harness::Deadline::of_costly(what, PATIENCE);
        loop {
            match look().await {
                Ok(found) => return Ok(found),
                Err(error) => deadline.pause().await.context(error)?,
            }
        }
    }
}

/// Gives Pods the label by which hfi selects them, and the mark of istio-cni.
fn in_ambient(mut object: Value, name: &str) -> Value {
    if object.get("kind").is_some_and(|kind| kind == "Deployment") {
        let metadata = json!({
            "labels": {"app.kubernetes.io/name": name},
            "annotations": {"ambient.istio.io/redirection": "enabled"},
        });
        merge(&mut object, json!({"spec": {"template": {"metadata": metadata}}}));
    }
    object
}
