//! Which members of a collection stay, which go, and which are new and where.

use super::same::{by_key, same};
use crate::reading::{MapEntry, Node, Value};

/// The step from what a list was to what it is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The old item becomes this new one.
    Keep(usize, usize),
    Remove(usize),
    /// The new item stands here.
    Insert(usize),
}

/// The most values that are compared in an edit. The items of longer lists are compared one by one, in their order.
pub(super) const MAX_COMPARED: usize = 1_000_000;

/// The steps that change the least. What is compared is taken off `comparisons`.
pub(super) fn align(was: &[Node], want: &[Node], comparisons: &mut usize) -> Vec<Step> {
    let equal = |(a, b): &(&Node, &Node)| same(&a.value, &b.value);
    let before = was.iter().zip(want).take_while(equal).count();
    let rest = was.len().min(want.len()) - before;
    let after = was.iter().rev().zip(want.iter().rev()).take(rest).take_while(equal).count();
    let middle = |items: &'_ [Node]| before..items.len() - after;
    let mut steps: Vec<_> = (0..before).map(|i| Step::Keep(i, i)).collect();
    let (old, new) = (middle(was), middle(want));
    match (was.get(old.clone()), want.get(new.clone())) {
        (Some(a), Some(b)) if compared(a, b) <= *comparisons => {
            *comparisons -= compared(a, b);
            steps.extend(least(a, b).into_iter().map(|step| match step {
                Step::Keep(i, j) => Step::Keep(i + before, j + before),
                Step::Remove(i) => Step::Remove(i + before),
                Step::Insert(j) => Step::Insert(j + before),
            }));
        }
        _ => {
            steps.extend(old.clone().zip(new.clone()).map(|(i, j)| Step::Keep(i, j)));
            steps.extend(old.clone().skip(new.len()).map(Step::Remove));
            steps.extend(new.skip(old.len()).map(Step::Insert));
        }
    }
    steps.extend((1..=after).rev().map(|back| Step::Keep(was.len() - back, want.len() - back)));
    steps
}

/// The number of values that are looked at to compare each item with each other.
fn compared(a: &[Node], b: &[Node]) -> usize {
    let weights = |items: &[Node]| items.iter().map(|item| weight(&item.value)).sum::<usize>();
    weights(a) * b.len() + weights(b) * a.len()
}

/// The steps of the least cost: the shortest way through a table of all pairs, from its end to its start.
fn least(was: &[Node], want: &[Node]) -> Vec<Step> {
    let width = want.len() + 1;
    // Of each pair of what is left: the cost, and the first step.
    let mut table: Vec<(usize, Option<Step>)> = vec![(0, None); (was.len() + 1) * width];
    let cost = |table: &[(usize, Option<Step>)], i: usize, j: usize| {
        table.get(i * width + j).map_or(usize::MAX, |(cost, _)| *cost)
    };
    for i in (0..=was.len()).rev() {
        for j in (0..=want.len()).rev() {
            let (old, new) = (was.get(i), want.get(j));
            let keep = old.zip(new).map(|(a, b)| {
                let cost = cost(&table, i + 1, j + 1) + distance(&a.value, &b.value);
                (cost, Step::Keep(i, j))
            });
            let remove = old.map(|a| (cost(&table, i + 1, j) + weight(&a.value), Step::Remove(i)));
            let insert = new.map(|b| (cost(&table, i, j + 1) + weight(&b.value), Step::Insert(j)));
            let best = keep.into_iter().chain(remove).chain(insert).min_by_key(|(cost, _)| *cost);
            if let (Some((cost, step)), Some(cell)) = (best, table.get_mut(i * width + j)) {
                *cell = (cost, Some(step));
            }
        }
    }
    let (mut i, mut j, mut steps) = (0, 0, Vec::new());
    while let Some((_, Some(step))) = table.get(i * width + j) {
        steps.push(*step);
        i += usize::from(!matches!(step, Step::Insert(_)));
        j += usize::from(!matches!(step, Step::Remove(_)));
    }
    steps
}

/// The number of values in a value.
fn weight(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(|item| weight(&item.value)).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|entry| weight(&entry.value.value)).sum::<usize>(),
        _ => 1,
    }
}

/// The number of values that differ.
fn distance(was: &Value, want: &Value) -> usize {
    match (was, want) {
        (Value::Map(was), Value::Map(want)) => {
            let (old, new) = (by_key(was), by_key(want));
            let gone = was.iter().map(|entry| {
                let value = &entry.value.value;
                new.get(entry.key.as_str()).map_or_else(|| weight(value), |new| distance(value, new))
            });
            let is_new = |entry: &&MapEntry| !old.contains_key(entry.key.as_str());
            let new = want.iter().filter(is_new).map(|entry| weight(&entry.value.value));
            gone.sum::<usize>() + new.sum::<usize>()
        }
        (Value::List(was), Value::List(want)) => {
            let pairs = was.iter().zip(want).map(|(a, b)| distance(&a.value, &b.value));
            let gone = was.iter().skip(want.len()).map(|item| weight(&item.value));
            let new = want.iter().skip(was.len()).map(|item| weight(&item.value));
            pairs.sum::<usize>() + gone.sum::<usize>() + new.sum::<usize>()
        }
        (was, want) if was == want => 0,
        (was, want) => weight(was) + weight(want),
    }
}
