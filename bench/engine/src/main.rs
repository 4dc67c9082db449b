//! `engine [SET]`: the table of one set, or of all, without the other benchmarks.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    bench_engine::run(std::env::args().nth(1).as_deref())
}
