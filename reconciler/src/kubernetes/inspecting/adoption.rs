//! The namespaces where hfi cannot see objects that others have made.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, stream};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::{Api, Client, api::PostParams};

use super::ASKED_AT_ONCE;
use crate::{
    doctor::inventory::{Link, Name},
    kubernetes::client::call::{TIMEOUT, with_timeout},
};

/// The namespaces with artifacts of which hfi may not read the objects. None where the user may not ask that.
pub(super) async fn unseen(client: &Client, hfi: &Name, links: &[Link]) -> BTreeSet<String> {
    let namespaces: BTreeSet<_> = links.iter().filter_map(Link::namespace).collect();
    // With the right in all namespaces, and where the user may not ask, no other answer says more.
    if namespaces.is_empty() || may_see(client, hfi, None).await != Some(false) {
        return BTreeSet::new();
    }
    let asked = stream::iter(namespaces).map(async |namespace| {
        let is_seen = may_see(client, hfi, Some(namespace)).await;
        (is_seen == Some(false)).then(|| namespace.to_owned())
    });
    asked.boxed().buffer_unordered(ASKED_AT_ONCE).filter_map(async |unseen| unseen).collect().await
}

/// True if hfi may read the VirtualServices of a namespace, or of all of them, as an example of what it renders.
async fn may_see(client: &Client, hfi: &Name, namespace: Option<&str>) -> Option<bool> {
    let resource = ResourceAttributes {
        group: Some("networking.istio.io".to_owned()),
        resource: Some("virtualservices".to_owned()),
        verb: Some("get".to_owned()),
        namespace: namespace.map(str::to_owned),
        ..ResourceAttributes::default()
    };
    let spec = SubjectAccessReviewSpec {
        resource_attributes: Some(resource),
        user: Some(format!("system:serviceaccount:{}:{}", hfi.namespace, hfi.name)),
        groups: Some(vec![
            "system:authenticated".to_owned(),
            "system:serviceaccounts".to_owned(),
            format!("system:serviceaccounts:{}", hfi.namespace),
        ]),
        ..SubjectAccessReviewSpec::default()
    };
    let review = SubjectAccessReview { spec, ..SubjectAccessReview::default() };
    let reviews = Api::<SubjectAccessReview>::all(client.clone());
    let reviewed = with_timeout(TIMEOUT, reviews.create(&PostParams::default(), &review)).await.ok()?;
    Some(reviewed.status?.allowed)
}
