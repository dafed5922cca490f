//! The real kustomize-controller applies what hfi hands out, with the arguments and the link that `flux/` ships. Nothing goes
//! while hfi is away, or with an upgrade.

use serde_json::json;

use crate::support::{
    archive_server::ArchiveServer,
    artifacts::{CONFIG_MAP, World, ready},
    flux::{self, MERGE, free},
    links::{add_foreign_link, add_link, bring_tenant, foreign_link, hosts, link, look, until_applied},
};

const LINK: &str = "shop";

#[tokio::test]
async fn nothing_goes_while_hfi_is_away_nor_with_an_upgrade() {
    let world = World::start().await;
    bring_tenant(&world.api).await;
    let folder = tempfile::tempdir().unwrap();
    let controller = flux::apply_with(&world.api, folder.path(), 4);
    let applied = async |hosts: &[&str], controller: &harness::Process| {
        until_applied(&world.api, hosts, || controller.log().unwrap()).await;
    };
    world.write("reviews", "{host: reviews}");
    world.write("ratings", "{host: ratings}");
    world.push("Add two applications").await;
    let [address] = free();
    let (listen, url) = (address.to_string(), format!("http://{address}"));
    let environment = [("HFI_LISTEN", &*listen), ("HFI_ISTIO_ARTIFACTS_URL", &*url)];
    let hfi = world.serve_as("admin", &environment).await;
    applied(&["ratings", "reviews"], &controller).await;

    // No other tenant applies it with the rights of the controller.
    add_foreign_link(&world.api, "hfi-istio-shop").await;
    foreign_link(&world.api, "hfi-istio-shop", |ready| ready.starts_with("False AccessDenied")).await;

    // hfi is away for several intervals of its link, and Flux restarts. Other links go on.
    world.kill(hfi).await;
    look(&world.api, LINK).await;
    link(&world.api, LINK, |ready| ready.starts_with("False ArtifactFailed")).await;
    drop(controller);
    let controller = flux::apply_with(&world.api, folder.path(), 4);
    let server = ArchiveServer::start().await;
    add_link(&world.api, "other").await;
    server.publish(&world.api, "other", "well", "elsewhere").await;
    applied(&["elsewhere", "ratings", "reviews"], &controller).await;
    look(&world.api, LINK).await;
    assert_eq!(hosts(&world.api).await, ["elsewhere", "ratings", "reviews"]);

    // An older hfi, which took this commit, has published it; this one refuses a document of it.
    world.write("reviews", "{host: reviews, wrong: 1}");
    let commit = world.push("Write what the older hfi takes").await;
    let annotations = json!({"hfi.dev/commit": commit, "hfi.dev/renderer": "0.0.1"});
    let patch = json!({"metadata": {"annotations": annotations}}).to_string();
    world.api.ask("PATCH", CONFIG_MAP, &MERGE, &patch).await.unwrap();
    let hfi = world.serve_as("admin", &environment).await;
    let is_frozen = |status: &serde_json::Value| ready(status).1.starts_with("frozen: reviews at ");
    world.artifact("the freeze", &hfi, is_frozen).await;
    look(&world.api, LINK).await;
    link(&world.api, LINK, |ready| ready.starts_with("True")).await;
    assert_eq!(hosts(&world.api).await, ["elsewhere", "ratings", "reviews"]);
    world.write("ratings", "{host: scores}");
    world.push("Change the other one").await;
    applied(&["elsewhere", "reviews", "scores"], &controller).await;

    // The last applications leave.
    for name in ["reviews", "ratings"] {
        world.remove(name);
    }
    world.push("Take both away").await;
    applied(&["elsewhere"], &controller).await;
    link(&world.api, LINK, |ready| ready.starts_with("True")).await;
}
