//! The least automaton that does what a raw table does: equal states and equal classes are one, and all
//! are numbered in the order in which they are met. So regexes that mean the same have the same automaton.

use std::{collections::HashMap, sync::Arc};

use super::{alphabet::Alphabet, budget::Excess, minimize, shared_maps, subsets::RawTable};
use crate::automaton::{Automaton, ClassMap, FIRST_WIDE, MATCH, MAX_CELLS, REJECT, Rows, WideMap};

/// Merges equal states and classes.
pub(super) fn merge(table: &RawTable, alphabet: &Alphabet) -> Result<Automaton, Excess> {
    let blocks = minimize::blocks(table);
    let block = |state: u32| blocks.get(state as usize).copied().unwrap_or_default();
    // Any state of a block stands for it.
    let representatives: HashMap<u32, usize> = blocks.iter().copied().zip(0..).collect();
    let row = |block: u32| {
        let begin = representatives.get(&block).map_or(0, |state| state * table.columns);
        table.cells.get(begin..begin + table.columns).unwrap_or_default()
    };

    let (classes, columns) =
        classes(table, alphabet, representatives.values(), block).ok_or(Excess::Cells)?;
    let mut numbers = HashMap::from([(block(REJECT.into()), REJECT), (block(MATCH.into()), MATCH)]);
    let mut order = Vec::new();
    let mut number = |block: u32, order: &mut Vec<u32>| {
        let next = numbers.len();
        *numbers.entry(block).or_insert_with(|| {
            order.push(block);
            // More would be more cells than are allowed.
            u16::try_from(next).unwrap_or(u16::MAX)
        })
    };
    let start = number(block(table.start), &mut order);
    let mut cells = Vec::new();
    let mut position = 0;
    while let Some(state) = order.get(position).copied() {
        let row = row(state);
        for column in &columns {
            let target = row.get(*column).copied().unwrap_or_default();
            cells.push(number(block(target), &mut order));
        }
        if cells.len() > MAX_CELLS {
            return Err(Excess::Cells);
        }
        position += 1;
    }
    let rows = Rows::with_room(order.len(), columns.len()).and_then(|mut rows| {
        cells.chunks_exact(columns.len()).try_for_each(|row| rows.add(row))?;
        Some(rows)
    });
    rows.and_then(|rows| Automaton::new(Arc::new(classes), start, rows)).ok_or(Excess::Cells)
}

/// The classes without those that are equal in every row, and for each of them, and for the end of the
/// value, its column in the table.
fn classes<'r>(
    table: &RawTable,
    alphabet: &Alphabet,
    rows: impl Iterator<Item = &'r usize>,
    block: impl Fn(u32) -> u32,
) -> Option<(ClassMap, Vec<usize>)> {
    let end = table.columns - 1;
    let mut contents = vec![Vec::new(); end];
    let mut rows: Vec<_> = rows.copied().collect();
    rows.sort_unstable();
    for row in rows {
        let cells = table.cells.iter().skip(row * table.columns);
        contents.iter_mut().zip(cells).for_each(|(content, target)| content.push(block(*target)));
    }
    let (mut numbers, mut columns) = (HashMap::new(), Vec::new());
    let mut number = |column: usize| {
        *numbers.entry(contents.get(column)).or_insert_with(|| {
            columns.push(column);
            columns.len() - 1
        }) as u16
    };
    let (mut ascii, mut wide, mut of_wide) = (Vec::new(), Vec::new(), Vec::new());
    // A range may begin in ASCII and end beyond.
    let last_of_ascii = alphabet.ranges.iter().rfind(|(start, _)| *start <= FIRST_WIDE);
    let first_wide = last_of_ascii.map(|(_, class)| (FIRST_WIDE, *class));
    let ranges = alphabet.ranges.iter().copied();
    for (start, class) in ranges.clone().filter(|(start, _)| *start < FIRST_WIDE) {
        add(&mut ascii, start, number(class as usize));
    }
    for (start, class) in first_wide.into_iter().chain(ranges.filter(|(start, _)| *start > FIRST_WIDE)) {
        let class = number(class as usize);
        let of_map = of_wide.iter().position(|known| *known == class).unwrap_or_else(|| {
            of_wide.push(class);
            of_wide.len() - 1
        });
        add(&mut wide, start, of_map as u16);
    }
    let invalid = number(end - 1);
    columns.push(end);
    let wide = shared_maps::shared(WideMap::new(&wide)?);
    Some((ClassMap::new(&ascii, wide, &of_wide, invalid)?, columns))
}

/// Adds a range, unless it is of the same class as the last.
fn add(ranges: &mut Vec<(u32, u16)>, start: u32, class: u16) {
    if ranges.last().is_none_or(|(_, last)| *last != class) {
        ranges.push((start, class));
    }
}
