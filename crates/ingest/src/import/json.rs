//! Ids and arrays in JSON, read as a stream.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::marker::PhantomData;
use std::rc::Rc;

use serde::de::{self, DeserializeOwned, Deserializer as _, SeqAccess, Visitor};
use snapshot::{AccountId, IdError};

use super::input::{bad_id, broken};
use crate::Error;

/// An id as a number or a string; why it is none is told later, where the line is known.
#[derive(Clone, Debug)]
pub(super) struct Id(pub(super) Result<AccountId, IdError>);

impl<'de> serde::Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct AnId;
        impl Visitor<'_> for AnId {
            type Value = Id;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id, as a number or a string")
            }
            fn visit_u64<E>(self, number: u64) -> Result<Id, E> {
                Ok(Id(number.to_string().parse()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Id, E> {
                Ok(Id(number.to_string().parse()))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Id, E> {
                Ok(Id(format!("{number:e}").parse()))
            }
            fn visit_str<E>(self, text: &str) -> Result<Id, E> {
                Ok(Id(text.trim().parse()))
            }
        }
        from.deserialize_any(AnId)
    }
}

/// The most that one element may take: nobody's profile is longer.
pub(super) const ELEMENT_BYTES_MAX: u64 = 16 << 20;

/// Lets only so much be read for one element.
struct Leash<R> {
    inner: R,
    read: Rc<Cell<u64>>,
    /// The line it has come to. The parser takes byte by byte, so this is exact, also where
    /// its own errors have no line.
    line: Rc<Cell<u64>>,
}

impl<R: Read> Read for Leash<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read.get() > ELEMENT_BYTES_MAX {
            return Err(io::Error::other("an element of more than 16 MiB"));
        }
        let read = self.inner.read(buffer)?;
        self.read.set(self.read.get() + read as u64);
        let lines = buffer[..read].iter().map(|byte| u64::from(*byte == b'\n'));
        self.line.set(self.line.get() + lines.sum::<u64>());
        Ok(read)
    }
}

/// What is wrong with an element.
pub(super) enum Wrong {
    /// It is not what it should be.
    Shape(String),
    /// Its id is none.
    Id(IdError),
    /// It could not be kept.
    Kept(Error),
}

/// Hands each element of an array to `each`, with its index from 1, and counts them.
pub(super) fn array<T: DeserializeOwned>(
    name: &str,
    text: impl Read,
    mut each: impl FnMut(u64, T) -> Result<(), Wrong>,
) -> Result<u64, Error> {
    let read = Rc::new(Cell::new(0));
    let line = Rc::new(Cell::new(1));
    let leash = Leash { inner: text, read: Rc::clone(&read), line: Rc::clone(&line) };
    let mut json = serde_json::Deserializer::from_reader(leash);
    let mut at = At { index: 0, line, wrong: None };
    let elements = Elements { each: &mut each, at: &mut at, read, of: PhantomData };
    let done = json.deserialize_seq(elements).and_then(|()| json.end());
    match done {
        Ok(()) => Ok(at.index),
        Err(e) => Err(at.explain(name, e)),
    }
}

struct At {
    index: u64,
    line: Rc<Cell<u64>>,
    wrong: Option<(u64, Wrong)>,
}

impl At {
    fn explain(self, name: &str, e: serde_json::Error) -> Error {
        let (index, line) = (self.index + 1, self.line.get());
        match self.wrong {
            Some((_, Wrong::Kept(error))) => return error,
            Some((line, Wrong::Id(error))) => {
                return bad_id(format_args!("{name} (element {index})"), line, &error);
            }
            Some((line, Wrong::Shape(what))) => {
                return Error::input(name, line, format_args!("element {index} {what}"));
            }
            None => {}
        }
        match e.classify() {
            serde_json::error::Category::Io => broken(name, line, e.into()),
            serde_json::error::Category::Eof => {
                Error::input(name, line, format_args!("the file ends within element {index}"))
                    .hint("the file is not whole: fetch it again; nothing was published")
            }
            _ => {
                let what = format_args!("element {index} is not as it should be");
                Error::input(name, line, what).because(e)
            }
        }
    }
}

struct Elements<'a, T, F> {
    each: &'a mut F,
    at: &'a mut At,
    read: Rc<Cell<u64>>,
    of: PhantomData<T>,
}

impl<'de, T: DeserializeOwned, F: FnMut(u64, T) -> Result<(), Wrong>> Visitor<'de>
    for Elements<'_, T, F>
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element()? {
            self.read.set(0);
            if let Err(wrong) = (self.each)(self.at.index + 1, element) {
                self.at.wrong = Some((self.at.line.get(), wrong));
                return Err(de::Error::custom("refused"));
            }
            self.at.index += 1;
        }
        Ok(())
    }
}
