//! A ciphertext, what its slots must be, and the bound on how far they may be off: every operation carries all three.

use super::Context;
use ckks::*;

#[derive(Clone)]
pub struct Tracked {
    pub ciphertext: Ciphertext,
    pub slots: Vec<Complex64>,
    pub bound: SlotBound,
}

fn largest(slots: &[Complex64]) -> f64 {
    slots.iter().map(|z| z.norm()).fold(0.0, f64::max)
}

fn zip(
    a: &[Complex64],
    b: &[Complex64],
    f: impl Fn(Complex64, Complex64) -> Complex64,
) -> Vec<Complex64> {
    a.iter().zip(b).map(|(&x, &y)| f(x, y)).collect()
}

impl Tracked {
    pub fn fresh(context: &Context, slots: Vec<Complex64>) -> Self {
        let ciphertext = context.encrypt(&slots);
        let message = largest(&slots) * ciphertext.scale();
        Self {
            bound: SlotBound::fresh(&context.parameters, message),
            ciphertext,
            slots,
        }
    }

    /// The message's part of the bound is replaced by what the message really is: the test is about noise.
    fn with(ciphertext: Ciphertext, slots: Vec<Complex64>, bound: SlotBound) -> Self {
        let message = largest(&slots) * ciphertext.scale();
        assert!(message <= bound.message * (1.0 + 1e-9));
        Self {
            ciphertext,
            slots,
            bound: SlotBound { message, ..bound },
        }
    }

    pub fn level(&self) -> usize {
        self.ciphertext.level()
    }

    /// The largest slot.
    pub fn size(&self) -> f64 {
        largest(&self.slots)
    }

    /// Error of the worst slot, times the scale.
    pub fn measured(&self, context: &Context) -> f64 {
        let opened = context.decrypt(&self.ciphertext);
        largest(&zip(&opened, &self.slots, |x, y| x - y)) * self.ciphertext.scale()
    }

    pub fn add(&self, other: &Self, e: &Evaluator<'_>) -> Self {
        let ciphertext = e.add(&self.ciphertext, &other.ciphertext).unwrap();
        let slots = zip(&self.slots, &other.slots, |x, y| x + y);
        Self::with(ciphertext, slots, self.bound.sum(other.bound))
    }

    pub fn sub(&self, other: &Self, e: &Evaluator<'_>) -> Self {
        let ciphertext = e.sub(&self.ciphertext, &other.ciphertext).unwrap();
        let slots = zip(&self.slots, &other.slots, |x, y| x - y);
        Self::with(ciphertext, slots, self.bound.sum(other.bound))
    }

    pub fn neg(&self, e: &Evaluator<'_>) -> Self {
        let slots = self.slots.iter().map(|z| -z).collect();
        Self::with(e.neg(&self.ciphertext), slots, self.bound)
    }

    pub fn mul_i(&self, e: &Evaluator<'_>) -> Self {
        let slots = self.slots.iter().map(|z| z * Complex64::I).collect();
        Self::with(e.mul_i(&self.ciphertext), slots, self.bound)
    }

    pub fn drop_to(&self, level: usize, e: &Evaluator<'_>) -> Self {
        let ciphertext = e.drop_to(&self.ciphertext, level).unwrap();
        Self::with(ciphertext, self.slots.clone(), self.bound)
    }

    pub fn conjugate(&self, e: &Evaluator<'_>) -> Self {
        let bound = self.bound.switched(e.parameters(), self.level());
        let slots = self.slots.iter().map(|z| z.conj()).collect();
        Self::with(e.conjugate(&self.ciphertext).unwrap(), slots, bound)
    }

    pub fn rotate(&self, steps: i64, hoisted: bool, e: &Evaluator<'_>) -> Self {
        let ciphertext = if hoisted {
            let hoisted = e.hoist(&self.ciphertext).unwrap();
            e.rotate_hoisted(&hoisted, steps).unwrap()
        } else {
            e.rotate(&self.ciphertext, steps).unwrap()
        };
        let bound = self.bound.switched(e.parameters(), self.level());
        Self::with(ciphertext, super::rotated(&self.slots, steps), bound)
    }

    pub fn relinearize(&self, e: &Evaluator<'_>) -> Self {
        let bound = self.bound.switched(e.parameters(), self.level());
        let ciphertext = e.relinearize(&self.ciphertext).unwrap();
        Self::with(ciphertext, self.slots.clone(), bound)
    }

    pub fn rescale(&self, e: &Evaluator<'_>) -> Self {
        let bound = self.bound.rescaled(e.parameters(), self.level());
        let ciphertext = e.rescale(&self.ciphertext).unwrap();
        Self::with(ciphertext, self.slots.clone(), bound)
    }

    /// By several primes: noise is divided with the message, and what the last division rounds away outweighs the others.
    pub fn rescale_by(&self, primes: usize, e: &Evaluator<'_>) -> Self {
        let levels = (0..primes).map(|dropped| self.level() - dropped);
        let bound = levels.fold(self.bound, |bound, level| {
            bound.rescaled(e.parameters(), level)
        });
        let ciphertext = e.rescale_by(&self.ciphertext, primes).unwrap();
        Self::with(ciphertext, self.slots.clone(), bound)
    }

    /// `factor` times the slots, by the scale.
    pub fn scaled(&self, factor: f64, e: &Evaluator<'_>) -> Self {
        let slots = self.slots.iter().map(|z| z * factor).collect();
        Self::with(e.scaled(&self.ciphertext, factor), slots, self.bound)
    }

    /// `sum_k factor_k a_k + constant` at `scale`: factors become integers, whose rounding takes half a message each at most.
    pub fn combine(terms: &[(f64, &Self)], constant: f64, scale: f64, e: &Evaluator<'_>) -> Self {
        let ciphertexts: Vec<(f64, &Ciphertext)> =
            terms.iter().map(|(f, x)| (*f, &x.ciphertext)).collect();
        let ciphertext = e.combine(&ciphertexts, constant, scale).unwrap();
        let constants = vec![Complex64::from(constant); e.parameters().slots()];
        let rounded = SlotBound {
            message: constant.abs() * scale,
            noise: 0.5,
        };
        let terms = terms.iter().map(|(factor, x)| {
            let slots = x.slots.iter().map(|z| z * factor).collect();
            let integer = factor.abs() * scale / x.ciphertext.scale();
            let bound = SlotBound {
                message: x.bound.message * integer,
                noise: x.bound.noise * (integer + 0.5) + x.bound.message / 2.0,
            };
            (slots, bound)
        });
        let (slots, bound) = sum(terms.chain([(constants, rounded)]));
        Self::with(ciphertext, slots, bound)
    }

    pub fn add_plain(&self, slots: &[Complex64], e: &Evaluator<'_>) -> Self {
        let scale = self.ciphertext.scale();
        let plain = Plaintext::encode(e.parameters(), slots, scale).unwrap();
        let other = SlotBound::encoded(e.parameters(), largest(slots) * scale);
        let ciphertext = e.add_plain(&self.ciphertext, &plain).unwrap();
        let slots = zip(&self.slots, slots, |x, y| x + y);
        Self::with(ciphertext, slots, self.bound.sum(other))
    }

    /// `sum_k a_k b_k`, in three parts.
    pub fn dot(a: &[&Self], b: &[&Self], e: &Evaluator<'_>) -> Self {
        let ciphertexts = |side: &[&'_ Self]| -> Vec<Ciphertext> {
            side.iter().map(|x| x.ciphertext.clone()).collect()
        };
        let (left, right) = (ciphertexts(a), ciphertexts(b));
        let ciphertext = e
            .dot(
                &left.iter().collect::<Vec<_>>(),
                &right.iter().collect::<Vec<_>>(),
            )
            .unwrap();
        let terms = a.iter().zip(b).map(|(x, y)| {
            let slots = zip(&x.slots, &y.slots, |p, q| p * q);
            (slots, x.bound.product(y.bound))
        });
        let (slots, bound) = sum(terms);
        Self::with(ciphertext, slots, bound)
    }

    /// `sum_k p_k a_k`, encoded at `scale`.
    pub fn dot_plain(a: &[&Self], plain: &[&[Complex64]], scale: f64, e: &Evaluator<'_>) -> Self {
        let encoded: Vec<Plaintext> = plain
            .iter()
            .map(|slots| Plaintext::encode(e.parameters(), slots, scale).unwrap())
            .collect();
        let operands: Vec<&Ciphertext> = a.iter().map(|x| &x.ciphertext).collect();
        let ciphertext = e
            .dot_plain(&operands, &encoded.iter().collect::<Vec<_>>())
            .unwrap();
        let terms = a.iter().zip(plain).map(|(x, slots)| {
            let bound = SlotBound::encoded(e.parameters(), largest(slots) * scale);
            (zip(&x.slots, slots, |p, q| p * q), x.bound.product(bound))
        });
        let (slots, bound) = sum(terms);
        Self::with(ciphertext, slots, bound)
    }
}

fn sum(terms: impl Iterator<Item = (Vec<Complex64>, SlotBound)>) -> (Vec<Complex64>, SlotBound) {
    terms
        .reduce(|(a, bound), (b, other)| (zip(&a, &b, |x, y| x + y), bound.sum(other)))
        .unwrap()
}
