//! How often one address may ask.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::{NonZeroU16, NonZeroU32},
};

use actix_web::{
    Error, HttpRequest,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web,
};
use governor::{
    DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use ipnet::IpNet;
use protocol::problem::{Problem, ProblemKind};

use crate::{http::error::ApiError, server::State};

/// Routes that watch over the server, which it must answer above all when it is busy.
const EXEMPT: &[&str] = &["/healthz", "/readyz", "/metrics"];

/// Header in which a proxy says whom it speaks for.
const FORWARDED: &str = "x-forwarded-for";

/// How often one address may ask.
#[derive(Clone, Debug, Default)]
pub struct RateLimits {
    /// Requests a second in the long run; none is no limit.
    pub requests_per_second: Option<NonZeroU32>,
    /// Requests at once.
    pub burst: Option<NonZeroU32>,
    /// New key sets a minute; none is no limit.
    pub key_sets_per_minute: Option<NonZeroU32>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// The state of all addresses.
pub struct Rates {
    requests: Option<DefaultKeyedRateLimiter<IpAddr>>,
    key_sets: Option<DefaultKeyedRateLimiter<IpAddr>>,
    trusted_proxies: Vec<IpNet>,
}

impl Rates {
    /// Nobody has asked.
    pub fn new(limits: &RateLimits) -> Self {
        let requests = limits.requests_per_second.map(|rate| {
            let quota = Quota::per_second(rate);
            RateLimiter::keyed(limits.burst.map_or(quota, |burst| quota.allow_burst(burst)))
        });
        let key_sets = limits
            .key_sets_per_minute
            .map(|rate| RateLimiter::keyed(Quota::per_minute(rate)));
        Self {
            requests,
            key_sets,
            trusted_proxies: limits.trusted_proxies.clone(),
        }
    }

    /// Forgets addresses that have not asked for long.
    pub fn sweep(&self) {
        for limiter in [&self.requests, &self.key_sets].into_iter().flatten() {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }

    /// Whether this address may make another key set.
    ///
    /// # Errors
    /// [`ProblemKind::RateLimited`].
    pub fn check_key_set(&self, request: &HttpRequest) -> Result<(), Problem> {
        self.check(self.key_sets.as_ref(), request)
    }

    fn check(
        &self,
        limiter: Option<&DefaultKeyedRateLimiter<IpAddr>>,
        request: &HttpRequest,
    ) -> Result<(), Problem> {
        let (Some(limiter), Some(peer)) = (limiter, request.peer_addr()) else {
            return Ok(());
        };
        let headers = request
            .headers()
            .get_all(FORWARDED)
            .filter_map(|value| value.to_str().ok());
        let forwarded: Vec<_> = headers
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .collect();
        let address = client(peer.ip().to_canonical(), &forwarded, &self.trusted_proxies);
        limiter.check_key(&address).map_err(refusal)
    }
}

/// Refuses who asks too often.
pub async fn limit(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let state = request.app_data::<web::Data<State>>().cloned();
    if let Some(state) = state
        && !EXEMPT.contains(&request.path())
        && let Err(problem) = state
            .rates
            .check(state.rates.requests.as_ref(), request.request())
    {
        return Ok(request
            .error_response(ApiError(problem))
            .map_into_right_body());
    }
    Ok(next.call(request).await?.map_into_left_body())
}

// The peer, or whom the nearest trusted proxies speak for: an address further left may be made up.
fn client(peer: IpAddr, forwarded: &[&str], trusted: &[IpNet]) -> IpAddr {
    let mut address = peer;
    let mut hops = forwarded.iter().rev();
    while trusted.iter().any(|network| network.contains(&address)) {
        match hops.next().map(|hop| hop.parse::<IpAddr>()) {
            Some(Ok(hop)) => address = hop.to_canonical(),
            _ => break,
        }
    }
    match address {
        IpAddr::V4(_) => address,
        // One customer has 2^64 of them.
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

fn refusal(until: NotUntil<<DefaultClock as Clock>::Instant>) -> Problem {
    let wait = until
        .wait_time_from(DefaultClock::default().now())
        .as_secs()
        + 1;
    let retry_after = NonZeroU16::new(u16::try_from(wait).unwrap_or(u16::MAX));
    Problem {
        retry_after,
        ..Problem::new(
            ProblemKind::RateLimited,
            "this address asks more often than it may",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let found = |peer, forwarded: &[&str]| client(ip(peer), forwarded, &trusted);
        assert_eq!(found("9.9.9.9", &["1.2.3.4"]), ip("9.9.9.9"));
        assert_eq!(found("10.0.0.1", &["1.2.3.4"]), ip("1.2.3.4"));
        assert_eq!(
            found("10.0.0.1", &["6.6.6.6", "1.2.3.4", "10.0.0.2"]),
            ip("1.2.3.4")
        );
        assert_eq!(found("10.0.0.1", &["1.2.3.4", "nonsense"]), ip("10.0.0.1"));
        assert_eq!(found("10.0.0.1", &[]), ip("10.0.0.1"));
    }

    #[test]
    fn a_customer_of_ipv6_is_one_address() {
        assert_eq!(
            client(ip("2001:db8::1"), &[], &[]),
            client(ip("2001:db8::ffff:1"), &[], &[])
        );
        assert_ne!(
            client(ip("2001:db8::1"), &[], &[]),
            client(ip("2001:db8:0:1::1"), &[], &[])
        );
    }
}
