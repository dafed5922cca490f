//! Replicas and filters, and what happens to them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use tokio::time::{Duration, Instant};

use crate::{
    fleet::shared::Others,
    peers::roster::{Roster, mark},
};

/// A step, in milliseconds.
pub(super) const STEP: u64 = 250;
/// The times for which polls are held: those of all filters are one of these.
const HELD: [u64; 2] = [30_000, 120_000];
/// The time beyond that after which a filter gives up a poll.
const GRACE: u64 = 10_000;
/// The time between two exchanges of replicas.
const EXCHANGE: u64 = 5_000;
pub(super) const SLOTS: usize = 3;

/// The last poll of a filter at a replica.
#[derive(Clone, Copy)]
pub(super) struct Heard {
    pub(super) at: u64,
    pub(super) version: u64,
}

/// A process at an address.
pub(super) struct Replica {
    pub(super) id: String,
    pub(super) began: u64,
    /// What it serves.
    pub(super) version: u64,
    pub(super) heard: BTreeMap<usize, Heard>,
    pub(super) roster: Roster,
    /// The last id at each address.
    pub(super) members: BTreeMap<usize, Option<String>>,
    pub(super) exchanged: u64,
    /// It learns so much later of addresses.
    pub(super) lag: u64,
    pub(super) asked: Option<(u64, Others)>,
}

/// A filter. It runs the version, 0 for none, and polls the process with the id.
pub(super) struct Proxy {
    pub(super) version: u64,
    pub(super) polls: Option<(usize, String)>,
    /// The host of that process has vanished, and its end is noticed at the end of the poll.
    pub(super) hangs: bool,
    pub(super) polled: u64,
    /// Without an open poll it begins the next one then.
    pub(super) next: u64,
    pub(super) began: u64,
}

pub(super) struct History {
    pub(super) random: u64,
    pub(super) now: u64,
    pub(super) begin: Instant,
    pub(super) held: u64,
    pub(super) replicas: [Option<Replica>; SLOTS],
    /// The addresses that DNS has, from each time on.
    pub(super) listed: Vec<(u64, BTreeSet<usize>)>,
    /// What happens at an address later: true is a start, false the end of its entry in DNS.
    pub(super) later: Vec<(u64, usize, bool)>,
    pub(super) proxies: BTreeMap<usize, Proxy>,
    pub(super) born: usize,
    pub(super) newest: u64,
    pub(super) told: String,
    /// The last answer, and how often it was that all is done.
    pub(super) found: String,
    pub(super) done: usize,
}

impl History {
    pub(super) fn new(seed: u64) -> Self {
        let mut history = Self {
            random: seed,
            now: 1_000_000,
            begin: Instant::now(),
            held: HELD[(seed % 2) as usize],
            replicas: [const { None }; SLOTS],
            listed: vec![(0, BTreeSet::new())],
            later: Vec::new(),
            proxies: BTreeMap::new(),
            born: 0,
            newest: 1,
            told: String::new(),
            found: String::new(),
            done: 0,
        };
        history.start(0);
        history.start(1);
        for _ in 0..3 {
            history.bear();
        }
        history
    }

    /// A number below this one (splitmix64).
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn tell(&mut self, what: &str) {
        writeln!(self.told, "{} {what}", self.now).unwrap();
    }

    pub(super) fn at(&self, time: u64) -> Instant {
        self.begin + Duration::from_millis(time)
    }

    /// The time after which the filter of a poll counts as gone.
    pub(super) fn overdue(&self) -> u64 {
        self.held + 60_000
    }

    pub(super) fn alive(&self) -> Vec<usize> {
        (0..SLOTS).filter(|slot| self.replicas[*slot].is_some()).collect()
    }

    pub(super) fn list(&mut self, slot: usize, is_there: bool) {
        let mut set = self.listed.last().unwrap().1.clone();
        if is_there {
            set.insert(slot)
        } else {
            set.remove(&slot)
        };
        self.listed.push((self.now, set));
    }

    /// True if DNS has the addresses of all of these now.
    fn is_listed(&self, slots: &[usize]) -> bool {
        slots.iter().all(|slot| self.listed.last().unwrap().1.contains(slot))
    }

    pub(super) fn start(&mut self, slot: usize) {
        self.list(slot, true);
        let (id, now) = (format!("{:016x}", self.below(u64::MAX)), self.now);
        self.tell(&format!("start {slot} {id}"));
        let lag = self.below(5_000);
        // It fetches before it serves anything.
        let version = self.newest;
        self.replicas[slot] = Some(Replica {
            id,
            began: now,
            version,
            heard: BTreeMap::new(),
            roster: Roster::new(self.at(now)),
            members: BTreeMap::new(),
            exchanged: 0,
            lag,
            asked: None,
        });
        self.exchange(slot);
    }

    pub(super) fn bear(&mut self) {
        let now = self.now;
        self.proxies.insert(
            self.born,
            Proxy { version: 0, polls: None, hangs: false, polled: 0, next: now, began: u64::MAX },
        );
        self.born += 1;
    }

    /// One thing that happens to the replicas or the filters.
    pub(super) fn disturb(&mut self) {
        let (slot, what) = (self.below(SLOTS as u64) as usize, self.below(12));
        let proxies: Vec<_> = self.proxies.keys().copied().collect();
        let proxy = proxies.get(self.below(9) as usize).copied();
        match (what, self.replicas[slot].is_some()) {
            (0, true) => {
                self.tell(&format!("{slot} starts anew"));
                self.replicas[slot] = None;
                let at = self.now + self.below(5_000);
                self.later.push((at, slot, true));
            }
            (1, true) => {
                self.tell(&format!("{slot} ends"));
                self.replicas[slot] = None;
                let at = self.now + self.below(10_000);
                self.later.push((at, slot, false));
            }
            (9, true) => {
                self.tell(&format!("the host of {slot} vanishes"));
                let id = self.replicas[slot].take().map(|replica| replica.id);
                for proxy in self.proxies.values_mut() {
                    let polled = proxy.polls.as_ref().map(|(_, polled)| polled);
                    proxy.hangs |= polled == id.as_ref();
                }
                // It takes a while until the cluster has noticed.
                let at = self.now + 2_000 + self.below(10_000);
                self.later.push((at, slot, false));
            }
            // Two that are in no DNS cannot know of each other.
            (2, true) if self.is_listed(&self.alive()) => {
                self.tell(&format!("{slot} goes from DNS, and serves on"));
                self.list(slot, false);
            }
            (0..=2, false) => {
                self.later.retain(|(_, of, _)| *of != slot);
                self.start(slot);
            }
            (3, true) => self.list(slot, true),
            (4, _) if proxies.len() < 5 => self.bear(),
            (5, _) => {
                if let Some(proxy) = proxy {
                    self.tell(&format!("filter {proxy} ends"));
                    self.proxies.remove(&proxy);
                }
            }
            (6, _) => {
                if let Some(proxy) = proxy {
                    self.tell(&format!("filter {proxy} starts anew"));
                    let now = self.now;
                    let proxy = self.proxies.get_mut(&proxy).unwrap();
                    *proxy = Proxy {
                        version: 0,
                        polls: None,
                        hangs: false,
                        polled: proxy.polled,
                        next: now,
                        began: u64::MAX,
                    };
                }
            }
            (7 | 8, _) => {
                self.newest += 1;
                self.tell(&format!("version {} is applied", self.newest));
            }
            _ => {}
        }
    }

    pub(super) fn step(&mut self) {
        self.now += STEP;
        let (due, rest) = std::mem::take(&mut self.later).into_iter().partition(|(at, ..)| *at <= self.now);
        self.later = rest;
        let due: Vec<(u64, usize, bool)> = due;
        for (_, slot, is_start) in due {
            match is_start {
                true if self.replicas[slot].is_none() => self.start(slot),
                true => {}
                false => self.list(slot, false),
            }
        }
        for slot in self.alive() {
            // It fetches within half a minute.
            if self.below(30_000) < STEP {
                self.replicas[slot].as_mut().unwrap().version = self.newest;
            }
            if self.now - self.replicas[slot].as_ref().unwrap().exchanged >= EXCHANGE {
                self.exchange(slot);
            }
        }
        for name in self.proxies.keys().copied().collect::<Vec<_>>() {
            self.poll(name);
        }
    }

    /// Goes on with the polls of a filter.
    fn poll(&mut self, name: usize) {
        let (alive, now, held) = (self.alive(), self.now, self.held);
        let (chosen, moves, pause) =
            (self.below(SLOTS as u64) as usize, self.below(4) == 0, self.below(30_000));
        let proxy = self.proxies.get_mut(&name).unwrap();
        let mut target = alive.get(chosen % alive.len().max(1)).copied();
        if let Some((slot, id)) = &proxy.polls {
            let replica = self.replicas[*slot].as_ref().filter(|replica| replica.id == *id);
            match replica {
                None if proxy.hangs && now - proxy.polled < held + GRACE => return,
                None => {
                    // After so long it is led to another one.
                    let pause = if proxy.hangs { 0 } else { pause };
                    (proxy.polls, proxy.hangs) = (None, false);
                    proxy.next = now + pause;
                    return;
                }
                Some(replica) if replica.version > proxy.version => proxy.version = replica.version,
                Some(_) if now - proxy.polled < held => return,
                Some(_) => {}
            }
            target = if moves { target } else { Some(*slot) };
        } else if now < proxy.next {
            return;
        }
        let Some(slot) = target else {
            proxy.next = now + pause;
            return;
        };
        let replica = self.replicas[slot].as_mut().unwrap();
        // One that is behind fetches first.
        replica.version = replica.version.max(proxy.version);
        replica.heard.insert(name, Heard { at: now, version: proxy.version });
        (proxy.polls, proxy.polled, proxy.began) =
            (Some((slot, replica.id.clone())), now, proxy.began.min(now));
    }

    /// A replica asks all others. It learns who is there, and they learn of it.
    pub(super) fn exchange(&mut self, slot: usize) -> Vec<(usize, Option<usize>)> {
        let mut replica = self.replicas[slot].take().unwrap();
        let since = self.now.saturating_sub(replica.lag);
        let listed = &self.listed.iter().rev().find(|(at, _)| *at <= since).unwrap().1;
        let mut answers = Vec::new();
        for address in listed.iter().copied().filter(|address| *address != slot) {
            let known = replica.members.remove(&address).flatten();
            let other = self.replicas[address].as_ref();
            answers.push((address, other.map(|_| address), other.map(|other| other.id.clone()).or(known)));
        }
        let who = |(address, _, id): &(usize, _, Option<String>)| {
            id.as_deref().map_or_else(|| address.to_string(), mark)
        };
        let at = self.at(self.now);
        replica.roster.learn(answers.iter().map(who).collect(), at);
        replica.members = answers.iter().map(|(address, _, id)| (*address, id.clone())).collect();
        let mark = mark(&replica.id);
        for (_, other, _) in &answers {
            if let Some(other) = other.and_then(|other| self.replicas[other].as_mut()) {
                other.roster.asked_by(&mark, at);
            }
        }
        replica.exchanged = self.now;
        self.replicas[slot] = Some(replica);
        answers.into_iter().map(|(address, other, _)| (address, other)).collect()
    }
}
