//! Groups of horizontal bars, one group a workload.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::scale::Scale;
use super::style::{
    Canvas, GRID, HEADER, INK, MARGIN, MUTED_INK, OURS, Outcome, RIVAL, Text, WIDTH, canvas,
    wrapped, write,
};

pub(super) struct Bars {
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) kind: Kind,
    pub(super) groups: Vec<Group>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Logarithmic; bars go from 1 to either side.
    Ratio,
    /// Logarithmic, from the power of ten below the least.
    Times,
}

pub(super) struct Group {
    pub(super) heading: String,
    pub(super) note: String,
    pub(super) bars: Vec<Bar>,
}

pub(super) struct Bar {
    pub(super) name: String,
    pub(super) value: f64,
    /// How the value is written.
    pub(super) shown: String,
    pub(super) ours: bool,
}

const LINE: i32 = 18;
const BAR: i32 = 12;
/// Between groups.
const GAP: i32 = 12;
/// With the numbers of the marks.
const FOOTER: i32 = 34;
/// For the headings, and their notes beneath.
const HEADINGS: i32 = 240;
/// For the names of the bars.
const NAMES: i32 = 190;
/// For a value beside the longest bar.
const VALUE: i32 = 64;

const HEADING: Text = Text::new(14, INK).bold();
const NOTE: Text = Text::new(12, MUTED_INK);

impl Bars {
    /// `None`: there is no bar.
    pub(super) fn draw(&self) -> super::Drawing {
        let Some(axis) = Axis::of(self) else {
            return Ok(None);
        };
        let mut svg = String::new();
        let bottom = HEADER + self.groups.iter().map(Group::height).sum::<i32>();
        {
            let canvas = canvas(
                &mut svg,
                bottom + axis.footer(),
                &self.title,
                &self.subtitle,
            )?;
            axis.draw(&canvas, HEADER, bottom)?;
            let mut top = HEADER + GAP / 2;
            for group in &self.groups {
                group.draw(&canvas, &axis, top)?;
                top += group.height();
            }
            canvas.present()?;
        }
        Ok(Some(svg))
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        let bars = self.groups.iter().flat_map(|group| &group.bars);
        bars.map(|bar| bar.value)
    }
}

impl Group {
    fn height(&self) -> i32 {
        let lines = self.bars.len().max(self.legend().len());
        i32::try_from(lines).unwrap_or_default() * LINE + GAP
    }

    /// What stands left of the bars, line by line.
    fn legend(&self) -> Vec<(String, Text)> {
        let heading = wrapped(&self.heading, HEADINGS, HEADING.size);
        let note = wrapped(&self.note, HEADINGS, NOTE.size);
        let lines = |lines: Vec<String>, how| lines.into_iter().map(move |line| (line, how));
        lines(heading, HEADING).chain(lines(note, NOTE)).collect()
    }

    fn draw(&self, canvas: &Canvas<'_>, axis: &Axis, top: i32) -> Outcome {
        let middles = || (0..).map(|line| top + line * LINE + LINE / 2);
        for ((text, how), middle) in self.legend().iter().zip(middles()) {
            write(canvas, (MARGIN, middle), text, *how)?;
        }
        for (bar, middle) in self.bars.iter().zip(middles()) {
            bar.draw(canvas, axis, middle)?;
        }
        Ok(())
    }
}

impl Bar {
    fn draw(&self, canvas: &Canvas<'_>, axis: &Axis, middle: i32) -> Outcome {
        let (color, ink) = if self.ours {
            (OURS, OURS)
        } else {
            (RIVAL, MUTED_INK)
        };
        let text = Text::new(13, ink);
        let text = if self.ours { text.bold() } else { text };
        let name = (MARGIN + HEADINGS + NAMES - 12, middle);
        write(canvas, name, &self.name, text.at(HPos::Right))?;
        let (origin, end) = (axis.scale.place(axis.origin), axis.scale.place(self.value));
        let corners = [
            (origin.min(end), middle - BAR / 2),
            // A bar of no length is a stroke.
            (origin.max(end).max(origin.min(end) + 2), middle + BAR / 2),
        ];
        canvas.draw(&Rectangle::new(corners, color.filled()))?;
        let (place, side) = if end < origin {
            (end - 6, HPos::Right)
        } else {
            (end.max(origin + 2) + 6, HPos::Left)
        };
        write(canvas, (place, middle), &self.shown, text.at(side))
    }
}

/// Where values are.
struct Axis {
    scale: Scale,
    /// Where bars begin.
    origin: f64,
    marks: Vec<f64>,
}

impl Axis {
    fn of(bars: &Bars) -> Option<Self> {
        let least = bars.values().min_by(f64::total_cmp)?;
        let most = bars.values().max_by(f64::total_cmp)?;
        let (begin, end) = (MARGIN + HEADINGS + NAMES, WIDTH - MARGIN - VALUE);
        Some(match bars.kind {
            Kind::Ratio => {
                let scale = Scale {
                    values: (least.min(0.8), most.max(1.25)),
                    // Values beside bars that go to the left need room there.
                    pixels: (begin + VALUE, end),
                    logarithmic: true,
                };
                Self {
                    scale,
                    origin: 1.0,
                    marks: scale.marks(),
                }
            }
            Kind::Times => {
                let below = 10_f64.powf(least.log10().floor());
                Self {
                    scale: Scale {
                        values: (below, most.max(10.0 * below)),
                        pixels: (begin, end),
                        logarithmic: true,
                    },
                    origin: below,
                    marks: Vec::new(),
                }
            }
        })
    }

    fn footer(&self) -> i32 {
        if self.marks.is_empty() {
            MARGIN / 2
        } else {
            FOOTER
        }
    }

    /// The grid, and in front of it the line where bars begin.
    fn draw(&self, canvas: &Canvas<'_>, top: i32, bottom: i32) -> Outcome {
        let upright = |place| vec![(place, top), (place, bottom)];
        for &mark in &self.marks {
            let place = self.scale.place(mark);
            canvas.draw(&PathElement::new(upright(place), GRID))?;
            let label = Text::new(12, MUTED_INK).at(HPos::Center);
            write(canvas, (place, bottom + 14), &mark.to_string(), label)?;
        }
        let origin = upright(self.scale.place(self.origin));
        canvas.draw(&PathElement::new(origin, MUTED_INK.stroke_width(1)))?;
        Ok(())
    }
}
