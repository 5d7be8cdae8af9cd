//! From values to pixels.

/// A straight axis between two places.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    /// The values at the two ends.
    pub(super) values: (f64, f64),
    pub(super) pixels: (i32, i32),
    pub(super) logarithmic: bool,
}

impl Scale {
    pub(super) fn place(&self, value: f64) -> i32 {
        let (from, to) = self.values;
        let part = if self.logarithmic {
            (value / from).ln() / (to / from).ln()
        } else {
            (value - from) / (to - from)
        };
        let (begin, end) = self.pixels;
        #[expect(clippy::cast_possible_truncation, reason = "pixels")]
        let pixels = (part * f64::from(end - begin)).round() as i32;
        begin + pixels
    }

    /// Round numbers that lie on it, not too many: 1, 2, 5, 10, …, or the powers of ten alone.
    pub(super) fn marks(&self) -> Vec<f64> {
        const MANY: usize = 9;
        let all = self.multiples_of_powers(&[1.0, 2.0, 5.0]);
        if all.len() <= MANY {
            all
        } else {
            self.multiples_of_powers(&[1.0])
        }
    }

    fn multiples_of_powers(&self, digits: &[f64]) -> Vec<f64> {
        let (from, to) = self.values;
        let mut marks = Vec::new();
        let mut power = from.log10().floor();
        while 10_f64.powf(power) <= to {
            marks.extend(digits.iter().map(|digit| digit * 10_f64.powf(power)));
            power += 1.0;
        }
        marks.retain(|mark| (from..=to).contains(mark));
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(from: f64, to: f64) -> Scale {
        Scale {
            values: (from, to),
            pixels: (100, 300),
            logarithmic: true,
        }
    }

    #[test]
    fn places_are_between_the_ends() {
        let places = [1.0, 10.0, 100.0].map(|value| scale(1.0, 100.0).place(value));
        assert_eq!(places, [100, 200, 300]);
    }

    #[test]
    fn marks_are_round_and_few() {
        assert_eq!(scale(0.4, 6.0).marks(), [0.5, 1.0, 2.0, 5.0]);
        assert_eq!(scale(1.0, 1e4).marks(), [1.0, 10.0, 100.0, 1e3, 1e4]);
    }
}
