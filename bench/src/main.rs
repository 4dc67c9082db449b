//! Tables: the engine's operations, the encrypted models at the released parameters, keys in WebAssembly beside a peer, a visit to the page.

mod inference;
mod machine;
mod node;
mod page;
mod side_by_side;
mod timing;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let filter = std::env::args().nth(1).unwrap_or_default();
    machine::print();
    if filter.is_empty() || filter == "engine" {
        bench_engine::run(None)?;
    }
    if filter.is_empty() || filter == "bootstrapping" {
        bench_engine::bootstrapping()?;
    }
    if filter.is_empty() || filter == "inference" {
        inference::run()?;
    }
    if filter.is_empty() || filter == "deep" {
        inference::deep()?;
    }
    if filter.is_empty() || filter == "node" {
        node::run()?;
    }
    if filter.is_empty() || filter == "page" {
        page::run()?;
    }
    // Long, and no measurement: only where it is asked for.
    if filter == "side-by-side" {
        side_by_side::run()?;
    }
    Ok(())
}
