//! The commands of k8s/RUN-AN-EXERCISE.md in their order, word for word but for the address: at a server with a Git
//! repository, and with a filter that follows it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tokio::time::{Duration, sleep, timeout};

use reconciler::fleet::gathered::SETTLED;

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

    /// Asks for the status until it begins so: an overview holds for a second.
    async fn sees(&self, first: &str) {
        let mut status = String::new();
        let is_seen = async {
            while !status.starts_with(first) {
                status = self.succeeds("hfi status").await;
            }
        };
        let is_in_time = timeout(PATIENCE, is_seen).await.is_ok();
        assert!(is_in_time, "{status}");
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
    // Replicas that have just started listen for 40 s.
    let is_calm = async {
        while hfi.json("/v1/overview").await["banners"][0]["sentence"] != "Nothing is injected" {
            sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(SETTLED + PATIENCE, is_calm).await.expect("something may be injected before the exercise");

    let (steps, policies) = (blocks(&page, "sh"), blocks(&page, "yaml"));
    let ([address, steps @ ..], [policy]) = (&*steps, &*policies) else { panic!("{policies:?}") };
    assert!(address.starts_with("export HFI_SERVER=http://localhost:8080 "), "{address}");
    let directory = files.path().join("person");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("token"), RESUMES).unwrap();
    fs::write(directory.join("checkout-errors.yaml"), policy).unwrap();
    let person = Person { directory, begins: address.replace("http://localhost:8080", &hfi.url) };

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
                assert!(number > 0 || printed.starts_with("Nothing is injected\n"), "{printed}");
            }
        }
        if step.contains("hfi filters") {
            person.sees("INJECTING into 1 service").await;
        }
    }
    person.sees("Nothing is injected\n").await;
    assert_eq!(steps.len(), 9, "{steps:#?}");
    let log = git(&repository, &["log", "--format=%s", "main"]);
    for subject in ["Exercise: 5 % of checkout fails", "Exercise: 10 % of checkout fails"] {
        assert!(log.lines().any(|line| line == subject), "{log}");
    }
}
