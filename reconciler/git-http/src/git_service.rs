//! The two services of a Git server.

/// A service, which has a URL and media types of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GitService {
    /// It answers fetches.
    UploadPack,
    /// It takes pushes.
    ReceivePack,
}

impl GitService {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }
}
