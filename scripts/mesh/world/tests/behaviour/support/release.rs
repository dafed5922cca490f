//! Releases of hfi.

use std::fs;
use std::path::Path;

use anyhow::Result;
use harness::paths;
use kubelet::Program;
use world::hfi_image;

/// A release with another module, which also has the present one: the digest of its module, and its image.
pub(crate) async fn next_release(directory: &Path) -> Result<(String, Program)> {
    let (present, module) = (paths::filter()?, directory.join("next.wasm"));
    let mut bytes = fs::read(&present)?;
    // A custom section without content, of the name `x`.
    bytes.extend([0, 2, 1, b'x']);
    fs::write(&module, &bytes)?;
    let digest = policies::Digest::of(&bytes).to_string();
    let image = hfi_image(&directory.join("image"), &paths::hfi()?, &module, &present).await?;
    Ok((digest.trim_start_matches("sha256:").to_owned(), image))
}
