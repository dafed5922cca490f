//! Files as a `tar.gz`. The same files give the same bytes: they are sorted, and have neither times nor owners.

use std::{
    collections::BTreeMap,
    io::{self, Read as _},
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use tar::{Archive, Builder, EntryType, Header};

/// The most bytes that are unpacked: an archive that hfi has written is far below.
const LONGEST: u64 = 64 << 20;

/// Packs files, by their paths.
pub fn pack(files: &BTreeMap<String, String>) -> io::Result<Vec<u8>> {
    // Without a time and a name.
    let mut archive = Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    for (path, content) in files {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, path, content.as_bytes())?;
    }
    archive.into_inner()?.finish()
}

/// Unpacks what [`pack`] has packed.
pub fn unpack(bytes: &[u8]) -> io::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    visit(bytes, |path, content| {
        files.insert(path, content);
        io::Result::Ok(())
    })?;
    Ok(files)
}

/// Unpacks one file after another: all together take much memory.
pub fn visit<E: From<io::Error>>(
    bytes: &[u8],
    mut visit: impl FnMut(String, String) -> Result<(), E>,
) -> Result<(), E> {
    let mut archive = Archive::new(GzDecoder::new(bytes).take(LONGEST));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.to_string_lossy().into_owned();
        let mut content = String::new();
        entry.read_to_string(&mut content)?;
        visit(path, content)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{pack, unpack};

    #[test]
    fn the_same_files_are_the_same_bytes_and_come_back() {
        let long = format!("shop/{}.yaml", "a".repeat(120));
        let files = [("kustomization.yaml", "resources: []\n"), (&long, "kind: Gateway\n")];
        let files: BTreeMap<_, _> =
            files.map(|(path, content)| (path.to_owned(), content.to_owned())).into_iter().collect();
        let packed = pack(&files).unwrap();
        assert_eq!(packed, pack(&files).unwrap());
        assert_eq!(unpack(&packed).unwrap(), files);
        // The header of gzip: no name, and no time.
        assert_eq!(packed[3..8], [0; 5]);
        assert!(unpack(&packed[..packed.len() / 2]).is_err());
    }
}
