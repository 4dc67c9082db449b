//! The manifest of a planned model.

use protocol::{
    check::container_bytes,
    ckks::{Ciphertext, KeySpec, Parameters, SECURITY_SOURCE, SeededCiphertext, WireError},
    hex::{Digest, Hex},
    layout::{Axis, Layout, Part},
    manifest::{
        KeyEntry, Manifest, Object, PROTOCOL, ParameterSet, Security, Task, configuration_digest,
    },
};
use transformer::{ModelPlan, SlotLayout};

/// Seconds per unit of planned cost at ring degree 2^15 on the two-core reference machine, and how they grow with the degree: at 2^16 a unit
/// takes 2.5 times as long, as less of it stays in the caches. Only the first estimate comes from them, later ones from the evaluations themselves.
const SECONDS_PER_COST: f64 = 26.5e-6;
const GROWTH: f64 = 4.0 / 3.0;

pub(super) fn describe(
    name: &str,
    weights: Digest,
    task: Task,
    plan: &ModelPlan,
    parameters: &Parameters,
) -> Result<Manifest, WireError> {
    let keys: Vec<_> = plan
        .circuit
        .keys
        .iter()
        .map(|spec| key_entry(spec, parameters))
        .collect();
    let query_bytes = SeededCiphertext::wire_bytes(parameters, &plan.query)?;
    let result_bytes = Ciphertext::wire_bytes(parameters, &plan.result)?;
    let ring = (parameters.degree() as f64 / f64::from(1 << 15)).powf(GROWTH);
    Ok(Manifest {
        protocol: PROTOCOL,
        model: name.to_owned(),
        weights,
        parameters: ParameterSet {
            name: parameters.name().to_owned(),
            digest: Hex(parameters.digest()),
            log_n: parameters.log_n(),
            log_qp: parameters.log_qp(),
            security: Security {
                bits: parameters.security_bits(),
                source: SECURITY_SOURCE.to_owned(),
            },
        },
        configuration: configuration_digest(&parameters.digest(), &plan.circuit.keys),
        evaluation_key_bytes: keys.iter().map(|key| key.bytes).sum(),
        keys,
        query: Object {
            spec: plan.query,
            layout: layout(&plan.query_layout),
            bytes: container_bytes(query_bytes),
        },
        result: Object {
            spec: plan.result,
            layout: layout(&plan.result_layout),
            bytes: container_bytes(result_bytes),
        },
        task,
        encrypted: None,
        expected_seconds: plan.circuit.cost() * ring * SECONDS_PER_COST,
    })
}

fn key_entry(spec: &KeySpec, parameters: &Parameters) -> KeyEntry {
    let bytes = container_bytes(spec.wire_bytes(parameters));
    KeyEntry {
        name: spec.name(),
        spec: *spec,
        bytes,
    }
}

fn layout(layout: &SlotLayout) -> Layout {
    let axes = layout.axes.iter().map(|axis| Axis {
        size: narrow(axis.size),
        stride: narrow(axis.stride),
        part: if axis.imaginary {
            Part::Imaginary
        } else {
            Part::Real
        },
    });
    Layout {
        tokens: narrow(layout.tokens),
        values: narrow(layout.values),
        token_stride: narrow(layout.token_stride),
        axes: axes.collect(),
    }
}

/// Numbers beyond u32 saturate to what the manifest's examination refuses.
pub(super) fn narrow(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
