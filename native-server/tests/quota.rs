//! Room for keys is bounded; it is made at the cost of those who are away, never of those at work.

mod common;

use std::time::Duration;

use common::{Behaviour, Site, fake_key, manifest};
use native_server::{KeyLimits, Settings};
use protocol::problem::ProblemKind;

// Bodies: one part. Unfinished keys: one large one. Prepared keys: two sets of a little more than 16 MiB.
const MEMORY: u64 = 72 << 20;

// One set of a little more than 8 MiB.
const DISK: u64 = 12 << 20;

fn site(keys: KeyLimits) -> Site {
    Site::start(Settings {
        keys,
        ..Settings::default()
    })
}

fn small() -> KeyLimits {
    KeyLimits {
        memory: MEMORY,
        ..KeyLimits::default()
    }
}

fn prepared(site: &Site) -> u64 {
    let text = String::from_utf8(site.get("/metrics").body).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("cipherformer_key_bytes{place=\"memory\"} "));
    line.unwrap().parse().unwrap()
}

#[test]
fn keys_leave_memory_and_come_back_from_the_store() {
    let site = site(small());
    let sets: Vec<_> = (0..4).map(|_| site.complete_key_set()).collect();
    assert!(prepared(&site) <= MEMORY);
    for set in sets.iter().chain(&sets) {
        assert!(site.missing(set).is_empty());
        let job = site.job(set, Behaviour::Answer);
        assert_eq!(site.outcome(&job).status, 200);
        assert!(prepared(&site) <= MEMORY);
    }
}

#[test]
fn keys_at_work_stay_in_memory() {
    let site = site(KeyLimits {
        // Prepared keys: two sets, less than the three that are made.
        memory: 64 << 20,
        ..small()
    });
    let (busy, other) = (site.complete_key_set(), site.complete_key_set());
    let third = site.complete_key_set();
    let long = site.job(&busy, Behaviour::Crawl);
    while site.get(&format!("{long}/result")).json()["layer"] != "layer" {}
    for _ in 0..2 {
        let next = site.new_key_set();
        assert_eq!(
            site.upload(&next, &manifest().keys[0].name, &fake_key(0))
                .status,
            204
        );
    }
    assert_eq!(site.get(&format!("{long}/result")).json()["layer"], "layer");
    assert_eq!(site.delete(&long).status, 204);
    for set in [other, third] {
        let job = site.job(&set, Behaviour::Answer);
        assert_eq!(site.outcome(&job).status, 200);
    }
}

#[test]
fn unfinished_uploads_are_bounded_and_give_way_when_they_rest() {
    let limits = |grace| KeyLimits { grace, ..small() };
    for (grace, expected) in [(Duration::ZERO, 204), (Duration::from_secs(60), 503)] {
        let site = site(limits(grace));
        let name = &manifest().keys[0].name;
        let container = fake_key(0);
        let part = |set: &str, part: usize| {
            let bytes = container
                .chunks(protocol::limits::PART_BYTES)
                .nth(part)
                .unwrap();
            site.send(
                "PUT",
                &format!("{set}/keys/{name}/parts/{part}"),
                common::BINARY,
                bytes,
            )
        };
        let sets = [(); 3].map(|()| site.new_key_set());
        assert_eq!(part(&sets[0], 0).status, 204);
        assert_eq!(part(&sets[1], 0).status, 204);
        assert_eq!(part(&sets[2], 0).status, expected);
        // Whoever has begun can finish.
        assert_eq!(part(&sets[1], 1).status, 204);
        assert!(!site.missing(&sets[1]).contains(name));
    }
}

#[test]
fn the_set_away_for_longest_makes_room_in_the_store() {
    let site = site(KeyLimits {
        disk: DISK,
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
fn a_set_at_work_stays_in_the_store() {
    let site = site(KeyLimits {
        disk: DISK,
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
fn a_set_used_just_now_stays_in_the_store() {
    let site = site(KeyLimits {
        disk: DISK,
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
