//! What is told of Services of the same Pods is what a comparison of each two ports finds.
#![cfg(test)]

mod any_services;

use proptest::prelude::*;

use self::any_services::holds;

#[test]
fn whatever_services_there_are() {
    // Two Services of one Pod, which lead to one port by two protocols.
    holds(&[1, 0, 0, 0b01_0001, 0b0000_0000, 0b01_0001, 0b0000_1000]);
    holds(&[]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn whatever_objects_there_are(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        holds(&bytes);
    }
}
