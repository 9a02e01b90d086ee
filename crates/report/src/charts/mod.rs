//! Charts as SVG, drawn by plotters without any font or image of the system.
//!
//! Everything is drawn in a handful of fixed colours, which stand for roles. A page replaces them
//! by CSS variables, so that one drawing serves light and dark ([`Chart::for_page`]); as a file it
//! keeps them, on white. They are those of M. Okabe and K. Ito (Color universal design, 2002),
//! which people with any common colour vision can tell apart; nothing is told by colour alone.
//!
//! Coordinates are whole numbers, so the same data make the same bytes everywhere.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::Error;

mod bars;
mod network;
mod upset;

pub(crate) use bars::{Balance, ages, balances, came, course, fates};
pub(crate) use network::network;
pub(crate) use upset::upset;

pub(crate) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
pub(crate) const MUTED: RGBColor = RGBColor(0x59, 0x59, 0x59);
pub(crate) const LINE: RGBColor = RGBColor(0xDD, 0xDD, 0xDD);
pub(crate) const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
pub(crate) const VERMILLION: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
pub(crate) const GREEN: RGBColor = RGBColor(0x00, 0x9E, 0x73);
pub(crate) const ORANGE: RGBColor = RGBColor(0xE6, 0x9F, 0x00);
pub(crate) const PURPLE: RGBColor = RGBColor(0xCC, 0x79, 0xA7);
pub(crate) const GREY: RGBColor = RGBColor(0xAA, 0xAA, 0xAA);

/// The CSS variable that each colour stands for.
const ROLES: [(RGBColor, &str); 9] = [
    (INK, "ink"),
    (MUTED, "muted"),
    (LINE, "line"),
    (BLUE, "blue"),
    (VERMILLION, "vermillion"),
    (GREEN, "green"),
    (ORANGE, "orange"),
    (PURPLE, "purple"),
    (GREY, "grey"),
];

/// A chart, with what it shows in words.
pub(crate) struct Chart {
    /// Its name in the page, and as a file.
    pub(crate) name: String,
    pub(crate) title: String,
    /// What somebody is told who cannot see it.
    pub(crate) description: String,
    pub(crate) legend: Vec<(RGBColor, &'static str)>,
    svg: String,
}

/// The name of a colour's role.
pub(crate) fn role(color: RGBColor) -> &'static str {
    ROLES.into_iter().find(|(known, _)| *known == color).map_or("ink", |(_, name)| name)
}

impl Chart {
    /// The drawing as part of a page: colours are its variables, and a screen reader gets title
    /// and description.
    pub(crate) fn for_page(&self) -> String {
        let Self { name, title, description, svg, .. } = self;
        let mut svg = svg.clone();
        for (RGBColor(r, g, b), role) in ROLES {
            svg =
                svg.replace(&format!("\"#{r:02X}{g:02X}{b:02X}\""), &format!("\"var(--{role})\""));
        }
        // Width and height are the page's affair.
        let begin = svg.find("viewBox").unwrap_or(0);
        let rest = svg[begin..].replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1);
        let end = rest.find('>').map_or(0, |at| at + 1);
        let (title, description) = (escaped(title), escaped(description));
        format!(
            "<svg role=\"img\" aria-labelledby=\"{name}-title {name}-description\" {}\
             <title id=\"{name}-title\">{title}</title>\
             <desc id=\"{name}-description\">{description}</desc>{}",
            &rest[..end],
            &rest[end..].replace(" opacity=\"1\"", "").replace(" font-family=\"sans-serif\"", "")
        )
    }

    /// The drawing as a file of its own, on white.
    pub(crate) fn for_file(&self) -> String {
        let begin = self.svg.find('>').map_or(0, |at| at + 1);
        let (title, description) = (escaped(&self.title), escaped(&self.description));
        format!(
            "{}\n<title>{title}</title><desc>{description}</desc>\
             <rect width=\"100%\" height=\"100%\" fill=\"#FFFFFF\"/>{}",
            &self.svg[..begin],
            &self.svg[begin..]
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(crate) type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// A drawing of so many pixels.
pub(crate) fn draw(
    size: (u32, u32),
    draw: impl FnOnce(&Area<'_>) -> Drawn,
) -> Result<String, Error> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        draw(&area).and_then(|()| area.present()).map_err(Error::write)?;
    }
    Ok(svg)
}

/// Where a text begins, ends, or is centred.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

pub(crate) fn text(
    area: &Area<'_>,
    at: (i32, i32),
    text: &str,
    anchor: Anchor,
    color: RGBColor,
) -> Drawn {
    let side = match anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    let style = TextStyle::from(("sans-serif", 15).into_font()).color(&color);
    area.draw(&Text::new(text.to_owned(), at, style.pos(Pos::new(side, VPos::Center))))
}

pub(crate) fn rect(area: &Area<'_>, from: (i32, i32), to: (i32, i32), color: RGBColor) -> Drawn {
    area.draw(&Rectangle::new([from, to], color.filled()))
}

pub(crate) fn line(area: &Area<'_>, points: Vec<(i32, i32)>, color: RGBColor, width: u32) -> Drawn {
    area.draw(&PathElement::new(points, color.stroke_width(width)))
}

pub(crate) fn dot(area: &Area<'_>, at: (i32, i32), radius: i32, color: RGBColor) -> Drawn {
    area.draw(&Circle::new(at, radius, color.filled()))
}

/// A label that fits beside a chart.
pub(crate) fn short(label: &str) -> String {
    const MAX: usize = 18;
    if label.chars().count() <= MAX {
        return label.to_owned();
    }
    label.chars().take(MAX - 1).chain(['…']).collect()
}

/// A length for a value, of at most `most` pixels.
#[expect(clippy::cast_possible_truncation, reason = "pixels are few")]
pub(crate) fn pixels(value: f64, of: f64, most: i32) -> i32 {
    if of > 0.0 { (value / of * f64::from(most)).round() as i32 } else { 0 }
}

/// An index as a coordinate.
pub(crate) fn place(index: usize) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX / 2)
}

/// The round number of 1, 2, 5 times a power of ten that is nearest above.
pub(crate) fn round_up(value: f64) -> f64 {
    let mut unit = 1e-6;
    loop {
        for step in [1.0, 2.0, 2.5, 5.0] {
            if unit * step >= value {
                return unit * step;
            }
        }
        unit *= 10.0;
    }
}
