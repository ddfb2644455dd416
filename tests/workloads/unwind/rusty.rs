// SPDX-License-Identifier: BSD-2-Clause
// rusty: main, rust_outer, a closure in an iterator, rust_burn; and a thread that does the same.
//
//   rusty SECONDS
use std::hint::black_box;
use std::time::{Duration, Instant};

#[inline(never)]
fn rust_burn(n: u64) -> u64 {
    let mut x = n;
    for i in 0..20000u64 {
        x = black_box(x.wrapping_mul(31).wrapping_add(i));
    }
    x
}

#[inline(never)]
fn rust_outer(until: Instant) -> u64 {
    let mut sum = 0;
    while Instant::now() < until {
        let names: Vec<String> = (0..4).map(|i| format!("{}", i)).collect();
        sum += names.iter().map(|s| rust_burn(s.len() as u64)).sum::<u64>();
    }
    black_box(sum)
}

fn main() {
    let seconds = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(1.0);
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    let thread = std::thread::spawn(move || rust_outer(until));
    black_box(rust_outer(until));
    black_box(thread.join().unwrap());
}
