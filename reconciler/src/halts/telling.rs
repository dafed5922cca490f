//! The halts as replicas tell them to each other.

use std::cmp::Reverse;

use super::{
    halt::{Halt, HaltId},
    ledger::Ledger,
};
use crate::{
    api::{
        peer_halts::{PeerEnd, PeerHalt, PeerHalts},
        time::Time,
    },
    printable::printable,
    source::ancestry::CommitId,
};

/// The most halts that are read, and the most that have ended. Those that ended last are told first.
const MAX_HALTS: usize = 1_000;
const MAX_ENDED: usize = 5_000;
/// The longest text, in characters.
const MAX_TEXT: usize = 1_024;

/// All that a replica knows.
pub(super) fn tell(ledger: &Ledger, halted: bool) -> PeerHalts {
    let halts = ledger.halts().map(|Halt { since, id, by, reason }| PeerHalt {
        by: by.clone(),
        id: id.to_string(),
        reason: reason.clone(),
        since: *since,
    });
    let mut ended: Vec<_> = ledger.ended_at().map(|(id, at)| end(ledger, id, at)).collect();
    ended.sort_by_key(|end| Reverse(end.at));
    ended.truncate(MAX_ENDED);
    PeerHalts { ended, halted, halts: halts.take(MAX_HALTS).collect() }
}

fn end(ledger: &Ledger, id: &HaltId, at: Time) -> PeerEnd {
    PeerEnd { at, commit: ledger.removed_by(id).map(|commit| commit.to_string()), id: id.to_string() }
}

/// Reads what another replica has told. The error says what is wrong with it.
pub(super) fn read(PeerHalts { ended, halted: _, halts }: PeerHalts) -> Result<Ledger, String> {
    if halts.len() > MAX_HALTS || ended.len() > MAX_ENDED {
        return Err(format!(
            "it tells more than {MAX_HALTS} halts, or more than {MAX_ENDED} that have ended"
        ));
    }
    let mut ledger = Ledger::default();
    for PeerEnd { at: Time(at), commit, id } in ended {
        let id = read_id(&id)?;
        if let Some(commit) = commit {
            let wrong = || format!("it tells `{}`, which is not the id of a commit", commit.escape_debug());
            ledger.remove(id.clone(), at, CommitId::from_hex(&commit).ok_or_else(wrong)?);
        }
        ledger.end(id, at);
    }
    for PeerHalt { by, id, reason, since } in halts {
        let id = read_id(&id)?;
        let text = |text: &str| printable(text).chars().take(MAX_TEXT).collect();
        let (by, reason) = (text(&by), text(&reason));
        ledger.add(Halt { since, id, by, reason });
    }
    Ok(ledger)
}

fn read_id(id: &str) -> Result<HaltId, String> {
    HaltId::parse(id)
        .ok_or_else(|| format!("it tells `{}`, which is not the id of a halt", id.escape_debug()))
}

#[cfg(test)]
mod tests {
    use policies::Timestamp;

    use super::{CommitId, Halt, HaltId, Ledger, MAX_ENDED, PeerHalt, PeerHalts, Time, read, tell};

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
        let read = read(serde_json::from_slice(&json).unwrap()).unwrap();
        assert_eq!(tell(&read, true), told);
        assert_eq!(told.ended[0].commit, Some(CommitId([7; 20]).to_string()));
    }

    #[test]
    fn those_that_ended_last_are_told_where_they_are_many() {
        let mut ledger = ledger();
        for number in 0..=MAX_ENDED as u64 {
            ledger.end(HaltId::parse(&format!("e{number}")).unwrap(), Timestamp::from_millis(number));
        }
        let told = tell(&ledger, false);
        assert_eq!((told.ended.len(), told.ended[0].id.as_str()), (MAX_ENDED, "e5000"));
        assert!(!told.ended.iter().any(|end| end.id == "e0"));
    }

    #[test]
    fn what_is_no_id_is_refused_and_a_text_is_made_printable() {
        let halt = |id: &str, reason: &str| {
            let since = Time(Timestamp::from_millis(1));
            let halt = PeerHalt { by: "alice".into(), id: id.into(), reason: reason.into(), since };
            read(PeerHalts { halts: vec![halt], ..PeerHalts::default() })
        };
        assert!(halt("NO ID", "r").unwrap_err().contains("`NO ID`, which is not the id of a halt"));
        let read = halt("h1", "a\nb").unwrap();
        assert!(!read.halts().next().unwrap().reason.contains('\n'));
    }
}
