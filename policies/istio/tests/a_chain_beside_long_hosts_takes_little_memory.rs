//! Where refusals follow one another, all that depends on them is found beside a MiB of long hosts in little memory. Its
//! own program, since memory is that of a process.
#![cfg(test)]

use std::{fs, sync::Arc};

use istio_config::{Catalog, File, InForce, Setting};

const MEBIBYTE: usize = 1024 * 1024;

/// The most memory that is taken beyond that for the same file without a chain. An end for each dot of each host would
/// take 100 MiB.
const MOST: usize = 16 * MEBIBYTE;

fn application(namespace: &str, name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"
    )
}

/// A host of 250 characters with 125 dots. No two of them have an end in common.
fn host(number: usize) -> String {
    let letter = |at: u32| char::from(b'a' + u8::try_from(number / 10_usize.pow(at) % 10).unwrap());
    format!("{}{}.{}.{}{}", "a.".repeat(123), letter(3), letter(2), letter(1), letter(0))
}

/// A file of a MiB that calls as many hosts as there is room for.
fn callers() -> String {
    let mut mirrors = String::new();
    for number in 0.. {
        let mirror = format!("{{destination: {{host: {}}}}}, ", host(number));
        if mirrors.len() + mirror.len() > MEBIBYTE - 1_000 {
            break;
        }
        mirrors += &mirror;
    }
    let http = format!("[{{route: [{{destination: {{host: web}}}}], mirrors: [{mirrors}]}}]");
    application("shop", "web", &format!("{{virtualService: {{spec: {{hosts: [web], http: {http}}}}}}}"))
}

/// Five applications, of which each needs the one before. The first one may be wrong.
fn chain(subsets: &str) -> String {
    let one = |number: usize| {
        let subsets = if number == 1 { subsets } else { "subsets" };
        let rule =
            format!("destinationRule: {{host: a{number}, {subsets}: [{{name: v1, labels: {{v: '1'}}}}]}}");
        let routes =
            format!("virtualService: {{routes: [{{to: [{{service: a{}, subset: v1}}]}}]}}", number - 1);
        let spec = if number == 1 { format!("{{{rule}}}") } else { format!("{{{rule}, {routes}}}") };
        application("evil", &format!("a{number}"), &spec)
    };
    (1..=5).map(one).collect()
}

/// The most memory that a catalog takes, and the number of the frozen applications.
fn peak(files: &[(Arc<str>, &File)]) -> (usize, usize) {
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let setting = Setting::default();
    let catalog = Catalog::new(files, &InForce::default(), &setting, |_, setting| setting);
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    // Shown only when the test fails.
    catalog.findings().iter().take(3).for_each(|found| println!("{found}"));
    assert_eq!(catalog.applications().len(), 5 + usize::from(catalog.frozen().is_empty()));
    (peak.unwrap().trim().parse::<usize>().unwrap() * 1024, catalog.frozen().len())
}

#[test]
fn a_chain_of_five_takes_no_end_of_each_host() {
    let texts = [callers(), chain("subsets"), chain("subsetz")];
    let [callers, right, wrong] = texts.map(|text| File::read(text.as_bytes()));
    let with = |chain| peak(&[("a.yaml".into(), &callers), ("b.yaml".into(), chain)]);
    let (before, frozen) = with(&right);
    assert_eq!(frozen, 0);
    let (after, frozen) = with(&wrong);
    assert_eq!(frozen, 5);
    println!("{} and {} MiB", before / MEBIBYTE, after / MEBIBYTE);
    assert!(after < before + MOST, "{before} and {after}");
}
