//! Problems as people, machines and GitHub read them. The one file that names `annotate_snippets`.

use std::{collections::HashMap, sync::Arc};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use policies::reading::{Place, Problem};
use serde_json::json;

use super::{
    console::{print, print_styled},
    output::Output,
    policy_files::PolicyFiles,
    terminal::Terminal,
};
use crate::printable::{is_unprintable, printable};

/// Errors and warnings about files.
#[derive(Debug, Default)]
pub struct Report {
    pub errors: Vec<Problem>,
    pub warnings: Vec<Problem>,
    /// The lines of the files, by the names that the problems give them.
    pub sources: HashMap<Arc<str>, Vec<String>>,
}

impl Report {
    /// The report about a directory, its files named as they were given.
    pub fn new(files: &PolicyFiles, errors: &[Problem], warnings: &[Problem]) -> Self {
        let told = |problem: &Problem| files.told(problem);
        let mut sources = HashMap::new();
        for problem in errors.iter().chain(warnings) {
            let lines = || files.text(&problem.file).map(|text| lines(&text)).unwrap_or_default();
            sources.entry(told(problem).file).or_insert_with(lines);
        }
        let mut warnings: Vec<_> = files.warnings().cloned().chain(warnings.iter().map(told)).collect();
        warnings.sort();
        Self { errors: errors.iter().map(told).collect(), warnings, sources }
    }

    /// Prints the whole.
    pub fn print(&self, output: Output) {
        let text = self.render(output);
        match output {
            // Its parts are printable, and it may have colours.
            Output::Table => print_styled(&text),
            Output::Json | Output::Yaml | Output::Github => print(&text),
        }
    }

    fn render(&self, output: Output) -> String {
        let json = json!({"errors": self.errors, "warnings": self.warnings});
        output.render(&json, || if output == Output::Github { self.annotations() } else { self.text() })
    }

    fn annotations(&self) -> String {
        let errors = self.errors.iter().map(|problem| github("error", problem));
        errors.chain(self.warnings.iter().map(|problem| github("warning", problem))).collect()
    }

    fn text(&self) -> String {
        let colour = Terminal::of_stdout().has_colours;
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut text = String::new();
        let errors = self.errors.iter().map(|problem| (Level::ERROR, problem));
        for (level, problem) in errors.chain(self.warnings.iter().map(|problem| (Level::WARNING, problem))) {
            text += &self.one(level, problem, &renderer);
            text += "\n\n";
        }
        text
    }

    fn one(&self, level: Level<'_>, problem: &Problem, renderer: &Renderer) -> String {
        let Place { line, column } = problem.finding.place;
        let (title, file) = (problem.finding.to_string(), printable(&problem.file));
        let title = printable(&title);
        let Some(source) = self.line(problem) else {
            let title = format!("{file}: {title}");
            return renderer.render(&[level
                .primary_title(title)
                .elements(Vec::<annotate_snippets::Element<'_>>::new())]);
        };
        let (start, end) = word(source, column);
        let snippet = Snippet::source(source.as_str())
            .line_start(line as usize)
            .path(&*file)
            .annotation(AnnotationKind::Primary.span(start..end));
        renderer.render(&[level.primary_title(title).element(snippet)])
    }

    /// The line that a problem stands in.
    fn line(&self, problem: &Problem) -> Option<&String> {
        let index = (problem.finding.place.line as usize).checked_sub(1)?;
        self.sources.get(&problem.file)?.get(index)
    }
}

/// The lines of a text, each printable and with its columns kept. One that fills the screen helps nobody.
fn lines(text: &[u8]) -> Vec<String> {
    let shown = |c| if is_unprintable(c) && c != '\t' { char::REPLACEMENT_CHARACTER } else { c };
    String::from_utf8_lossy(text).lines().map(|line| line.chars().take(500).map(shown).collect()).collect()
}

/// The bytes of the word that begins at a column, counted in characters from 1.
fn word(line: &str, column: u32) -> (usize, usize) {
    let starts: Vec<_> = line.char_indices().map(|(at, _)| at).chain([line.len()]).collect();
    let start = starts.get((column as usize).saturating_sub(1)).copied().unwrap_or(line.len());
    let rest = line.get(start..).unwrap_or_default();
    let end = rest.find([' ', ':', ',', '}', ']']).filter(|end| *end > 0).unwrap_or(rest.len());
    (start, start + end)
}

/// A workflow command, with what has a meaning in one escaped.
fn github(level: &str, problem: &Problem) -> String {
    let data = |text: &str| {
        printable(&text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")).into_owned()
    };
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let Place { line, column } = problem.finding.place;
    let place = if line > 0 { format!(",line={line},col={column}") } else { String::new() };
    format!("::{level} file={}{place}::{}\n", property(&problem.file), data(&problem.finding.to_string()))
}

#[cfg(test)]
mod tests {
    use policies::reading::{Finding, Place, Problem};

    use super::{Output, Report};

    fn report(place: Place) -> Report {
        let finding = Finding { place, field: "spec.percntage".into(), message: "is 5 % wrong".into() };
        let problem = Problem { file: "a,b.yaml".into(), finding };
        let sources = [("a,b.yaml".into(), super::lines(b"# one\nspec: {percntage: 5}\n"))].into();
        Report { errors: vec![problem], warnings: Vec::new(), sources }
    }

    #[test]
    fn people_see_the_line_and_the_word() {
        let text = report(Place { line: 2, column: 8 }).render(Output::Table);
        assert!(text.contains("error: spec.percntage: is 5 % wrong"), "{text}");
        assert!(text.contains("--> a,b.yaml:2:8"), "{text}");
        assert!(text.contains("spec: {percntage: 5}") && text.contains("       ^^^^^^^^^\n"), "{text}");
        assert!(
            report(Place::default()).render(Output::Table).contains("a,b.yaml: spec.percntage: is 5 % wrong")
        );
        assert!(report(Place { line: 99, column: 99 }).render(Output::Table).contains("is 5 % wrong"));
    }

    #[test]
    fn nothing_that_a_terminal_would_obey_is_printed() {
        let finding = Finding {
            place: Place { line: 1, column: 3 },
            field: "a\u{1b}]0;x\u{7}".into(),
            message: "is\u{9b}2J\r\nwrong".into(),
        };
        let file: std::sync::Arc<str> = "b\u{1b}[2J\u{202e}.yaml\nerror: c".into();
        for sources in [[].into(), [(file.clone(), super::lines(b"a \x1b[31mb\xc2\x9b1m\n"))].into()] {
            let problem = Problem { file: file.clone(), finding: finding.clone() };
            let report = Report { errors: vec![problem], warnings: Vec::new(), sources };
            for output in [Output::Table, Output::Github] {
                let text = report.render(output);
                let is_bad = |c: char| c != '\n' && crate::printable::is_unprintable(c);
                assert!(!text.contains(is_bad) && !text.contains("\nerror: c"), "{text:?}");
            }
        }
    }

    #[test]
    fn github_gets_an_annotation() {
        assert_eq!(
            report(Place { line: 2, column: 8 }).render(Output::Github),
            "::error file=a%2Cb.yaml,line=2,col=8::spec.percntage: is 5 %25 wrong\n"
        );
    }
}
