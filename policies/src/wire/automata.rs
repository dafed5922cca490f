//! The automata of a snapshot, in front of its policies, each once. Policies name them by their number.
//!
//! ```text
//! wide maps: each a list of (distance to the start of the last range, class)
//! automata:  each the number of its wide map, a list of the same for ASCII, the class of each class of the
//!            wide map, the class of what is no UTF-8, the first state, and a list of rows
//! row:       the number of another state, and a list of (columns in between, next state) where it differs
//! ```
//!
//! All are numbers of [`Reader::number`]. What is read is checked as a whole by [`WideMap::new`],
//! [`ClassMap::new`] and [`Automaton::new`].

use std::{collections::HashMap, sync::Arc};

use super::bytes::{Damaged, Reader, Writer};
use crate::{
    automaton::{Automaton, ClassMap, MATCH, REJECT, WideMap},
    language::Pattern,
};

/// The automata of some policies, in the order in which they are first used.
#[derive(Default)]
pub(super) struct Automata<'p> {
    maps: Interned<'p, WideMap>,
    automata: Interned<'p, Automaton>,
}

/// Values, each once, and their numbers.
struct Interned<'p, T> {
    values: Vec<&'p T>,
    numbers: HashMap<&'p T, u32>,
}

impl<'p> Automata<'p> {
    /// Those of these regexes.
    pub(super) fn of(patterns: impl Iterator<Item = &'p Pattern>) -> Self {
        let mut all = Self::default();
        for pattern in patterns {
            all.automata.add(pattern.automaton());
            all.maps.add(pattern.automaton().classes().wide());
        }
        all
    }

    pub(super) fn number(&self, automaton: &Automaton) -> u32 {
        self.automata.number(automaton)
    }

    pub(super) fn write(&self, to: &mut Writer) {
        to.list(self.maps.values.iter(), |to, map| write_ranges(map.ranges().iter().copied(), to));
        to.list(self.automata.values.iter(), |to, automaton| {
            let classes = automaton.classes();
            to.put(&self.maps.number(classes.wide()));
            write_ranges(classes.ascii(), to);
            classes.of_wide().iter().for_each(|class| to.put(class));
            to.put(&(classes.invalid(), automaton.start()));
            let rows = automaton.rows();
            let columns = usize::from(classes.count()) + 1;
            let ends = [(REJECT, vec![REJECT; columns]), (MATCH, vec![MATCH; columns])];
            to.list(rows.clone().enumerate(), |to, (position, row)| {
                // Most rows differ little from that of the start, or from the one before.
                let before = [0, position.saturating_sub(1)].into_iter().filter(|other| *other < position);
                let before = before.filter_map(|other| Some((number(other)?, rows.clone().nth(other)?)));
                let ends = ends.iter().map(|(state, row)| (*state, row.as_slice()));
                let nearest = ends.chain(before).min_by_key(|(_, other)| differences(row, other).count());
                let (state, other) = nearest.unwrap_or((REJECT, row));
                to.put(&state);
                let mut next = 0;
                to.list(differences(row, other), |to, (column, target)| {
                    to.put(&(column - next, target));
                    next = column + 1;
                });
            });
        });
    }
}

fn write_ranges(ranges: impl Iterator<Item = (u32, u16)> + Clone, to: &mut Writer) {
    let mut last = 0;
    to.list(ranges, |to, (start, class)| {
        to.put(&(start - last, class));
        last = start;
    });
}

/// The state of a row.
fn number(row: usize) -> Option<u16> {
    u16::try_from(row + 2).ok()
}

/// The columns in which a row differs from another, and what it has there.
fn differences<'r>(row: &'r [u16], other: &'r [u16]) -> impl Iterator<Item = (u32, u16)> + Clone + 'r {
    let cells = (0_u32..).zip(row.iter().zip(other));
    cells.filter(|(_, (target, other))| target != other).map(|(column, (target, _))| (column, *target))
}

/// Reads the automata in front of the policies.
pub(super) fn read(from: &mut Reader<'_>) -> Result<Vec<Arc<Automaton>>, Damaged> {
    let mut maps = Vec::new();
    from.list(|from| {
        maps.push(Arc::new(WideMap::new(ranges(from)?).ok_or(Damaged)?));
        Ok(())
    })?;
    let (mut automata, mut size) = (Vec::new(), 0);
    from.list(|from| {
        let automaton = automaton(from, &maps)?;
        size += automaton.size();
        automata.push(Arc::new(automaton));
        // A few bytes say a long row. So that no body takes more memory than a valid one, all are counted.
        if size > Automaton::MAX_TOTAL_SIZE { Err(Damaged) } else { Ok(()) }
    })?;
    Ok(automata)
}

fn ranges(from: &mut Reader<'_>) -> Result<Vec<(u32, u16)>, Damaged> {
    let (mut ranges, mut start) = (Vec::new(), 0_u32);
    from.list(|from| {
        start = start.checked_add(from.number()?).ok_or(Damaged)?;
        ranges.push((start, short(from)?));
        Ok(())
    })?;
    Ok(ranges)
}

fn short(from: &mut Reader<'_>) -> Result<u16, Damaged> {
    from.number()?.try_into().map_err(|_| Damaged)
}

fn automaton(from: &mut Reader<'_>, maps: &[Arc<WideMap>]) -> Result<Automaton, Damaged> {
    let wide = maps.get(from.number()? as usize).ok_or(Damaged)?;
    let ascii = ranges(from)?;
    let of_wide = (0..wide.count()).map(|_| short(from)).collect::<Result<_, _>>()?;
    let classes = ClassMap::new(&ascii, Arc::clone(wide), of_wide, short(from)?).ok_or(Damaged)?;
    let start = short(from)?;
    let columns = usize::from(classes.count()) + 1;
    let mut cells = Vec::<u16>::new();
    from.list(|from| {
        let begin = cells.len();
        if begin + columns > Automaton::MAX_CELLS {
            return Err(Damaged);
        }
        match short(from)? {
            end @ (REJECT | MATCH) => cells.resize(begin + columns, end),
            other => {
                let other = usize::from(other - 2) * columns;
                if other >= begin {
                    return Err(Damaged);
                }
                cells.extend_from_within(other..other + columns);
            }
        }
        let row = cells.get_mut(begin..).unwrap_or_default();
        let mut column = 0_usize;
        from.list(|from| {
            column = column.checked_add(from.number()? as usize).ok_or(Damaged)?;
            *row.get_mut(column).ok_or(Damaged)? = short(from)?;
            column += 1;
            Ok(())
        })
    })?;
    Automaton::new(classes, start, cells).ok_or(Damaged)
}

impl<T> Default for Interned<'_, T> {
    fn default() -> Self {
        Self { values: Vec::new(), numbers: HashMap::new() }
    }
}

impl<'p, T: Eq + std::hash::Hash> Interned<'p, T> {
    fn add(&mut self, value: &'p T) {
        let next = self.values.len() as u32;
        self.numbers.entry(value).or_insert_with(|| {
            self.values.push(value);
            next
        });
    }

    /// The number of a value that was added.
    fn number(&self, value: &T) -> u32 {
        self.numbers.get(value).copied().unwrap_or(u32::MAX)
    }
}
