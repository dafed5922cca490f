//! The `Date` of answers (RFC 9110, section 6.6.1). The one file that names `httpdate`.

use std::{
    cell::RefCell,
    time::{SystemTime, UNIX_EPOCH},
};

thread_local! {
    /// The date of the second that this thread answered in last.
    static NEWEST: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
}

/// Appends what the date is now.
pub(crate) fn append(to: &mut Vec<u8>) {
    let now = SystemTime::now();
    let second = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    NEWEST.with_borrow_mut(|(of, date)| {
        if *of != second || date.is_empty() {
            (*of, *date) = (second, httpdate::fmt_http_date(now));
        }
        to.extend_from_slice(date.as_bytes());
    });
}
