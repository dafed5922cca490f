//! A walk from several commits back, until only commits are left that all of them lead to.
//!
//! It goes by the times of commits, as Git does. Where these are wrong, it may take a commit for one that lies on a way
//! though it lies behind; it does not mistake which of two commits leads to the other.

use std::collections::{BinaryHeap, HashMap};

use git2::{Oid, Repository as BareClone};

use crate::source::{
    error::SourceError,
    git::{
        budget::{Excess, ReadError},
        commit_log::{HISTORY, unread},
        objects,
    },
};

/// The most commits that are read from the first one on, and as many from all others; and the most bytes of them. What lies
/// behind is not known. Tests read fewer.
const MOST: usize = if cfg!(test) { 1_000 } else { 50_000 };
const MOST_BYTES: usize = if cfg!(test) { 4 << 20 } else { 64 << 20 };

/// The ways that lead to one commit.
pub(super) struct Walk<'w> {
    clone: &'w BareClone,
    /// The commit to which they lead. It has a share of its own in what is read.
    to: Oid,
    /// True for a message that says something.
    says: &'w dyn Fn(&str) -> bool,
    nodes: HashMap<Oid, Node>,
    /// The next ones, by their times.
    queue: BinaryHeap<(i64, Oid)>,
    /// The number of those that the walk has not reached from each of its beginnings.
    open: usize,
    begins: usize,
    /// The commits and bytes that were read from the others, and from the one to which they lead.
    read: [(usize, usize); 2],
}

/// The number of the commit to which the ways lead.
const TO: usize = 0;

/// A commit from which a way may lead.
#[derive(Clone, Copy)]
pub(super) struct Begin {
    id: Oid,
    pub(super) number: usize,
}

/// The numbers of the beginnings that lead to a commit, as bits.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Marks(Vec<u64>);

/// A commit that was read.
#[derive(Default)]
struct Node {
    marks: Marks,
    at: i64,
    parents: Vec<Oid>,
    says: bool,
    is_queued: bool,
    damage: Option<SourceError>,
}

impl<'w> Walk<'w> {
    /// The ways to a commit.
    pub(super) fn new(
        to: Oid,
        clone: &'w BareClone,
        says: &'w dyn Fn(&str) -> bool,
    ) -> Result<Self, ReadError> {
        let (nodes, queue) = (HashMap::new(), BinaryHeap::new());
        let mut walk = Self { clone, to, says, nodes, queue, open: 0, begins: TO, read: [(0, 0); 2] };
        walk.begin(to)?;
        Ok(walk)
    }

    /// Adds a commit from which a way may lead.
    pub(super) fn begin(&mut self, id: Oid) -> Result<Begin, ReadError> {
        let mut node = match self.nodes.remove(&id) {
            Some(node) => node,
            None => self.read(id, MOST_BYTES)?.ok_or_else(|| too_long(id))?.0,
        };
        let begin = Begin { id, number: self.begins };
        self.begins += 1;
        node.marks.set(begin.number);
        if !node.is_queued {
            node.is_queued = true;
            self.queue.push((node.at, id));
        }
        self.nodes.insert(id, node);
        Ok(begin)
    }

    pub(super) fn run(&mut self) {
        self.open = self.nodes.values().filter(|node| node.marks.count() < self.begins).count();
        // Once all lead to each of the next ones, they lead to all that lies behind.
        while self.open > 0 && self.step() {}
        // Of that, what says something may have been reached by some only.
        let saying = self.nodes.values().filter(|node| node.says && node.marks.count() < self.begins);
        if let Some(oldest) = saying.map(|node| node.at).min() {
            while self.queue.peek().is_some_and(|(at, _)| *at >= oldest) && self.step() {}
        }
    }

    /// Walks on from the next commit. False if there is none.
    fn step(&mut self) -> bool {
        let Some((_, id)) = self.queue.pop() else { return false };
        if let Some(node) = self.nodes.get_mut(&id) {
            node.is_queued = false;
            self.open -= usize::from(node.marks.count() < self.begins);
            let (marks, parents) = (node.marks.clone(), node.parents.clone());
            parents.into_iter().for_each(|parent| self.reach(parent, &marks));
        }
        true
    }

    /// True if this commit is an ancestor of the one to which the ways lead, or that one itself.
    pub(super) fn leads_from(&self, from: &Begin) -> bool {
        self.has(from.id, TO)
    }

    /// True if the commit to which the ways lead is an ancestor of this one, or this one itself.
    pub(super) fn leads_back(&self, to: &Begin) -> bool {
        self.has(self.to, to.number)
    }

    fn has(&self, id: Oid, number: usize) -> bool {
        self.nodes.get(&id).is_some_and(|node| node.marks.has(number))
    }

    /// A commit on the way from this one or back to it that cannot be read.
    pub(super) fn damage_from(&self, from: &Begin) -> Option<SourceError> {
        let between = self.nodes.values();
        let mut between = between.filter(|node| node.marks.has(from.number) != node.marks.has(TO));
        between.find_map(|node| node.damage.clone())
    }

    /// The messages that say something, of the commits on the ways, each with all that lead to it.
    pub(super) fn messages(&self) -> impl Iterator<Item = (Result<String, ReadError>, &Marks)> {
        let saying = self.nodes.iter().filter(|(_, node)| node.says && node.marks.has(TO));
        saying.map(|(id, node)| {
            let message = |id| Ok(text(objects::commit(self.clone, id)?.message_bytes()));
            (message(*id), &node.marks)
        })
    }

    /// Marks a commit, and walks on from it if that is news.
    fn reach(&mut self, id: Oid, marks: &Marks) {
        if !self.nodes.contains_key(&id) {
            // Whatever the times of commits are, the others cannot hide the way to this one.
            let [others, to] = self.read;
            let (commits, bytes) = if marks.has(TO) { to } else { others };
            if commits >= MOST {
                return;
            }
            let damaged = |error| Some((Node { damage: Some(unread(HISTORY, error)), ..Node::default() }, 0));
            let Some((node, more)) = self.read(id, MOST_BYTES - bytes).unwrap_or_else(damaged) else {
                return;
            };
            let read = (commits + 1, bytes + more);
            self.read = if marks.has(TO) { [others, read] } else { [read, to] };
            self.nodes.insert(id, node);
        }
        let Some(node) = self.nodes.get_mut(&id) else { return };
        let was_open = node.is_queued && node.marks.count() < self.begins;
        if node.marks.add(marks) {
            if !node.is_queued {
                node.is_queued = true;
                self.queue.push((node.at, id));
            }
            self.open = self.open + usize::from(node.marks.count() < self.begins) - usize::from(was_open);
        }
    }

    /// A commit, and its bytes; `None` if it has more than these. Its size is known before it is read.
    fn read(&self, id: Oid, most: usize) -> Result<Option<(Node, usize)>, ReadError> {
        let bytes = objects::size(self.clone, id)?;
        if bytes > most {
            return Ok(None);
        }
        let (commit, says) = match objects::commit(self.clone, id) {
            Ok(commit) => {
                let says = (self.says)(&text(commit.message_bytes()));
                (commit, says)
            }
            // Its parents count all the same.
            Err(ReadError::Over(_)) => (self.clone.find_commit(id)?, false),
            Err(error) => return Err(error),
        };
        let (at, parents) = (commit.time().seconds(), commit.parent_ids().collect());
        Ok(Some((Node { at, parents, says, ..Node::default() }, bytes)))
    }
}

/// The error of a way that begins at a commit which is not read.
fn too_long(id: Oid) -> ReadError {
    Excess::new(format!("commit {id} has more than {MOST_BYTES} bytes")).into()
}

impl Marks {
    pub(super) fn has(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|bits| bits >> (number % 64) & 1 == 1)
    }

    fn set(&mut self, number: usize) {
        let mut bits = vec![0; number / 64];
        bits.push(1 << (number % 64));
        self.add(&Self(bits));
    }

    /// Adds these. True if there is a new one.
    fn add(&mut self, more: &Self) -> bool {
        let before = self.count();
        self.0.resize(self.0.len().max(more.0.len()), 0);
        self.0.iter_mut().zip(&more.0).for_each(|(bits, more)| *bits |= more);
        self.count() > before
    }

    fn count(&self) -> usize {
        self.0.iter().map(|bits| bits.count_ones() as usize).sum()
    }
}

fn text(message: &[u8]) -> String {
    String::from_utf8_lossy(message).into_owned()
}
