//! Writes what the valid files of the `yaml` corpus are served as into the corpus of `snapshot`:
//! to be run when the format of snapshots has changed.

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in [here.join("corpus/yaml"), here.join("../examples")] {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let snapshot = if path.is_file() { policies::testing::any_bytes::authored(&fs::read(&path)?) } else { None };
            let Some(snapshot) = snapshot.filter(|snapshot| !snapshot.policies.is_empty()) else { continue };
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            for format in policies::wire::Format::ALL {
                let name = format!("{name}.v{}", format.number());
                fs::write(here.join("corpus/snapshot").join(name), snapshot.encode(format))?;
            }
        }
    }
    Ok(())
}
