//! How many threads questions are computed on.

use crate::Error;

/// Bounds the threads of the whole process's questions. To be called once, before the first
/// question; otherwise there is one per core.
///
/// # Errors
/// If questions have been asked already, or the system refuses the threads.
pub fn set_threads(threads: usize) -> Result<(), Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    pool.map_err(|e| Error::invalid(format!("cannot work with {threads} threads")).because(e))
}
