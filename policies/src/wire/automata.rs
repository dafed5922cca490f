//! The automata of a snapshot, in front of its policies, each once. Policies name them by their number.
//!
//! ```text
//! wide maps:  each a list of (distance to the start of the last range, class)
//! class maps: each the number of its wide map, a list of the same for ASCII, the class of each class of the
//!             wide map, and the class of what is not UTF-8
//! automata:   each the number of its class map, the first state, and a list of rows
//! row:        the number of another state, and a list of (columns in between, next state) where it differs
//! ```
//!
//! All are numbers of [`Reader::number`]. What is read is checked by [`WideMap::new`], [`ClassMap::new`] and
//! [`Rows`].

use std::{collections::HashMap, hash::Hash, sync::Arc};

use super::bytes::{Damaged, Reader, Writer};
use crate::{
    automaton::{Automaton, ClassMap, MATCH, REJECT, Rows, WideMap},
    language::Pattern,
};

/// The automata of some policies, in the order in which they are first used.
#[derive(Default)]
pub(super) struct Automata<'p> {
    wide_maps: Interned<'p, WideMap>,
    class_maps: Interned<'p, ClassMap>,
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
        for automaton in patterns.map(Pattern::automaton) {
            if all.automata.add(automaton) && all.class_maps.add(automaton.classes()) {
                all.wide_maps.add(automaton.classes().wide());
            }
        }
        all
    }

    pub(super) fn number(&self, automaton: &Automaton) -> u32 {
        self.automata.number(automaton)
    }

    pub(super) fn write(&self, to: &mut Writer) {
        to.list(self.wide_maps.values.iter(), |to, map| write_ranges(map.ranges().iter().copied(), to));
        to.list(self.class_maps.values.iter(), |to, map| {
            to.put(&self.wide_maps.number(map.wide()));
            write_ranges(map.ascii(), to);
            map.of_wide().iter().for_each(|class| to.put(class));
            to.put(&map.invalid());
        });
        to.list(self.automata.values.iter(), |to, automaton| {
            to.put(&(self.class_maps.number(automaton.classes()), automaton.start()));
            let rows = automaton.rows();
            let columns = automaton.classes().columns();
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
    // The lists of one map after the other: a snapshot has hundreds of maps, and this is done in proxies.
    let (mut ranges, mut classes) = (Vec::new(), Vec::new());
    let mut wide_maps = Vec::new();
    from.list(|from| {
        read_ranges(from, &mut ranges)?;
        wide_maps.push(Arc::new(WideMap::new(&ranges).ok_or(Damaged)?));
        Ok(())
    })?;
    let mut class_maps = Vec::new();
    from.list(|from| {
        let wide = item(from, &wide_maps)?;
        read_ranges(from, &mut ranges)?;
        classes.clear();
        for _ in 0..wide.count() {
            classes.push(short(from)?);
        }
        let map = ClassMap::new(&ranges, Arc::clone(wide), &classes, short(from)?);
        class_maps.push(Arc::new(map.ok_or(Damaged)?));
        Ok(())
    })?;
    let (mut automata, mut size) = (Vec::new(), 0);
    from.list(|from| {
        let automaton = automaton(from, &class_maps)?;
        size += automaton.size();
        automata.push(Arc::new(automaton));
        // Two bytes can stand for a long row, so the tables are counted.
        if size > Automaton::MAX_TOTAL_SIZE { Err(Damaged) } else { Ok(()) }
    })?;
    Ok(automata)
}

fn read_ranges(from: &mut Reader<'_>, ranges: &mut Vec<(u32, u16)>) -> Result<(), Damaged> {
    ranges.clear();
    let mut start = 0_u32;
    from.list(|from| {
        start = start.checked_add(from.number()?).ok_or(Damaged)?;
        ranges.push((start, short(from)?));
        Ok(())
    })
}

fn short(from: &mut Reader<'_>) -> Result<u16, Damaged> {
    from.number()?.try_into().map_err(|_| Damaged)
}

/// Reads the number of an item.
fn item<'i, T>(from: &mut Reader<'_>, items: &'i [T]) -> Result<&'i T, Damaged> {
    items.get(from.number()? as usize).ok_or(Damaged)
}

fn automaton(from: &mut Reader<'_>, class_maps: &[Arc<ClassMap>]) -> Result<Automaton, Damaged> {
    let classes = item(from, class_maps)?;
    let start = short(from)?;
    let count = from.number()?;
    let mut rows = Rows::with_room(count as usize, classes.columns()).ok_or(Damaged)?;
    for _ in 0..count {
        rows.add_like(short(from)?).ok_or(Damaged)?;
        let mut column = 0_usize;
        from.list(|from| {
            column = column.checked_add(from.number()? as usize).ok_or(Damaged)?;
            rows.set(column, short(from)?).ok_or(Damaged)?;
            column += 1;
            Ok(())
        })?;
    }
    Automaton::new(Arc::clone(classes), start, rows).ok_or(Damaged)
}

impl<T> Default for Interned<'_, T> {
    fn default() -> Self {
        Self { values: Vec::new(), numbers: HashMap::new() }
    }
}

impl<'p, T: Eq + Hash> Interned<'p, T> {
    /// Adds a value; true if it is new.
    fn add(&mut self, value: &'p T) -> bool {
        let next = self.values.len() as u32;
        let is_new = *self.numbers.entry(value).or_insert(next) == next;
        if is_new {
            self.values.push(value);
        }
        is_new
    }

    /// The number of a value that was added.
    fn number(&self, value: &T) -> u32 {
        self.numbers.get(value).copied().unwrap_or(u32::MAX)
    }
}
