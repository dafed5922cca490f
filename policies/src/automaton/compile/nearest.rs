//! The nearest regex that can be compiled: the same with smaller repetitions.

use regex_syntax::hir::{Capture, Hir, HirKind, Repetition};

/// The greatest number of times that a regex repeats something at most, or at least.
pub(super) fn greatest_count(hir: &Hir) -> u32 {
    let of_parts = hir.kind().subs().iter().map(greatest_count).max().unwrap_or(0);
    match hir.kind() {
        HirKind::Repetition(repetition) => of_parts.max(repetition.max.unwrap_or(repetition.min)),
        _ => of_parts,
    }
}

/// The regex with every repetition of more than `most` times cut to that.
pub(super) fn with_counts_up_to(hir: &Hir, most: u32) -> Hir {
    let part = |part: &Hir| with_counts_up_to(part, most);
    match hir.kind() {
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            min: repetition.min.min(most),
            max: repetition.max.map(|max| max.min(most)),
            greedy: repetition.greedy,
            sub: Box::new(part(&repetition.sub)),
        }),
        HirKind::Capture(capture) => {
            Hir::capture(Capture { index: capture.index, name: None, sub: Box::new(part(&capture.sub)) })
        }
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(part).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(part).collect()),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => hir.clone(),
    }
}
