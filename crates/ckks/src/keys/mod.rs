//! Keys, one file each. Evaluation keys have three forms: seeded on the wire ([`SeededKey`]), and prepared for the kernel
//! inside an [`EvaluationKeySet`]; the secret key has no serialiser at all.

mod evaluation_key_set;
#[cfg(feature = "secret-key")]
mod key_generator;
mod key_spec;
#[cfg(feature = "secret-key")]
mod secret_key;
mod seeded_key;
mod switching_key;

pub use evaluation_key_set::EvaluationKeySet;
#[cfg(feature = "secret-key")]
pub use key_generator::KeyGenerator;
pub use key_spec::{KeyKind, KeySpec};
#[cfg(feature = "secret-key")]
pub use secret_key::SecretKey;
pub use seeded_key::SeededKey;
pub(crate) use switching_key::SwitchingKey;
