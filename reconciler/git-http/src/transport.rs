//! The transport that libgit2 calls for `http://` and `https://`.

use std::{
    io::{self, Read, Write},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, Once, PoisonError},
};

use flate2::{Compression, write::GzEncoder};
use git2::{
    Error, ErrorClass, ErrorCode, Remote,
    transport::{self, Service, SmartSubtransport, SmartSubtransportStream, Transport},
};

use crate::{
    answer::{self, Content},
    client::Client,
    failure::Failure,
    git_service::GitService,
    login::Login,
    negotiation::Negotiation,
};

/// Requests above this size are compressed; git's.
const SMALL: usize = 1024;

/// The access to the server.
#[derive(Debug)]
pub struct Settings {
    pub login: Login,
    /// The file with the only certificates to trust, instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// The first failure since it was asked for last: libgit2 has only words for it.
#[derive(Clone, Debug, Default)]
pub struct Report(Arc<Mutex<Option<Failure>>>);

impl Report {
    pub fn take(&self) -> Option<Failure> {
        self.lock().take()
    }

    /// Keeps a failure, and gives the error for libgit2.
    fn keep(&self, failure: Failure) -> Error {
        let error = Error::new(ErrorCode::GenericError, ErrorClass::Http, "see the report");
        self.lock().get_or_insert(failure);
        error
    }

    fn lock(&self) -> MutexGuard<'_, Option<Failure>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets libgit2 use this transport for all URLs of HTTP, with these settings, for as long as the process lives. Only
/// the first call has an effect: call it before anything is fetched.
pub fn install(settings: Settings) -> Result<Report, Error> {
    static ONCE: Once = Once::new();
    let report = Report::default();
    let Settings { login, ca_file } = settings;
    let access = Access { login: Arc::new(login), ca_file, report: report.clone() };
    let mut installed = Ok(());
    ONCE.call_once(|| {
        installed = ["http", "https"].into_iter().try_for_each(|scheme| {
            let access = access.clone();
            register(scheme, move |remote| Transport::smart(remote, true, Subtransport::new(access.clone())))
        });
    });
    installed.map(|()| report)
}

#[expect(unsafe_code, reason = "libgit2 keeps its transports in a list without a lock")]
fn register(
    scheme: &str,
    transport: impl Fn(&Remote<'_>) -> Result<Transport, Error> + Send + Sync + 'static,
) -> Result<(), Error> {
    // SAFETY: the list may not change while a remote looks for its transport. `install` changes it once in the life
    // of the process, which is one that has a single job, and does so before it makes its first remote.
    unsafe { transport::register(scheme, transport) }
}

#[derive(Clone)]
struct Access {
    login: Arc<Login>,
    ca_file: Option<PathBuf>,
    report: Report,
}

/// The conversation with one server.
struct Subtransport {
    access: Access,
    client: Mutex<Option<Arc<Client>>>,
    negotiation: Arc<Mutex<Negotiation>>,
}

impl Subtransport {
    fn new(access: Access) -> Self {
        Self { access, client: Mutex::default(), negotiation: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Client>>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, url: &str, service: GitService) -> Result<Content, Failure> {
        let Access { login, ca_file, .. } = &self.access;
        let client = Arc::new(Client::new(url, Arc::clone(login), ca_file.clone())?);
        let refs = client.refs(service).and_then(|refs| answer::refs(refs, service))?;
        *self.lock() = Some(client);
        Ok(refs)
    }
}

impl SmartSubtransport for Subtransport {
    fn action(&self, url: &str, service: Service) -> Result<Box<dyn SmartSubtransportStream>, Error> {
        let report = self.access.report.clone();
        let (service, is_for_refs) = match service {
            Service::UploadPackLs => (GitService::UploadPack, true),
            Service::UploadPack => (GitService::UploadPack, false),
            Service::ReceivePackLs => (GitService::ReceivePack, true),
            Service::ReceivePack => (GitService::ReceivePack, false),
        };
        let state = if is_for_refs {
            State::Answer(self.begin(url, service).map_err(|failure| report.keep(failure))?)
        } else {
            let client = self.lock().clone();
            let client = client.ok_or_else(|| Error::from_str("the refs were not asked for"))?;
            State::Request(client, Vec::new())
        };
        let negotiation = Arc::clone(&self.negotiation);
        Ok(Box::new(Stream { service, state, negotiation, report }))
    }

    fn close(&self) -> Result<(), Error> {
        self.lock().take();
        *lock(&self.negotiation) = Negotiation::default();
        Ok(())
    }
}

/// A request that is written until its answer is read, and that answer.
struct Stream {
    service: GitService,
    state: State,
    negotiation: Arc<Mutex<Negotiation>>,
    report: Report,
}

enum State {
    Request(Arc<Client>, Vec<u8>),
    Answer(Content),
}

impl Stream {
    fn failed(&self, failure: Failure) -> io::Error {
        io::Error::other(self.report.keep(failure).message().to_owned())
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let State::Request(client, request) = &self.state {
            let send = |request: &[u8]| send(client, self.service, request);
            let answer = match self.service {
                GitService::UploadPack => lock(&self.negotiation).answer(request, send),
                GitService::ReceivePack => send(request),
            };
            let answer = answer.map_err(|failure| self.failed(failure))?;
            self.state = State::Answer(answer);
        }
        match &mut self.state {
            State::Answer(content) => content.read(buffer).map_err(|_| self.failed(Failure::Broken)),
            State::Request(..) => Ok(0),
        }
    }
}

fn lock(negotiation: &Mutex<Negotiation>) -> MutexGuard<'_, Negotiation> {
    negotiation.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends a request, and returns the beginning of the answer.
fn send(client: &Client, service: GitService, request: &[u8]) -> Result<Content, Failure> {
    let result = |answer| answer::result(answer, service);
    // A pack is compressed already.
    if request.len() <= SMALL || service == GitService::ReceivePack {
        return client.post(service, request, false).and_then(result);
    }
    let mut compressed = GzEncoder::new(Vec::new(), Compression::default());
    let written = compressed.write_all(request).and_then(|()| compressed.finish());
    let body = written.map_err(|_| Failure::Setup("a request cannot be compressed"))?;
    client.post(service, &body, true).and_then(result)
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.state {
            State::Request(_, request) => request.extend_from_slice(bytes),
            State::Answer(_) => return Err(io::Error::other("the answer has begun")),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
