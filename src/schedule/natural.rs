//! The order people expect of names: numbers by value, folders together, capitals no matter.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::str::Chars;

/// Compares two `/`-separated names as a person would sort them: `part 9` stands before `part 10`.
///
/// A total order: names that read alike (`1` and `01`, `a` and `A`) are told apart by their bytes.
#[must_use]
pub fn natural_cmp(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.chars().peekable(), b.chars().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return a.cmp(b),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (x, y) = (number(&mut left), number(&mut right));
                // Without leading zeros the longer number is the greater one, however many digits there are.
                x.len().cmp(&y.len()).then_with(|| x.cmp(&y))
            }
            (Some(&x), Some(&y)) => {
                left.next();
                right.next();
                rank(x).cmp(&rank(y))
            }
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Takes a run of digits and returns it without leading zeros.
fn number(chars: &mut Peekable<Chars<'_>>) -> String {
    let mut digits = String::new();
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        if digit != '0' || !digits.is_empty() {
            digits.push(digit);
        }
    }
    digits
}

/// The separator ranks lowest, so that `a/z` stands before `a b/c`: a folder's content stays together.
fn rank(c: char) -> u32 {
    if c == '/' { 0 } else { u32::from(c.to_lowercase().next().unwrap_or(c)) + 1 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_sorted_as_a_person_would() {
        let sorted = [
            "Series/1/Part 2.mp4",
            "series/1/part 9.mp4",
            "series/1/part 10.mp4",
            "series/2/part 1.mp4",
            "series b/part 1.mp4",
            "z 007.mkv",
            "z 7.mkv",
            "z 18446744073709551616.mkv",
            "z 18446744073709551617.mkv",
        ];
        for pair in sorted.windows(2) {
            assert_eq!(natural_cmp(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(natural_cmp(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in "[a-bA0-1/é ]{0,6}", b in "[a-bA0-1/é ]{0,6}", c in "[a-bA0-1/é ]{0,6}") {
            prop_assert_eq!(natural_cmp(&a, &b), natural_cmp(&b, &a).reverse());
            prop_assert_eq!(natural_cmp(&a, &b) == Ordering::Equal, a == b);
            if natural_cmp(&a, &b).is_le() && natural_cmp(&b, &c).is_le() {
                prop_assert!(natural_cmp(&a, &c).is_le());
            }
        }
    }
}
