//! How much of the machine questions may take.

use std::sync::OnceLock;

use crate::Error;

/// More would not be faster on any machine, and would bring a small one down.
const THREADS_MAX: usize = 512;

/// Less would not hold the buffers of one thread.
const MEMORY_MIN: u64 = 32 << 20;

static MEMORY: OnceLock<u64> = OnceLock::new();

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

/// Bounds the bytes that questions keep in memory. To be called once, before the first
/// question; otherwise it is half of what the machine has.
///
/// Questions that stream need a few megabytes a thread and take no notice. Overlaps and files
/// that are not sorted keep to it by working in pieces or by putting some on the disk. A graph is
/// in memory as a whole: one with more edges than fit is refused, with what it would take.
///
/// # Errors
/// If questions have been asked already, or that is less than 32 MiB.
pub fn set_memory(bytes: u64) -> Result<(), Error> {
    if bytes < MEMORY_MIN {
        let message = format!("cannot work in {bytes} bytes of memory");
        return Err(Error::invalid(message).with_hint("32 MiB is the least"));
    }
    MEMORY.set(bytes).map_err(|_| Error::invalid("the memory was set, or used, before"))
}

/// The bytes that questions may keep in memory.
pub fn memory() -> u64 {
    *MEMORY.get_or_init(|| of_machine() / 2)
}

/// The memory of the machine in bytes.
#[cfg(target_os = "linux")]
fn of_machine() -> u64 {
    let about = rustix::system::sysinfo();
    about.totalram.saturating_mul(about.mem_unit.into())
}

/// It is not asked elsewhere, and taken to be a small one.
#[cfg(not(target_os = "linux"))]
fn of_machine() -> u64 {
    4 << 30
}
