//! Polynomials in the three readings: values, levels, exact scales, the number of products.

mod common;

use circuits::{Chebyshev, CircuitError, Cleartext, NoEncoding, Planner, Shape};
use ckks::{Complex64, Parameters};
use common::{Client, assert_bits};

/// Scale, primes a level, and what precision that leaves.
const KINDS: [(f64, usize, f64); 2] = [(30.0, 1, 12.0), (59.9, 2, 40.0)];

fn function(x: f64) -> f64 {
    (3.0 * x).sin() / (1.0 + x * x)
}

#[test]
fn values_levels_and_scales_agree() {
    let parameters = Parameters::insecure(8, 15).unwrap();
    let level = parameters.max_level();
    let slots: Vec<f64> = (0..parameters.slots())
        .map(|i| i as f64 / 64.0 - 1.0)
        .collect();
    let x: Vec<Complex64> = slots.iter().map(|&x| x.into()).collect();
    for (log_scale, primes, bits) in KINDS {
        for degree in [1, 2, 3, 4, 7, 8, 15, 22, 31, 33] {
            let polynomial = Chebyshev::interpolate(degree, function);
            let scale = f64::exp2(log_scale);
            let want: Vec<f64> = slots.iter().map(|&x| polynomial.value(x)).collect();

            let planner = Planner::new(&parameters, NoEncoding);
            let fresh = Shape::fresh(level, scale);
            let shape = polynomial
                .evaluate(&planner, &fresh, primes, scale)
                .unwrap();
            assert_eq!(shape.level, level - primes * polynomial.depth());
            assert!((shape.scale / scale - 1.0).abs() < 1e-12);
            let plan = planner.into_plan();

            let cleartext = Cleartext::new(&parameters);
            let clear = cleartext.encrypt(&x, level, scale);
            let clear = polynomial
                .evaluate(&cleartext, &clear, primes, scale)
                .unwrap();
            assert_eq!(clear.shape, shape);
            for (z, want) in clear.slots.iter().zip(&want) {
                assert!((z - want).norm() < 1e-12, "degree {degree}");
            }

            let client = Client::new(&parameters, &plan);
            let fresh = client.encrypt(&x, level, log_scale);
            let result = client.read(
                |_, _| (),
                |reading| {
                    polynomial
                        .evaluate(&reading, &fresh, primes, scale)
                        .unwrap()
                },
            );
            assert_eq!((result.level(), result.scale()), (shape.level, shape.scale));
            let want: Vec<Complex64> = want.iter().map(|&y| y.into()).collect();
            assert_bits(
                &format!("degree {degree}"),
                &client.decrypt(&result),
                &want,
                bits,
            );
        }
    }
}

/// Degree 31 in five levels: T_2, T_3, T_4, T_8 and T_16, eight products of parts, of which five are relinearised.
#[test]
fn products_are_as_few_as_counted() {
    let parameters = Parameters::insecure(8, 15).unwrap();
    let planner = Planner::new(&parameters, NoEncoding);
    let polynomial = Chebyshev::interpolate(31, function);
    let fresh = Shape::fresh(parameters.max_level(), parameters.scale());
    polynomial
        .evaluate(&planner, &fresh, 1, parameters.scale())
        .unwrap();
    let layer = &planner.into_plan().layers[0];
    assert_eq!((layer.products, layer.relinearizations), (13, 10));
}

#[test]
fn too_few_levels_are_an_error() {
    let parameters = Parameters::insecure(8, 15).unwrap();
    let planner = Planner::new(&parameters, NoEncoding);
    let polynomial = Chebyshev::interpolate(31, function);
    for level in 0..5 {
        let low = Shape::fresh(level, 1.0);
        let error = polynomial.evaluate(&planner, &low, 1, 1.0).unwrap_err();
        assert!(
            matches!(error, CircuitError::Operation { .. }),
            "{level}: {error}"
        );
    }
    let constant = Chebyshev::new(vec![]);
    assert!(
        constant
            .evaluate(&planner, &Shape::fresh(9, 1e9), 1, 1e9)
            .is_err()
    );
}
