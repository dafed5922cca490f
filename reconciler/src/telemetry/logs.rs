//! Logs: text for a person at a terminal, JSON for everybody else. On stderr; stdout is for data.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::{self, IsTerminal as _, Write, stderr},
    panic,
};

use tracing::{Level, Subscriber, enabled, error, field::display};
use tracing_subscriber::{
    EnvFilter,
    field::MakeExt as _,
    filter::ParseError,
    fmt,
    fmt::{MakeWriter, format},
    util::SubscriberInitExt as _,
};

use crate::printable::{printable, printable_lines};

/// Libraries that log at every attempt what is logged here once. A filter that names them has the last word.
const SILENT: &str = "kube_client=off,kube_runtime=off";

/// Sets the process's logs up. `filter` is in the syntax of `tracing`'s `EnvFilter`, such as `info`
/// or `reconciler=debug`.
pub fn init(filter: &str) -> Result<(), ParseError> {
    let filter = EnvFilter::try_new(format!("{SILENT},{filter}"))?;
    if stderr().is_terminal() {
        for_people(filter, stderr).init();
    } else {
        for_machines(filter, || Printable(stderr())).init();
    }
    tell_panics();
    Ok(())
}

/// Logs a panic at once, with its place, as an error like others: a task may be awaited only at the end of the process.
fn tell_panics() {
    let default = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        // Without a log of errors a panic is told all the same.
        if !enabled!(Level::ERROR) {
            return default(panic);
        }
        let at = panic.location().map(display);
        let reason = panic.payload_as_str().unwrap_or_default();
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| display(backtrace));
        error!(at, reason, backtrace, "hfi panicked, which is a defect of hfi");
    }));
}

/// Text with colours, so that each field is made printable before it is written.
fn for_people<W>(filter: EnvFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let fields = format::debug_fn(|writer, field, value| {
        let value = format!("{value:?}");
        match field.name() {
            "message" => writer.write_str(&printable(&value)),
            name => write!(writer, "{name}={}", printable(&value)),
        }
    });
    fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_target(false)
        .fmt_fields(fields.delimited(" "))
        .finish()
}

fn for_machines<W>(filter: EnvFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let logs = fmt().with_env_filter(filter).with_writer(writer);
    logs.json().with_current_span(false).with_span_list(false).finish()
}

/// Writes lines of JSON, which is the same JSON when it is printable: somebody will read it at a terminal.
struct Printable<W>(W);

impl<W: Write> Write for Printable<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(printable_lines(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        env,
        io::{self, Write},
        process::Command,
        sync::{Arc, Mutex},
        thread,
    };

    use tracing_subscriber::EnvFilter;

    use super::{Printable, for_machines, for_people, init};
    use crate::printable::is_unprintable;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Lines {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    const NAME: &str = "a\u{1b}[31m\u{9b}2J\r\n\u{202e}.yaml";

    fn log() {
        tracing::warn!(file = %NAME, reason = NAME, "{NAME} is ignored");
    }

    #[test]
    fn names_in_logs_cannot_command_a_terminal() {
        let (people, machines) = (Lines::default(), Lines::default());
        let writer = people.clone();
        tracing::subscriber::with_default(for_people(EnvFilter::new("warn"), move || writer.clone()), log);
        let writer = machines.clone();
        let logs = for_machines(EnvFilter::new("warn"), move || Printable(writer.clone()));
        tracing::subscriber::with_default(logs, log);
        for text in [people.text(), machines.text()] {
            let line = text.strip_suffix('\n').unwrap();
            assert!(line.contains(".yaml is ignored") && !line.contains("\u{1b}[31m"), "{line:?}");
            assert!(!line.replace("\u{1b}[", "").contains(is_unprintable), "{line:?}");
        }
        let json: serde_json::Value = serde_json::from_str(&machines.text()).unwrap();
        assert_eq!((&json["fields"]["file"], &json["fields"]["reason"]), (&NAME.into(), &NAME.into()));
    }

    #[test]
    fn a_panic_of_a_task_that_nobody_awaits_is_told_at_once_with_its_place() {
        let (name, panics) = (
            "telemetry::logs::tests::a_panic_of_a_task_that_nobody_awaits_is_told_at_once_with_its_place",
            "HFI_TEST_PANICS",
        );
        if let Ok(filter) = env::var(panics) {
            init(&filter).unwrap();
            assert!(thread::spawn(|| panic!("a text\nof two lines")).join().is_err());
            return;
        }
        let told = |filter| {
            let mut process = Command::new(env::current_exe().unwrap());
            let output = process.args([name, "--exact", "--nocapture"]).env(panics, filter).output().unwrap();
            String::from_utf8(output.stderr).unwrap()
        };
        let log = told("info");
        let line: serde_json::Value = serde_json::from_str(log.trim_end()).unwrap();
        assert_eq!(
            (&line["level"], &line["fields"]["reason"]),
            (&"ERROR".into(), &"a text\nof two lines".into())
        );
        let at = line["fields"]["at"].as_str().unwrap();
        assert!(at.starts_with("reconciler/src/telemetry/logs.rs:"), "{at}");
        let log = told("off");
        assert!(log.contains("panicked at reconciler/src/telemetry/logs.rs:"), "{log}");
    }
}
