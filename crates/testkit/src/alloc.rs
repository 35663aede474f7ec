//! Counts allocations of the current thread, to prove that the audio path makes none.
//!
//! A test binary installs the counter with
//! `#[global_allocator] static COUNTER: CountingAllocator = CountingAllocator;`

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static TOUCHED: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counting each time memory is taken, grown or given back.
#[derive(Debug)]
pub struct CountingAllocator;

fn count() {
    // During the end of a thread the counter may be gone; nobody asks it any more then.
    let _ = TOUCHED.try_with(|touched| touched.set(touched.get() + 1));
}

// SAFETY: every call goes unchanged to `System`, which keeps the contract of `GlobalAlloc`; counting touches
// only a constant-initialised thread-local and does not allocate.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `realloc`; the memory came from `System`.
        unsafe { System.realloc(memory, layout, new_size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller keeps the contract of `dealloc`; the memory came from `System`.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// How often `work` took, grew or gave back memory.
///
/// # Panics
/// When the counter is not installed in this binary: a guard that cannot fire proves nothing.
pub fn allocations_in(work: impl FnOnce()) -> u64 {
    let touched = || TOUCHED.with(Cell::get);
    let before = touched();
    drop(std::hint::black_box(Box::new(1u8)));
    assert!(touched() >= before + 2, "the counting allocator is not installed");
    let before = touched();
    work();
    touched() - before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[global_allocator]
    static COUNTER: CountingAllocator = CountingAllocator;

    #[test]
    fn memory_taken_grown_and_given_back_is_counted_and_arithmetic_is_not() {
        assert_eq!(allocations_in(|| assert_eq!(std::hint::black_box(1) + 1, 2)), 0);
        let counted = allocations_in(|| {
            let mut list: Vec<u64> = Vec::with_capacity(1);
            list.extend([1, 2, 3]);
            std::hint::black_box(&list);
        });
        assert_eq!(counted, 3);
    }
}
