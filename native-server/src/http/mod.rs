//! What holds for every request: bodies, problems, headers, limits, and what is written down about it.

pub mod body;
pub mod error;
pub mod headers;
pub mod observe;
pub mod rate;
