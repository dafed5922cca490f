//! Labels and annotations are passed on to each object of an application, and it may have very many.
#![cfg(test)]

use istio_config::{Document, File};

fn read_with(annotation: usize) -> (usize, Vec<String>) {
    let text = format!(
        "apiVersion: hfi.dev/v1\nkind: AppConfiguration\nmetadata: {{name: a, namespace: shop, annotations: {{x: {}}}}}\n\
         spec: {{}}\n",
        "y".repeat(annotation)
    );
    let reading = File::read(text.as_bytes());
    let applications = reading.documents().iter().filter(|found| matches!(found, Document::Application(_)));
    (applications.count(), reading.findings().iter().map(ToString::to_string).collect())
}

#[test]
fn long_ones_are_told_with_their_length() {
    assert_eq!(read_with(8_191), (1, Vec::new()));
    let (applications, told) = read_with(8_192);
    assert_eq!(applications, 0);
    assert!(told.len() == 1 && told[0].contains("takes 8193 bytes"), "{told:?}");
}
