//! The commands of k8s/RUN-AN-EXERCISE.md in their order, word for word but for the address: at a server with a Git
//! repository, and with a filter that follows it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tokio::time::timeout;

use crate::support::{
    PATIENCE,
    browser::serve,
    command::{Ended, shell},
    filter::Filter,
    halting::RESUMES,
    replicas::until,
    writing::{git, path, repository},
};

/// A person at a shell.
struct Person {
    directory: PathBuf,
    /// The command that every shell of theirs begins with.
    begins: String,
}

impl Person {
    async fn types(&self, command: &str) -> Ended {
        shell(&self.directory, &format!("{}\n{command}", self.begins)).await
    }

    /// Types a command that ends well, and returns what it prints. Filters confirm a change a moment later: the status
    /// is asked until then, as the page says.
    async fn succeeds(&self, command: &str) -> String {
        let mut ended = self.types(command).await;
        let is_right = async {
            while command == "hfi status" && ended.code == 1 {
                ended = self.types(command).await;
            }
        };
        let is_in_time = timeout(PATIENCE, is_right).await.is_ok();
        assert!(is_in_time && ended.code == 0, "{command}: {ended:?}");
        ended.stdout
    }
}

/// The blocks of a language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[tokio::test]
async fn word_for_word() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../k8s/RUN-AN-EXERCISE.md");
    let page = fs::read_to_string(page).unwrap();
    let (repository, files) = (repository(&[("README", "Policies\n")]).await, tempfile::tempdir().unwrap());
    let hfi = serve(&path(&repository), files.path(), &[]).await;
    let _filter = Filter::start(&hfi.url, "shop", "checkout", "checkout-1");

    let (steps, policies) = (blocks(&page, "sh"), blocks(&page, "yaml"));
    let ([address, steps @ ..], [policy]) = (&*steps, &*policies) else { panic!("{policies:?}") };
    assert!(address.starts_with("export HFI_SERVER=http://localhost:8080 "), "{address}");
    let directory = files.path().join("person");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("token"), RESUMES).unwrap();
    fs::write(directory.join("checkout-errors.yaml"), policy).unwrap();
    let person = Person { directory, begins: address.replace("http://localhost:8080", &hfi.url) };

    let mut last = String::new();
    for (number, step) in steps.iter().enumerate() {
        for command in step.lines() {
            if command.starts_with("sed ") && number == 2 {
                // The look at shadow mode takes longer than the policy.
                person.succeeds("hfi policy apply -f checkout-errors.yaml --expires-in 1s").await;
                until(&hfi, "/v1/policies/status", |status| status["policies"][0]["state"] == "expired")
                    .await;
            }
            let printed = person.succeeds(command).await;
            if command == "hfi status" {
                last = printed;
            }
        }
        if step.contains("hfi filters") {
            assert!(last.starts_with("INJECTING into 1 service"), "{last}");
        }
    }
    // Replicas that have just started listen for 40 s, and an overview holds for a second.
    let is_over = async {
        while !["Nothing is injected\n", "LISTENING: "].iter().any(|over| last.starts_with(over)) {
            last = person.succeeds("hfi status").await;
        }
    };
    assert!(timeout(PATIENCE, is_over).await.is_ok(), "{last}");
    assert_eq!(steps.len(), 9, "{steps:#?}");
    let log = git(&repository, &["log", "--format=%s", "main"]);
    for subject in ["Exercise: 5 % of checkout fails", "Exercise: 10 % of checkout fails"] {
        assert!(log.lines().any(|line| line == subject), "{log}");
    }
}
