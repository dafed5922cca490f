//! The namespaces where hfi cannot see objects that others have made.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::{Api, Client, api::PostParams};

use crate::{
    doctor::inventory::{Link, Name},
    kubernetes::client::call::{TIMEOUT, with_timeout},
};

/// The namespaces with artifacts of which hfi may not read the objects. None where the user may not ask that.
pub(super) async fn unseen(client: &Client, hfi: &Name, links: &[Link]) -> BTreeSet<String> {
    let namespaces: BTreeSet<_> = links.iter().filter_map(Link::namespace).collect();
    let asked = namespaces.into_iter().map(async |namespace| {
        let is_seen = may_see(client, hfi, namespace).await;
        (is_seen == Some(false)).then(|| namespace.to_owned())
    });
    join_all(asked).await.into_iter().flatten().collect()
}

/// True if hfi may read the VirtualServices of a namespace, as an example of what it renders.
async fn may_see(client: &Client, hfi: &Name, namespace: &str) -> Option<bool> {
    let resource = ResourceAttributes {
        group: Some("networking.istio.io".to_owned()),
        resource: Some("virtualservices".to_owned()),
        verb: Some("get".to_owned()),
        namespace: Some(namespace.to_owned()),
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
