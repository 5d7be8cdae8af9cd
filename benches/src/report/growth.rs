//! How times grow with a number: of waiters, threads, processes.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::Drawing;
use super::figures::{figure, nanoseconds, split_number, time};
use super::scale::Scale;
use super::style::{
    Canvas, GRID, HEADER, INK, MARGIN, MUTED_INK, OURS, Outcome, Text, WIDTH, canvas, write,
};
use crate::results::Results;

/// Workloads that differ in a number.
struct Family {
    name: String,
    lines: Vec<Line>,
}

struct Line {
    rival: String,
    ours: bool,
    /// The number, and nanoseconds.
    points: Vec<(f64, f64)>,
}

pub(super) fn draw(results: &Results) -> Drawing {
    let families = families(results);
    if families.is_empty() {
        return Ok(None);
    }
    let rows = i32::try_from(families.len().div_ceil(COLUMNS)).unwrap_or_default();
    let height = HEADER + rows * PANEL_HEIGHT + MARGIN / 2;
    let mut svg = String::new();
    {
        let title = "Growth";
        let subtitle = "Time over how many take part. Less is better. Logarithmic, both ways.";
        let canvas = canvas(&mut svg, height, title, subtitle)?;
        for (index, family) in families.iter().enumerate() {
            if let Some(panel) = Panel::new(&canvas, index, family) {
                panel.draw(family)?;
            }
        }
        canvas.present()?;
    }
    Ok(Some(svg))
}

// ---- What is drawn ------------------------------------------------------------------------------------

/// In the order of the results, with the numbers ascending; only where there is something to compare.
fn families(results: &Results) -> Vec<Family> {
    let mut families: Vec<Family> = Vec::new();
    for comparison in &results.comparisons {
        let Some((name, number)) = split_number(&comparison.workload) else {
            continue;
        };
        let Some(unit) = nanoseconds(&comparison.unit) else {
            continue;
        };
        let family = find_or_add(
            &mut families,
            |family| family.name == name,
            || Family {
                name: name.clone(),
                lines: Vec::new(),
            },
        );
        for row in &comparison.rows {
            let line = find_or_add(
                &mut family.lines,
                |line| line.rival == row.rival,
                || Line {
                    rival: row.rival.clone(),
                    ours: row.ours,
                    points: Vec::new(),
                },
            );
            line.points.push((number, figure(row) * unit));
        }
    }
    for line in families.iter_mut().flat_map(|family| &mut family.lines) {
        line.points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    families.retain(|family| family.lines.iter().any(|line| line.points.len() > 1));
    families
}

fn find_or_add<T>(all: &mut Vec<T>, is_it: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> &mut T {
    let index = all.iter().position(is_it).unwrap_or_else(|| {
        all.push(new());
        all.len() - 1
    });
    &mut all[index]
}

// ---- How it is drawn ----------------------------------------------------------------------------------

const COLUMNS: usize = 2;
const PANEL_WIDTH: i32 = (WIDTH - 3 * MARGIN) / 2;
const PANEL_HEIGHT: i32 = 270;
/// Below the numbers.
const GAP: i32 = 14;
/// For the names of the lines.
const NAMES: i32 = 165;
const TIMES: i32 = 58;
const NUMBERS: i32 = 30;
const HEADING: i32 = 30;
/// From one name to the next.
const NAME_PITCH: i32 = 16;

const BLUES: [RGBColor; 3] = [OURS, RGBColor(0x3d, 0x9b, 0xf5), RGBColor(0x08, 0x3b, 0x85)];

/// For rivals: distinct, and quieter than ours.
const QUIET: [RGBColor; 6] = [
    RGBColor(0x8a, 0x94, 0xa3),
    RGBColor(0xb0, 0x8d, 0x57),
    RGBColor(0x7f, 0xa0, 0x84),
    RGBColor(0xa3, 0x84, 0xa6),
    RGBColor(0xb5, 0x7f, 0x77),
    RGBColor(0x6f, 0x9c, 0xa8),
];

struct Panel<'c, 's> {
    canvas: &'c Canvas<'s>,
    top: i32,
    left: i32,
    numbers: Scale,
    times: Scale,
}

impl<'c, 's> Panel<'c, 's> {
    /// The `index`th, in reading order.
    fn new(canvas: &'c Canvas<'s>, index: usize, family: &Family) -> Option<Self> {
        let row = i32::try_from(index / COLUMNS).ok()?;
        let column = i32::try_from(index % COLUMNS).ok()?;
        let left = MARGIN + column * (PANEL_WIDTH + MARGIN);
        let top = HEADER + row * PANEL_HEIGHT;
        let points = || family.lines.iter().flat_map(|line| &line.points);
        let numbers = Scale {
            values: ends(points().map(|point| point.0))?,
            pixels: (left + TIMES, left + PANEL_WIDTH - NAMES),
            logarithmic: true,
        };
        let (least, most) = ends(points().map(|point| point.1))?;
        let times = Scale {
            // Some room above and below.
            values: (least / 1.2, most * 1.2),
            pixels: (top + PANEL_HEIGHT - NUMBERS - GAP, top + HEADING),
            logarithmic: true,
        };
        Some(Self {
            canvas,
            top,
            left,
            numbers,
            times,
        })
    }

    fn draw(&self, family: &Family) -> Outcome {
        let heading = Text::new(14, INK).bold();
        let place = (self.left, self.top + HEADING / 2 - 4);
        write(self.canvas, place, &family.name, heading)?;
        self.draw_grid(family)?;
        let (mut ours, mut quiet) = (BLUES.iter().cycle(), QUIET.iter().cycle());
        let mut names = Vec::new();
        for line in family.back_to_front() {
            let colors = if line.ours { &mut ours } else { &mut quiet };
            let color = *colors.next().unwrap_or(&MUTED_INK);
            self.draw_line(line, color)?;
            names.extend(self.name_of(line, color));
        }
        self.write_names(names)
    }

    fn draw_grid(&self, family: &Family) -> Outcome {
        let ((left, right), (bottom, _)) = (self.numbers.pixels, self.times.pixels);
        for mark in self.times.marks() {
            let place = self.times.place(mark);
            let line = vec![(left, place), (right, place)];
            self.canvas.draw(&PathElement::new(line, GRID))?;
            let label = Text::new(12, MUTED_INK).at(HPos::Right);
            write(self.canvas, (left - 8, place), &round_time(mark), label)?;
        }
        for number in family.numbers() {
            let place = (self.numbers.place(number), bottom + 14);
            let label = Text::new(12, MUTED_INK).at(HPos::Center);
            write(self.canvas, place, &number.to_string(), label)?;
        }
        let line = vec![(left, bottom), (right, bottom)];
        self.canvas.draw(&PathElement::new(line, MUTED_INK))?;
        Ok(())
    }

    fn draw_line(&self, line: &Line, color: RGBColor) -> Outcome {
        let points: Vec<_> = line.points.iter().map(|&point| self.place(point)).collect();
        let (width, radius) = if line.ours { (3, 4) } else { (2, 3) };
        for &point in &points {
            self.canvas
                .draw(&Circle::new(point, radius, color.filled()))?;
        }
        self.canvas
            .draw(&PathElement::new(points, color.stroke_width(width)))?;
        Ok(())
    }

    fn place(&self, (number, time): (f64, f64)) -> (i32, i32) {
        (self.numbers.place(number), self.times.place(time))
    }

    fn name_of<'line>(&self, line: &'line Line, color: RGBColor) -> Option<Name<'line>> {
        let last = *line.points.last()?;
        Some(Name {
            text: &line.rival,
            how: if line.ours {
                Text::new(12, color).bold()
            } else {
                Text::new(12, color)
            },
            height: self.place(last).1,
        })
    }

    /// At the ends of the lines, or as near as they have room.
    fn write_names(&self, mut names: Vec<Name<'_>>) -> Outcome {
        names.sort_by_key(|name| name.height);
        let mut heights: Vec<_> = names.iter().map(|name| name.height).collect();
        spread(&mut heights, self.times.pixels.1, self.times.pixels.0);
        let left = self.numbers.pixels.1 + 10;
        for (name, height) in names.iter().zip(heights) {
            write(self.canvas, (left, height), name.text, name.how)?;
        }
        Ok(())
    }
}

struct Name<'line> {
    text: &'line str,
    how: Text,
    height: i32,
}

/// Moves ascending heights apart, within bounds as far as there is room.
fn spread(heights: &mut [i32], top: i32, bottom: i32) {
    let mut free = top;
    for height in heights.iter_mut() {
        *height = (*height).max(free);
        free = *height + NAME_PITCH;
    }
    let mut free = bottom;
    for height in heights.iter_mut().rev() {
        *height = (*height).min(free);
        free = *height - NAME_PITCH;
    }
}

impl Family {
    /// Ours in front.
    fn back_to_front(&self) -> impl Iterator<Item = &Line> {
        let (ours, rivals): (Vec<_>, Vec<_>) = self.lines.iter().partition(|line| line.ours);
        rivals.into_iter().chain(ours)
    }

    fn numbers(&self) -> Vec<f64> {
        let points = self.lines.iter().flat_map(|line| &line.points);
        let mut numbers: Vec<_> = points.map(|point| point.0).collect();
        numbers.sort_by(f64::total_cmp);
        numbers.dedup();
        numbers
    }
}

/// The least and the most.
fn ends(values: impl Iterator<Item = f64> + Clone) -> Option<(f64, f64)> {
    let least = values.clone().min_by(f64::total_cmp)?;
    Some((least, values.max_by(f64::total_cmp)?))
}

/// Without decimals that say nothing.
fn round_time(nanoseconds: f64) -> String {
    time(nanoseconds).replace(".00 ", " ").replace(".0 ", " ")
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn names_do_not_overlap() {
        let mut heights = [10, 12, 80, 88, 99];
        spread(&mut heights, 0, 100);
        assert_eq!(heights, [10, 26, 68, 84, 100]);
    }
}
