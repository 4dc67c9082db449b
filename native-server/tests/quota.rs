//! Memory for keys is bounded; room is made at the cost of those who are away, never of those at work.

mod common;

use std::time::Duration;

use common::{Behaviour, KEY_PAYLOADS, Site, fake_key, manifest};
use native_server::{KeyLimits, Settings};
use protocol::problem::ProblemKind;

// One complete set, and the parts of another while they arrive.
const MEMORY: u64 = 2 * (KEY_PAYLOADS[0] + KEY_PAYLOADS[1]) as u64 + (9 << 20);

fn site(keys: KeyLimits) -> Site {
    Site::start(Settings {
        keys,
        ..Settings::default()
    })
}

#[test]
fn the_set_away_for_longest_makes_room() {
    let site = site(KeyLimits {
        memory: MEMORY,
        grace: Duration::ZERO,
        ..KeyLimits::default()
    });
    let old = site.complete_key_set();
    let new = site.complete_key_set();
    site.get(&old).is(ProblemKind::UnknownKeySet);
    let job = site.job(&new, Behaviour::Answer);
    assert_eq!(site.outcome(&job).status, 200);
}

#[test]
fn a_set_at_work_stays() {
    let site = site(KeyLimits {
        memory: MEMORY,
        grace: Duration::ZERO,
        ..KeyLimits::default()
    });
    let busy = site.complete_key_set();
    let job = site.job(&busy, Behaviour::Crawl);
    let other = site.new_key_set();
    let answer = site.upload(&other, &manifest().keys[0].name, &fake_key(0));
    answer.is(ProblemKind::KeyStoreFull);
    assert!(answer.headers.contains_key("retry-after"));
    assert!(site.missing(&busy).is_empty());
    assert_eq!(site.delete(&job).status, 204);
}

#[test]
fn a_set_used_just_now_stays() {
    let site = site(KeyLimits {
        memory: MEMORY,
        ..KeyLimits::default()
    });
    let recent = site.complete_key_set();
    let other = site.new_key_set();
    site.upload(&other, &manifest().keys[0].name, &fake_key(0))
        .is(ProblemKind::KeyStoreFull);
    assert!(site.missing(&recent).is_empty());
}

#[test]
fn empty_sets_are_bounded_and_push_out_no_keys() {
    let keys = KeyLimits {
        sets: 3,
        grace: Duration::ZERO,
        ..KeyLimits::default()
    };
    let site = site(keys);
    let full = site.complete_key_set();
    for _ in 0..20 {
        site.new_key_set();
    }
    assert!(site.missing(&full).is_empty());
}
