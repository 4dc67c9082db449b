# A whole refresh by OpenFHE at N = 2^16 and 128 bits, all slots, on one thread. Its own way of sparse-secret encapsulation, CoeffsToSlots first or
# SlotsToCoeffs first. A line: library and set, slots, bits of modulus left above those that an input must have, bits of the worst slot, runs,
# processor and wall seconds (medians), peak GiB.
import random, resource, statistics, sys, time
from math import log2
from openfhe import *

SLOTS, SCALE, FIRST = 1 << 15, 59, 60


def measure(stc_first, budget, digits, left, runs=2):
    p = CCParamsCKKSRNS()
    p.SetSecretKeyDist(SecretKeyDist.SPARSE_ENCAPSULATED)
    p.SetSecurityLevel(SecurityLevel.HEStd_128_classic)
    p.SetRingDim(2 * SLOTS)
    p.SetBatchSize(SLOTS)
    p.SetNumLargeDigits(digits)
    p.SetScalingTechnique(ScalingTechnique.FLEXIBLEAUTO)
    p.SetScalingModSize(SCALE)
    p.SetFirstModSize(FIRST)
    depth = left + CryptoContext.GetBootstrapDepth(budget, SecretKeyDist.SPARSE_ENCAPSULATED)
    p.SetMultiplicativeDepth(depth)
    cc = GenCryptoContext(p)
    for feature in (PKESchemeFeature.PKE, PKESchemeFeature.KEYSWITCH, PKESchemeFeature.LEVELEDSHE, PKESchemeFeature.ADVANCEDSHE, PKESchemeFeature.FHE):
        cc.Enable(feature)
    cc.EvalBootstrapSetup(budget, [0, 0], SLOTS, 0, True, stc_first)
    keys = cc.KeyGen()
    cc.EvalMultKeyGen(keys.secretKey)
    cc.EvalBootstrapKeyGen(keys.secretKey, SLOTS)
    draw = random.Random(1)
    values = [draw.uniform(-1, 1) for _ in range(SLOTS)]
    # The lowest level that it takes: SlotsToCoeffs first has its own levels to spend.
    lowest = depth - (budget[1] + 1 if stc_first else 1)
    x = cc.Encrypt(keys.publicKey, cc.MakeCKKSPackedPlaintext(values, 1, lowest))
    refresh = cc.EvalBootstrapStCFirst if stc_first else cc.EvalBootstrap
    thread, wall = [], []
    for _ in range(runs):
        start = time.thread_time(), time.perf_counter()
        y = refresh(x)
        thread.append(time.thread_time() - start[0])
        wall.append(time.perf_counter() - start[1])
    opened = cc.Decrypt(y, keys.secretKey)
    opened.SetLength(SLOTS)
    worst = max(abs(a - b) for a, b in zip(opened.GetRealPackedValue(), values))
    # As the library's examples count; SlotsToCoeffs first needs some of them before the next refresh.
    levels = depth - y.GetLevel() - (y.GetNoiseScaleDeg() - 1) - (budget[1] if stc_first else 0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    name = f"OpenFHE, {'SlotsToCoeffs' if stc_first else 'CoeffsToSlots'} first, budget {budget[0]} and {budget[1]}, {digits} digits"
    print(name, SLOTS, levels * SCALE, f"{-log2(worst):.1f}", runs, statistics.median(thread), statistics.median(wall), f"{peak:.1f}", sep="\t", flush=True)


measure(sys.argv[1] == "stc", [int(sys.argv[2])] * 2, int(sys.argv[3]), int(sys.argv[4]))
