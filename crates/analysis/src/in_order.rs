//! Computes in parallel what is wanted one after another.

use std::collections::VecDeque;
use std::sync::mpsc;

use rayon::prelude::*;

/// Computes something of every task, in parallel, and hands the results over in the order of the
/// tasks, while later ones are computed. Ends with the first error of `take`.
///
/// What is begun and not handed over yet is bounded by two tasks per thread, or eight where the
/// caller is a thread of the pool itself: such a one must not wait for the others, which may
/// wait for it, and computes in waves instead.
pub(crate) fn in_order<T: Send, R: Send, E: Send>(
    tasks: impl IntoIterator<Item = T>,
    compute: impl Fn(T) -> R + Sync,
    mut take: impl FnMut(R) -> Result<(), E> + Send,
) -> Result<(), E> {
    let threads = rayon::current_num_threads();
    if threads == 1 {
        return tasks.into_iter().try_for_each(|task| take(compute(task)));
    }
    if rayon::current_thread_index().is_some() {
        return in_waves(tasks.into_iter(), 4 * threads, compute, take);
    }
    let mut tasks = tasks.into_iter();
    rayon::in_place_scope(|scope| {
        let compute = &compute;
        let begin = |task| {
            let (done, result) = mpsc::sync_channel(1);
            scope.spawn(move |_| {
                // Nobody waits for it any more if an earlier one has failed.
                let _ = done.send(compute(task));
            });
            result
        };
        let mut begun: VecDeque<_> = tasks.by_ref().take(2 * threads).map(begin).collect();
        while let Some(first) = begun.pop_front() {
            // A task that panicked has no result; the scope will go on panicking.
            let Ok(result) = first.recv() else { return Ok(()) };
            take(result)?;
            begun.extend(tasks.next().map(begin));
        }
        Ok(())
    })
}

fn in_waves<T: Send, R: Send, E: Send>(
    mut tasks: impl Iterator<Item = T>,
    wave: usize,
    compute: impl Fn(T) -> R + Sync,
    mut take: impl FnMut(R) -> Result<(), E> + Send,
) -> Result<(), E> {
    let mut ready = Vec::new();
    loop {
        let next: Vec<T> = tasks.by_ref().take(wave).collect();
        let last = next.is_empty();
        let results = || next.into_par_iter().with_max_len(1).map(&compute).collect();
        // What the wave before has left is handed over meanwhile.
        let hand_over = || ready.into_iter().try_for_each(&mut take);
        let (taken, computed) = rayon::join(hand_over, results);
        taken?;
        ready = computed;
        if last {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether squares of 0 to 999 come in order, up to the first error.
    fn check() {
        for stop in [0, 1, 500, 999, 5000] {
            let mut squares = Vec::new();
            let ended = in_order(
                0..1000_u64,
                |n| n * n,
                |square| {
                    squares.push(square);
                    if square == stop * stop { Err(stop) } else { Ok(()) }
                },
            );
            assert_eq!(ended, if stop < 1000 { Err(stop) } else { Ok(()) });
            let expected: Vec<_> =
                (0..1000).map(|n| n * n).take_while(|s| *s <= stop * stop).collect();
            assert_eq!(squares, expected);
        }
    }

    #[test]
    fn results_come_in_order_on_any_thread_and_number_of_threads() {
        check();
        for threads in [1, 2, 5] {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(check);
        }
    }
}
