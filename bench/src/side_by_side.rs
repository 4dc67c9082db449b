//! A released model on ciphertexts and in the clear at once: after every operation both values, and the error in bits. It needs the
//! secret key, so it is for engineers with keys of their own making.

use crate::inference::{disc, packed, sentence};
use circuits::{
    CircuitError, Cleartext, CleartextCiphertext, Encrypted, Evaluator, NoEncoding, Planner, Shape,
};
use ckks::{
    Ciphertext, CiphertextSpec, Complex64, Decryptor, Encryptor, EvaluationKeySet, KeyGenerator,
    Parameters, Plaintext, SecretKey, Seed,
};
use model::{Embedding, Lm, Vit};
use ndarray::Array2;
use std::{cell::RefCell, error::Error, ops::ControlFlow, path::Path};
use transformer::{LmNetwork, Network, VitNetwork, released_parameters};

type ClearPlaintext = <Cleartext as Evaluator>::Plaintext;

pub fn run() -> Result<(), Box<dyn Error>> {
    let vit = Vit::load(Path::new("models/cifar100-vit"))?;
    compare(
        &released_parameters(|| VitNetwork::new(&vit))?,
        VitNetwork::new(&vit)?,
        VitNetwork::new(&vit)?,
        &disc(&vit),
    )?;
    let folder = Path::new("models/wiki-lm");
    let lm = Lm::load(folder)?;
    let rows = sentence(&lm, &Embedding::load(folder, &lm.config.architecture)?)?;
    compare(
        &released_parameters(|| LmNetwork::new(&lm))?,
        LmNetwork::new(&lm)?,
        LmNetwork::new(&lm)?,
        &rows,
    )
}

fn compare<P, N>(
    parameters: &Parameters,
    planned: P,
    network: N,
    input: &Array2<f32>,
) -> Result<(), Box<dyn Error>>
where
    P: Network<Plaintext = f64>,
    N: Network<Plaintext = (Plaintext, ClearPlaintext)>,
{
    let query = CiphertextSpec {
        level: network.query_level(),
        log_scale: (parameters.scale() * network.query_scale()).log2(),
        subring: network.query_subring(),
    };
    let planner = Planner::new(parameters, NoEncoding);
    planned.evaluate(&planner, &Shape::fresh(query.level, query.log_scale.exp2()))?;
    let secret = SecretKey::new(parameters, &Seed::random()?);
    let generator = KeyGenerator::new(parameters, &secret);
    let mut keys = EvaluationKeySet::new(parameters);
    for spec in &planner.into_plan().keys {
        keys.insert(&generator.generate(spec)?);
    }

    let slots = packed(&network.query_layout(), query.slots(parameters), input);
    let encrypted = Encryptor::new(parameters, &secret)
        .encrypt(&slots, &query)?
        .expand(parameters);
    let mut observer = |_: &str, _| ControlFlow::Continue(());
    let evaluator = SideBySide {
        encrypted: Encrypted::new(ckks::Evaluator::new(parameters, &keys), &mut observer),
        clear: Cleartext::new(parameters),
        decryptor: Decryptor::new(parameters, &secret),
        layer: RefCell::default(),
    };
    let clear = evaluator
        .clear
        .encrypt(&slots, query.level, query.log_scale.exp2());
    println!(
        "\n| layer | operation | level | log2 scale | largest slot, clear | decrypted | error, bits below it |\n|---|---|---|---|---|---|---|"
    );
    network.evaluate(&evaluator, &Pair { encrypted, clear })?;
    Ok(())
}

/// One value in both readings.
#[derive(Clone)]
struct Pair {
    encrypted: Ciphertext,
    clear: CleartextCiphertext,
}

/// Both readings of a circuit, step by step.
struct SideBySide<'k, 'o> {
    encrypted: Encrypted<'k, 'o>,
    clear: Cleartext,
    decryptor: Decryptor<'k>,
    layer: RefCell<String>,
}

impl SideBySide<'_, '_> {
    fn both(
        &self,
        operation: &str,
        encrypted: Result<Ciphertext, CircuitError>,
        clear: Result<CleartextCiphertext, CircuitError>,
    ) -> Result<Pair, CircuitError> {
        let (encrypted, clear) = (encrypted?, clear?);
        let opened = self.decryptor.decrypt(&encrypted);
        let slots = clear.slots.iter().zip(&opened);
        let (want, got) = slots.clone().fold(
            (Complex64::ZERO, Complex64::ZERO),
            |largest, (want, got)| {
                if want.norm() > largest.0.norm() {
                    (*want, *got)
                } else {
                    largest
                }
            },
        );
        let error = slots
            .map(|(want, got)| (want - got).norm())
            .fold(0.0, f64::max);
        println!(
            "| {} | {operation} | {} | {:.1} | {want:.5} | {got:.5} | {:.1} |",
            self.layer.borrow(),
            encrypted.level(),
            encrypted.scale().log2(),
            (want.norm() / error).log2(),
        );
        Ok(Pair { encrypted, clear })
    }
}

fn split<'p>(pairs: &[&'p Pair]) -> (Vec<&'p Ciphertext>, Vec<&'p CleartextCiphertext>) {
    pairs
        .iter()
        .map(|pair| (&pair.encrypted, &pair.clear))
        .unzip()
}

impl Evaluator for SideBySide<'_, '_> {
    type Ciphertext = Pair;
    type Plaintext = (Plaintext, ClearPlaintext);

    fn layer(&self, name: &str) {
        self.encrypted.layer(name);
        self.clear.layer(name);
        name.clone_into(&mut self.layer.borrow_mut());
    }

    fn slots(&self) -> usize {
        self.clear.slots()
    }

    fn prime(&self, level: usize) -> f64 {
        self.clear.prime(level)
    }

    fn scale(&self) -> f64 {
        self.clear.scale()
    }

    fn level_of(&self, a: &Pair) -> usize {
        a.encrypted.level()
    }

    fn scale_of(&self, a: &Pair) -> f64 {
        a.encrypted.scale()
    }

    fn encode(&self, slots: &[Complex64], scale: f64) -> Result<Self::Plaintext, CircuitError> {
        Ok((
            self.encrypted.encode(slots, scale)?,
            self.clear.encode(slots, scale)?,
        ))
    }

    fn add(&self, a: &Pair, b: &Pair) -> Result<Pair, CircuitError> {
        self.both(
            "add",
            self.encrypted.add(&a.encrypted, &b.encrypted),
            self.clear.add(&a.clear, &b.clear),
        )
    }

    fn sub(&self, a: &Pair, b: &Pair) -> Result<Pair, CircuitError> {
        self.both(
            "sub",
            self.encrypted.sub(&a.encrypted, &b.encrypted),
            self.clear.sub(&a.clear, &b.clear),
        )
    }

    fn add_plain(&self, a: &Pair, p: &Self::Plaintext) -> Result<Pair, CircuitError> {
        self.both(
            "add plain",
            self.encrypted.add_plain(&a.encrypted, &p.0),
            self.clear.add_plain(&a.clear, &p.1),
        )
    }

    fn mul_i(&self, a: &Pair) -> Result<Pair, CircuitError> {
        self.both(
            "times i",
            self.encrypted.mul_i(&a.encrypted),
            self.clear.mul_i(&a.clear),
        )
    }

    fn scaled(&self, a: &Pair, factor: f64) -> Pair {
        Pair {
            encrypted: self.encrypted.scaled(&a.encrypted, factor),
            clear: self.clear.scaled(&a.clear, factor),
        }
    }

    fn drop_to(&self, a: &Pair, level: usize) -> Result<Pair, CircuitError> {
        self.both(
            "drop",
            self.encrypted.drop_to(&a.encrypted, level),
            self.clear.drop_to(&a.clear, level),
        )
    }

    fn dot(&self, a: &[&Pair], b: &[&Pair]) -> Result<Pair, CircuitError> {
        let (a, b) = (split(a), split(b));
        self.both(
            "product",
            self.encrypted.dot(&a.0, &b.0),
            self.clear.dot(&a.1, &b.1),
        )
    }

    fn dot_plain(&self, a: &[&Pair], p: &[&Self::Plaintext]) -> Result<Pair, CircuitError> {
        let a = split(a);
        let (first, second): (Vec<_>, Vec<_>) = p.iter().map(|p| (&p.0, &p.1)).unzip();
        self.both(
            "plain product",
            self.encrypted.dot_plain(&a.0, &first),
            self.clear.dot_plain(&a.1, &second),
        )
    }

    fn relinearize(&self, a: &Pair) -> Result<Pair, CircuitError> {
        self.both(
            "relinearize",
            self.encrypted.relinearize(&a.encrypted),
            self.clear.relinearize(&a.clear),
        )
    }

    fn combine(
        &self,
        terms: &[(f64, &Pair)],
        constant: f64,
        scale: f64,
    ) -> Result<Pair, CircuitError> {
        let (encrypted, clear): (Vec<_>, Vec<_>) = terms
            .iter()
            .map(|&(factor, pair)| ((factor, &pair.encrypted), (factor, &pair.clear)))
            .unzip();
        self.both(
            "combine",
            self.encrypted.combine(&encrypted, constant, scale),
            self.clear.combine(&clear, constant, scale),
        )
    }

    fn rescale_by(&self, a: &Pair, primes: usize) -> Result<Pair, CircuitError> {
        self.both(
            "rescale",
            self.encrypted.rescale_by(&a.encrypted, primes),
            self.clear.rescale_by(&a.clear, primes),
        )
    }

    fn mod_raise(&self, a: &Pair) -> Result<Pair, CircuitError> {
        self.both(
            "raise the modulus",
            self.encrypted.mod_raise(&a.encrypted),
            self.clear.mod_raise(&a.clear),
        )
    }

    fn rotate(&self, a: &Pair, steps: i64) -> Result<Pair, CircuitError> {
        self.both(
            &format!("rotate by {steps}"),
            self.encrypted.rotate(&a.encrypted, steps),
            self.clear.rotate(&a.clear, steps),
        )
    }

    fn conjugate(&self, a: &Pair) -> Result<Pair, CircuitError> {
        self.both(
            "conjugate",
            self.encrypted.conjugate(&a.encrypted),
            self.clear.conjugate(&a.clear),
        )
    }
}
