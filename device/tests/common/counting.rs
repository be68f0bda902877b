//! Counts what is allocated and freed.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

struct Counting;

static IN_ALL_THREADS: AtomicUsize = AtomicUsize::new(0);
thread_local! {
    static IN_THIS_THREAD: Cell<usize> = const { Cell::new(0) };
}

/// Allocations and frees of the process so far.
pub(crate) fn in_all_threads() -> usize {
    IN_ALL_THREADS.load(Relaxed)
}

/// Allocations and frees of this thread so far.
pub(crate) fn in_this_thread() -> usize {
    IN_THIS_THREAD.get()
}

fn count() {
    IN_ALL_THREADS.fetch_add(1, Relaxed);
    IN_THIS_THREAD.set(IN_THIS_THREAD.get() + 1);
}

// SAFETY: every call goes to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
