//! Amounts of resources, such as `100m` and `1Gi`.

/// Billionths, the finest that Kubernetes counts in.
const UNIT: i128 = 1_000_000_000;

/// A quantity in billionths, rounded up.
pub(super) fn billionths(text: &str) -> Option<i128> {
    let is_digit = |c: char| c.is_ascii_digit() || c == '.' || c == '-' || c == '+';
    let at = text.find(|c| !is_digit(c)).unwrap_or(text.len());
    let (number, suffix) = text.split_at_checked(at)?;
    let (numerator, denominator) = scale(suffix)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let divisor = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?.checked_mul(denominator)?;
    Some(divide_up(digits.checked_mul(numerator)?, divisor))
}

/// How often a quantity has another one in it, rounded up. Zero counts as one.
pub(super) fn divided(quantity: i128, divisor: i128) -> i128 {
    divide_up(quantity, if divisor == 0 { UNIT } else { divisor })
}

fn divide_up(number: i128, divisor: i128) -> i128 {
    let quotient = number.div_euclid(divisor);
    quotient + i128::from(number.rem_euclid(divisor) != 0)
}

/// Billionths of a unit with this suffix, as a fraction.
fn scale(suffix: &str) -> Option<(i128, i128)> {
    let exponent = match suffix {
        "n" => -9,
        "u" => -6,
        "m" => -3,
        "" => 0,
        "k" => 3,
        "M" => 6,
        "G" => 9,
        "T" => 12,
        "P" => 15,
        "E" => 18,
        _ => match suffix
            .strip_suffix('i')
            .and_then(|prefix| "KMGTPE".find(prefix).filter(|_| prefix.len() == 1))
        {
            Some(at) => return Some((UNIT << (10 * (at + 1)), 1)),
            None => suffix.strip_prefix(['e', 'E'])?.parse().ok()?,
        },
    };
    let power = 10_i128.checked_pow(i32::unsigned_abs(exponent))?;
    Some(if exponent < 0 { (UNIT, power) } else { (UNIT.checked_mul(power)?, 1) })
}

#[cfg(test)]
mod tests {
    use super::{UNIT, billionths, divided};

    #[test]
    fn quantities_are_read_with_every_suffix() {
        for (text, expected) in [
            ("0", 0),
            ("1", UNIT),
            ("100m", UNIT / 10),
            ("1.5", UNIT * 3 / 2),
            ("1Ki", 1024 * UNIT),
            ("1.5Gi", 1536 * 1024 * 1024 * UNIT),
            ("1k", 1000 * UNIT),
            ("12e3", 12_000 * UNIT),
            ("1E", 1_000_000_000_000_000_000 * UNIT),
            ("5n", 5),
        ] {
            assert_eq!(billionths(text), Some(expected), "{text}");
        }
        for text in ["", "Gi", "1Zi", "1 Gi", "one", "1.2.3", "1e", "9e99"] {
            assert_eq!(billionths(text), None, "{text}");
        }
    }

    #[test]
    fn a_part_of_a_unit_counts_as_one() {
        assert_eq!(divided(billionths("100m").unwrap(), billionths("0").unwrap()), 1);
        assert_eq!(divided(billionths("2500m").unwrap(), billionths("1").unwrap()), 3);
        assert_eq!(divided(billionths("512Mi").unwrap(), billionths("1Mi").unwrap()), 512);
    }
}
