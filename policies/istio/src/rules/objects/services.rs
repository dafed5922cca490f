//! Services: the protocols of their ports.

use super::{Object, Rule};
use crate::{field::Field, rules::subject::Out, values::Protocol};

pub(super) const RULES: &[Rule] = &[Rule::new("X118", x118)];

/// The ports that Istio knows to be of TCP.
const KNOWN: [i64; 4] = [25, 53, 3306, 27017];

fn x118(object: &Object, out: &mut Out) {
    if object.kind != "Service" || object.is_of_a_system() {
        return;
    }
    let names_protocol = |port: &Field| {
        let name = port.word("name");
        Protocol::try_from(name.split_once('-').map_or(name, |(protocol, _)| protocol)).is_ok()
    };
    for port in object.spec.get("ports").items() {
        let is_tcp = matches!(port.word("protocol"), "" | "TCP");
        let is_known = port.integer_of("port").is_some_and(|number| KNOWN.contains(&number));
        if is_tcp && !is_known && !port.has("appProtocol") && !names_protocol(&port) {
            let right = "write `appProtocol`, or begin the name with it, such as `http-web`";
            out.notice(&port.get("name"), "does not say the protocol, so that Istio guesses it", right);
        }
    }
}
