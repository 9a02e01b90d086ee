//! The little of XML that the formats for graphs need, on quick-xml.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

/// Writes elements, indented.
pub(super) struct Xml<'a> {
    writer: Writer<&'a mut (dyn Write + Send)>,
}

type Attributes<'a> = &'a [(&'a str, &'a str)];

impl<'a> Xml<'a> {
    pub(super) fn new(out: &'a mut (dyn Write + Send)) -> io::Result<Self> {
        let mut writer = Writer::new_with_indent(out, b' ', 1);
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        Ok(Self { writer })
    }

    /// Begins an element.
    pub(super) fn open(&mut self, name: &str, attributes: Attributes<'_>) -> io::Result<()> {
        self.writer.write_event(Event::Start(element(name, attributes)))
    }

    /// Writes an element without content.
    pub(super) fn empty(&mut self, name: &str, attributes: Attributes<'_>) -> io::Result<()> {
        self.writer.write_event(Event::Empty(element(name, attributes)))
    }

    /// Writes an element that holds text.
    pub(super) fn text(
        &mut self,
        name: &str,
        attributes: Attributes<'_>,
        text: &str,
    ) -> io::Result<()> {
        self.open(name, attributes)?;
        self.writer.write_event(Event::Text(BytesText::new(&sayable(text))))?;
        self.close(name)
    }

    /// Ends an element.
    pub(super) fn close(&mut self, name: &str) -> io::Result<()> {
        self.writer.write_event(Event::End(BytesEnd::new(name)))
    }

    /// Ends the document.
    pub(super) fn finish(self) -> io::Result<()> {
        let out = self.writer.into_inner();
        out.write_all(b"\n")?;
        out.flush()
    }
}

/// An element with its attributes; quick-xml escapes `<`, `>`, `&` and quotes in them.
fn element<'n>(name: &'n str, attributes: Attributes<'_>) -> BytesStart<'n> {
    let mut element = BytesStart::new(name);
    for (key, value) in attributes {
        element.push_attribute((*key, &*sayable(value)));
    }
    element
}

/// The text with U+FFFD for what XML 1.0 cannot express, not even escaped (its production 2
/// `Char`), and for the other control characters: tabs and line ends would come out of an
/// attribute as blanks.
pub(super) fn sayable(text: &str) -> String {
    let cannot = |c: char| c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}');
    text.chars().map(|c| if cannot(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
