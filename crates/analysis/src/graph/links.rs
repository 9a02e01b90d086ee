//! Memory for edges on their way into rows: one large array, used again and again.
//!
//! Edges are kept in links of 4 KiB that are taken from the array and given back. Whatever
//! moves edges from one link to another needs no more memory than they had before, and when
//! the last link is given back the array goes back to the system as a whole. Small
//! allocations do neither: an allocator keeps what a thread frees for that thread, and what
//! it keeps it does not give back. The array costs no memory before it is written to.
//!
//! A link holds words of up to 64 bits in as many bytes as they need; for most graphs these
//! are six or fewer.

use std::sync::Mutex;

/// Bytes of a link.
const LINK: usize = 1 << 12;

/// Bytes of the widest word.
const WORD: usize = size_of::<u64>();

/// Links that are free.
pub(super) struct Pool<'s>(Mutex<Vec<&'s mut [u8]>>);

/// Words that are kept in 1 to 8 bytes each.
pub(super) struct Link<'s> {
    memory: Memory<'s>,
    width: usize,
    /// Bytes that are used.
    len: usize,
}

enum Memory<'s> {
    Slab(&'s mut [u8]),
    /// When the array is used up.
    Heap(Box<[u8]>),
}

/// An array for so many words of 8 bytes, in so many links that need not be full.
pub(super) fn slab(words: usize, links: usize) -> Vec<u8> {
    vec![0; (words.div_ceil(words_of(WORD)) + links) * LINK]
}

/// The bytes that words of so many bits are kept in.
pub(super) fn width(bits: u32) -> usize {
    (bits.div_ceil(8) as usize).clamp(1, WORD)
}

/// How many words fit into a link. A whole word is written even where fewer bytes count, so
/// the last one ends a little before the link does.
pub(super) const fn words_of(width: usize) -> usize {
    (LINK - WORD) / width + 1
}

impl<'s> Pool<'s> {
    pub(super) fn new(slab: &'s mut [u8]) -> Self {
        // The first is taken first.
        Self(Mutex::new(slab.chunks_exact_mut(LINK).rev().collect()))
    }

    /// An empty link for words of so many bytes.
    pub(super) fn take(&self, width: usize) -> Link<'s> {
        let free = self.0.lock().ok().and_then(|mut free| free.pop());
        let heap = || Memory::Heap(vec![0; LINK].into_boxed_slice());
        Link { memory: free.map_or_else(heap, Memory::Slab), width, len: 0 }
    }

    pub(super) fn give(&self, link: Link<'s>) {
        if let Memory::Slab(memory) = link.memory
            && let Ok(mut free) = self.0.lock()
        {
            free.push(memory);
        }
    }
}

impl Link<'_> {
    /// One without room.
    pub(super) fn none() -> Self {
        Self { memory: Memory::Heap(Box::default()), width: WORD, len: 0 }
    }

    /// How many words it has.
    pub(super) fn count(&self) -> usize {
        self.len / self.width
    }

    /// Adds a word. False if it is full, and the word was not added.
    pub(super) fn push(&mut self, word: u64) -> bool {
        let memory = match &mut self.memory {
            Memory::Slab(memory) => memory,
            Memory::Heap(memory) => &mut memory[..],
        };
        let rest = memory.get_mut(self.len..).and_then(|rest| rest.first_chunk_mut());
        let Some(place) = rest else { return false };
        *place = word.to_le_bytes();
        self.len += self.width;
        true
    }

    /// Its words, in order.
    pub(super) fn words(&self) -> impl Iterator<Item = u64> {
        let memory = match &self.memory {
            Memory::Slab(memory) => memory,
            Memory::Heap(memory) => &memory[..],
        };
        let mask = u64::MAX >> (64 - 8 * self.width);
        let word = move |at: usize| {
            let bytes = memory[at..].first_chunk().copied().unwrap_or_default();
            u64::from_le_bytes(bytes) & mask
        };
        (0..self.len).step_by(self.width).map(word)
    }
}
