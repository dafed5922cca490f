//! A command that changes many policies goes on where the server takes no more changes for now.

use crate::support::{
    person::{World, prints, tells},
    writing::{CHECKOUT as A, repository},
};

/// More than a server takes of a user at once.
const MANY: usize = 22;

#[tokio::test]
async fn until_the_last_one_is_done() {
    let repository = repository(&[("shop/a.yaml", A)]).await;
    let world = World::at_rate(repository, 1).await;
    // Those that are not there are counted, too, and cost no commit.
    let names: Vec<_> = (0..MANY).map(|number| format!("nothing-{number}")).chain(["a".to_owned()]).collect();
    let names = names.iter().map(String::as_str);
    let command: Vec<_> = ["delete", "--ignore-not-found"].into_iter().chain(names).collect();
    let ended = world.policy(&command).await;
    prints(&ended, 0, "policy/a deleted\n");
    tells(&ended, &["`alice` writes more often than the server allows (--write-rate): going on in 1 s\n"]);
}
