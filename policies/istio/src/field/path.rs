//! The way to a value.

use std::{fmt, rc::Rc};

/// The way to a value. It shares its beginning with the ways to other values, and becomes text only where a rule finds
/// something: a long key above many values would be copied for each of them.
#[derive(Clone, Debug)]
pub(super) struct Path<'a>(Rc<Step<'a>>);

/// The longest name that is written whole: that of a label.
const MAX_NAME: usize = 317;

#[derive(Debug)]
enum Step<'a> {
    Root(String),
    Name(Path<'a>, &'a str),
    Item(Path<'a>, usize),
}

impl<'a> Path<'a> {
    pub(super) fn root(name: &str) -> Self {
        Self(Rc::new(Step::Root(name.to_owned())))
    }

    /// The way on to a field.
    pub(super) fn name(&self, name: &'a str) -> Self {
        Self(Rc::new(Step::Name(self.clone(), name)))
    }

    /// The way on to an item of a list.
    pub(super) fn item(&self, at: usize) -> Self {
        Self(Rc::new(Step::Item(self.clone(), at)))
    }

    pub(super) fn is_item(&self) -> bool {
        matches!(*self.0, Step::Item(..))
    }
}

impl fmt::Display for Path<'_> {
    /// `spec.http[0].name`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Step::Root(name) => f.write_str(name),
            Step::Name(path, name) if name.len() > MAX_NAME => {
                let kept: String = name.chars().take(MAX_NAME).collect();
                write!(f, "{path}.{kept}…")
            }
            Step::Name(path, name) => write!(f, "{path}.{name}"),
            Step::Item(path, at) => write!(f, "{path}[{at}]"),
        }
    }
}
