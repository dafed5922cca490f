//! `hfi filters`: the filters that poll a server.

use std::process::ExitCode;

use clap::Args;
use policies::Timestamp;

use super::{
    console::{DONE, warning},
    figures::{rate, share},
    listing::ListOutput,
    moment::relative,
    server::{ServerArgs, failed, tell_missing},
    table::{Cell, Table},
    terminal::Colour,
};
use crate::{
    api::filters::{Filter, FilterState, Filters},
    clock::now,
};

/// List the filters that poll a server, with the state of each
///
/// A replica knows the filters that polled it within the last 16 minutes, and with `--peers` those of the others.
#[derive(Debug, Args)]
pub struct ListFilters {
    /// The output format
    #[arg(short, long, default_value = "table")]
    output: ListOutput,

    #[command(flatten)]
    server: ServerArgs,
}

impl ListFilters {
    pub async fn run(self) -> ExitCode {
        let client = match self.server.client().await {
            Ok(client) => client,
            Err(code) => return code,
        };
        let filters: Filters = match client.get(&["v1", "filters"], &[]).await {
            Ok(filters) => filters,
            Err(failure) => return failed(&failure),
        };
        tell_missing(&filters.missing);
        if !filters.complete && filters.missing.is_empty() {
            warning("more filters may poll than the server knows");
        }
        let names = filters.filters.iter().map(|filter| format!("filter/{}", filter.node));
        self.output.print(&filters, |wide| table(&filters.filters, now(), wide), names);
        ExitCode::from(DONE)
    }
}

fn table(filters: &[Filter], now: Timestamp, wide: bool) -> Table {
    let headings: &[_] = match wide {
        false => &["NAME", "NAMESPACE", "SERVICE", "STATE", "LAST POLL", "FAULTS/S"],
        true => {
            &["NAME", "NAMESPACE", "SERVICE", "STATE", "LAST POLL", "FAULTS/S", "MEASURED", "DIGEST", "NODE"]
        }
    };
    let row = |filter: &Filter| {
        let mut row = vec![
            Cell::new(pod(&filter.node)),
            Cell::new(&filter.namespace),
            Cell::new(&filter.service),
            state(filter.state),
            Cell::new(relative(filter.last_contact.0, now)),
            Cell::new(rate(filter.measured.as_ref())),
        ];
        if wide {
            row.push(Cell::new(share(filter.measured.as_ref())));
            row.extend([Cell::new(filter.digest.as_deref().unwrap_or_default()), Cell::new(&filter.node)]);
        }
        row
    };
    Table { headings, rows: filters.iter().map(row).collect() }
}

fn state(state: FilterState) -> Cell {
    match state {
        FilterState::InStep => Cell::painted("in step", Colour::Good),
        FilterState::Lagging => Cell::painted("lagging", Colour::Attention),
        FilterState::Gone => Cell::painted("gone", Colour::Bad),
        FilterState::Unknown => Cell::new("unknown"),
    }
}

/// The pod of a node as Istio names it, `sidecar~ADDRESS~POD.NAMESPACE~DOMAIN`, as `istioctl proxy-status` does;
/// else the whole name.
pub(crate) fn pod(node: &str) -> &str {
    match node.split('~').collect::<Vec<_>>()[..] {
        [_, _, pod, _] if !pod.is_empty() => pod,
        _ => node,
    }
}

#[cfg(test)]
mod tests {
    use policies::Timestamp;

    use super::{Filter, FilterState, table};
    use crate::{
        api::measured::Measured,
        cli::{
            snapshots::{a_thousand_rows_keep_their_columns, table_is_as_in},
            terminal::Terminal,
        },
    };

    fn filter(node: &str, service: &str, state: FilterState) -> Filter {
        Filter {
            digest: Some("sha256:0011".to_owned()),
            last_contact: Timestamp::from_millis(1_000_000_000_000).into(),
            measured: None,
            namespace: "shop".to_owned(),
            newest: state == FilterState::InStep,
            node: node.to_owned(),
            plugins: None,
            service: service.to_owned(),
            state,
        }
    }

    #[test]
    fn the_listing_is_as_it_was_at_every_size() {
        let measured = Measured {
            aborts: 60,
            chosen: 62,
            delays: 0,
            filters: 1,
            matched: 200,
            overflow: 0,
            partial: false,
            per_second: 2.25,
            recent_share: None,
            shadow: 0,
            share: Some(0.31),
            since: Timestamp::from_millis(0).into(),
        };
        let node = |pod: &str| format!("sidecar~10.0.0.1~{pod}.shop~shop.svc.cluster.local");
        let filters = [
            Filter {
                measured: Some(measured),
                ..filter(&node("checkout-7d8f-1"), "checkout", FilterState::InStep)
            },
            filter(&node(&"n".repeat(63)), "cart,cart-v2", FilterState::Lagging),
            filter("a\u{1b}[2J\u{202e}", "*", FilterState::Gone),
        ];
        let now = Timestamp::from_millis(1_000_000_020_000);
        table_is_as_in("filters.txt", |wide| table(&filters, now, wide));
        a_thousand_rows_keep_their_columns(|wide| table(&filters, now, wide));
    }

    #[test]
    fn a_filter_is_named_by_its_pod() {
        let filters = [
            filter(
                "sidecar~10.0.0.1~checkout-7d8f-1.shop~shop.svc.cluster.local",
                "checkout",
                FilterState::InStep,
            ),
            filter("an-envoy", "*", FilterState::Gone),
        ];
        let now = Timestamp::from_millis(1_000_000_020_000);
        let narrow = "\
NAME                  NAMESPACE  SERVICE   STATE    LAST POLL  FAULTS/S
checkout-7d8f-1.shop  shop       checkout  in step  20s ago    -
an-envoy              shop       *         gone     20s ago    -
";
        let eighty = Terminal { has_colours: false, width: Some(80) };
        assert_eq!(table(&filters, now, false).render(eighty), narrow);
        let wide = table(&filters, now, true).render(Terminal::default());
        assert!(wide.contains("20s ago    -         -         sha256:0011  an-envoy\n"), "{wide}");
    }

    #[test]
    fn long_names_and_a_thousand_filters_keep_their_columns() {
        let long = format!("sidecar~10.0.0.1~{}.shop~shop.svc.cluster.local", "n".repeat(63));
        let filters = vec![filter(&long, &"s".repeat(63), FilterState::Lagging); 1_000];
        let eighty = Terminal { has_colours: false, width: Some(80) };
        let text = table(&filters, Timestamp::from_millis(0), false).render(eighty);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!((lines.len(), lines[1].chars().count()), (1_001, 80));
        assert!(lines[1].starts_with(&"n".repeat(63)) && lines[1].ends_with('…'), "{}", lines[1]);
    }
}
