//! How many threads questions are computed on.

use crate::Error;

/// More would not be faster on any machine, and would bring a small one down.
const THREADS_MAX: usize = 512;

/// Bounds the threads of the whole process's questions. To be called once, before the first
/// question; otherwise there is one per core.
///
/// # Errors
/// If questions have been asked already, or the system refuses the threads.
pub fn set_threads(threads: usize) -> Result<(), Error> {
    if threads > THREADS_MAX {
        let message = format!("cannot work with {threads} threads");
        return Err(Error::invalid(message).with_hint(format!("{THREADS_MAX} is the most")));
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    pool.map_err(|e| Error::invalid(format!("cannot work with {threads} threads")).because(e))
}
