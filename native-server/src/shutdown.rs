//! How the server ends: what runs may finish, what waits is cancelled, then connections close.

use std::{future::Future, io, pin::pin, sync::Arc, time::Duration};

use futures_util::future::{self, Either};

use crate::server::State;

const BEAT: Duration = Duration::from_millis(50);

// Time for clients to fetch the result that was finished last.
const LINGER: Duration = Duration::from_secs(2);

/// Completes when the server was told to end and nothing is left to wait for. A second signal ends the waiting.
///
/// # Errors
/// When the system refuses to tell of signals.
pub fn drained(state: Arc<State>, grace: Duration) -> io::Result<impl Future<Output = ()> + Send> {
    let mut signals = Signals::new()?;
    Ok(async move {
        signals.next().await;
        tracing::info!("shutting down");
        state.jobs.close();
        let work = pin!(async {
            // A deadline that is over is no error: what runs is cancelled below.
            let _ = tokio::time::timeout(grace, rest(&state)).await;
        });
        if let Either::Right(_) = future::select(work, pin!(signals.next())).await {
            tracing::warn!("told twice: what runs is cancelled");
        }
        state.jobs.cancel_everything();
    })
}

async fn rest(state: &State) {
    if state.jobs.is_idle() {
        return;
    }
    while !state.jobs.is_idle() {
        tokio::time::sleep(BEAT).await;
    }
    tokio::time::sleep(LINGER).await;
}

#[cfg(unix)]
struct Signals(tokio::signal::unix::Signal, tokio::signal::unix::Signal);

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self(
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        ))
    }

    async fn next(&mut self) {
        future::select(pin!(self.0.recv()), pin!(self.1.recv())).await;
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        // Without a signal there is nothing to end for.
        if tokio::signal::ctrl_c().await.is_err() {
            future::pending::<()>().await;
        }
    }
}
