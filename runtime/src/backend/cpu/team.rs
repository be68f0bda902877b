//! Threads that wait for work by spinning.
//!
//! A token is computed in a hundred and more steps of some ten microseconds. Waking a thread that sleeps takes as long
//! as one of them, so the threads of the team look for the next step for a while before they sleep. Whoever calls works
//! too, and closes the step when no work is left to be begun: a thread that comes late is not waited for.

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread::{self, Thread};

use crate::{Error, ErrorKind, Result};

/// The most threads a team may have.
pub const MAX_THREADS: usize = 512;

/// Rounds a thread looks for work before it sleeps: some tens of microseconds.
const ROUNDS: u32 = 4000;

/// In [`Team::state`]: the step takes more threads.
const OPEN: u64 = 1 << 15;

/// In [`Team::state`]: threads that joined the step. The bits above [`OPEN`] number it.
const JOINED: u64 = OPEN - 1;

type Job = dyn Fn() + Sync;

struct Team {
    state: AtomicU64,
    /// Threads that joined the step and are through.
    done: AtomicU64,
    panicked: AtomicBool,
    job: UnsafeCell<Option<*const Job>>,
    members: Vec<Member>,
    /// Held by the caller of a step.
    caller: Mutex<()>,
}

struct Member {
    asleep: AtomicBool,
    thread: OnceLock<Thread>,
}

// SAFETY: `job` is written by the holder of `caller` while no thread is in a step, and read by threads that joined one.
// The pointer is to something `Sync`.
unsafe impl Sync for Team {}
// SAFETY: as above.
unsafe impl Send for Team {}

static TEAM: OnceLock<&'static Team> = OnceLock::new();

/// Sets on how many threads this process computes, the one that asks for work among them. Without it there are as many
/// as processors, from the first computation on.
///
/// # Errors
/// [`ErrorKind::Argument`] when `threads` is 0 or above [`MAX_THREADS`], or another number was set or used before.
pub fn set_threads(threads: usize) -> Result<()> {
    let refuse = |detail| Err(Error::new(ErrorKind::Argument, "threads", detail));
    if !(1..=MAX_THREADS).contains(&threads) {
        return refuse(format!("found {threads}, expected 1 to {MAX_THREADS}"));
    }
    match TEAM.get_or_init(|| Team::start(threads)).threads() {
        running if running == threads => Ok(()),
        running => refuse(format!("found {threads}, but this process computes on {running} already")),
    }
}

/// On how many threads this process computes.
pub fn threads() -> usize {
    team().threads()
}

fn team() -> &'static Team {
    TEAM.get_or_init(|| Team::start(thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS)))
}

/// Calls `f` with each of `0..count`, on all threads. Each takes stretches of neighbours, shorter towards the end.
///
/// # Panics
/// If `f` does, once all threads are through.
pub(super) fn for_each(count: usize, f: impl Fn(usize) + Sync) {
    let team = team();
    if count < 2 || team.members.is_empty() {
        return (0..count).for_each(f);
    }
    let threads = team.threads();
    let next = AtomicUsize::new(0);
    team.run(&|| {
        loop {
            let left = count.saturating_sub(next.load(Ordering::Relaxed));
            let stretch = (left / (2 * threads)).max(1);
            let start = next.fetch_add(stretch, Ordering::Relaxed);
            if start >= count {
                return;
            }
            (start..count.min(start + stretch)).for_each(&f);
        }
    });
}

/// Calls `f` with the number and the elements of each stretch of `len` of `values`, the last of which may be shorter.
///
/// # Panics
/// As [`for_each`].
pub(super) fn for_each_chunk<T: Send>(values: &mut [T], len: usize, f: impl Fn(usize, &mut [T]) + Sync) {
    let shared = Shared::new(values);
    for_each(shared.len.div_ceil(len), |index| {
        let start = index * len;
        // SAFETY: each index is given out once, and its stretch overlaps no other.
        f(index, unsafe { shared.slice(start, len.min(shared.len - start)) });
    });
}

/// A slice that several threads write to, each its own parts.
pub(super) struct Shared<'a, T> {
    start: *mut T,
    len: usize,
    slice: PhantomData<&'a mut [T]>,
}

// SAFETY: it gives out what a mutable slice that is split gives out.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    pub(super) fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), len: slice.len(), slice: PhantomData }
    }

    /// The `len` elements from `start` on.
    ///
    /// # Safety
    /// While they are held, no other slice with any of them is.
    #[allow(clippy::mut_from_ref, reason = "that none overlap is the caller's promise")]
    pub(super) unsafe fn slice(&self, start: usize, len: usize) -> &mut [T] {
        assert!(start <= self.len && len <= self.len - start);
        // SAFETY: it is a part of the slice that was given, and held by nobody else.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), len) }
    }
}

impl Team {
    /// A team of `threads`, whoever calls among them.
    fn start(threads: usize) -> &'static Self {
        let member = |_| Member { asleep: AtomicBool::new(false), thread: OnceLock::new() };
        let team: &'static Self = Box::leak(Box::new(Self {
            state: AtomicU64::new(0),
            done: AtomicU64::new(0),
            panicked: AtomicBool::new(false),
            job: UnsafeCell::new(None),
            members: (1..threads).map(member).collect(),
            caller: Mutex::new(()),
        }));
        for (index, member) in team.members.iter().enumerate() {
            // Where no thread can be had, the others do its work.
            let _ = thread::Builder::new().name(format!("compute-{index}")).spawn(move || team.serve(member));
        }
        team
    }

    fn threads(&self) -> usize {
        self.members.len() + 1
    }

    /// Calls `job` on this thread, and on those of the team that come before it is through.
    fn run(&self, job: &(dyn Fn() + Sync)) {
        // A second caller, or a step within a step, works alone.
        let Ok(_caller) = self.caller.try_lock() else { return job() };
        // SAFETY: only the lifetime changes, and `run` does not return before all threads are through with it.
        let job_pointer = unsafe { std::mem::transmute::<&(dyn Fn() + Sync), &'static Job>(job) };
        // SAFETY: the last step is closed and all of its threads are done.
        unsafe { *self.job.get() = Some(job_pointer) };
        self.done.store(0, Ordering::Relaxed);
        let number = self.state.load(Ordering::Relaxed) / (2 * OPEN) + 1;
        self.state.store(number * 2 * OPEN + OPEN, Ordering::SeqCst);
        self.wake();
        let own = catch_unwind(AssertUnwindSafe(job));
        let joined = self.state.fetch_and(!OPEN, Ordering::AcqRel) & JOINED;
        wait_until(|| self.done.load(Ordering::Acquire) == joined);
        let panicked = self.panicked.swap(false, Ordering::Relaxed);
        drop(_caller);
        if let Err(payload) = own {
            resume_unwind(payload);
        }
        assert!(!panicked, "a thread of the team panicked");
    }

    fn wake(&self) {
        for member in &self.members {
            if member.asleep.load(Ordering::SeqCst) && member.asleep.swap(false, Ordering::SeqCst) {
                member.thread.get().inspect(|thread| thread.unpark());
            }
        }
    }

    /// What a thread of the team does.
    fn serve(&self, member: &Member) {
        member.thread.get_or_init(thread::current);
        let mut last = 0;
        loop {
            last = self.next_step(member, last);
            // SAFETY: having joined the step, this thread is waited for; the caller wrote the job before it opened it.
            let job = unsafe { (*self.job.get()).map(|job| &*job) };
            if job.is_some_and(|job| catch_unwind(AssertUnwindSafe(job)).is_err()) {
                self.panicked.store(true, Ordering::Relaxed);
            }
            self.done.fetch_add(1, Ordering::Release);
        }
    }

    /// Joins an open step after the one numbered `last`, and returns its number.
    fn next_step(&self, member: &Member, last: u64) -> u64 {
        let mut rounds = 0;
        loop {
            let state = self.state.load(Ordering::SeqCst);
            let number = state / (2 * OPEN);
            if state & OPEN != 0 && number != last {
                let joined =
                    self.state.compare_exchange(state, state + 1, Ordering::AcqRel, Ordering::Relaxed);
                if joined.is_ok() {
                    return number;
                }
                continue;
            }
            rounds += 1;
            if rounds < ROUNDS {
                std::hint::spin_loop();
                continue;
            }
            rounds = 0;
            member.asleep.store(true, Ordering::SeqCst);
            // A step that opened before the flag was up did not see it.
            if self.state.load(Ordering::SeqCst) == state {
                thread::park();
            }
            member.asleep.store(false, Ordering::SeqCst);
        }
    }
}

/// Spins, and lets others run when it takes long: a thread in the step may have lost its processor.
fn wait_until(ready: impl Fn() -> bool) {
    let mut rounds = 0;
    while !ready() {
        rounds += 1;
        if rounds < ROUNDS {
            std::hint::spin_loop();
        } else {
            thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_is_taken_once() {
        for count in [0, 1, 2, 3, 17, 1000] {
            for _ in 0..200 {
                let mut seen = vec![0_u8; count];
                for_each_chunk(&mut seen, 1, |_, seen| seen[0] += 1);
                assert_eq!(seen, vec![1; count]);
            }
        }
    }

    #[test]
    fn a_step_within_a_step_and_beside_another_is_done() {
        let total = AtomicUsize::new(0);
        let one = |_| {
            total.fetch_add(1, Ordering::Relaxed);
        };
        let add = |_| for_each(10, one);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..50).for_each(|_| for_each(10, add)));
            }
        });
        assert_eq!(total.into_inner(), 4 * 50 * 10 * 10);
    }

    #[test]
    fn a_team_keeps_its_size_and_has_a_bounded_one() {
        let running = threads();
        assert!(set_threads(running).is_ok());
        for wrong in [0, MAX_THREADS + 1, usize::MAX, running + 1] {
            let error = set_threads(wrong).unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Argument, "threads"));
        }
        assert_eq!(threads(), running);
    }

    #[test]
    fn a_panic_reaches_the_caller_and_leaves_the_team_usable() {
        let caught = catch_unwind(|| for_each(100, |i| assert!(i != 63)));
        assert!(caught.is_err());
        every_index_is_taken_once();
    }
}
