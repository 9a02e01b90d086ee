//! Says how members were counted, and why so.

use std::fmt;

/// How the members of many lists were counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Work {
    /// Different members of all lists together.
    pub members: u64,
    /// Members of several lists that were counted by the combination of lists they are in, one
    /// increment each. That is how it is done for up to 12 lists, or with cells.
    pub by_mask: u64,
    /// Members of several lists that were counted one pair after the other.
    pub one_by_one: u64,
    /// Members of so many lists that it cost less to count them as columns of bits.
    pub as_bits: u64,
    /// Those are members of so many lists; 0 where members are counted by combination.
    pub bits_from: usize,
}

impl Work {
    pub(super) fn add(&mut self, other: Self) {
        self.members += other.members;
        self.by_mask += other.by_mask;
        self.one_by_one += other.one_by_one;
        self.as_bits += other.as_bits;
        self.bits_from = self.bits_from.max(other.bits_from);
    }
}

/// One sentence without a full stop.
impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { members, by_mask, one_by_one, as_bits, bits_from } = self;
        let shared = by_mask + one_by_one + as_bits;
        write!(f, "{members} members, {shared} of them of several lists: ")?;
        if *bits_from == 0 {
            return write!(f, "each counted once, by the combination of its lists");
        }
        write!(
            f,
            "{one_by_one} counted pair by pair, and {as_bits}, of {bits_from} lists or more, as \
             columns of bits"
        )
    }
}
