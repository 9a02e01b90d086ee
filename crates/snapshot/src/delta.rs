//! Decodes `DELTA_BINARY_PACKED`, the encoding of sorted integers, into a buffer that its caller
//! reuses.
//!
//! A list of fifty million ids is decoded for every question that is asked of it, and nothing
//! else is done to most of them, so this is the hottest loop there is. The Parquet library's own
//! decoder is written for every type and every way of being called; this one does whole pages
//! of integers only, at about a nanosecond a value.
//!
//! The format is that of Lemire and Boytsov, "Decoding billions of integers per second through
//! vectorization" (2015), as [Parquet's page on encodings][page] restates it: a header, then
//! blocks of a smallest difference and some miniblocks of the rest, each with a width of its
//! own. Differences wrap around.
//!
//! Knows nothing of files: it is given the bytes of a page without levels. Whatever they are,
//! it neither panics nor makes more values than it was told to expect.
//!
//! [page]: https://parquet.apache.org/docs/file-format/data-pages/encodings/

use crate::integers::{Integer, ROWS_BELIEVED};

/// Appends the values of a page, which are as many as `expected`.
///
/// # Errors
/// If the bytes are not such a page.
pub(crate) fn decode<T: Integer>(
    page: &[u8],
    expected: usize,
    out: &mut Vec<T>,
) -> Result<(), &'static str> {
    let mut bytes = Bytes { rest: page };
    let header = Header::read(&mut bytes)?;
    if header.values != expected {
        return Err("it has other than the values its header tells");
    }
    if expected == 0 {
        return Ok(());
    }
    out.reserve(expected.min(ROWS_BELIEVED));
    let mut last = bytes.signed()?;
    out.push(T::truncate(last));
    let mut left = expected - 1;
    while left > 0 {
        let smallest = bytes.signed()?;
        let widths = bytes.take(header.miniblocks)?;
        for width in widths {
            if left == 0 {
                break;
            }
            let values = left.min(header.miniblock_values);
            let width = usize::from(*width);
            if width > 64 {
                return Err("it has integers of more than 64 bits");
            }
            if bytes.rest.len() < (width * values).div_ceil(8) {
                return Err("it ends early");
            }
            last = unpack(bytes.rest, width, smallest, last, values, out);
            // The last miniblock may be cut off after its last value.
            bytes.skip(width * header.miniblock_values / 8);
            left -= values;
        }
    }
    Ok(())
}

struct Header {
    miniblocks: usize,
    miniblock_values: usize,
    values: usize,
}

impl Header {
    fn read(bytes: &mut Bytes<'_>) -> Result<Self, &'static str> {
        let mut number = || usize::try_from(bytes.unsigned()?).map_err(|_| "its header is absurd");
        let (block, miniblocks, values) = (number()?, number()?, number()?);
        let miniblock_values = block.checked_div(miniblocks).unwrap_or(0);
        let whole = miniblock_values * miniblocks == block && miniblock_values % 32 == 0;
        if miniblock_values == 0 || !whole || block > 1 << 24 {
            return Err("its header is absurd");
        }
        Ok(Self { miniblocks, miniblock_values, values })
    }
}

/// Appends `values` running sums of differences of `width` bits, and returns the last one.
///
/// `packed` begins with the differences and may go on behind them.
fn unpack<T: Integer>(
    packed: &[u8],
    width: usize,
    smallest: u64,
    mut last: u64,
    values: usize,
    out: &mut Vec<T>,
) -> u64 {
    let mut next = |difference: u64| {
        last = last.wrapping_add(smallest).wrapping_add(difference);
        T::truncate(last)
    };
    if width == 0 {
        out.extend((0..values).map(|_| next(0)));
        return last;
    }
    let mask = u64::MAX >> (64 - width);
    // Eight values take as many bytes as one takes bits, and begin at a byte. A value of up to
    // 57 bits lies in the eight bytes at its first bit, if there are eight.
    let groups = if width <= 57 { packed.len().saturating_sub(8) / width } else { 0 };
    let groups = groups.min(values / 8);
    for bytes in packed.windows(width + 8).step_by(width).take(groups) {
        let eight: [T; 8] = std::array::from_fn(|i| {
            let bit = i * width;
            next(word(&bytes[bit / 8..]) >> (bit % 8) & mask)
        });
        out.extend_from_slice(&eight);
    }
    out.extend((8 * groups..values).map(|i| next(bits(packed, i * width, width))));
    last
}

/// The first eight bytes as a number.
fn word(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |eight| u64::from_le_bytes(*eight))
}

/// Some bits from a bit on, byte by byte.
fn bits(packed: &[u8], from: usize, width: usize) -> u64 {
    let mut value = 0;
    let mut got = 0;
    while got < width {
        let bit = from + got;
        let some = (8 - bit % 8).min(width - got);
        let byte = u64::from(packed[bit / 8]) >> (bit % 8);
        value |= (byte & (u64::MAX >> (64 - some))) << got;
        got += some;
    }
    value
}

/// What is left of a page.
struct Bytes<'a> {
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or("it ends early")?;
        self.rest = rest;
        Ok(taken)
    }

    /// As many as there are, but at most `count`.
    fn skip(&mut self, count: usize) {
        self.rest = &self.rest[count.min(self.rest.len())..];
    }

    /// A number in groups of seven bits, lowest first.
    fn unsigned(&mut self) -> Result<u64, &'static str> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err("it has a number of more than 64 bits")
    }

    /// A number whose lowest bit is its sign.
    fn signed(&mut self) -> Result<u64, &'static str> {
        let zigzag = self.unsigned()?;
        Ok(zigzag >> 1 ^ (zigzag & 1).wrapping_neg())
    }
}

#[cfg(test)]
mod tests;
