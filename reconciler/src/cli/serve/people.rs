//! The options for those who look with a browser.

use std::path::PathBuf;

use clap::{ArgAction, Args, builder::FalseyValueParser};

use crate::http::public_url::PublicUrl;

#[derive(Debug, Args)]
pub(crate) struct PeopleArgs {
    /// Do not serve the page at /.
    #[arg(long, env = "HFI_NO_UI", value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue)]
    no_ui: bool,

    /// The URL under which browsers reach this server, such as https://hfi.example, beside the host that they send.
    #[arg(long, env = "HFI_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,

    /// The file with the tokens of those who may only read, one a line: NAME TOKEN. With it every read needs a token,
    /// except those of proxies, probes, forges, replicas and clients of the first generation.
    // An empty path is wrong use: it would open what is meant to be closed.
    #[arg(long, env = "HFI_VIEW_TOKEN_FILE", value_name = "PATH")]
    view_token_file: Option<PathBuf>,
}

/// The settings for those who look.
#[derive(Clone, Debug)]
pub struct PeopleConfig {
    /// The page is served.
    pub page: bool,
    pub public_url: Option<PublicUrl>,
    /// Absent where everybody may read.
    pub view_token_file: Option<PathBuf>,
}

impl PeopleArgs {
    pub(crate) fn resolve(self) -> Result<PeopleConfig, String> {
        let Self { no_ui, public_url, view_token_file } = self;
        // A variable that is set to nothing is not set.
        let public_url = public_url.filter(|url| !url.is_empty());
        let public_url = public_url.map(|url| url.parse().map_err(|reason| format!("--public-url {reason}")));
        Ok(PeopleConfig { page: !no_ui, public_url: public_url.transpose()?, view_token_file })
    }
}
