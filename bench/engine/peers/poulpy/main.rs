//! Poulpy on its fastest backend of one thread, built outside the workspace: it wants nightly Rust. A line: library, log2 N, log2 Q, operation,
//! runs, processor and wall time in milliseconds, medians.

use poulpy_ckks::{
    GLWEPlaintextMeta, Scale, SetCKKSInfos, SlotsKind,
    api::{
        CKKSDotProductOps, CKKSLeftOperandPreparedFactory, CKKSModuleInfos, CKKSMulOps,
        CKKSRightOperandPreparedFactory, CKKSRotateOps,
    },
    layouts::{CKKSPlaintextAlloc, CKKSPlaintextVecHostCodec},
    test_suite::{
        CKKSTestParams,
        helpers::{
            alloc_ct, alloc_scratch, ckks_encrypt_coeffs, gen_atk, gen_sk_with_raw, gen_tsk,
            upload_pt,
        },
    },
};
#[cfg(feature = "avx2")]
use poulpy_cpu_avx::NTT4x30Avx as Backend;
#[cfg(feature = "avx512ifma")]
use poulpy_cpu_avx512::NTT3x42Ifma as Backend;
use poulpy_hal::{
    api::ScratchOwnedBorrow,
    layouts::{HostBytesBackend, Module, PrepareHint},
};
use rustix::time::{ClockId, clock_gettime};
use std::{collections::HashMap, time::Instant};

const BASE: usize = 52;
const SCALE: usize = 30;
const TERMS: usize = 16;

fn main() {
    // In limbs of 52 bits: log2 Q 624 and log2 QP 847, 3 digits; 1352 and 1732, 4 digits.
    measure(15, 12, 4);
    measure(16, 26, 7);
}

fn measure(log_n: usize, limbs: usize, digit: usize) {
    let params = CKKSTestParams {
        n: 1 << log_n,
        base2k: BASE,
        k: limbs * BASE,
        prec_meta: GLWEPlaintextMeta {
            scale: Scale::Log(SCALE),
            slots: SlotsKind::Complex,
            log_sparsity: 0,
        },
        prec_log_budget: 10,
        hw: 1 << (log_n - 1),
        dsize: digit,
        rank: 1,
    };
    let module = Module::<Backend>::new(params.n as u64);
    let host = Module::<HostBytesBackend>::new(params.n as u64);
    let mut scratch = alloc_scratch(&params, &module);
    let (secret, prepared) = gen_sk_with_raw(&params, &module, &host, [7; 32]);
    let galois = module.ckks_galois_element(1);
    let rotation = HashMap::from([(
        galois,
        gen_atk(&params, &module, galois, &secret, &mut scratch.borrow()),
    )]);
    let product = gen_tsk(&params, &module, &secret, &mut scratch.borrow());

    let values: Vec<f64> = (0..params.n).map(|i| (i % 100) as f64 / 100.0).collect();
    let x = ckks_encrypt_coeffs::<Backend, f64>(
        &params,
        &module,
        &host,
        &prepared,
        params.k,
        &values,
        params.prec(),
        &mut scratch.borrow(),
    );
    let mut weight = host.ckks_plaintext_alloc(
        (params.n as u32).into(),
        (BASE as u32).into(),
        params.prec().glwe_layout.k,
    );
    weight.set_meta(params.prec().meta);
    weight.encode_host_floats(&values).unwrap();
    let weight = upload_pt(&module, &weight);
    let mut out = alloc_ct(&params, &module, params.k);

    let row = |name: &str, work: &mut dyn FnMut()| print_row("Poulpy", log_n, params.k, name, work);
    row("rotation key", &mut || {
        gen_atk(&params, &module, galois, &secret, &mut scratch.borrow());
    });
    row("rotation", &mut || {
        module
            .ckks_rotate_into(1, &mut out, &x, &rotation, &mut scratch.borrow())
            .unwrap();
    });
    row("product with relinearisation", &mut || {
        module
            .ckks_mul_into(&mut out, &x, &x, &product, &mut scratch.borrow())
            .unwrap();
    });
    row("plain product", &mut || {
        module
            .ckks_mul_pt_vec_into(&mut out, &x, &weight, &mut scratch.borrow())
            .unwrap();
    });
    row("plain product-sum of 16", &mut || {
        module
            .ckks_dot_product_pt_vec(
                &mut out,
                &[&x; TERMS],
                &[&weight; TERMS],
                &mut scratch.borrow(),
            )
            .unwrap();
    });
    let left = module
        .ckks_left_operand_prepare_alloc(&x, PrepareHint::Reuse, &mut scratch.borrow())
        .unwrap();
    let right = module
        .ckks_right_operand_prepare_alloc(&weight, PrepareHint::Reuse, &mut scratch.borrow())
        .unwrap();
    print_row(
        "Poulpy, all operands transformed before",
        log_n,
        params.k,
        "plain product-sum of 16",
        &mut || {
            module
                .ckks_dot_product_prepared_pt_vec(
                    &mut out,
                    &[&left; TERMS],
                    &[&right; TERMS],
                    &[1; TERMS],
                    &mut scratch.borrow(),
                )
                .unwrap();
        },
    );
}

fn print_row(library: &str, log_n: usize, log_q: usize, name: &str, work: &mut dyn FnMut()) {
    const RUNS: usize = 15;
    work();
    let (mut thread, mut wall) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (before, start) = (thread_ms(), Instant::now());
        work();
        wall.push(start.elapsed().as_secs_f64() * 1e3);
        thread.push(thread_ms() - before);
    }
    println!(
        "{library}\t{log_n}\t{log_q}\t{name}\t{RUNS}\t{}\t{}",
        median(thread),
        median(wall)
    );
}

/// Processor time of this thread.
fn thread_ms() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 * 1e-6
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
