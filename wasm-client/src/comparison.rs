use wasm_bindgen::prelude::{JsError, wasm_bindgen};

/// An answer beside the clear model's. It must not leave the browser: it tells something about the secret key's noise.
#[wasm_bindgen]
pub struct Comparison {
    inner: client::Comparison,
}

#[wasm_bindgen]
impl Comparison {
    /// Largest difference of a value.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn largest(&self) -> f32 {
        self.inner.largest
    }

    /// From the smallest to the largest value of the clear answer.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn range(&self) -> f32 {
        self.inner.range
    }

    /// log2 of `range` over `largest`.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn bits(&self) -> f32 {
        self.inner.bits
    }

    /// Whether both have their largest value in the same place.
    #[wasm_bindgen(getter, js_name = sameBest)]
    #[must_use]
    pub fn same_best(&self) -> bool {
        self.inner.same_best
    }
}

/// Compares an answer's scores with the clear model's.
///
/// # Errors
/// Different numbers of values, or values that are no numbers.
#[wasm_bindgen]
pub fn compare(answer: &[f32], clear: &[f32]) -> Result<Comparison, JsError> {
    let inner = client::compare(answer, clear)?;
    Ok(Comparison { inner })
}
