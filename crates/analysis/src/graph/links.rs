//! Memory for edges on their way into rows: one large array, used again and again.
//!
//! Edges are kept in links of 4 KiB that are taken from the array and given back. Whatever
//! moves edges from one link to another needs no more memory than they had before, and when
//! the last link is given back the array goes back to the system as a whole. Small
//! allocations do neither: an allocator keeps what a thread frees for that thread, and what
//! it keeps it does not give back. The array costs no memory before it is written to.

use std::sync::Mutex;

/// Words of a link.
pub(super) const LINK: usize = 1 << 9;

/// Links that are free.
pub(super) struct Pool<'s>(Mutex<Vec<&'s mut [u64]>>);

/// Up to [`LINK`] words.
pub(super) struct Link<'s> {
    memory: Memory<'s>,
    len: usize,
}

enum Memory<'s> {
    Slab(&'s mut [u64]),
    /// When the array is used up.
    Heap(Box<[u64]>),
}

/// An array for so many words, in so many links that need not be full.
pub(super) fn slab(words: usize, links: usize) -> Vec<u64> {
    vec![0; (words.div_ceil(LINK) + links) * LINK]
}

impl<'s> Pool<'s> {
    pub(super) fn new(slab: &'s mut [u64]) -> Self {
        // The first is taken first.
        Self(Mutex::new(slab.chunks_exact_mut(LINK).rev().collect()))
    }

    pub(super) fn take(&self) -> Link<'s> {
        let free = self.0.lock().ok().and_then(|mut free| free.pop());
        let heap = || Memory::Heap(vec![0; LINK].into_boxed_slice());
        Link { memory: free.map_or_else(heap, Memory::Slab), len: 0 }
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
        Self { memory: Memory::Heap(Box::default()), len: 0 }
    }

    /// Adds a word. False if it is full, and the word was not added.
    pub(super) fn push(&mut self, word: u64) -> bool {
        let memory = match &mut self.memory {
            Memory::Slab(memory) => memory,
            Memory::Heap(memory) => &mut memory[..],
        };
        let Some(place) = memory.get_mut(self.len) else { return false };
        *place = word;
        self.len += 1;
        true
    }

    pub(super) fn words(&self) -> &[u64] {
        match &self.memory {
            Memory::Slab(memory) => &memory[..self.len],
            Memory::Heap(memory) => &memory[..self.len],
        }
    }

    pub(super) fn words_mut(&mut self) -> &mut [u64] {
        match &mut self.memory {
            Memory::Slab(memory) => &mut memory[..self.len],
            Memory::Heap(memory) => &mut memory[..self.len],
        }
    }
}
