use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(typescript_custom_section)]
const SAMPLING: &str = r"
interface Sampling {
  /** 0 takes the likeliest token; 1 when absent. */
  temperature?: number;
  /** Choose among so many; among all when 0 or absent. */
  topK?: number;
  /** Whole number below 2^53; 0 when absent. */
  seed?: number;
  /** Which choice this is since the seed was set, from 0. */
  step?: number;
  /** How many alternatives to return; 10 when absent. */
  alternatives?: number;
}";

#[wasm_bindgen]
extern "C" {
    /// How to choose: any object with some of these members.
    #[wasm_bindgen(typescript_type = "Sampling")]
    pub type Sampling;

    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn temperature(this: &Sampling) -> Option<f64>;

    #[wasm_bindgen(method, getter, structural, js_name = topK)]
    pub(crate) fn top_k(this: &Sampling) -> Option<f64>;

    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn seed(this: &Sampling) -> Option<f64>;

    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn step(this: &Sampling) -> Option<f64>;

    #[wasm_bindgen(method, getter, structural)]
    pub(crate) fn alternatives(this: &Sampling) -> Option<f64>;
}

/// The token that was chosen, and others that might have been.
#[wasm_bindgen]
pub struct NextToken {
    token: u32,
    alternatives: Vec<client::Alternative>,
}

impl NextToken {
    pub(crate) fn new(token: u32, alternatives: Vec<client::Alternative>) -> Self {
        Self {
            token,
            alternatives,
        }
    }
}

#[wasm_bindgen]
impl NextToken {
    /// The token.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn token(&self) -> u32 {
        self.token
    }

    /// The likeliest tokens, best first.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn alternatives(&self) -> Vec<Alternative> {
        let wrap = |&inner: &client::Alternative| Alternative { inner };
        self.alternatives.iter().map(wrap).collect()
    }
}

/// A token and how likely the model holds it.
#[wasm_bindgen]
pub struct Alternative {
    inner: client::Alternative,
}

#[wasm_bindgen]
impl Alternative {
    /// The token.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn token(&self) -> u32 {
        self.inner.token
    }

    /// Probability at the temperature of the choice, at 1 when that is 0.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn probability(&self) -> f32 {
        self.inner.probability
    }
}
