use wasm_bindgen::prelude::wasm_bindgen;

/// A decrypted answer.
#[wasm_bindgen]
pub struct Answer {
    ranked: Vec<client::Ranked>,
}

impl Answer {
    pub(crate) fn new(ranked: Vec<client::Ranked>) -> Self {
        Self { ranked }
    }
}

#[wasm_bindgen]
impl Answer {
    /// The `k` likeliest classes, best first.
    #[must_use]
    pub fn top(&self, k: usize) -> Vec<Ranked> {
        self.ranked
            .iter()
            .take(k)
            .cloned()
            .map(|inner| Ranked { inner })
            .collect()
    }
}

/// A class and how likely the model holds it.
#[wasm_bindgen]
pub struct Ranked {
    inner: client::Ranked,
}

#[wasm_bindgen]
impl Ranked {
    /// The class's name.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn label(&self) -> String {
        self.inner.label.clone()
    }

    /// Softmax probability.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn probability(&self) -> f32 {
        self.inner.probability
    }
}
