//! What the charts look like. They have a background of their own, for pages that are white or dark.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// What is drawn on.
pub(super) type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Outcome = Result<(), Box<dyn std::error::Error>>;

pub(super) const WIDTH: i32 = 960;
/// Around everything.
pub(super) const MARGIN: i32 = 24;
/// What title and subtitle take.
pub(super) const HEADER: i32 = 76;

pub(super) const INK: RGBColor = RGBColor(0x1f, 0x29, 0x37);
pub(super) const MUTED_INK: RGBColor = RGBColor(0x5b, 0x66, 0x75);
pub(super) const GRID: RGBColor = RGBColor(0xe3, 0xe6, 0xea);
pub(super) const OURS: RGBColor = RGBColor(0x0b, 0x62, 0xd6);
pub(super) const RIVAL: RGBColor = RGBColor(0xb4, 0xbd, 0xc9);
const BACKGROUND: RGBColor = RGBColor(0xfc, 0xfc, 0xfb);
const BORDER: RGBColor = RGBColor(0xd0, 0xd5, 0xdb);

const FONT: &str = "system-ui, -apple-system, Segoe UI, Roboto, DejaVu Sans, sans-serif";

/// How text is set.
#[derive(Clone, Copy)]
pub(super) struct Text {
    pub(super) size: i32,
    pub(super) color: RGBColor,
    pub(super) bold: bool,
    pub(super) side: HPos,
}

impl Text {
    pub(super) const fn new(size: i32, color: RGBColor) -> Self {
        Self {
            size,
            color,
            bold: false,
            side: HPos::Left,
        }
    }

    pub(super) const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    /// Which end of the text stands at its place.
    pub(super) const fn at(self, side: HPos) -> Self {
        Self { side, ..self }
    }

    pub(super) fn style(self) -> TextStyle<'static> {
        let weight = if self.bold {
            FontStyle::Bold
        } else {
            FontStyle::Normal
        };
        (FONT, self.size, weight)
            .into_font()
            .color(&self.color)
            .pos(Pos::new(self.side, VPos::Center))
    }
}

/// The canvas, with title and subtitle, in memory.
pub(super) fn canvas<'a>(
    svg: &'a mut String,
    height: i32,
    title: &str,
    subtitle: &str,
) -> Result<Canvas<'a>, Box<dyn std::error::Error>> {
    let size = (WIDTH.unsigned_abs(), height.unsigned_abs());
    let canvas = SVGBackend::with_string(svg, size).into_drawing_area();
    let corners = [(0, 0), (WIDTH - 1, height - 1)];
    canvas.draw(&Rectangle::new(corners, BACKGROUND.filled()))?;
    canvas.draw(&Rectangle::new(corners, BORDER.stroke_width(1)))?;
    write(&canvas, (MARGIN, 30), title, Text::new(20, INK).bold())?;
    write(&canvas, (MARGIN, 54), subtitle, Text::new(13, MUTED_INK))?;
    Ok(canvas)
}

pub(super) fn write(canvas: &Canvas<'_>, at: (i32, i32), text: &str, how: Text) -> Outcome {
    canvas.draw(&plotters::element::Text::new(text, at, how.style()))?;
    Ok(())
}

/// In lines that are about as wide as `width`, broken between words.
pub(super) fn wrapped(text: &str, width: i32, size: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if width_of(&format!("{line} {word}"), size) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// About as wide as a text is: the reader's font is unknown.
fn width_of(text: &str, size: i32) -> i32 {
    let letters = i32::try_from(text.chars().count()).unwrap_or(i32::MAX);
    letters.saturating_mul(size) * 11 / 20
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn long_texts_are_broken_between_words() {
        assert_eq!(wrapped("ping-pong", 100, 10), ["ping-pong"]);
        let seen = wrapped("a second lock while one is held", 100, 10);
        assert_eq!(seen, ["a second lock", "while one is held"]);
        assert!(wrapped("", 100, 10).is_empty());
    }
}
