//! The halts as replicas tell them to each other.

use super::{
    halt::{Halt, HaltId},
    ledger::{Ledger, MAX_OWN, MAX_TOLD},
};
use crate::{
    api::{
        peer_halts::{PeerEnd, PeerHalt, PeerHalts},
        time::Time,
    },
    printable::printable_start,
    source::ancestry::CommitId,
};

/// The most halts that are told. A message has to fit into what a replica reads, or no halt is told at all.
const MAX_HALTS: usize = MAX_TOLD + MAX_OWN;
/// The longest texts, in characters: those of a request to halt.
const MAX_BY: usize = 63;
const MAX_REASON: usize = 200;
/// The most characters of an id that is told back because it is wrong.
const MAX_WRONG: usize = 80;

/// All that a replica knows, as far as others have room for it: its own halts in any case.
pub(super) fn tell(ledger: &Ledger, halted: bool) -> PeerHalts {
    let others = ledger.halts().filter(|halt| !ledger.is_own(&halt.id));
    let halts = ledger.own().chain(others).map(|Halt { since, id, by, reason }| PeerHalt {
        by: printable_start(by, MAX_BY),
        id: id.to_string(),
        reason: printable_start(reason, MAX_REASON),
        since: *since,
    });
    let ended = ledger.ends().map(|(id, at, commit)| PeerEnd {
        at,
        commit: commit.map(|commit| commit.to_string()),
        id: id.to_string(),
    });
    PeerHalts { ended: ended.collect(), halted, halts: halts.take(MAX_HALTS).collect() }
}

/// Reads what another replica has told: all that can be read, and what is wrong with the rest.
pub(super) fn read(PeerHalts { ended, halted: _, halts }: PeerHalts) -> (Ledger, Result<(), String>) {
    let mut read = Ok(());
    let mut ends = Vec::new();
    for PeerEnd { at: Time(at), commit, id } in ended {
        let commit = commit.map(|commit| read_commit(&commit)).transpose();
        match read_id(&id).and_then(|id| Ok((id, at, commit?))) {
            Ok(end) => ends.push(end),
            Err(wrong) => read = Err(wrong),
        }
    }
    let mut ledger = Ledger::with_ends(ends);
    for PeerHalt { by, id, reason, since } in halts {
        match read_id(&id) {
            Ok(id) => {
                let (by, reason) = (printable_start(&by, MAX_BY), printable_start(&reason, MAX_REASON));
                ledger.add(Halt { since, id, by, reason });
            }
            Err(wrong) => read = Err(wrong),
        }
    }
    (ledger, read)
}

fn read_commit(commit: &str) -> Result<CommitId, String> {
    CommitId::from_hex(commit).ok_or_else(|| is_not("the id of a commit", commit))
}

fn read_id(id: &str) -> Result<HaltId, String> {
    HaltId::parse(id).ok_or_else(|| is_not("the id of a halt", id))
}

fn is_not(what: &str, told: &str) -> String {
    format!("it tells `{}`, which is not {what}", printable_start(told, MAX_WRONG))
}

#[cfg(test)]
mod tests {
    use policies::Timestamp;

    use super::{CommitId, Halt, HaltId, Ledger, MAX_OWN, PeerEnd, PeerHalt, PeerHalts, Time, read, tell};

    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        ledger.add(Halt::new("alice", "checkout is down", Timestamp::from_millis(1_000)));
        let (ended, at) = (HaltId::parse("ended").unwrap(), Timestamp::from_millis(2_000));
        ledger.end(ended.clone(), at);
        ledger.remove(ended, at, CommitId([7; 20]));
        ledger
    }

    #[test]
    fn what_is_told_is_read_back() {
        let told = tell(&ledger(), true);
        assert!(told.halted && told.halts.len() == 1 && told.ended.len() == 1, "{told:?}");
        let json = serde_json::to_vec(&told).unwrap();
        let (known, read) = read(serde_json::from_slice(&json).unwrap());
        read.unwrap();
        assert_eq!(tell(&known, true), told);
        assert_eq!(told.ended[0].commit, Some(CommitId([7; 20]).to_string()));
    }

    /// As much as anybody can make a replica know, told.
    fn most(own: &str) -> PeerHalts {
        let (now, wide) = (Timestamp::from_millis(1 << 40), "\u{10000}".repeat(300));
        let id = |kind: &str, number: u64| HaltId::parse(&format!("{kind}{number:062}")).unwrap();
        let mut ledger = Ledger::default();
        for flood in 0..3 {
            let numbers = || flood * 10_000..(flood + 1) * 10_000_u64;
            let ends = numbers().map(|number| (id("e", number), now, Some(CommitId([7; 20]))));
            let mut told = Ledger::with_ends(ends);
            for number in numbers() {
                let (by, reason) = (wide.clone(), wide.clone());
                told.add(Halt { since: Time(now), id: id("h", number), by, reason });
            }
            ledger.hear(&told, now);
        }
        for number in 0..MAX_OWN as u64 {
            let (by, reason) = (wide.clone(), wide.clone());
            ledger.begin(Halt { since: Time(now), id: id(own, number), by, reason });
        }
        tell(&ledger, true)
    }

    #[test]
    fn a_message_is_never_longer_than_what_a_replica_reads_and_has_the_halts_of_this_one() {
        for own in ["a", "z"] {
            let told = most(own);
            assert!(serde_json::to_vec(&told).unwrap().len() < 1 << 20);
            assert_eq!(told.halts.iter().filter(|halt| halt.id.starts_with(own)).count(), MAX_OWN);
            let (known, read) = read(told.clone());
            read.unwrap();
            let mut other = Ledger::default();
            other.hear(&known, Timestamp::from_millis(1 << 40));
            assert!(other.halts().count() > MAX_OWN && other.ended().count() == told.ended.len());
        }
    }

    #[test]
    fn what_is_no_id_is_told_and_keeps_nothing_else_from_being_heard() {
        let since = Time(Timestamp::from_millis(1));
        let halt = |id: &str| PeerHalt { by: "alice".into(), id: id.into(), reason: "a\nb".into(), since };
        let end = |id: &str, commit: &str| PeerEnd { at: since, commit: Some(commit.into()), id: id.into() };
        let commit = CommitId([7; 20]).to_string();
        let (known, wrong) = read(PeerHalts {
            ended: vec![end("NO ID", &commit), end("e1", "no commit"), end("e2", &commit)],
            halted: true,
            halts: vec![halt("h1"), halt("NO ID"), halt("h2")],
        });
        assert!(wrong.unwrap_err().contains("`NO ID`, which is not the id of a halt"));
        let halts: Vec<_> =
            known.halts().map(|halt| (halt.id.as_str(), halt.reason.contains('\n'))).collect();
        assert_eq!(halts, [("h1", false), ("h2", false)]);
        assert_eq!(known.ended().map(HaltId::as_str).collect::<Vec<_>>(), ["e2"]);

        let long = "\u{7f}".repeat(1 << 20);
        for told in [
            PeerHalts { halts: vec![halt(&long)], ..PeerHalts::default() },
            PeerHalts { ended: vec![end(&long, &commit)], ..PeerHalts::default() },
            PeerHalts { ended: vec![end("e1", &long)], ..PeerHalts::default() },
        ] {
            let wrong = read(told).1.unwrap_err();
            assert!(wrong.len() < 200 && wrong.contains("\\u007f"), "{wrong}");
        }
    }
}
