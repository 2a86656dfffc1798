//! The process as the kernel sees it, read at each scrape from `/proc/self`: microseconds, no lock, no disk.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use std::fmt::Error;

/// Named as every Prometheus client names them, so without our prefix.
#[derive(Debug)]
pub struct Process;

impl Collector for Process {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> Result<(), Error> {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let fds = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        let seen = [
            ("process_resident_memory_bytes", "Resident memory", field(&status, "VmRSS:").saturating_mul(1024)),
            ("process_threads", "Threads", field(&status, "Threads:")),
            ("process_open_fds", "Open file descriptors", fds as u64),
            ("process_max_fds", "Limit of open file descriptors", field(&limits, "Max open files")),
        ];
        for (name, help, value) in seen {
            to.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)?;
        }
        Ok(())
    }
}

/// The first number after a word at the beginning of a line; 0 without one.
fn field(text: &str, name: &str) -> u64 {
    let rest = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    rest.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_and_what_is_missing_is_nothing() {
        let status = "Name:\tsmokejumper\nVmRSS:\t   12345 kB\nThreads:\t4\n";
        assert_eq!((field(status, "VmRSS:"), field(status, "Threads:"), field(status, "VmSwap:")), (12_345, 4, 0));
        let limits = "Limit                     Soft Limit           Hard Limit\nMax open files            1024                 4096   files\n";
        assert_eq!(field(limits, "Max open files"), 1_024);
        assert!(field(&std::fs::read_to_string("/proc/self/status").expect("Linux"), "VmRSS:") > 0);
    }
}
