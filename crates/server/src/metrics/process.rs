//! What the process uses, under the names that Prometheus's own clients give it.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::add;

/// The process as the kernel sees it; nothing is shown where there is no `/proc`.
#[derive(Debug)]
pub(super) struct ProcessMetrics {
    cpu_seconds: Counter<f64, AtomicU64>,
    resident: Gauge,
    virtual_memory: Gauge,
    open_files: Gauge,
    max_files: Gauge,
}

/// What one look at `/proc` tells.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Usage {
    cpu_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl ProcessMetrics {
    /// Registers all of them.
    pub(super) fn register(r: &mut Registry) -> Self {
        Self {
            cpu_seconds: add(
                r,
                "process_cpu_seconds",
                "CPU time of the process, system and user",
                Counter::default(),
            ),
            resident: add(
                r,
                "process_resident_memory_bytes",
                "Memory of the process that is in RAM",
                Gauge::default(),
            ),
            virtual_memory: add(
                r,
                "process_virtual_memory_bytes",
                "Addresses that the process has taken",
                Gauge::default(),
            ),
            open_files: add(r, "process_open_fds", "Open files and sockets", Gauge::default()),
            max_files: add(
                r,
                "process_max_fds",
                "The most open files and sockets there may be",
                Gauge::default(),
            ),
        }
    }

    /// Asks the kernel.
    pub(super) fn set(&self) {
        let usage = std::fs::read_to_string("/proc/self/stat").ok();
        if let Some(usage) = usage.as_deref().and_then(parse_stat) {
            let seconds =
                as_float(usage.cpu_ticks) / as_float(rustix::param::clock_ticks_per_second());
            self.cpu_seconds.inner().store(seconds.to_bits(), Ordering::Relaxed);
            self.virtual_memory.set(whole(usage.virtual_bytes));
            let page = rustix::param::page_size() as u64;
            self.resident.set(whole(usage.resident_pages.saturating_mul(page)));
        }
        if let Ok(files) = std::fs::read_dir(Path::new("/proc/self/fd")) {
            self.open_files.set(whole(files.count() as u64));
        }
        let limits = std::fs::read_to_string("/proc/self/limits").ok();
        if let Some(limit) = limits.as_deref().and_then(parse_max_files) {
            self.max_files.set(whole(limit));
        }
    }
}

/// Reads `/proc/self/stat`. Fields are counted behind the name, which may hold anything.
///
/// Source: proc_pid_stat(5), fields 14, 15, 23 and 24.
fn parse_stat(text: &str) -> Option<Usage> {
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // The first field behind the name is the third one.
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some(Usage {
        cpu_ticks: number(14)?.saturating_add(number(15)?),
        virtual_bytes: number(23)?,
        resident_pages: number(24)?,
    })
}

fn parse_max_files(limits: &str) -> Option<u64> {
    let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
    line.split_ascii_whitespace().nth(3)?.parse().ok()
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "ticks of a century fit in 53 bits")]
fn as_float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_and_parentheses_does_not_shift_the_fields() {
        let text = "7 (a) b (c)) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 4 0 99 8192 3 184";
        let usage = Usage { cpu_ticks: 300, virtual_bytes: 8192, resident_pages: 3 };
        assert_eq!(parse_stat(text), Some(usage));
        assert_eq!(parse_stat("7 (a) S 1"), None);
    }

    #[test]
    fn the_soft_limit_of_files_is_read() {
        let text = "Max cpu time  unlimited unlimited seconds\n\
                    Max open files            1024                 524288               files\n";
        assert_eq!(parse_max_files(text), Some(1024));
    }
}
