//! The shortest path over places and levels.

use super::Placement;

/// A segment's prices.
#[derive(Clone, Debug)]
pub(super) struct Priced {
    /// Levels between its start and its end.
    pub(super) depth: usize,
    /// Ciphertexts that live at its start, each of which a refresh there would bootstrap.
    pub(super) live: usize,
    /// By the level that it starts at; none where it does not fit.
    pub(super) costs: Vec<Option<f64>>,
}

/// What there is to choose from.
#[derive(Clone, Debug)]
pub(super) struct Choices {
    /// The highest level to begin at.
    pub(super) highest: usize,
    pub(super) segments: Vec<Priced>,
    /// The cost of one bootstrapping, by the level that is left of it.
    pub(super) refresh: Vec<f64>,
    /// The lowest level that can be refreshed.
    pub(super) lowest: usize,
    /// The lowest level to end at.
    pub(super) end: usize,
}

/// The cheapest way to the start of a segment at one level.
#[derive(Clone)]
struct Way {
    cost: f64,
    /// The level that the segment before started at.
    before: usize,
    refreshed: bool,
}

impl Choices {
    /// The cheapest placement; where none reaches the end, one that reaches the furthest segment.
    pub(super) fn cheapest(&self) -> Placement {
        let start = Way {
            cost: 0.0,
            before: 0,
            refreshed: false,
        };
        let mut ways = vec![vec![Some(start); self.highest + 1]];
        for (k, segment) in self.segments.iter().enumerate() {
            let next = self.after(&ways[k], segment, self.segments.get(k + 1));
            if next.iter().all(Option::is_none) {
                break;
            }
            ways.push(next);
        }
        let complete = ways.len() > self.segments.len();
        let last = ways.pop().unwrap_or_default();
        let mut reached = last
            .iter()
            .enumerate()
            .filter_map(|(level, way)| Some((level, way.as_ref()?.cost)));
        // Where the way is not complete, the highest level comes furthest into the segment that fails.
        let best = match complete {
            true => reached.min_by(|(_, a), (_, b)| a.total_cmp(b)),
            false => reached.next_back(),
        };
        let (level, cost) = best.unwrap_or((self.highest, 0.0));
        ways.push(last);
        self.traced(&ways, level, cost)
    }

    /// All ways to the end of a segment and, where another follows, past the place between them.
    fn after(
        &self,
        ways: &[Option<Way>],
        segment: &Priced,
        next: Option<&Priced>,
    ) -> Vec<Option<Way>> {
        let mut after: Vec<Option<Way>> = vec![None; self.highest + 1];
        let mut offer = |level: usize, way: Way| {
            let place = &mut after[level];
            if place.as_ref().is_none_or(|there| way.cost < there.cost) {
                *place = Some(way);
            }
        };
        for (before, way) in ways.iter().enumerate() {
            let (Some(way), Some(own)) = (way, segment.costs.get(before).copied().flatten()) else {
                continue;
            };
            let Some(level) = before.checked_sub(segment.depth) else {
                continue;
            };
            let way = Way {
                cost: way.cost + own,
                before,
                refreshed: false,
            };
            match next {
                None if level >= self.end => offer(level, way),
                None => {}
                Some(next) => {
                    offer(level, way.clone());
                    if level >= self.lowest {
                        for (level, refresh) in self.refresh.iter().enumerate() {
                            let cost = way.cost + refresh * next.live as f64;
                            let refreshed = true;
                            offer(
                                level,
                                Way {
                                    cost,
                                    before,
                                    refreshed,
                                },
                            );
                        }
                    }
                }
            }
        }
        after
    }

    fn traced(&self, ways: &[Vec<Option<Way>>], level: usize, cost: f64) -> Placement {
        let places = self.segments.len().saturating_sub(1);
        let mut steps = vec![None; places];
        let mut level = level;
        for k in (1..ways.len()).rev() {
            let Some(way) = &ways[k][level] else { break };
            if way.refreshed && k <= places {
                steps[k - 1] = Some(level);
            }
            level = way.before;
        }
        Placement { level, steps, cost }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator: tests need no secret coins.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (self.0 >> 33) as usize % bound
        }
    }

    fn random(numbers: &mut Numbers) -> Choices {
        let highest = 9;
        let segments = (0..1 + numbers.below(4)).map(|_| {
            let depth = numbers.below(5);
            let (base, slope) = (numbers.below(20) as f64, numbers.below(5) as f64);
            let unfit = numbers.below(3);
            Priced {
                depth,
                live: 1 + numbers.below(3),
                costs: (0..=highest)
                    .map(|l| (l >= depth + unfit).then_some(base + slope * l as f64))
                    .collect(),
            }
        });
        Choices {
            highest,
            segments: segments.collect(),
            refresh: {
                let (cost, drop) = (numbers.below(40) as f64, numbers.below(2) as f64);
                (0..4 + numbers.below(5))
                    .map(|l| cost + drop * l as f64)
                    .collect()
            },
            lowest: 1 + numbers.below(3),
            end: numbers.below(3),
        }
    }

    /// Every choice of places and levels, one after the other.
    fn brute_force(choices: &Choices, k: usize, level: usize) -> Option<f64> {
        let segment = &choices.segments[k];
        let own = segment.costs[level]?;
        let end = level.checked_sub(segment.depth)?;
        let Some(next) = choices.segments.get(k + 1) else {
            return (end >= choices.end).then_some(own);
        };
        let passed = brute_force(choices, k + 1, end);
        let refreshed = (0..choices.refresh.len())
            .filter(|_| end >= choices.lowest)
            .filter_map(|level| {
                let rest = brute_force(choices, k + 1, level)?;
                Some(rest + choices.refresh[level] * next.live as f64)
            });
        let best = refreshed.chain(passed).min_by(f64::total_cmp)?;
        Some(own + best)
    }

    /// The cost of what a placement says, followed step by step.
    fn followed(choices: &Choices, placement: &Placement) -> Option<f64> {
        let (mut level, mut cost) = (placement.level, 0.0);
        for (k, segment) in choices.segments.iter().enumerate() {
            cost += segment.costs[level]?;
            level = level.checked_sub(segment.depth)?;
            if let Some(to) = placement.steps.get(k).copied().flatten() {
                let refresh = choices
                    .refresh
                    .get(to)
                    .filter(|_| level >= choices.lowest)?;
                cost += refresh * choices.segments[k + 1].live as f64;
                level = to;
            }
        }
        (level >= choices.end).then_some(cost)
    }

    #[test]
    fn no_placement_is_cheaper() {
        let mut numbers = Numbers(1);
        let (mut possible, mut refreshing) = (0, 0);
        for _ in 0..2000 {
            let choices = random(&mut numbers);
            let found = choices.cheapest();
            let best = (0..=choices.highest)
                .filter_map(|level| brute_force(&choices, 0, level))
                .min_by(f64::total_cmp);
            assert_eq!(followed(&choices, &found), best, "{choices:?}\n{found:?}");
            if let Some(best) = best {
                possible += 1;
                assert_eq!(found.cost, best);
            }
            refreshing += usize::from(best.is_some() && found.refreshes() > 0);
        }
        assert!(
            possible > 500 && refreshing > 200,
            "{possible}, {refreshing}"
        );
    }

    /// Two refreshes, of one and of two ciphertexts, rather than one of four; one of two rather than both.
    #[test]
    fn few_ciphertexts_are_refreshed_rather_than_many() {
        let placed = |halfway: usize| {
            let segment = |live| Priced {
                depth: 3,
                live,
                costs: (0..=8).map(|l| (l >= 3).then_some(l as f64)).collect(),
            };
            let choices = Choices {
                highest: 8,
                segments: [1, 1, halfway, 2].map(segment).to_vec(),
                refresh: vec![50.0; 9],
                lowest: 1,
                end: 0,
            };
            let found = choices.cheapest();
            found.steps.iter().map(Option::is_some).collect::<Vec<_>>()
        };
        assert_eq!(placed(4), [true, false, true]);
        assert_eq!(placed(2), [false, true, false]);
    }
}
