//! `engine [SET | bootstrapping]`: the table of one set, a refresh beside other libraries, or all, without the other benchmarks.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    match std::env::args().nth(1).as_deref() {
        Some("bootstrapping") => bench_engine::bootstrapping(),
        only => bench_engine::run(only),
    }
}
