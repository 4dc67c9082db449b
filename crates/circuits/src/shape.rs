//! What an operation does to level, scale and number of parts: the rules of [`ckks::Evaluator`], without the polynomials.

use ckks::{EvaluatorError, Parameters};

/// Level, scale and parts of a ciphertext.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// The level.
    pub level: usize,
    /// The scale.
    pub scale: f64,
    /// Two, or three for a product before relinearisation.
    pub parts: usize,
    /// The cost of the longest chain of operations that led to it, each waiting for the one before.
    pub path: f64,
}

impl Shape {
    /// A fresh ciphertext.
    pub fn fresh(level: usize, scale: f64) -> Self {
        Self {
            level,
            scale,
            parts: 2,
            path: 0.0,
        }
    }

    /// A sum of operands of one scale.
    pub fn sum(operands: &[Shape]) -> Result<Shape, EvaluatorError> {
        let (first, rest) = operands.split_first().ok_or(EvaluatorError::Terms(0))?;
        rest.iter().try_fold(*first, |sum, next| {
            if (sum.scale / next.scale - 1.0).abs() >= 1e-9 {
                return Err(EvaluatorError::ScaleMismatch(sum.scale, next.scale));
            }
            Ok(Shape {
                level: sum.level.min(next.level),
                scale: sum.scale,
                parts: sum.parts.max(next.parts),
                path: sum.path.max(next.path),
            })
        })
    }

    /// A sum of products with factors of scale `scale` at `level` or above.
    fn scaled(
        self,
        parameters: &Parameters,
        scale: f64,
        level: usize,
        parts: usize,
    ) -> Result<Shape, EvaluatorError> {
        let (scale, level) = (self.scale * scale, self.level.min(level));
        if scale.log2() + 2.0 >= parameters.log_q(level) {
            return Err(EvaluatorError::ScaleOverflow { scale, level });
        }
        Ok(Shape {
            level,
            scale,
            parts,
            path: self.path,
        })
    }

    /// `sum_k a_k b_k`.
    pub fn dot(parameters: &Parameters, a: &[Shape], b: &[Shape]) -> Result<Shape, EvaluatorError> {
        if a.len() != b.len() || a.len() > 8 {
            return Err(EvaluatorError::Terms(a.len()));
        }
        let (left, right) = (Self::sum(a)?.with_parts(2)?, Self::sum(b)?.with_parts(2)?);
        let path = left.path.max(right.path);
        let product = left.scaled(parameters, right.scale, right.level, 3)?;
        Ok(Shape { path, ..product })
    }

    /// `sum_k p_k a_k` with plaintexts of one scale.
    pub fn dot_plain(
        parameters: &Parameters,
        a: &[Shape],
        scale: f64,
    ) -> Result<Shape, EvaluatorError> {
        if a.len() > 16 {
            return Err(EvaluatorError::Terms(a.len()));
        }
        let sum = Self::sum(a)?.with_parts(2)?;
        sum.scaled(parameters, scale, sum.level, 2)
    }

    /// After relinearisation.
    pub fn relinearized(self) -> Result<Shape, EvaluatorError> {
        Ok(Shape {
            parts: 2,
            ..self.with_parts(3)?
        })
    }

    /// `sum_k factor_k a_k + constant` at `scale`.
    pub fn combined(
        parameters: &Parameters,
        terms: &[Shape],
        scale: f64,
    ) -> Result<Shape, EvaluatorError> {
        if terms.is_empty() || terms.len() > 16 {
            return Err(EvaluatorError::Terms(terms.len()));
        }
        let one = terms.iter().try_fold(
            Shape::fresh(usize::MAX, scale),
            |sum, next| -> Result<Shape, EvaluatorError> {
                Ok(Shape {
                    level: sum.level.min(next.with_parts(2)?.level),
                    path: sum.path.max(next.path),
                    ..sum
                })
            },
        )?;
        one.scaled(parameters, 1.0, one.level, 2)
    }

    /// After a rescale by so many primes.
    pub fn rescaled(self, parameters: &Parameters, primes: usize) -> Result<Shape, EvaluatorError> {
        let level = self.with_parts(2)?.level;
        if level < primes {
            return Err(EvaluatorError::LevelExhausted {
                level,
                needed: primes,
            });
        }
        Ok((0..primes).fold(self, |shape, _| Shape {
            level: shape.level - 1,
            scale: shape.scale / parameters.prime(shape.level),
            ..shape
        }))
    }

    /// Under the ephemeral secret: at the base level alone.
    pub fn encapsulated(self, parameters: &Parameters) -> Result<Shape, EvaluatorError> {
        let level = self.with_parts(2)?.level;
        match parameters.encapsulation() {
            Some(encapsulation) if level + 1 == encapsulation.base => Ok(self),
            _ => Err(EvaluatorError::NotAtBase { level }),
        }
    }

    /// At the highest level.
    pub fn raised(self, parameters: &Parameters) -> Shape {
        Shape {
            level: parameters.max_level(),
            ..self
        }
    }

    /// Of `factor` times the message.
    pub fn times(self, factor: f64) -> Shape {
        Shape {
            scale: self.scale / factor,
            ..self
        }
    }

    /// At a lower level.
    pub fn dropped(self, level: usize) -> Result<Shape, EvaluatorError> {
        if level > self.level {
            return Err(EvaluatorError::LevelExhausted {
                level: self.level,
                needed: level,
            });
        }
        Ok(Shape { level, ..self })
    }

    /// Itself, if it has this many parts.
    pub fn with_parts(self, parts: usize) -> Result<Shape, EvaluatorError> {
        if self.parts == parts {
            Ok(self)
        } else {
            Err(EvaluatorError::Degree {
                expected: parts,
                found: self.parts,
            })
        }
    }
}
