//! Dates as days since 1970-01-01 (proleptic Gregorian calendar).

/// Seconds of a day.
pub const DAY_SECONDS: i64 = 86_400;
/// Seconds by which Asia/Tokyo is ahead of UTC; no daylight saving time.
pub const TOKYO_SECONDS: i64 = 9 * 3600;

/// Days since 1970-01-01 of a date written YYYY-MM-DD, years 1 to 9999; `None` for any other text.
pub fn day_of(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        bytes[range]
            .iter()
            .try_fold(0, |sum, &digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let fits = year >= 1 && (1..=12).contains(&month) && (1..=month_days(year, month)).contains(&day);
    fits.then(|| days_from_civil(year, month, day))
}

/// The date of a day, written YYYY-MM-DD.
pub fn text_of(day: i64) -> String {
    let (year, month, day) = civil_from_days(day);
    format!("{year:04}-{month:02}-{day:02}")
}

fn month_days(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

// Howard Hinnant's algorithms: eras of 400 years, years that begin in March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil_from_days(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_centuries_survives_the_way_there_and_back() {
        for day in day_of("1899-12-31").unwrap()..day_of("2101-01-01").unwrap() {
            assert_eq!(day_of(&text_of(day)), Some(day));
        }
        assert_eq!(day_of("1970-01-01"), Some(0));
        assert_eq!(day_of("2027-04-05"), Some(20_913));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in
            ["", "2027-02-29", "2027-13-01", "2027-00-10", "0000-01-01", "2027-4-5", "2027/04/05", "２０２７-04-05"]
        {
            assert_eq!(day_of(text), None, "{text}");
        }
    }
}
